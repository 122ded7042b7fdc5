"""Reads the *.rows files; their README says how they are written."""

import dataclasses
import re

STATES = ("open", "closed", "reset")
CHECKS = ("has", "lacks", "upstream-has", "upstream-lacks")
SIMPLE = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\",
          "|": b""}
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)")
REPEAT_END = re.compile(r"\*(\d+)\}")


@dataclasses.dataclass
class Row:
    """One row: what is sent, and what must come back."""
    place: str
    section: str
    name: str
    server: str = "open"
    steps: list = dataclasses.field(default_factory=list)
    statuses: list = dataclasses.field(default_factory=list)
    state: str = ""
    checks: list = dataclasses.field(default_factory=list)
    upstream_silent: bool = False


def one_escape(what):
    """The bytes of what stands behind a backslash."""
    if what == "H":
        return b"Host: localhost\r\n"
    if len(what) == 3:
        return bytes([int(what[1:], 16)])
    return SIMPLE[what]


def read_bytes(text, at, inner):
    """The bytes from `at` on, and where they end: at the end of `text`, or
    behind the end of the repetition that they stand in."""
    out = b""
    while at < len(text):
        if inner and (end := REPEAT_END.match(text, at)):
            return out * int(end[1]), end.end()
        if text.startswith("\\{", at):
            piece, at = read_bytes(text, at + 2, True)
            out += piece
        elif found := ESCAPE.match(text, at):
            out += one_escape(found[1])
            at = found.end()
        else:
            out += text[at].encode("ascii")
            at += 1
    return out, at


def unescape(text):
    """The bytes that a line of a row stands for."""
    return read_bytes(text, 0, False)[0]


def read_line(row, word, rest):
    """Adds what one line says to `row`; an error message, or None."""
    if word == "send":
        row.steps.append(("send", unescape(rest)))
    elif word in ("await", "silence", "half"):
        row.steps.append((word, b""))
    elif word == "server":
        row.server = rest
    elif word == "expect":
        *statuses, row.state = rest.split()
        row.statuses = [int(status) for status in statuses]
        return None if row.state in STATES else f"no state: {row.state}"
    elif word in CHECKS:
        row.checks.append((word, unescape(rest)))
    elif word == "upstream-silent":
        row.upstream_silent = True
    else:
        return f"no such word: {word}"
    return None


def read_rows(path):
    """The rows of one file. Ends the program where one makes no sense."""
    rows = []
    with open(path, encoding="ascii") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            place = f"{path.rsplit('/', 1)[-1]}:{number}"
            word, _, rest = line.partition(" ")
            if word == "row":
                section, _, name = rest.partition(" ")
                rows.append(Row(place, section, name))
                continue
            fault = read_line(rows[-1], word, rest) if rows else "no row"
            if fault:
                raise SystemExit(f"{place}: {fault}")
    for row in rows:
        if not row.steps or not row.state:
            raise SystemExit(f"{row.place}: the row is not complete")
        if not re.fullmatch(r"(9110|9112)/[0-9.]+", row.section):
            raise SystemExit(f"{row.place}: no section: {row.section}")
    return rows
