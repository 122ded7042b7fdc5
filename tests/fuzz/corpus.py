"""Corpora of the fuzz targets: packed files and the seeds they grew from.

  corpus.py unpack PACK FOLDER   one file an input
  corpus.py pack FOLDER PACK     the other way, in a fixed order
  corpus.py seeds FOLDER         first inputs, from the golden cases
  corpus.py words                tests/fuzz/words/, from the golden cases

A pack is "<size>\\n<bytes>\\n" for each input. Inputs are 16 bytes that choose
(tests/fuzz/kit/target.h) and the text that is read.
"""

import gzip
import hashlib
import json
import os
import re
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CHOICES = 16
RULE = re.compile(rb"^--- (given|expect|options) ?(\w*) ?([\w-]*)"
                  rb"(?: < (\S+))?$")


def dialects():
    """Names in the order in which the library counts them."""
    with open(ROOT + "/lib/dialects/dialects.def", encoding="ascii") as file:
        folders = re.findall(r"^DIALECT\((\w+)\)", file.read(), re.M)
    return [folder.replace("_", "-") for folder in folders]


def case_files():
    for folder, _, names in sorted(os.walk(ROOT + "/tests/golden")):
        for name in sorted(names):
            if name.endswith(".case"):
                yield os.path.join(folder, name)


def sections():
    """(given or expect, what, dialect, body) of every golden case."""
    for path in case_files():
        kind = what = dialect = None
        body = []
        with open(path, "rb") as file:
            lines = file.read().split(b"\n")
        for line in lines + [b"--- options"]:
            rule = RULE.match(line)
            if not rule:
                body.append(line)
                continue
            if kind in (b"given", b"expect"):
                yield (kind.decode(), what.decode(), dialect.decode(),
                       b"\n".join(body))
            kind, what, dialect, other = rule.groups()
            body = []
            if other:
                file_name = os.path.join(os.path.dirname(path), other.decode())
                with open(file_name, "rb") as file:
                    body = [file.read()]


def compact(body):
    """JSON without the white space of people; else as it is."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False,
                          separators=(",", ":")).encode()
    except (ValueError, UnicodeError):
        return body.strip(b"\n")


def choices(*values):
    return bytes(values).ljust(CHOICES, b"\0")


class Seeds:
    """Inputs of each target, written once."""

    def __init__(self, folder):
        self.folder = folder

    def add(self, target, first, body):
        path = os.path.join(self.folder, target)
        os.makedirs(path, exist_ok=True)
        data = first + body
        name = hashlib.sha1(data).hexdigest()
        with open(os.path.join(path, name), "wb") as file:
            file.write(data)

    def request(self, index, body, others):
        for to in others:
            # Which flags and model: different ones for different bodies.
            odd = len(body) % 251
            self.add("request", choices(index, to, odd & 0x5e, odd % 12, odd),
                     body)
        self.add("edits", choices(index, 0x51), body)
        self.add("json", choices(), body)

    def response(self, index, body, others):
        for to in others:
            odd = len(body) % 251
            self.add("response", choices(index, to, odd, odd, odd // 3), body)

    def error(self, index, body, others):
        for to in others:
            self.add("error", choices(index, to, len(body) % 24, 1, 1, 0,
                                      len(body) % 20), body)

    def stream(self, index, body, others):
        for to in others:
            odd = len(body) % 251
            self.add("stream", choices(index, to, odd, odd // 3, odd, 0,
                                       odd), body)
        for kind in (0, 1, 2, 3):
            self.add("framers", choices(kind, 0, 7), body)

    def text(self):
        """What stands in tests/fuzz/words/TARGET.seeds, between rules."""
        for name in sorted(os.listdir(HERE + "/words")):
            target, end = os.path.splitext(name)
            if end != ".seeds":
                continue
            with open(HERE + "/words/" + name, "rb") as file:
                for number, body in enumerate(file.read().split(b"\n===\n")):
                    if target.startswith(("http_", "form")):
                        body = body.replace(b"\n", b"\r\n")
                    for first in (0, 1):
                        self.add(target, choices(first, number % 3, 3, number),
                                 body)

    def packed(self):
        """Small packed bodies; zeros that become a thousand times as much."""
        for body in (b"{}", b"\xef\xbb\xbf{}", b"0" * 50000):
            for number, coded in enumerate((gzip.compress(body, mtime=0),
                                            zlib.compress(body))):
                for limit in (1, 2, 3):
                    self.add("codings", choices(number, 0, limit), coded)

    def configuration(self):
        """The examples of docs/configuration.md, without an environment."""
        with open(ROOT + "/docs/configuration.md", "rb") as file:
            for body in re.findall(rb"```yaml\n(.*?)```", file.read(), re.S):
                self.add("config", choices(1), b"OPENAI_API_KEY=sk-1\n---\n" +
                         body)


def write_seeds(folder):
    seeds = Seeds(folder)
    names = dialects()
    for kind, what, dialect, body in sections():
        if dialect not in names or not hasattr(seeds, what):
            continue
        if kind == "expect" and len(body) % 3:
            continue  # much of the same
        index = names.index(dialect)
        others = range(len(names)) if kind == "given" else [len(body) % 6]
        text = body if what == "stream" else compact(body)
        getattr(seeds, what)(index, text, others)
    seeds.text()
    seeds.packed()
    seeds.configuration()


def walk(value, names, values):
    if isinstance(value, dict):
        for name, child in value.items():
            names[name] = names.get(name, 0) + 1
            walk(child, names, values)
    elif isinstance(value, list):
        for child in value:
            walk(child, names, values)
    elif not isinstance(value, str) or len(value) < 48:
        text = json.dumps(value)
        values[text] = values.get(text, 0) + 1


def write_words():
    names, values = {}, {}
    for _, _, _, body in sections():
        for text in [body] + body.split(b"\n"):
            at = text.find(b"{")
            try:
                walk(json.loads(text[at:] if at >= 0 else text), names, values)
            except (ValueError, UnicodeError):
                pass
    for name, words, least in (("names", {json.dumps(word): count for
                                          word, count in names.items()}, 2),
                               ("values", values, 3)):
        with open(f"{HERE}/words/{name}.txt", "w", encoding="ascii") as file:
            file.writelines(word + "\n" for word in sorted(words)
                            if words[word] >= least)


def read_pack(path):
    with open(path, "rb") as file:
        data = file.read()
    at = 0
    while at < len(data):
        end = data.index(b"\n", at)
        size = int(data[at:end])
        yield data[end + 1:end + 1 + size]
        at = end + 1 + size + 1


def unpack(path, folder):
    os.makedirs(folder, exist_ok=True)
    for data in read_pack(path):
        name = hashlib.sha1(data).hexdigest()
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)


def pack(folder, path):
    inputs = []
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            inputs.append(file.read())
    inputs.sort(key=lambda data: (len(data), data))
    with open(path, "wb") as file:
        for data in inputs:
            file.write(b"%d\n%s\n" % (len(data), data))


def main(words):
    commands = {"unpack": unpack, "pack": pack, "seeds": write_seeds,
                "words": write_words}
    if not words or words[0] not in commands:
        sys.exit(__doc__)
    commands[words[0]](*words[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
