"""The JSON Schema of the configuration: it is what docs/ has, its keys are
those that the parser takes, and every example is one of it.

  schema_test.py LLM_PROXY REPOSITORY

Prints "N passed, N failed".
"""

import json
import os
import re
import subprocess
import sys

from program import run

try:
    import yaml
except ImportError:
    yaml = None

passed = 0
failed = 0
# What the schema is written with; a word besides would not be looked at here.
WORDS = {"$schema", "title", "description", "type", "properties",
         "additionalProperties", "items", "enum", "anyOf", "minimum",
         "maximum", "pattern"}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool,
         "null": type(None)}
MARK = "# yaml-language-server: $schema="


def look(name, condition, told=""):
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {name}: {told}")


def is_of(value, kind):
    if kind in ("number", "integer"):
        number = isinstance(value, (int, float)) and not isinstance(value,
                                                                    bool)
        return number and (kind == "number" or value == int(value))
    return isinstance(value, TYPES[kind])


def faults(value, schema, path=""):
    """Why `value` is none of the schema; nothing when it is."""
    unknown = set(schema) - WORDS
    if unknown:
        yield f"{path}: the schema has {unknown}"
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(is_of(value, kind) for kind in kinds):
        yield f"{path}: {value!r} is none of {kinds}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{path}: {value!r} is not {schema['pattern']}"
    if value is not None and not isinstance(value, (str, dict, list)):
        if not (schema.get("minimum", value) <= value
                <= schema.get("maximum", value)):
            yield f"{path}: {value!r} is out of range"
    if "anyOf" in schema:
        found = [list(faults(value, each, path)) for each in schema["anyOf"]]
        if all(found):
            yield " or ".join(fault for row in found for fault in row)
    if isinstance(value, list) and "items" in schema:
        for i, each in enumerate(value):
            yield from faults(each, schema["items"], f"{path}[{i}]")
    if isinstance(value, dict) and "type" in schema:
        rest = schema.get("additionalProperties", True)
        for key, each in value.items():
            inner = schema.get("properties", {}).get(key, rest)
            if inner is False:
                yield f"{path}.{key}: unknown key"
            elif inner is not True:
                yield from faults(each, inner, f"{path}.{key}")


def sections(schema, path=()):
    """Path and keys of each section; a name stands for those of the user's
    choice, a number for an item."""
    if "anyOf" in schema:
        for each in schema["anyOf"]:
            yield from sections(each, path)
    if "properties" in schema:
        yield path, list(schema["properties"])
        for key, each in schema["properties"].items():
            yield from sections(each, path + (key,))
    elif isinstance(schema.get("additionalProperties"), dict):
        yield from sections(schema["additionalProperties"], path + ("name",))
    if "items" in schema:
        yield from sections(schema["items"], path + (0,))


def file_with(path, key):
    """A configuration with that key in that section."""
    value = {key: 1}
    for step in reversed(path):
        value = [value] if step == 0 else {step: value}
    return json.dumps(value)


def keys_agree(binary, schema):
    for path, keys in sections(schema):
        ended = run(binary, ["check", "--config", "c.yaml"],
                    {"c.yaml": file_with(path, "zzzzzzzz")})
        told = re.search(r"unknown key; expected ([^;\n]*)", ended.err)
        taken = re.split(r", | or ", told[1]) if told else ended.err
        look(f"keys of {path}", sorted(taken) == sorted(keys),
             f"{taken} {keys}")


def examples(repository):
    """Name and text of every example of a configuration."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-co",
         "--exclude-standard", "*.yaml", "*.md"],
        cwd=repository, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        path = os.path.join(repository, name)
        if not os.path.exists(path) or "/systems/" in name:
            continue
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if name.endswith(".yaml"):
            yield name, text
            continue
        for i, block in enumerate(re.findall(r"^```yaml\n(.*?)^```", text,
                                             re.M | re.S)):
            yield f"{name}, block {i + 1}", block


def examples_are_valid(binary, repository, schema):
    if yaml is None:
        print("the examples are not looked at: PyYAML is missing")
        return
    found = 0
    for name, text in examples(repository):
        try:
            value = list(yaml.safe_load_all(text))
        except yaml.YAMLError:
            continue  # a piece of one
        own = [each for each in value if isinstance(each, dict)
               and set(each) <= set(schema["properties"])
               and each]
        if not own or len(value) > 1:
            continue
        found += 1
        look(f"{name} is one of the schema", not list(faults(own[0], schema)),
             list(faults(own[0], schema)))
        if name.startswith(("examples/", "docs/")) and name.endswith(".yaml"):
            look(f"{name} names the schema", text.startswith(MARK), text[:80])
            where = os.path.join(repository, os.path.dirname(name),
                                 text.partition("=")[2].partition("\n")[0])
            look(f"{name} finds the schema", os.path.exists(where), where)
    look("examples were found", found > 5, found)


# What an editor must complain of.
WRONG = [{"serverr": {}}, {"server": {"port": 70000}},
         {"server": {"port": "eighty"}}, {"log": {"level": "inf"}},
         {"backends": {"a": {"api_kee": "x"}}}, {"backends": []},
         {"backends": {"a": {"provider": "opnai"}}},
         {"models": {"a": {"backend": "b", "modle": "x"}}},
         {"models": [{"frontend": "x"}]}, {"server": {"client_keys": "k"}},
         {"translate": {"strict": "maybe"}}]
RIGHT = [{"server": {"port": "${PORT}"}}, {"log": None}, {},
         {"backends": {"a": {"provider": "${P}"}}}, {"models": {"*": "a"}},
         {"server": {"client_keys": [12345]}}, {"log": {"level": "debug"}}]


def main():
    binary = os.path.abspath(sys.argv[1])
    repository = os.path.abspath(sys.argv[2])
    text = run(binary, ["schema"]).out
    schema = json.loads(text)
    kept = os.path.join(repository, "docs/llm-proxy.schema.json")
    with open(kept, encoding="utf-8") as file:
        look("docs/llm-proxy.schema.json is current: llm-proxy schema "
             ">docs/llm-proxy.schema.json", file.read() == text)
    for value in WRONG:
        look(f"{value} is wrong", list(faults(value, schema)))
    for value in RIGHT:
        look(f"{value} is right", not list(faults(value, schema)),
             list(faults(value, schema)))
    keys_agree(binary, schema)
    examples_are_valid(binary, repository, schema)
    try:
        import jsonschema
        jsonschema.Draft7Validator.check_schema(schema)
        look("jsonschema takes it", True)
    except ImportError:
        pass
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed < 25 else 0


if __name__ == "__main__":
    sys.exit(main())
