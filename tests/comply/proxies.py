"""The proxies that the judge asks, started and ended.

`Bare` is the program as it comes. `Behind` gives its demo the names of models
that the judge tries everything with. `Front` has a backend for each dialect,
and behind all of them is `Behind`: it is asked in that dialect, answers in it,
and the proxy in front translates.
"""
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60
STOP_SECONDS = 60


@dataclasses.dataclass(frozen=True)
class Upstream:
    """A backend of the proxy in front: a dialect, and a model that is at home
    there and can do everything the judge asks for."""
    dialect: str
    provider: str
    place: str
    model: str


UPSTREAMS = (
    Upstream("openai-chat", "openai-compatible", "/v1", "gpt-5"),
    Upstream("openai-responses", "openai-responses", "/v1", "gpt-5"),
    Upstream("claude", "anthropic", "", "claude-sonnet-4-5"),
    Upstream("gemini", "gemini", "", "gemini-3-pro-preview"),
    Upstream("bedrock", "bedrock-claude", "",
             "anthropic.claude-sonnet-4-5-20250929-v1:0"),
    Upstream("bedrock-converse", "bedrock", "",
             "anthropic.claude-sonnet-4-5-20250929-v1:0"),
)

SERVER = """
server: {host: 127.0.0.1, port: 0}
log: {level: "off"}
"""

# Any model is the demo.
BEHIND = SERVER + """
backends:
  demo: {provider: demo}
models:
  "*": demo
"""


def asked_as(name, upstream):
    """What the model `name` is called where `upstream` is to answer."""
    return f"{name}-over-{upstream.dialect}"


def front(names, port):
    """A configuration with all backends, and `names` for each of them."""
    lines = [SERVER + "backends:"]
    for upstream in UPSTREAMS:
        url = f"http://127.0.0.1:{port}{upstream.place}"
        lines.append(f"  {upstream.dialect}: {{provider: {upstream.provider}, "
                     f"base_url: \"{url}\", api_key: comply-upstream-key}}")
    lines.append("models:")
    lines += [f"  {asked_as(name, upstream)}: {{backend: {upstream.dialect}, "
              f"model: \"{upstream.model}\"}}"
              for upstream in UPSTREAMS for name in sorted(set(names))]
    return "\n".join(lines) + "\n"


def binary():
    for path in (os.environ.get("LLM_PROXY_BINARY"), ROOT / "build/llm-proxy",
                 ROOT / "build/release/server/llm-proxy"):
        if path and pathlib.Path(path).is_file():
            return str(pathlib.Path(path).resolve())
    sys.exit("no llm-proxy: build it first, or set LLM_PROXY_BINARY")


class Proxy:
    """One process, without keys and with or without a configuration."""

    def __init__(self, configuration=""):
        self.scratch = tempfile.TemporaryDirectory(prefix="llmproxy-comply-")
        line = [binary(), "serve"]
        if configuration:
            file = pathlib.Path(self.scratch.name) / "llm-proxy.yaml"
            file.write_text(configuration, "utf-8")
            line += ["--config", str(file)]
        else:
            line += ["--port", "0"]
        self.log = open(pathlib.Path(self.scratch.name) / "log", "w+",
                        encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            line, cwd=self.scratch.name, stdout=subprocess.PIPE,
            stderr=self.log, text=True,
            # Ctrl-C is for us: a second signal would end it at once.
            start_new_session=True,
            env={"PATH": os.environ["PATH"], "HOME": self.scratch.name})
        for text in self.process.stdout:
            found = re.search(r"listening on http://\S+?:(\d+)", text)
            if found:
                self.port = int(found[1])
                return
        raise RuntimeError(f"llm-proxy did not start:\n{self.said()}")

    def said(self):
        self.log.seek(0)
        return self.log.read()[-4000:]

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        """A crash, a leak, what a sanitizer found: all end otherwise."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        said = self.said()
        self.process.stdout.close()
        self.log.close()
        self.scratch.cleanup()
        if code != 0 and kind is None:
            raise RuntimeError(f"llm-proxy ended with {code}:\n{said}")
