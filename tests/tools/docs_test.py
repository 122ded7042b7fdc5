"""Compares the documents for embedders with what they show.

  docs_test.py SOURCE_DIR

A block of C++ is taken from the file that is linked last before it, and must
be in it word for word (indented or not). So the compiler and the tests check
it where it comes from. Each example is linked. In all documents links lead somewhere,
to a heading that is there too.
"""

import os
import pathlib
import re
import sys
import textwrap

DOCUMENTS = ("README.md", "docs/embedding.md", "docs/extending.md",
             "docs/security.md")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
ANY_LINK = re.compile(r"\]\(([^)#:]*)(#[^)]*)?\)")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
BLOCK = re.compile(r"^```cpp\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTS = (0, 2, 4)


def has(source, block):
    return any("\n" + textwrap.indent(block, " " * indent) in "\n" + source
               for indent in INDENTS)


def headings(path):
    """The anchors of a document."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            for title in re.findall(r"(?m)^#+ +(.*)$",
                                    path.read_text("utf-8"))}


def dead_links(path):
    for link in ANY_LINK.finditer(FENCED.sub("", path.read_text("utf-8"))):
        target = path.parent / link[1] if link[1] else path
        if not target.exists() or (
                link[2] and target.suffix == ".md" and
                link[2][1:] not in headings(target)):
            yield f"{path}: leads nowhere: {link[0][2:-1]}"


def faults_of(path):
    """What is wrong with a document's C++, and what it links."""
    text = path.read_text("ascii")
    blocks = list(BLOCK.finditer(text))
    # In a block "](" begins a lambda.
    links = [(link.start(), path.parent / link[1])
             for link in LINK.finditer(text)
             if not any(b.start() < link.start() < b.end() for b in blocks)]
    faults = []
    for block in blocks:
        line = text.count("\n", 0, block.start()) + 1
        before = [target for at, target in links if at < block.start()]
        if not before or before[-1].suffix not in (".cc", ".h"):
            faults.append(f"{path}:{line}: no file is linked before this block")
        elif not has(before[-1].read_text("ascii"), block[1]):
            faults.append(f"{path}:{line}: is not in {before[-1]}")
    return faults, {os.path.normpath(target) for _, target in links}, len(blocks)


def main():
    root = pathlib.Path(sys.argv[1])
    faults, linked, blocks = [], set(), 0
    for name in DOCUMENTS:
        found, targets, count = faults_of(root / name)
        faults += found
        linked |= targets
        blocks += count
    documents = [*root.glob("*.md"), *root.glob("docs/**/*.md"),
                 *root.glob("tests/*/*.md")]
    for path in documents:
        faults += dead_links(path)
    faults += [f"{example}: no document links it"
               for example in sorted(root.glob("examples/*.cc"))
               if os.path.normpath(example) not in linked]
    for fault in faults:
        print(fault)
    print(f"docs: {blocks} blocks of C++, links of {len(documents)} documents,"
          f" {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
