"""Checks that the dialects are siblings: the same files, in them the same
members under the same names in the same order. Who knows one of them finds
his way in all.

The vocabularies below are the rule. A name outside of them is fine where one
dialect alone has it; what two dialects have gets a place in a vocabulary. What
four of the five have, the fifth must have, or say in ABSENT why not. Prints
one line a fault and a summary.

  siblings_test.py REPOSITORY [--self-test] [--statistics]

--self-test also breaks copies of the dialects and expects a fault of each.
--statistics prints lengths and repetitions instead of checking.
"""

import collections
import os
import re
import shutil
import sys
import tempfile

FILES = tuple(f"{way}_{what}.cc" for what in ("request", "messages", "stream")
              for way in ("encode", "decode")) + (
    "response.cc", "error.cc", "dialect.cc", "limits.cc", "tables.h",
    "messages.h")
# What a dialect may have beside them: how it lists models and serves clients.
OPTIONAL = ("model_list.cc", "serving.h")
# Dialects that wrap another one's body, and their files.
WRAPPERS = {"bedrock": ("request.cc", "response.cc", "error.cc", "stream.cc",
                        "dialect.cc", "limits.cc", "tables.h")}
# What one dialect has beside FILES: where its members belong (None = to no
# vocabulary).
EXTRA = {
    ("bedrock_converse", "document_names.cc"): None,
    ("bedrock_converse", "document_names.h"): None,
    ("claude", "body.h"): None,
    ("gemini", "decode_schema.cc"): None,
    ("openai_responses", "echo.cc"): None,
    ("openai_responses", "output_items.cc"): "response.cc",
}

# By kind of file: classes that must be there, and sequences of names. Within
# a class, and within the functions outside of classes, the names of each
# sequence stand in its order.
Kind = collections.namedtuple("Kind", "classes sequences")


def words(text):
    return tuple(text.split())


CONTENT = """text image audio document media source tool_call tool_result
    result_parts moved thinking refusal opaque cache"""
REQUEST = """model limits sampling stop_sequences tools tool function custom
    tool_choice format thinking identity stream extensions"""
KINDS = {
    "encode_request.cc": Kind(("RequestWriter",), (words(
        """write write_model write_messages write_limits write_sampling
        write_stop_sequences write_tools write_tool write_tool_choice
        write_named write_allowed write_format write_thinking write_identity
        write_stream write_extensions encode_request"""),)),
    "decode_request.cc": Kind((), (words(" ".join(
        f"read_{word}" for word in REQUEST.split()) + " decode_request"),)),
    "encode_messages.cc": Kind(("MessagesWriter",), (words(
        "write write_system write_message write_content write_part write_value " +
        " ".join(
            f"write_{word}" for word in CONTENT.split()) +
        " lose write_messages"),)),
    "decode_messages.cc": Kind((), (words(
        "read_messages read_system read_message read_content read_part " +
        " ".join(
            f"read_{word}" for word in CONTENT.split())),)),
    # lib/chat/stream_writer.h: what is called of each of them.
    "encode_stream.cc": Kind(("Encoder",), (words(
        """keep_alive on_started open_text open_thinking
        open_redacted_thinking open_refusal open_tool_call open_image
        open_opaque on_text on_thinking on_refusal on_tool_call on_signature
        on_citation close_part on_finished on_failed new_stream_encoder"""),)),
    # lib/chat/stream_reader.h
    "decode_stream.cc": Kind(("Decoder",), (words(
        """on_sentinel on_object on_close"""), words(
        """read_started read_part_started read_text read_thinking read_refusal
        read_tool_call read_signature read_citation read_part_ended read_usage
        read_finished read_failed new_stream_decoder"""))),
    # lib/chat/answer_reader.h, answer_writer.h
    "response.cc": Kind(("Decoder", "Encoder"), (words(
        """read read_id read_content read_part read_text read_image read_audio
        read_tool_call read_thinking read_refusal read_stop_reason read_usage
        read_extensions decode_response read_answer_usage"""), words(
        """write write_content write_text write_image
        write_tool_call write_thinking write_refusal write_opaque
        write_stop_reason write_usage write_extensions write_answer
        encode_response"""))),
    "error.cc": Kind((), (words(
        """read_details read_members write_details read_error decode_error
        is_error encode_error"""),)),
}
# Names that need a place in a vocabulary once two dialects have them.
VERBS = re.compile(r"(read|write|open|on|close)_\w+")
# They need none all the same: plain words, and objects that two APIs have
# around other members each.
SHARED_HELPERS = {"write_plain_text", "read_tool_config", "read_output_config"}

# (dialect, kind of file, member): why it has not what all others have.
ABSENT = {
    ("bedrock_converse", "response.cc", "read_id"):
        "answers of Converse have neither an id nor a model",
    ("bedrock_converse", "decode_stream.cc", "read_failed"):
        "failures of Converse are frames: its read_error reads them",
    ("claude", "encode_messages.cc", "write_audio"): "it has no audio",
    ("claude", "decode_messages.cc", "read_audio"): "it has no audio",
    ("gemini", "encode_messages.cc", "write_cache"): "it has no cache markers",
    ("gemini", "decode_messages.cc", "read_cache"): "it has no cache markers",
    ("gemini", "decode_messages.cc", "read_image"):
        "the MIME type says what a part's bytes are: its read_media",
    ("gemini", "decode_messages.cc", "read_document"):
        "the MIME type says what a part's bytes are: its read_media",
    ("openai_responses", "encode_request.cc", "write_stop_sequences"):
        "it has no stop sequences",
    ("openai_responses", "decode_request.cc", "read_stop_sequences"):
        "it has no stop sequences",
    ("openai_chat", "decode_messages.cc", "read_system"):
        "its system messages stand among the others",
    ("openai_chat", "encode_messages.cc", "write_system"):
        "its system messages stand among the others",
    ("openai_chat", "encode_messages.cc", "write_opaque"):
        "there is no place for a part of its own; it is lost as any other",
    ("openai_chat", "response.cc", "write_opaque"):
        "there is no place for a part of its own; AnswerWriter drops it",
}

# Other names of what has one already.
SYNONYMS = {
    "same_dialect_": "nothing, fit() decides; is_of() in answers",
    "own_": "nothing, fit() decides; is_of() in answers",
    "kin_": "nothing, fit() decides; is_of() in answers",
    "write_inference": "write_sampling",
    "write_config": "write_limits and its siblings",
    "ItemsWriter": "MessagesWriter",
    "ContentsWriter": "MessagesWriter",
    "read_input": "read_messages",
    "read_contents": "read_messages",
    "read_instructions": "read_system",
    "write_instructions": "write_system",
    "read_reasoning": "read_thinking",
    "write_reasoning": "write_thinking",
    "write_tool_use": "write_tool_call",
    "write_block": "write_part",
    "read_block": "read_part",
    "read_tool_use": "read_tool_call",
}

DEFINITION = re.compile(r"(?:^|[\s*&])((?:[A-Za-z_]\w*::)*~?[A-Za-z_]\w*)\s*\(")
SCOPE = re.compile(r"^(?:template\s*<[^{}]*>\s*)?(?:class|struct|union|enum)\b")
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|'
                   r'"(?:\\.|[^"\\\n])*"|' r"'(?:\\.|[^'\\\n])'", re.S)
BRANCH = re.compile(r"\b(?:if|for|while|case)\b|&&|\|\||\?")
Function = collections.namedtuple("Function", "scope name line lines branches")


def bare(text, literals=False):
    """`text` without comments, directives and literals; its lines stay."""
    def gone(match):
        if literals and match[0][0] != "/":
            return match[0]
        return "\n" * match[0].count("\n") + " "
    return re.sub(r"^[ \t]*#[^\n]*", "", NOISE.sub(gone, text), flags=re.M)


def functions(text):
    """Functions that `text` defines, and the names of its classes."""
    text = bare(text)
    found, classes = [], []
    stack = []  # ("space" | "class" | "function" | "block", name, start)
    begin = 0
    for place, char in enumerate(text):
        if char == "{":
            header = text[begin:place].strip()
            header = re.sub(r"^(?:public|protected|private)\s*:\s*", "", header)
            inside = stack[-1][0] if stack else "space"
            name = DEFINITION.search(header)
            if inside in ("function", "block"):
                stack.append(("block", "", begin))
            elif re.match(r"(inline\s+)?namespace\b", header):
                stack.append(("space", "", begin))
            elif SCOPE.match(header):
                own = re.search(r"(?:class|struct|union)\s+(\w+)", header)
                stack.append(("class", own[1] if own else "", begin))
                classes.append(stack[-1][1])
            elif name and "=" not in header[:name.start(1)]:
                stack.append(("function", name[1], begin))
            else:
                stack.append(("block", "", begin))
        elif char == "}" and stack:
            kind, name, start = stack.pop()
            if kind == "function":
                body = text[start:place]
                start += len(body) - len(body.lstrip())
                body = text[start:place + 1]
                around = next((s[1] for s in reversed(stack)
                               if s[0] == "class"), "")
                *scope, name = ([around] if around else []) + name.split("::")
                found.append(Function("::".join(scope), name,
                                      text.count("\n", 0, start) + 1,
                                      body.count("\n") + 1,
                                      1 + len(BRANCH.findall(body))))
        if char in "{};":
            begin = place + 1
    return found, classes


def dialects_of(root):
    with open(os.path.join(root, "lib/dialects/dialects.def")) as file:
        return re.findall(r"^DIALECT\(([a-z_]+)\)", file.read(), re.M)


def sources_of(root, dialect):
    """Text of each source of a dialect, by its name."""
    folder = os.path.join(root, "lib/dialects", dialect)
    texts = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith((".cc", ".h")):
            with open(os.path.join(folder, name)) as file:
                texts[name] = file.read()
    return texts


def file_faults(dialect, texts):
    wanted = WRAPPERS.get(dialect, FILES)
    for name in wanted:
        if name not in texts:
            yield f"lib/dialects/{dialect}: {name} is missing"
    for name in texts:
        if name not in wanted + OPTIONAL and (dialect, name) not in EXTRA:
            yield (f"lib/dialects/{dialect}/{name}: no sibling has such a "
                   "file; see FILES and EXTRA")


def synonym_faults(dialect, texts):
    for name, text in texts.items():
        text = bare(text)
        for word, ours in SYNONYMS.items():
            match = re.search(rf"\b{word}\b", text)
            if match:
                number = text.count("\n", 0, match.start()) + 1
                yield (f"lib/dialects/{dialect}/{name}:{number}: {word} has "
                       f"a name here: {ours}")


def order_faults(path, found, kind):
    """Members of one file that stand before those they belong behind."""
    for scope in sorted({function.scope for function in found}):
        for sequence in KINDS[kind].sequences:
            last = None
            for function in found:
                if function.scope != scope or function.name not in sequence:
                    continue
                if last and (sequence.index(function.name) <
                             sequence.index(last)):
                    yield (f"{path}:{function.line}: {function.name} belongs "
                           f"before {last}")
                last = function.name


def kind_faults(kind, members, count):
    """`members`: the names of each dialect's files of this kind."""
    known = {name for sequence in KINDS[kind].sequences for name in sequence}
    owners = collections.defaultdict(list)
    for dialect, names in members.items():
        for name in names:
            owners[name].append(dialect)
    for name, having in sorted(owners.items()):
        if (name not in known and len(having) > 1 and VERBS.fullmatch(name) and
                name not in SHARED_HELPERS):
            yield (f"{kind}: {name} is in {', '.join(sorted(having))} and not "
                   "in the vocabulary")
        if name in known and count - 1 <= len(having) < count:
            for dialect in sorted(set(members) - set(having)):
                if (dialect, kind, name) not in ABSENT:
                    yield (f"lib/dialects/{dialect}/{kind}: {name} is missing, "
                           "which all its siblings have")


def check(root):
    """All faults, and the number of members that were compared."""
    faults, compared = [], 0
    members = {kind: collections.defaultdict(set) for kind in KINDS}
    full = [name for name in dialects_of(root) if name not in WRAPPERS]
    for dialect in dialects_of(root):
        texts = sources_of(root, dialect)
        faults += file_faults(dialect, texts)
        faults += synonym_faults(dialect, texts)
        for name, text in texts.items():
            kind = EXTRA.get((dialect, name), name)
            if kind not in KINDS or dialect in WRAPPERS:
                continue
            path = f"lib/dialects/{dialect}/{name}"
            found, classes = functions(text)
            compared += len(found)
            # In the order of the text, not of where the bodies end.
            faults += order_faults(path, sorted(found, key=lambda f: f.line),
                                   kind)
            members[kind][dialect] |= {function.name for function in found}
            scopes = {function.scope for function in found} | set(classes)
            faults += [f"{path}: no class {one}" for one in KINDS[kind].classes
                       if name == kind and one not in scopes]
    for kind, of_kind in members.items():
        faults += kind_faults(kind, of_kind, len(full))
    return faults, compared


# (file below lib/dialects, text, what becomes of it, part of the new fault);
# no text: the file goes.
BROKEN = [
    ("gemini/response.cc", "write_thinking", "write_thought",
     "write_thinking is missing"),
    ("claude/response.cc", "Encoder", "ReplyWriter", "no class Encoder"),
    ("openai_chat/error.cc", None, None, "error.cc is missing"),
    ("claude/error.cc", "int encode_error(",
     "bool is_other() { return read_thing(); }\nint encode_error(", None),
    ("openai_chat/dialect.cc", "const Dialect kDialect = {",
     "void read_error(); const Dialect kDialect = {", None),
    ("bedrock_converse/error.cc", "Error read_error(",
     "int encode_error() { return 0; }\nError read_error(",
     "belongs before encode_error"),
    ("gemini/error.cc", "read_members", "own_", "has a name here"),
]


def check_itself(root):
    """Breaks copies; a checker that finds nothing is no proof."""
    def faults_of(folder):
        return {re.sub(r":\d+:", ":", fault) for fault in check(folder)[0]}
    before = faults_of(root)
    for path, old, new, expected in BROKEN:
        with tempfile.TemporaryDirectory() as copy:
            folder = os.path.join(copy, "lib/dialects")
            shutil.copytree(os.path.join(root, "lib/dialects"), folder)
            file = os.path.join(folder, path)
            if old is None:
                os.remove(file)
            else:
                with open(file) as source:
                    text = source.read()
                if old not in text:
                    yield f"itself: {path} has no {old}"
                with open(file, "w") as source:
                    source.write(text.replace(old, new))
            fresh = "; ".join(sorted(faults_of(copy) - before))
        if (expected is None) != (fresh == "") or (expected or "") not in fresh:
            yield f"itself: {path} with {new} gives '{fresh}'"


# Lines of a repetition.
REPEATED = 6


def code_lines(text):
    """(number, line) of what says something, spaces made equal."""
    for number, line in enumerate(bare(text, literals=True).split("\n"), 1):
        line = re.sub(r"\s+", " ", line.strip())
        if re.search(r"\w", line):
            yield number, line


def repetitions(sources):
    """Pairs of places, in two dialects, that share REPEATED lines or more."""
    lines, places = {}, collections.defaultdict(list)
    for path, text in sources.items():
        lines[path] = list(code_lines(text))
        for start in range(len(lines[path]) - REPEATED + 1):
            window = tuple(line for _, line in
                           lines[path][start:start + REPEATED])
            places[window].append((path, start))
    pairs = set()
    for same in places.values():
        for i, (path, start) in enumerate(same):
            for other, there in same[i + 1:]:
                if path.split("/")[0] != other.split("/")[0]:
                    pairs.add((path, start, other, there))
    for path, start, other, there in sorted(pairs):
        if (path, start - 1, other, there - 1) in pairs:
            continue
        length = 1
        while (path, start + length, other, there + length) in pairs:
            length += 1
        yield (length + REPEATED - 1, f"{path}:{lines[path][start][0]}",
               f"{other}:{lines[other][there][0]}")


def statistics(root):
    sources, rows = {}, []
    for dialect in dialects_of(root):
        texts = sources_of(root, dialect)
        print(f"{sum(t.count(chr(10)) for t in texts.values()):6} lines: "
              f"{dialect} ({len(texts)} files)")
        sources.update({f"{dialect}/{name}": t for name, t in texts.items()})
    print("longest files")
    for path in sorted(sources, key=lambda p: -sources[p].count("\n"))[:10]:
        print(f"{sources[path].count(chr(10)):6} lines: {path}")
    for path, text in sources.items():
        rows += [(one, path) for one in functions(text)[0]]
    for title, key in (("longest functions", "lines"),
                       ("most branches", "branches")):
        print(title)
        for one, path in sorted(rows, key=lambda r: -getattr(r[0], key))[:10]:
            print(f"{one.lines:6} lines, {one.branches} ways: "
                  f"{path}:{one.line} {one.name}")
    found = sorted(repetitions(sources), reverse=True)
    print(f"{len(found)} pairs of places in two dialects repeat {REPEATED} "
          "lines or more")
    for length, here, there in found[:60]:
        print(f"{length:6} lines: {here} and {there}")


def main():
    options = [word for word in sys.argv[1:] if word.startswith("--")]
    folders = [word for word in sys.argv[1:] if not word.startswith("--")]
    root = folders[0] if folders else "."
    if "--statistics" in options:
        return statistics(root)
    faults, compared = check(root)
    if "--self-test" in options:
        faults += check_itself(root)
    for fault in faults:
        print(fault)
    print(f"siblings: {len(dialects_of(root))} dialects, {compared} members, "
          f"{len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
