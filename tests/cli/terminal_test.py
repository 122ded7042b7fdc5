"""llm-proxy on a terminal and away from it: the start, the lines of the log,
colours, and what the level debug tells.

  terminal_test.py LLM_PROXY

Prints "N passed, N failed".
"""

import json
import os
import pty
import re
import select
import socket
import subprocess
import sys
import time

from program import (PATIENCE, Serving, Upstream, answer, environment,
                     folder_with)

KEY = "sk-terminal-key-0123456789abcdef-TAIL"
HELLO = ('{"model":"%s","seed":1,"messages":[{"role":"user","content":'
         '"a secret word"}]}')
passed = 0
failed = 0


def look(name, condition, told=""):
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {name}: {told}")


class Terminal:
    """llm-proxy with a terminal for its output."""

    def __init__(self, binary, files, arguments, variables=None):
        ours, theirs = pty.openpty()
        self.fd = ours
        self.text = ""
        self.process = subprocess.Popen(
            [os.path.abspath(binary), *arguments, "--port", "0"],
            stdin=theirs, stdout=theirs, stderr=theirs,
            cwd=folder_with(files),
            env=environment({"TERM": "xterm", **(variables or {})}))
        os.close(theirs)
        found = self.until(r"listening on http://127\.0\.0\.1:(\d+)")
        self.port = int(found[1])

    def until(self, pattern):
        end = time.monotonic() + PATIENCE
        while True:
            found = re.search(pattern, self.text, re.S)
            if found:
                return found
            left = end - time.monotonic()
            if left < 0 or not select.select([self.fd], [], [], left)[0]:
                raise SystemExit(f"never on the terminal: {pattern}\n"
                                 f"{self.text}")
            try:
                piece = os.read(self.fd, 65536)
            except OSError:
                raise SystemExit(f"llm-proxy ended: {self.text}") from None
            self.text += piece.decode().replace("\r\n", "\n")

    def ask(self, path, body=None, method="POST"):
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            data = (body or "").encode()
            connection.sendall(
                f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
                "connection: close\r\nauthorization: Bearer client-credential\r"
                f"\ncontent-length: {len(data)}\r\n\r\n".encode() + data)
            answered = b""
            while True:
                piece = connection.recv(65536)
                if not piece:
                    return answered.decode()
                answered += piece

    def stop(self):
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        os.close(self.fd)
        return code


CONFIG = """
backends:
  demo: {provider: demo}
  vendor: {provider: anthropic, base_url: "http://127.0.0.1:%d", api_key: "${MY_KEY}"}
models:
  fast: {backend: demo, model: demo}
  "claude-*": vendor
  team: {backend: demo, model: demo, prefix: /team}
"""


def welcome(binary):
    terminal = Terminal(binary, {"c.yaml": CONFIG % 9},
                        ["--config", "c.yaml"], {"MY_KEY": KEY})
    text = terminal.until(r"Ctrl-C")[0] and terminal.text
    for words in ["demo", "vendor", "http://127.0.0.1:9", "***TAIL",
                  "environment MY_KEY", "answers offline", "fast -> demo",
                  "claude-* -> vendor", "team below /team",
                  "clients that list models see: fast, team", "llm-proxy env",
                  "claude-code"]:
        look(f"welcome: {words}", words in text, text)
    look("welcome: no key", KEY[:20] not in text, text)
    look("welcome: ends", terminal.stop() == 0)
    prefixed = ("backends: {d: {provider: demo}}\n"
                "models: {mine: {backend: d, model: demo, prefix: /team}}\n")
    for name, config in [("a prefix", prefixed), ("a catch-all", """
backends: {d: {provider: demo}}
models: {"*": {backend: d, model: demo}}
"""), ("no file", None)]:
        more = [] if config is None else ["--config", "c.yaml"]
        terminal = Terminal(binary, {} if config is None else
                            {"c.yaml": config}, more)
        terminal.until("Ctrl-C")
        line = re.search(r"^  (curl .*)$", terminal.text, re.M)[1]
        done = subprocess.run(["bash", "-c", line], capture_output=True,
                              text=True, timeout=PATIENCE, check=False)
        look(f"the line works with {name}", "choices" in done.stdout,
             line + done.stdout)
        terminal.stop()


def short_lines(binary):
    for name, variables, coloured in [
            ("colours", {}, True), ("NO_COLOR", {"NO_COLOR": "1"}, False),
            ("NO_COLOR empty", {"NO_COLOR": ""}, True),
            ("a dumb terminal", {"TERM": "dumb"}, False)]:
        terminal = Terminal(binary, {}, [], variables)
        terminal.until("Ctrl-C")
        terminal.ask("/v1/chat/completions", HELLO % "demo")
        terminal.ask("/v1/chat/completions", HELLO % "caf\\u00e9")
        terminal.ask("/healthz", method="GET")
        terminal.ask("/v1/models", method="GET")
        terminal.until(r"GET /v1/models.*\n")
        log = terminal.text.partition("Ctrl-C ends.\n")[2]
        look(f"{name}: the escapes", ("\x1b[" in log) == coloured, repr(log))
        plain = re.sub(r"\x1b\[[0-9;]*m", "", log)
        lines = plain.splitlines()
        look(f"{name}: a chat", bool(re.match(
            r"\d\d:\d\d:\d\d 200 demo -> demo  \d+ \+ \d+ tokens  \d+ ms",
            lines[0])), lines)
        look(f"{name}: a refusal", " 404 caf\\xc3\\xa9 " in lines[1],
             repr(lines[1]))
        look(f"{name}: nothing else obeyed", "\x1b" not in plain, repr(plain))
        look(f"{name}: no probe", len(lines) == 3, lines)
        look(f"{name}: short", all(len(each) < 120 for each in lines), lines)
        terminal.stop()


def elsewhere(binary):
    """What programs read stays as it was."""
    with Serving(binary, None) as proxy:
        look("two lines at the start",
             re.match(r"llm-proxy \S+ listening on http://127\.0\.0\.1:\d+, "
                      r"models: demo.*; try:\n  curl -s .*\n$", proxy.line),
             proxy.line)
        proxy.post("/v1/chat/completions", HELLO % "demo")
        proxy.ask(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close"
                  b"\r\n\r\n")
    look("a line of the log", re.match(
        r"\d{4}-\d\d-\d\dT\S+Z info request_id=\S+ peer=127\.0\.0\.1 "
        r"method=POST path=/v1/chat/completions .* outcome=ok\n$",
        proxy.told()), proxy.told())


def debug(binary):
    upstream = Upstream(answer(200, json.dumps({
        "id": "m", "type": "message", "role": "assistant", "model": "x",
        "content": [{"type": "text", "text": "an answer"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 1}})))
    for form in ("text", "json"):
        config = (f"log: {{level: debug, format: {form}}}\n"
                  + CONFIG % upstream.port)
        with Serving(binary, config, {"MY_KEY": KEY}) as proxy:
            proxy.post("/v1/chat/completions?key=query-credential",
                       HELLO % "claude-x",
                       ["authorization: Bearer client-credential"])
            proxy.ask(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close"
                      b"\r\n\r\n")
        told = proxy.told()
        for words in ["claude-*", "c.yaml:8", "openai-chat to claude",
                      f"POST http://127.0.0.1:{upstream.port}/v1/messages",
                      "x-api-key: ***", "anthropic-version: 2023-06-01",
                      "/seed dropped", "/healthz"]:
            look(f"debug {form}: {words}", words in told, told)
        for secret in (KEY, "client-credential", "query-credential",
                       "secret word", "an answer"):
            look(f"debug {form}: no {secret}", secret not in told, told)
        if form == "json":
            lines = [json.loads(each) for each in told.splitlines()]
            look("debug json: lines of one request",
                 lines[0]["request_id"] == lines[1]["request_id"], lines)
    with Serving(binary, "backends: {b: {provider: gemini, api_key: \""
                 "${MY_KEY}\", query: \"token=abcdefgh\", base_url: "
                 f"\"http://127.0.0.1:{upstream.port}\"}}}}\n"
                 "log: {level: debug}\n", {"MY_KEY": KEY}) as proxy:
        proxy.post("/v1/chat/completions", HELLO % "b/x")
        proxy.ask(b"GET /b/v1beta/files?key=query-credential HTTP/1.1\r\n"
                  b"host: 127.0.0.1\r\nconnection: close\r\n\r\n")
    told = proxy.told()
    look("debug: parameters", "token=***" in told, told)
    look("debug: no parameter's value", "abcdefgh" not in told
         and "query-credential" not in told, told)
    look("debug: what is passed on", "the whole API of b" in told, told)


def main():
    binary = os.path.abspath(sys.argv[1])
    for part in (welcome, short_lines, elsewhere, debug):
        part(binary)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
