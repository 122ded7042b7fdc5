"""What one large request costs: peak memory of the real process.

Prints a table, and fails when a request costs more than it may: a bound on the
whole process below the default limits, and a number of times its own bytes.
Requests of many small values may be refused instead, with 413.

  memory_test.py BINARY [--only TEXT] [--mib 60] [--pairs all|few] [--times 6]
"""

import argparse
import functools
import http.client
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import bodies
from stub import Stub

# Each dialect: the row of the provider table, its path, where it streams by
# another path that one.
DIALECTS = {
    "openai-chat": ("openai", "/v1/chat/completions", None),
    "openai-responses": ("openai-responses", "/v1/responses", None),
    "claude": ("anthropic", "/v1/messages", None),
    "gemini": ("gemini", "/v1beta/models/{}:generateContent",
               "/v1beta/models/{}:streamGenerateContent?alt=sse"),
    "bedrock": ("bedrock-claude", "/model/{}/invoke",
                "/model/{}/invoke-with-response-stream"),
    "bedrock-converse": ("bedrock", "/model/{}/converse",
                         "/model/{}/converse-stream"),
}
FEW_PAIRS = (("openai-chat", "claude"), ("claude", "openai-chat"),
             ("openai-responses", "gemini"), ("gemini", "bedrock-converse"),
             ("bedrock-converse", "openai-responses"), ("claude", "bedrock"),
             ("openai-chat", "openai-chat"), ("gemini", "gemini"))
# Each dialect as a client's once, whose answers are large.
ANSWER_PAIRS = FEW_PAIRS + (("bedrock", "openai-chat"),)
# The whole process, below the default limits.
MOST_MIB = 400
# A client that takes its time. Seconds.
PAUSE = 1
# Memory is given back within it.
SETTLE_SECONDS = 5
# A request that is not what is measured. Bytes.
SMALL = 200
AFTER_MIB = 80


def config(stub):
    lines = ["server: {host: 127.0.0.1, port: 0}", "log: {level: 'off'}",
             "backends:"]
    for name, (provider, _, _) in DIALECTS.items():
        lines.append(f"  to-{name}: {{provider: {provider}, api_key: key, "
                     f"base_url: http://127.0.0.1:{stub.port}/{name}/v1}}")
    lines.append("models:")
    lines += [f"  to-{name}: to-{name}" for name in DIALECTS]
    return "\n".join(lines) + "\n"


class Proxy:
    """A fresh process: its peak is that of one request."""

    def __init__(self, binary, stub):
        self.folder = tempfile.TemporaryDirectory()
        file = pathlib.Path(self.folder.name) / "proxy.yaml"
        file.write_text(config(stub), encoding="ascii")
        self.child = subprocess.Popen(
            [binary, "serve", "--config", str(file)], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.port = self.port_of(self.child.stdout)

    @staticmethod
    def port_of(lines):
        for line in lines:
            _, found, rest = line.partition("http://127.0.0.1:")
            if found:
                return int("".join(itertools.takewhile(str.isdigit, rest)))
        sys.exit("the proxy did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait()
        self.child.stdout.close()
        self.folder.cleanup()

    def memory(self, name):
        """A line of /proc/PID/status, in MiB."""
        for line in pathlib.Path(
                f"/proc/{self.child.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) / 1024
        raise KeyError(name)

    def settled(self):
        """What is left once memory was given back."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline:
            if self.memory("VmRSS") < AFTER_MIB:
                break
            time.sleep(0.05)
        return self.memory("VmRSS")

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text() \
            .rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

    def post(self, path, body, pause=0):
        """Status and size of the answer, and its first bytes. The client reads
        no body for `pause` seconds."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=600)
        try:
            connection.request("POST", path, body, {
                "content-type": "application/json",
                "authorization": "Bearer k"})
            response = connection.getresponse()
            time.sleep(pause)
            answer = response.read()
            return response.status, len(answer), answer[:300]
        finally:
            connection.close()


def path_and_body(source, target, body, stream):
    """With the model, and whether it streams, where the dialect has them."""
    model = f"to-{target}"
    _, plain, streaming = DIALECTS[source]
    path = (streaming if stream and streaming else plain).format(model)
    if source in ("openai-chat", "openai-responses", "claude"):
        told = {"model": model, "max_tokens": 100}
        if source == "openai-responses":
            told = {"model": model}
        if stream:
            told["stream"] = True
        body = json.dumps(told)[:-1].encode() + b"," + body[1:]
    elif source == "bedrock":
        told = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100}
        body = json.dumps(told)[:-1].encode() + b"," + body[1:]
    return path, body


class Case:
    """One request, and what it may cost. `make` gives its path and body, so
    that only those are made that are sent."""

    def __init__(self, name, make, refusable=False, passes=True):
        self.name, self.make = name, make
        self.refusable, self.passes = refusable, passes
        self.path = self.body = None
        self.text = self.answer = None
        self.pause = 0

    def run(self, binary, stub, times):
        self.path, self.body = self.make()
        stub.received, stub.text, stub.body = 0, self.text or "hi", self.answer
        size = max(len(self.body), len(stub.text), len(stub.body or b"")) \
            / (1 << 20)
        with Proxy(binary, stub) as proxy:
            idle, began = proxy.memory("VmRSS"), time.monotonic()
            status, _, head = proxy.post(self.path, self.body, self.pause)
            seconds = time.monotonic() - began
            peak, cpu = proxy.memory("VmHWM"), proxy.cpu()
            after = proxy.settled()
        print(f"{self.name:58} {status} {size:5.1f} MiB, peak {peak:5.0f}, "
              f"{(peak - idle) / size:5.2f} times, after {after:4.0f}, "
              f"{seconds:5.2f} s, {cpu:5.2f} s CPU", flush=True)
        return list(self.faults(status, head, peak, (peak - idle) / size,
                                after, times, stub.received))

    def faults(self, status, head, peak, cost, after, times, received):
        if status != 200 and not (self.refusable and status in (413, 502)):
            yield f"{self.name}: status {status}: {head}"
        if status == 200 and self.passes and received < len(self.body) // 8:
            yield f"{self.name}: the upstream got {received} bytes only"
        if peak > MOST_MIB:
            yield f"{self.name}: peak {peak:.0f} MiB"
        if cost > times and status == 200:
            yield f"{self.name}: {cost:.2f} times its bytes"
        if after > AFTER_MIB:
            yield f"{self.name}: {after:.0f} MiB are kept"


def pairs_of(choice):
    if choice == "all":
        return [(a, b) for a in DIALECTS for b in DIALECTS]
    return FEW_PAIRS


def string_body(source, target, template, filling, stream, size):
    body = bodies.fill(template(source), bodies.FILLINGS[filling], size)
    return path_and_body(source, target, body, stream)


def string_cases(pairs, size):
    """One long string, in each place that holds one."""
    for (source, target), (place, template) in itertools.product(
            pairs, bodies.PLACES.items()):
        fillings = ["plain"] if place == "image" else bodies.FILLINGS
        for filling, stream in itertools.product(fillings, (False, True)):
            # Two layers of JSON need two of escapes.
            if place == "arguments" and filling in ("escaped", "quotes") and \
                    source.startswith("openai"):
                continue
            yield Case(f"{place} {filling}{' stream' if stream else ''}, "
                       f"{source} to {target}",
                       functools.partial(string_body, source, target,
                                         template, filling, stream, size))


def passed_body(dialect, filling, size):
    path, body = string_body(dialect, dialect, bodies.text_request, filling,
                             False, size)
    return f"/to-{dialect}{path}", body


def passed_cases(size):
    """Below a backend's name."""
    for dialect in DIALECTS:
        for filling in ("plain", "escaped"):
            yield Case(f"text {filling}, passed to {dialect}",
                       functools.partial(passed_body, dialect, filling, size))
    yield Case("no JSON, passed",
               lambda: ("/to-openai-chat/v1/files", b"," * size))


def shape_body(shape, target, size):
    return DIALECTS["openai-chat"][1], shape(size).replace(
        b'"M"', f'"to-{target}"'.encode(), 1)


def shape_cases(size):
    """Many values: small enough to be refused."""
    for (name, shape), target in itertools.product(
            bodies.SHAPES.items(), ("claude", "openai-chat", "gemini")):
        yield Case(f"many {name}, openai-chat to {target}",
                   functools.partial(shape_body, shape, target, size),
                   refusable=True)


def answer_cases(pairs, size):
    """Large answers to small requests."""
    for (source, target), (name, stream, pause) in itertools.product(
            pairs, (("answer", False, 0), ("answer stream", True, 0),
                    ("answer slow stream", True, PAUSE))):
        case = Case(f"{name}, {source} to {target}",
                    functools.partial(string_body, source, target,
                                      bodies.text_request, "plain",
                                      stream, SMALL), passes=False)
        case.pause = pause
        # Two of six characters are escaped.
        case.text = "word\n\"" * (size // 8)
        yield case
    case = Case("answer of many arrays",
                functools.partial(string_body, "claude", "openai-chat",
                                  bodies.text_request, "plain", False, SMALL),
                refusable=True, passes=False)
    case.answer = bodies.repeated(b'{"x":[', b"[]", b"]}", size)
    yield case


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--only", default="")
    parser.add_argument("--mib", type=int, default=60)
    parser.add_argument("--pairs", choices=("all", "few"), default="few")
    parser.add_argument("--times", type=float, default=6)
    arguments = parser.parse_args()
    size, pairs = arguments.mib << 20, pairs_of(arguments.pairs)
    stub, faults, count = Stub(), [], 0
    for case in itertools.chain(shape_cases(size), string_cases(pairs, size),
                                passed_cases(size),
                                answer_cases(pairs if arguments.pairs == "all"
                                             else ANSWER_PAIRS, size)):
        if arguments.only in case.name:
            count += 1
            faults += case.run(arguments.binary, stub, arguments.times)
    for fault in faults:
        print("FAULT", fault)
    print(f"memory: {count} requests, {len(faults)} faults")
    sys.exit(1 if faults or not count else 0)


if __name__ == "__main__":
    main()
