"""Compares the public interface with the one that was recorded last.

tests/interface/ holds what the public headers declare, without comments and
layout, and what the shared libraries export of that. Whoever changes it on
purpose records it anew, and raises the version where docs/changelog.md says
so, in the same commit.

  interface_test.py SOURCE_DIR PACKAGE_DIR [--update]

PACKAGE_DIR is what package_build.py has built.
"""

import argparse
import difflib
import os
import re
import subprocess
import sys

LIBRARIES = ["core", "client", "gateway"]
# String and character literals stay; comments go.
LITERAL_OR_COMMENT = re.compile(
    r'"(?:\\.|[^"\\\n])*"|' r"(?<!\w)'(?:\\.|[^'\\\n])'|" r"//[^\n]*|/\*.*?\*/",
    re.DOTALL)
# How the demangler spells std::string and what it adds to names.
SHORTER = [
    ("std::__cxx11::basic_string<char, std::char_traits<char>, "
     "std::allocator<char> >", "std::string"),
    ("std::basic_string_view<char, std::char_traits<char> >",
     "std::string_view"),
    ("[abi:cxx11]", ""),
]
# Headers that say nothing a user may rely on.
NOT_RECORDED = ("version.h",)


def without_comments(text):
    return LITERAL_OR_COMMENT.sub(
        lambda m: " " if m[0].startswith("/") else m[0], text)


def statements(code):
    """Splits at braces, semicolons and commas that stand in no parentheses."""
    code = re.sub(r"\s+", " ", code)
    code = re.sub(r" ?([^\w ]) ?", r"\1", code)
    depth, start = 0, 0
    for at, mark in enumerate(code):
        depth += (mark == "(") - (mark == ")")
        closing = mark == "}" and code[at + 1:at + 2] == ";"
        if mark in ";{}," and depth == 0 and not closing:
            yield code[start:at + 1].strip()
            start = at + 1
    if code[start:].strip():
        yield code[start:].strip()


def declarations(text):
    """The code as one declaration or statement a line, whatever its layout."""
    text = without_comments(text).replace("\\\n", " ")
    lines, code = [], []

    def flush():
        lines.extend(statements(" ".join(code)))
        code.clear()

    for line in text.split("\n"):
        if line.lstrip().startswith("#"):
            flush()
            line = re.sub(r"\s+", " ", line).strip()
            if not line.startswith(("#include", "#pragma once")):
                lines.append(line)
        else:
            code.append(line)
    flush()
    return lines


def headers_of(source):
    """What the public headers declare, each line with its header's name."""
    folder = os.path.join(source, "include/llmproxy")
    for name in sorted(os.listdir(folder)):
        if name in NOT_RECORDED or not name.endswith(".h"):
            continue
        with open(os.path.join(folder, name), encoding="ascii") as file:
            for line in declarations(file.read()):
                yield f"{name}: {line}"


def exports_of(package, words):
    """Functions and objects of the shared libraries that a public header
    declares. Inline ones are left out: they come and go with optimisation,
    and stand in the headers as a whole."""
    for name in LIBRARIES:
        library = os.path.join(package, f"shared/lib/libllmproxy-{name}.so")
        table = subprocess.run(["nm", "-D", "-C", "--defined-only", library],
                               check=True, stdout=subprocess.PIPE,
                               text=True).stdout
        found = set()
        for line in table.splitlines():
            _, kind, symbol = line.split(" ", 2)
            symbol = symbol.split("@")[0]
            for long, short in SHORTER:
                symbol = symbol.replace(long, short)
            place = re.match(r"llmproxy::([\w:~]+)", symbol)
            # A name of several parts is public when all of them are.
            if (kind in "TDBR" and place and "::State::" not in symbol and
                    all(part.lstrip("~") in words
                        for part in place[1].split("::") if part)):
                found.add(symbol)
        yield from (f"{name}: {symbol}" for symbol in sorted(found))


def version_faults(source):
    """The version is said thrice: as numbers, as text and in the changelog."""
    with open(os.path.join(source, "include/llmproxy/version.h"),
              encoding="ascii") as file:
        header = file.read()
    text = re.search(r'LLMPROXY_VERSION "(.*)"', header)[1]
    parts = [re.search(rf"LLMPROXY_VERSION_{part} (\d+)", header)[1]
             for part in ("MAJOR", "MINOR", "PATCH")]
    if text != ".".join(parts):
        yield f'version.h: "{text}" is not {".".join(parts)}'
    with open(os.path.join(source, "docs/changelog.md"),
              encoding="ascii") as file:
        newest = re.search(r"^## (\S+)", file.read(), re.MULTILINE)[1]
    if newest != text:
        yield f"docs/changelog.md is about {newest}, version.h says {text}"


def compare(recorded, current, name):
    """Lines to print; and whether something is gone or became another."""
    lines = [line for line in difflib.unified_diff(
        recorded, current, f"{name} (recorded)", f"{name} (now)",
        lineterm="", n=1)]
    gone = any(line.startswith("-") and not line.startswith("---")
               for line in lines)
    return lines, gone


ADVICE = """
The public interface is not the one recorded in tests/interface/. Where that
is meant, record it anew by `make interface`, and say it in docs/changelog.md.
"""
GONE = """Something was removed or changed: users of the last release may have to change
their code. The next release must have another minor version (0.x), or another
major version (from 1.0 on).
"""
ADDED = """Something was added and nothing taken away: the next release must have another
patch version (0.x), or another minor version (from 1.0 on).
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source")
    parser.add_argument("package")
    parser.add_argument("--update", action="store_true",
                        help="record the interface as it is now")
    arguments = parser.parse_args()
    folder = os.path.join(arguments.source, "tests/interface")

    headers = list(headers_of(arguments.source))
    words = set(re.findall(r"\w+", "\n".join(headers))) - {"json"}
    current = {"headers.txt": headers,
               "exports.txt": list(exports_of(arguments.package, words))}
    differs, gone = False, False
    for name, lines in current.items():
        path = os.path.join(folder, name)
        recorded = []
        if os.path.exists(path):
            with open(path, encoding="ascii") as file:
                recorded = file.read().splitlines()
        changes, taken = compare(recorded, lines, name)
        gone, differs = gone or taken, differs or bool(changes)
        print("\n".join(changes), end="\n" if changes else "")
        if arguments.update:
            os.makedirs(folder, exist_ok=True)
            with open(path, "w", encoding="ascii") as file:
                file.write("".join(f"{line}\n" for line in lines))

    faults = list(version_faults(arguments.source))
    if differs:
        print((GONE if gone else ADDED) if arguments.update
              else ADVICE + (GONE if gone else ADDED))
        if not arguments.update:
            faults.append("the interface is not the recorded one")
    print("".join(f"{fault}\n" for fault in faults), end="")
    print(f"interface: {len(headers)} lines of headers, "
          f"{len(current['exports.txt'])} exports, {len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
