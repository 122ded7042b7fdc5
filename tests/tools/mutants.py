"""Small wrong changes of the C++ that brings requests to their targets.

mutate_fit.py applies them one at a time. Each is a list of edits of one file;
what they are made from:

  lib/dialects/*/limits.cc  every member of a row, said or unsaid: booleans
                            are flipped, numbers moved by one, words of enums
                            changed for each other one, names lost, rows of
                            lists left out one at a time
  lib/dialects/models.cc    every boolean, number and word of a model, every
                            row of the table
  lib/chat/fit*.cc          comparisons, && and ||, !, conditions of `if` and
                            `?:`, min and max, any_of and the like, results
                            that are true or false
"""

import dataclasses
import re

LIMITS_HEADER = "include/llmproxy/dialect_limits.h"
ENUM_HEADERS = [LIMITS_HEADER, "include/llmproxy/chat.h",
                "include/llmproxy/content.h", "include/llmproxy/dialect.h"]


@dataclasses.dataclass(frozen=True)
class Mutant:
    file: str     # relative to the tree
    line: int     # from 1
    source: str   # that line, trimmed
    label: str    # what is changed into what
    edits: tuple  # (begin, end, text), in order

    def applied(self, text):
        for begin, end, new in reversed(self.edits):
            text = text[:begin] + new + text[end:]
        return text

    def __str__(self):
        return f"{self.file}:{self.line}: {self.label}    {self.source}"


# --- reading C++ -------------------------------------------------------------

NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|R"\((?:.*?)\)"|"(?:\\.|[^"\\\n])*"'
                   r"|'(?:\\.|[^'\\\n])'", re.DOTALL)


def masked(text):
    """The same length, comments and literals of text blanked."""
    return NOISE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def closing(code, opening):
    """Where the bracket at `opening` is closed."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    depth = 0
    for at in range(opening, len(code)):
        if code[at] in pairs:
            depth += 1
        elif code[at] in pairs.values():
            depth -= 1
            if depth == 0:
                return at
    raise ValueError(f"no end of the bracket at {opening}")


def elements(code, begin, end):
    """Ranges of what commas separate between two brackets."""
    ranges, depth, start = [], 0, begin
    for at in range(begin, end + 1):
        if at == end or (code[at] == "," and depth == 0):
            if code[start:at].strip():
                ranges.append((start, at))
            start = at + 1
        elif code[at] in "({[":
            depth += 1
        elif code[at] in ")}]":
            depth -= 1
    return ranges


def enums_of(tree):
    """Words of each enum class, in order."""
    found = {}
    for header in ENUM_HEADERS:
        code = masked((tree / header).read_text())
        for match in re.finditer(r"enum class (\w+)[^{;]*\{", code):
            end = closing(code, match.end() - 1)
            found[match.group(1)] = re.findall(
                r"(\w+)\s*(?:=[^,]*)?(?:,|$)", code[match.end():end].strip())
    return found


class Source:
    """One file, and the mutants of it."""

    def __init__(self, tree, file):
        self.tree = tree
        self.file = file
        self.text = (tree / file).read_text()
        self.code = masked(self.text)
        self.lines = self.text.splitlines()
        self.mutants = []
        self.seen = {}

    def add(self, at, label, *edits):
        line = self.text.count("\n", 0, at) + 1
        # The same change twice on a line has two names.
        count = self.seen[line, label] = self.seen.get((line, label), 0) + 1
        if count > 1:
            label = f"{label} #{count}"
        source = self.lines[line - 1].strip()
        self.mutants.append(Mutant(self.file, line, source, label, edits))

    def swap(self, begin, end, new):
        old = self.text[begin:end]
        self.add(begin, f"{old} -> {new}", (begin, end, new))


# --- lib/chat/fit*.cc --------------------------------------------------------

SWAPS = [
    # Written with a space on both sides; brackets of templates are not.
    (r"(?<= )(?:==|!=|<=|>=|<|>|&&|\|\|)(?=[ \n])", {
        "==": ["!="], "!=": ["=="], "<": ["<=", ">="], "<=": ["<", ">"],
        ">": [">=", "<="], ">=": [">", "<"], "&&": ["||"], "||": ["&&"]}),
    (r"!(?=[\w(])", {"!": [""]}),
    (r"std::(?:min|max)(?=\()", {
        "std::min": ["std::max"], "std::max": ["std::min"]}),
    (r"std::(?:any|none|all)_of(?=\()", {
        "std::any_of": ["std::none_of"], "std::none_of": ["std::any_of"],
        "std::all_of": ["std::any_of"]}),
    (r"(?<=return )(?:true|false)(?=;)|(?<== )(?:true|false)(?=[,}])", {
        "true": ["false"], "false": ["true"]}),
    (r"(?<= )\?(?= )", {"?": ["&& false ?", "|| true ?"]}),
]


def condition_of(code, opening):
    """What is asked within the brackets of an `if`, without an initialiser."""
    end = closing(code, opening)
    begin = code.rfind(";", opening, end) + 1 or opening + 1
    return begin, end


def step_mutants(tree, file):
    source = Source(tree, file)
    for pattern, changes in SWAPS:
        for match in re.finditer(pattern, source.code):
            for new in changes[match.group()]:
                source.swap(match.start(), match.end(), new)
    for match in re.finditer(r"\bif \(", source.code):
        begin, end = condition_of(source.code, match.end() - 1)
        # A variable that is declared there cannot be negated.
        if re.match(r"\s*(?:const )?[\w:]+[ *&]+\w+ =[^=]",
                    source.code[begin:end]):
            source.add(match.start(), "if -> if not",
                       (begin, end, source.text[begin:end] + "; false"))
            continue
        source.add(match.start(), "if -> if not", (begin, begin, "!("),
                   (end, end, ")"))
    return [m for m in source.mutants if "static_assert" not in m.source]


# --- lib/dialects/*/limits.cc ------------------------------------------------

# What a number that is not said becomes: a limit where there was none.
UNSAID_NUMBERS = {"least_max_tokens": "2", "most_max_tokens": "100000",
                  "max_stop_sequences": "3", "max_user_id": "32"}


def members_of_limits(tree):
    """Type and default of each member of DialectLimits, in order."""
    code = masked((tree / LIMITS_HEADER).read_text())
    begin = code.index("struct DialectLimits {")
    body = code[begin:closing(code, code.index("{", begin))]
    found = re.findall(
        r"^  (?!static)([\w:]+(?:<[^>]*>)?) (\w+) =\s*([^;]+);", body,
        re.MULTILINE)
    return {name: (kind, re.sub(r"\s+", " ", default))
            for kind, name, default in found}


def rows_of(tree, file, name):
    """How many rows the constant `name` has, wherever it is made."""
    word = name.split("::")[-1]
    space = name.split("::")[0] if "::" in name else ""
    folder = (tree / file).parent
    places = [tree / file, *folder.glob("*.h"),
              *(tree / "lib/dialects" / space).glob("**/*.h")]
    for place in places:
        code = masked(place.read_text())
        match = re.search(rf"\b{word}(?:\[\])? = (\[\] )?\{{", code)
        if not match:
            continue
        end = closing(code, match.end() - 1)
        if match.group(1):
            other = re.search(r"(\w+)\.size\(\)", code[match.end():end])
            return rows_of(tree, str(place.relative_to(tree)), other.group(1))
        # An empty text is a row, too.
        text = place.read_text()
        return len(elements(text, match.end(), end))
    raise ValueError(f"{file}: {name} is made nowhere")


WITHOUT_ROW = """
#include <array>
#include <cstddef>
#include <iterator>
#include <type_traits>
namespace {{
constexpr auto kMutant = [] {{
  std::array<std::remove_cvref_t<decltype({name}[0])>, {rows} - 1> rows{{}};
  std::size_t next = 0;
  for (std::size_t i = 0; i < {rows}; ++i) {{
    if (i != {gone}) rows[next++] = {name}[i];
  }}
  return rows;
}}();
}}  // namespace
"""


def other_values(kind, name, value, enums):
    """What a member may be instead; empty = nothing that means anything."""
    if kind == "bool":
        return ["false" if value == "true" else "true"]
    if kind in enums:
        return [f"{kind}::{word}" for word in enums[kind]
                if value != f"{kind}::{word}"]
    if kind == "std::string_view":
        return ['"X"' if name == "target" else '""']
    return [f"({value}) - 1", f"({value}) + std::int64_t{{1}}"
            if "64" in kind else f"({value}) + 1"]


def limits_mutants(tree, file):
    source = Source(tree, file)
    enums = enums_of(tree)
    members = members_of_limits(tree)
    order = list(members)
    begin = source.code.index("const DialectLimits kLimits = {")
    open_at = source.code.index("{", begin)
    end = closing(source.code, open_at)
    said = {}
    for first, last in elements(source.code, open_at + 1, end):
        match = re.compile(r"\s*\.(\w+) =").match(source.code, first)
        value = source.text[match.end():last]
        said[match.group(1)] = (match.start(1) - 1,
                                last - len(value.lstrip()), last)
    for name, (kind, default) in members.items():
        if name in said:
            at, value_begin, value_end = said[name]
            value = source.text[value_begin:value_end]
            if kind.startswith("std::span"):
                add_row_mutants(source, name, value, begin,
                                (value_begin, value_end))
                continue
            for new in other_values(kind, name, value, enums):
                source.add(at, f".{name} = {value} -> {new}",
                           (value_begin, value_end, new))
            continue
        if kind.startswith("std::span") or kind == "std::string_view":
            continue
        later = [said[n][0] for n in order[order.index(name):] if n in said]
        at = min(later, default=end)
        news = ([UNSAID_NUMBERS[name]] if name in UNSAID_NUMBERS
                else other_values(kind, name, default, enums))
        for new in news:
            source.add(begin + 1, f"unsaid .{name} = {default} -> {new}",
                       (at, at, f".{name} = {new}, "))
    return source.mutants


def add_row_mutants(source, name, value, row_begin, value_range):
    rows = rows_of(source.tree, source.file, value)
    for gone in range(rows):
        label = f".{name} without row {gone + 1} of {value}"
        at = value_range[0]
        if rows == 1:
            source.add(at, label, (*value_range, "{}"))
            continue
        made = WITHOUT_ROW.format(name=value, rows=rows, gone=gone)
        source.add(at, label, (row_begin, row_begin, made),
                   (*value_range, "kMutant"))


# --- lib/dialects/models.cc --------------------------------------------------

NUMBER = re.compile(r"(?<![\w.])\d[\d']*(?:\.\d+)?\b")


def neighbours(words, word):
    at = words.index(word)
    return words[max(at - 1, 0):at] + words[at + 1:at + 2]


def models_mutants(tree, file):
    source = Source(tree, file)
    enums = enums_of(tree)
    code = source.code
    begin = code.index("constexpr TargetTraits")
    table = code.index("{", code.index("std::array kModels = {"))
    end = closing(code, table)
    for match in re.finditer(r"\b(true|false)\b", code[begin:end]):
        old = match.group()
        source.swap(begin + match.start(), begin + match.end(),
                    "false" if old == "true" else "true")
    for match in NUMBER.finditer(code[begin:end]):
        old = match.group()
        new = (str(float(old) + 0.25) if "." in old
               else str(int(old.replace("'", "")) + 1))
        source.swap(begin + match.start(), begin + match.end(), new)
    for match in re.finditer(r"\b(ThinkingStyle|Effort)::(\w+)",
                             code[begin:end]):
        for word in neighbours(enums[match.group(1)], match.group(2)):
            source.swap(begin + match.start(), begin + match.end(),
                        f"{match.group(1)}::{word}")
    for first, last in elements(code, table + 1, end):
        start = last - len(code[first:last].lstrip())
        comma = 1 if code[last] == "," else 0
        source.add(start, "without this row", (first, last + comma, ""))
    return source.mutants


def all_mutants(tree):
    """Of all files, in order."""
    made = []
    for path in sorted((tree / "lib/dialects").glob("*/limits.cc")):
        made += limits_mutants(tree, str(path.relative_to(tree)))
    made += models_mutants(tree, "lib/dialects/models.cc")
    for path in sorted((tree / "lib/chat").glob("fit*.cc")):
        made += step_mutants(tree, str(path.relative_to(tree)))
    return made
