#!/usr/bin/env python3
"""Other people's clients, unchanged, against the demo of the real llm-proxy.

    LLM_PROXY_BINARY=... python3 run.py [WORD...]

Each client is set up with what `llm-proxy env CLIENT` prints, and nothing
else: its `export` lines are the environment of the client, and the text as a
whole is given to those that are set up by code, files or commands. A row is a
program of python/ or js/, a process of its own, that prints a line of JSON for
each of its cells. Prints the table; exits 1 when a cell failed.
"""
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CELLS = ("text", "stream", "tools")
SECONDS = 1800  # of one program; only a failure takes so long

# Nothing but this machine can be reached: what a client sends home fails.
NOWHERE = "http://127.0.0.1:9"
CLOSED = {
    "HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE, "http_proxy": NOWHERE,
    "https_proxy": NOWHERE, "NO_PROXY": "127.0.0.1,localhost",
    "no_proxy": "127.0.0.1,localhost",
}


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    env: str  # as `llm-proxy env` calls it
    program: tuple
    folder: str = "sdks"  # of .python; "js" = Node
    cannot: dict = dataclasses.field(default_factory=dict)
    needs: str = ""  # a file that is there where the client is installed


def python(name, env, *program, **rest):
    return Row(name, env, program, **rest)


def framework(name, env, *program):
    return Row(name, env, program, "frameworks")


def node(name, env, *program, **rest):
    return Row(name, env, program, "js", **rest)


ROWS = (
    python("openai, Chat Completions", "openai", "openai_chat.py"),
    python("openai, Responses", "openai", "openai_responses.py"),
    python("anthropic", "anthropic", "anthropic_sdk.py"),
    framework("google-genai", "google-genai", "google_sdk.py"),
    framework("litellm openai/", "litellm", "litellm_sdk.py", "openai"),
    framework("litellm anthropic/", "litellm", "litellm_sdk.py", "anthropic"),
    framework("litellm gemini/", "litellm", "litellm_sdk.py", "gemini"),
    framework("LangChain OpenAI", "langchain", "langchain_sdk.py", "openai"),
    framework("LangChain Anthropic", "langchain", "langchain_sdk.py",
              "anthropic"),
    framework("LangChain Google", "langchain", "langchain_sdk.py", "google"),
    framework("LlamaIndex", "llamaindex", "llamaindex_sdk.py"),
    framework("instructor", "instructor", "instructor_sdk.py"),
    python("Pydantic AI openai:", "pydantic-ai", "pydantic_ai_sdk.py",
           "openai"),
    python("Pydantic AI anthropic:", "pydantic-ai", "pydantic_ai_sdk.py",
           "anthropic"),
    python("Pydantic AI google:", "pydantic-ai", "pydantic_ai_sdk.py",
           "google"),
    python("OpenAI Agents SDK", "openai-agents", "openai_agents_sdk.py"),
    python("llm", "llm", "llm_cli.py"),
    python("aider", "aider", "aider_cli.py", folder="aider",
           cannot={"tools": "it has none"}),
    node("AI SDK OpenAI", "ai-sdk", "ai_sdk.mjs", "openai"),
    node("AI SDK Anthropic", "ai-sdk", "ai_sdk.mjs", "anthropic"),
    node("AI SDK Google", "ai-sdk", "ai_sdk.mjs", "google"),
    node("LangChain.js OpenAI", "langchain-js", "langchain.mjs", "openai"),
    node("LangChain.js Anthropic", "langchain-js", "langchain.mjs",
         "anthropic"),
    node("opencode", "opencode", "opencode.mjs",
         needs="js/node_modules/opencode-linux-x64/bin/opencode"),
)


def binary():
    given = os.environ.get("LLM_PROXY_BINARY")
    for path in (given, ROOT / "build/llm-proxy",
                 ROOT / "build/release/server/llm-proxy"):
        if path and pathlib.Path(path).is_file():
            return str(pathlib.Path(path).resolve())
    sys.exit("no llm-proxy: build it first, or set LLM_PROXY_BINARY")


class Proxy:
    """The program without any configuration, on a port of its own."""

    def __init__(self, program, scratch):
        self.program = program
        self.bare = {"PATH": os.environ["PATH"], "HOME": scratch,
                     "TMPDIR": scratch, "LC_ALL": "C.UTF-8"}
        self.scratch = scratch
        self.process = subprocess.Popen(
            [program, "serve", "--port", "0"], env=self.bare, cwd=scratch,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            found = re.search(r"listening on http://\S+:(\d+)", line)
            if found:
                self.port = found[1]
                return
        sys.exit(f"{program} did not start: {self.process.wait()}")

    def settings(self, client):
        return subprocess.run(
            [self.program, "env", client, "--port", self.port, "--model",
             "demo"], env=self.bare, cwd=self.scratch, check=True,
            capture_output=True, text=True).stdout

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


def exported(settings, environment):
    """The environment after the `export` lines, as a shell reads them."""
    lines = [line for line in settings.splitlines()
             if line.startswith("export ")]
    done = subprocess.run(["sh", "-ec", "\n".join([*lines, "env -0"])],
                          env=environment, capture_output=True, text=True,
                          check=True)
    return dict(pair.split("=", 1) for pair in done.stdout.split("\0") if pair)


def command(row):
    """The program's command line, and where its client's commands are; None
    where the client is not installed."""
    if not (HERE / row.needs).exists():
        return None
    if row.folder == "js":
        own = HERE / "js/node_modules/.bin/node"
        runner = str(own) if own.exists() else "node"
        commands = HERE / "js/node_modules/.bin"
        folder = HERE / "js"
    else:
        commands = HERE / ".python" / row.folder / "bin"
        runner = str(commands / "python")
        folder = HERE / "python"
        if not (commands / "python").exists():
            return None
    program, *rest = row.program
    return [runner, str(folder / program), *rest], str(commands)


def play(row, proxy):
    """(versions, {cell: None or what was wrong})."""
    found = command(row)
    if found is None:
        return "-", {cell: "not installed" for cell in CELLS}
    line, commands = found
    home = tempfile.mkdtemp(dir=proxy.scratch)
    settings = proxy.settings(row.env)
    environment = exported(settings, {**proxy.bare, **CLOSED, "HOME": home})
    environment |= {
        "PATH": f"{commands}:{os.environ['PATH']}", "HOME": home,
        # The shell's own is another; some believe it before the system.
        "PWD": home, "TMPDIR": home, "PYTHONDONTWRITEBYTECODE": "1",
        "LLMPROXY_SETTINGS": settings,
        "LLMPROXY_URL": f"http://127.0.0.1:{proxy.port}",
    }
    try:
        done = subprocess.run(line, env=environment, cwd=home,
                              capture_output=True, text=True, timeout=SECONDS)
        out, err = done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        out = (late.stdout or b"").decode(errors="replace")
        err = f"not within {SECONDS} s"
    cells = {cell: f"said nothing of it:\n{out[-2000:]}\n{err[-4000:]}"
             for cell in CELLS if cell not in row.cannot}
    versions = "-"
    for text in out.splitlines():
        if not text.startswith("{"):
            continue
        said = json.loads(text)
        if "cell" in said:
            cells[said["cell"]] = said["error"]
        versions = ", ".join(said.get("versions", [])) or versions
    return versions, cells


def word(row, cells, cell):
    if cell in row.cannot:
        return f"- ({row.cannot[cell]})"
    if cells[cell] == "not installed":
        return cells[cell]
    return "pass" if cells[cell] is None else "FAIL"


def reported(row, proxy):
    """The same, and says at once how it went: all of them take minutes."""
    versions, cells = play(row, proxy)
    said = ", ".join(word(row, cells, cell) for cell in CELLS)
    print(f"{row.name}: {said}", file=sys.stderr, flush=True)
    return versions, cells


def print_table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  " + "  ".join(
            text.ljust(width) for text, width in zip(row, widths)).rstrip())


def main():
    words = [text.lower() for text in sys.argv[1:]]
    rows = [row for row in ROWS
            if not words or any(text in row.name.lower() for text in words)]
    scratch = tempfile.mkdtemp(prefix="llmproxy-clients-")
    proxy = Proxy(binary(), scratch)
    try:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            played = list(pool.map(lambda row: reported(row, proxy), rows))
    finally:
        code = proxy.stop()
        shutil.rmtree(scratch, ignore_errors=True)
    table = [("client", "versions", *CELLS)]
    counts = {"pass": 0, "FAIL": 0, "not installed": 0}
    for row, (versions, cells) in zip(rows, played):
        said = [word(row, cells, cell) for cell in CELLS]
        table.append((row.name, versions, *said))
        for cell, text in zip(CELLS, said):
            if text in counts:
                counts[text] += 1
            if text == "FAIL":
                print(f"--- {row.name}: {cell}\n{cells[cell]}\n")
    print_table(table)
    print(f"{len(rows)} clients: {counts['pass']} passed, "
          f"{counts['FAIL']} failed, {counts['not installed']} not installed")
    if code != 0:
        print(f"llm-proxy ended with {code}")
    sys.exit(1 if code != 0 or counts["FAIL"] or not counts["pass"] else 0)


if __name__ == "__main__":
    main()
