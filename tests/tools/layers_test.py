"""Checks what the compiler does not: who includes whom, and plain hygiene.

Includes go downwards only (docs/architecture.md). The tables below are the
rule; HACKING.md explains it. Prints one line a fault and a summary.

  layers_test.py REPOSITORY
"""

import os
import re
import sys

# A file may include from its own layer and from those before it.
# (dialect, the one whose wire it shares): see docs/decisions.md.
SHARED_BODIES = {("bedrock", "claude")}
# What the dialects of one family share: its folder, and who may include it.
FAMILIES = {
    "anthropic_family": {"claude", "bedrock", "bedrock_converse"},
    "aws_family": {"bedrock", "bedrock_converse"},
    "openai_family": {"openai_chat", "openai_responses"},
}
LAYERS = ["values", "base", "json", "wire", "chat", "dialects", "translate",
          "client", "gateway", "server"]

# Layer of each public header; a new header must be given one.
PUBLIC_HEADERS = {
    "version.h": "values", "export.h": "values", "result.h": "values",
    "http.h": "values", "large_body.h": "values", "parse_limits.h": "values",
    "loss.h": "values", "content.h": "values", "chat.h": "values",
    "stream.h": "values", "conversation.h": "chat", "validate.h": "chat",
    "dialect.h": "chat", "dialect_limits.h": "chat",
    "dialect_serving.h": "chat",
    "translate.h": "translate",
    "system_edits.h": "translate",
    "transport.h": "client", "provider.h": "client", "client.h": "client",
    "image_fetcher.h": "client", "tools.h": "client", "fallback.h": "client",
    "replay.h": "client", "intercept.h": "client", "waiting.h": "client",
    "byte_budget.h": "client",
    "config.h": "gateway", "gateway.h": "gateway", "limits.h": "gateway",
    "config_files.h": "gateway", "suggest.h": "gateway",
    "validate_config.h": "gateway",
    "llmproxy.h": "gateway",  # everything at once
}

# Third-party headers, and the only files that may include them.
THIRD_PARTY = {
    r"simdjson(\.h|/.*)": r"lib/json/\w*reader\w*\.(cc|h)",
    r"rapidjson/.*": r"lib/json/.*|server/json_object\.cc",
    r"fmt/.*": r"(lib|server)/.*",
    r"curl/.*": r"lib/client/.*",
    r"openssl/(evp|hmac)\.h": r"lib/client/sigv4\.cc",
    r"yaml-cpp/.*": r"lib/gateway/.*",
    r"(zlib|zstd|brotli/decode)\.h":
        r"lib/client/unpacker\.cc|tests/.*",
    r"httplib\.h": r"server/http_server\.cc",
    r"spdlog/.*": r"server/.*",
    r"CLI/.*": r"server/.*",
    r"mimalloc\.h": r"server/main\.cc",
    r"boost/context/.*": r"server/fiber\.h",
    r"sanitizer/\w+\.h": r"server/fiber\.cc|tests/fuzz/kit/\w+\.cc",
    r"boost/(?!context/).*": r"(examples|tests/bench/parsers)/.*",
}
# System headers: POSIX and Linux. The rest of what stands in <> must be
# standard C++, which has neither a dot nor a slash.
SYSTEM = re.compile(r"(sys|netinet|arpa|net|linux)/\w+\.h|"
                    r"(unistd|fcntl|malloc|netdb|poll|signal|pthread|time)\.h")
# What the sans-I/O core has no business with.
CORE_LAYERS = LAYERS[:LAYERS.index("client")]
NOT_IN_CORE = re.compile(
    SYSTEM.pattern + r"|csignal|thread|mutex|shared_mutex|condition_variable|"
    r"future|atomic|iostream|fstream|cstdio|filesystem|chrono|ctime")

CAP_LINES = 600
LONG_LINES = 400
TEXT_SUFFIXES = (".cc", ".h", ".def", ".py", ".sh", ".js", ".mjs", ".cmake",
                 ".txt", ".md", ".json", ".yaml", ".yml")
# Cases and captures hold what clients send: any bytes, any ends of lines.
RAW_FOLDERS = ("tests/golden/", "tests/captures/", "tests/fuzz/regressions/")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def layer_of(path):
    """Layer of a file of ours; None outside the layers (tests, examples)."""
    parts = path.split("/")
    if path.startswith("include/llmproxy/"):
        return PUBLIC_HEADERS.get(parts[-1], "unknown")
    if parts[0] == "lib":
        return parts[1] if parts[1] in LAYERS else "unknown"
    return "server" if parts[0] == "server" else None


def resolve(path, name):
    """The repository's file that `#include "name"` in `path` means."""
    if name.startswith("llmproxy/"):
        return "include/" + name
    if name.startswith("server/"):
        return name
    if "/" not in name:
        return os.path.dirname(path) + "/" + name
    return "lib/" + name


def angle_faults(path, name):
    """Why `path` may not include <name>."""
    for header, allowed in THIRD_PARTY.items():
        if re.fullmatch(header, name):
            if not re.fullmatch(allowed, path):
                yield f"<{name}> may be included by {allowed} only"
            return
    if not (SYSTEM.fullmatch(name) or re.fullmatch(r"\w+", name)):
        yield f"<{name}> is not in the table of third-party headers"
    if layer_of(path) in CORE_LAYERS and NOT_IN_CORE.fullmatch(name):
        yield f"<{name}>: the core does no I/O, threads or clocks"


def include_faults(path, quote, name, exists):
    """Why `path` may not include `name`; nothing when it may."""
    if quote == "<":
        yield from angle_faults(path, name)
        return
    own_layer = layer_of(path)
    target = resolve(path, name)
    if not exists(target):
        yield f'"{name}" is no file of this repository ({target})'
        return
    target_layer = layer_of(target)
    if target_layer == "unknown":
        yield f'"{name}" has no layer; add it to {os.path.basename(__file__)}'
        return
    if path.startswith("examples/"):
        if not target.startswith("include/"):
            yield f'"{name}": examples use public headers only'
        return
    if own_layer is None:
        return
    if path.startswith("include/") and not target.startswith("include/"):
        yield f'"{name}": public headers include public headers only'
    if path.startswith("server/") and target.startswith("lib/"):
        yield f'"{name}": the server uses public headers only'
    if LAYERS.index(target_layer) > LAYERS.index(own_layer):
        yield f'"{name}" is in {target_layer}, which is above {own_layer}'
    here, there = (re.match(r"lib/dialects/(\w+)/", file)
                   for file in (path, target))
    if (here and there and here[1] != there[1] and
            (here[1], there[1]) not in SHARED_BODIES and
            here[1] not in FAMILIES.get(there[1], ())):
        yield f'"{name}": a dialect never includes another dialect'


def text_faults(path, data):
    """Hygiene of one text file, as (line number, fault)."""
    if b"\r" in data:
        yield 1, "carriage return"
    if data and not data.endswith(b"\n"):
        yield data.count(b"\n") + 1, "no newline at the end of the file"
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.rstrip(b" \t\r") != line.rstrip(b"\r"):
            yield number, "blanks at the end of the line"
        if not line.isascii() and not path.startswith("tests/e2e/"):
            yield number, "a character outside ASCII"
    if path.endswith((".cc", ".h")):
        lines = data.count(b"\n")
        if lines > CAP_LINES:
            yield lines, f"more than {CAP_LINES} lines; split it by meaning"


def repository_files(root):
    """Paths of our own files, relative to the root."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name for name in folders
            if name not in ("build", ".git", "node_modules", ".python", "transcripts", ".cache",
                            "__pycache__"))
        for name in sorted(files):
            yield os.path.relpath(os.path.join(folder, name), root)


def check(root):
    """All faults of a repository as lines, and the lengths of its sources."""
    faults, lengths = [], {}
    for path in repository_files(root):
        if path.startswith(RAW_FOLDERS) or path.endswith("package-lock.json"):
            continue
        name = os.path.basename(path)
        if not (name.endswith(TEXT_SUFFIXES) or "." not in name):
            continue
        with open(os.path.join(root, path), "rb") as file:
            data = file.read()
        faults += [f"{path}:{n}: {fault}" for n, fault in
                   text_faults(path, data)]
        if not path.endswith((".cc", ".h")):
            continue
        lengths[path] = data.count(b"\n")
        if layer_of(path) == "unknown":
            faults.append(f"{path}:1: in no known layer")
            continue
        for number, line in enumerate(data.decode("latin-1").split("\n"), 1):
            match = INCLUDE.match(line)
            if match and not path.startswith("tests/"):
                faults += [
                    f"{path}:{number}: {fault}" for fault in include_faults(
                        path, match[1], match[2],
                        lambda p: os.path.exists(os.path.join(root, p)))]
    return faults, lengths


# (file, include, part of the fault it must raise; None = no fault)
EXAMPLES = [
    ("lib/json/writer.h", '"llmproxy/chat.h"', None),
    ("lib/json/reader.cc", "<simdjson.h>", None),
    ("lib/json/writer.cc", "<simdjson.h>", "reader"),
    ("lib/wire/sse.cc", '"dialects/claude/tables.h"', "above wire"),
    ("lib/wire/sse.cc", "<thread>", "no I/O"),
    ("lib/wire/sse.cc", "<lzma.h>", "table of third-party"),
    ("lib/wire/sse.cc", "<boost/any.hpp>", "examples"),
    ("lib/dialects/claude/request.cc", '"tables.h"', None),
    ("lib/dialects/claude/request.cc", '"dialects/openai_chat/tables.h"',
     "another dialect"),
    ("lib/dialects/bedrock_converse/request.cc",
     '"dialects/anthropic_family/turn_builder.h"', None),
    ("lib/dialects/gemini/request.cc",
     '"dialects/anthropic_family/turn_builder.h"', "another dialect"),
    ("lib/dialects/anthropic_family/turn_builder.cc",
     '"dialects/claude/tables.h"', "another dialect"),
    ("lib/client/client.cc", '"llmproxy/gateway.h"', "above client"),
    ("lib/gateway/gateway.cc", "<curl/curl.h>", "lib/client"),
    ("server/main.cc", '"gateway/routes.h"', "public headers only"),
    ("server/main.cc", '"server/no_such_file.h"', "no file"),
    ("include/llmproxy/chat.h", '"json/json.h"', "public headers"),
    ("include/llmproxy/chat.h", "<fmt/core.h>", "(lib|server)"),
    ("examples/stream_print.cc", '"client/providers.h"', "public headers"),
]


def check_itself():
    """Runs the rules on EXAMPLES; a checker that finds nothing is no proof."""
    for path, include, expected in EXAMPLES:
        found = "; ".join(include_faults(path, include[0], include[1:-1],
                                         lambda p: "no_such" not in p))
        if (expected is None) != (found == "") or (expected or "") not in found:
            yield f"itself: {path} including {include} gives '{found}'"
    for data, expected in ((b"a\n", 0), (b"a", 1), (b"a \n", 1),
                           (b"\xc3\xa9\n", 1), (b"a\r\n", 1),
                           (b"\n" * (CAP_LINES + 1), 1)):
        if len(list(text_faults("lib/base/a.cc", data))) != expected:
            yield f"itself: {data[:8]!r} does not give {expected} faults"


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    faults, lengths = check(root)
    faults += check_itself()
    for fault in faults:
        print(fault)
    long_files = sorted((count, path) for path, count in lengths.items()
                        if count > LONG_LINES)
    for count, path in reversed(long_files):
        print(f"long: {count} lines: {path}")
    print(f"layers: {len(lengths)} C++ files, {len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
