"""Runs every command block of README and docs as it stands.

  blocks.py SOURCE_DIR BUILD_DIR [WORDS]   only blocks whose place has WORDS

A block of `sh` is run by bash, as a reader would paste it, in a sandbox
(sandbox.py): a copy of the repository, a network and a file system of its own,
programs that are not here replaced by stand-ins. It must end well, each
command of it, and what curl asks must be answered with success. A block of
`yaml` is a configuration, which `llm-proxy check` must take, unless its first
line is a comment that names the file of another program; that, `toml`, `json`
and `python` are only parsed. The example files are looked at as well.

What cannot be run here stands in LEFT_OUT with the reason, and is printed.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

import yaml

import sandbox

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VARIABLE = re.compile(r"\$\{(\w+)\}")
# Words of a block of commands, and why it is not run.
LEFT_OUT = {
    "docker ": "needs Docker",
    "make bench": "builds a release and measures it for many minutes",
}
# Documents whose commands read a file of another proxy: what that is here.
SYSTEMS = "tests/e2e/systems"
FILES = {
    "docs/migrate/anthropic-front.md":
        {"config.yaml": f"{SYSTEMS}/anthropic_front/config.yaml"},
    "docs/migrate/dialect-proxy.md":
        {"config/config.yaml": f"{SYSTEMS}/dialect/translation_mode.yaml"},
}
# "# extra-openai-models.yaml, ..." at the beginning: a file of that name.
OTHERS_FILE = re.compile(r"# (?!llm-proxy\.yaml)([\w.-]+\.\w+)\b")
# Settings that wait for their reader: `#` and no blank.
WAITING = re.compile(r"^(\s*)#(?=[^\s#])", re.MULTILINE)


class Block:
    def __init__(self, document, line, language, text, before):
        self.document = document
        self.place = f"{document}:{line}"
        self.language = language
        self.text = text
        self.before = before  # file and text of the YAML block before it


def blocks_of(root, document):
    text = (root / document).read_text("utf-8")
    before = {}
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Block(document, line, match[1], match[2], before)
        if match[1] == "yaml":
            other = OTHERS_FILE.match(match[2])
            before = {other[1] if other else "llm-proxy.yaml": match[2]}


def documents(root):
    return ["README.md"] + sorted(
        str(path.relative_to(root)) for path in (root / "docs").rglob("*.md"))


def checked(binary, config, environment=None):
    """What `llm-proxy check` finds wrong with a configuration."""
    variables = {name: "https://example.com/v1"
                 if re.search("URL|HOST", name) else "value-of-" + name
                 for name in VARIABLE.findall(config)}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "llm-proxy.yaml")
        pathlib.Path(path).write_text(config, "utf-8")
        done = subprocess.run(
            [binary, "check", "--config", path], cwd=folder, timeout=60,
            env={"PATH": os.environ["PATH"], **variables,
                 **(environment or {})},
            capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else done.stderr


def parsed(parse, text):
    """What a parser finds wrong with a text."""
    try:
        parse(text)
    except (ValueError, SyntaxError, yaml.YAMLError) as error:
        return str(error)
    return None


def check_python(text):
    compile(text, "block", "exec")


PARSERS = {"toml": tomllib.loads, "json": json.loads, "python": check_python}


class Runner:
    def __init__(self, root, build):
        self.root, self.build = root, build
        self.binary = str(build / "server/llm-proxy")

    def run(self, block):
        """None = well, else what went wrong."""
        if block.language == "yaml":
            return (parsed(yaml.safe_load, block.text)
                    if OTHERS_FILE.match(block.text)
                    else checked(self.binary, block.text))
        if block.language in PARSERS:
            return parsed(PARSERS[block.language], block.text)
        files = {"llm-proxy.yaml": (self.root / "examples/llm-proxy.yaml")
                 .read_text("utf-8"), **block.before}
        for name, source in FILES.get(block.document, {}).items():
            files[name] = (self.root / source).read_text("utf-8")
        return sandbox.run(self.root, self.build, block.text, files)


def reason_to_leave(block):
    for words, reason in LEFT_OUT.items():
        if words in block.text:
            return reason
    return None


def compose_faults(root):
    """What the compose file names that is not there."""
    folder = root / "examples"
    service = yaml.safe_load(
        (folder / "compose.yaml").read_text("utf-8"))["services"]["llm-proxy"]
    files = [service["env_file"] + ".example", "../Dockerfile",
             *(volume.split(":")[0] for volume in service["volumes"])]
    for name in files:
        if not (folder / name).is_file():
            yield f"there is no {name}"
    inside = [volume.split(":")[1] for volume in service["volumes"]]
    if service["command"][-1] not in inside:
        yield "the configuration is not where the command looks for it"


def example_faults(root, binary):
    """(name of a check, None or what is wrong) of the example files."""
    config = (root / "examples/llm-proxy.yaml").read_text("utf-8")
    yield "examples/llm-proxy.yaml", checked(binary, config)
    yield ("examples/llm-proxy.yaml, all settings",
           checked(binary, WAITING.sub(r"\1", config)))
    schema = re.search(r"yaml-language-server: \$schema=(\S+)", config)
    yield ("examples/llm-proxy.yaml, its schema", None
           if schema and (root / "examples" / schema[1]).is_file()
           else "no such file")
    env = (root / "examples/.env.example").read_text("utf-8")
    wrong = [line for line in WAITING.sub(r"\1", env).splitlines()
             if not re.fullmatch(r"(#.*|[A-Z_]+=\S*|)", line)]
    yield "examples/.env.example", "\n".join(wrong) or None
    for name in ("examples/compose.yaml", "docs/deploy/kubernetes.yaml"):
        text = (root / name).read_text("utf-8")
        yield name, parsed(lambda text: list(yaml.safe_load_all(text)), text)
    inner = next(yaml.safe_load_all(text))["data"]["llm-proxy.yaml"]
    yield ("docs/deploy/kubernetes.yaml, its configuration",
           checked(binary, inner, {"PROXY_API_KEY": "a-key-of-a-client"}))
    wrong = compose_faults(root)
    yield "examples/compose.yaml, what it names", "\n".join(wrong) or None


def main():
    root, build = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    words = sys.argv[3] if len(sys.argv) > 3 else ""
    runner = Runner(root, build)
    blocks = [block for document in documents(root)
              for block in blocks_of(root, document)
              if block.language in ("sh", "yaml", *PARSERS)
              and words in block.place]
    left = [(block, reason_to_leave(block)) for block in blocks
            if block.language == "sh" and reason_to_leave(block)]
    todo = [block for block in blocks
            if block not in [block for block, _ in left]]
    if any(block.language == "sh" for block in todo):
        reason = sandbox.why_not()
        if reason:
            print(f"blocks: skipped: {reason}")
            return 77
    passed, failed, commands = 0, 0, 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(zip(todo, pool.map(runner.run, todo)))
    for place, wrong in [(f"{block.place} ({block.language})", wrong)
                         for block, wrong in results] + (
                             [] if words else
                             list(example_faults(root, runner.binary))):
        passed, failed = passed + (not wrong), failed + bool(wrong)
        print(f"{'FAILED' if wrong else 'ok':6} {place}"
              + (f"\n{wrong}" if wrong else ""))
    for block, reason in left:
        print(f"left   {block.place} (sh): {reason}")
    commands = sum(block.language == "sh" for block in todo)
    print(f"blocks: {len(todo)} run ({commands} of commands), {len(left)} left"
          f" out; with the example files {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
