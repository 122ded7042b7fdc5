"""Lists of models of the real llm-proxy, with what upstreams say they have.

  models_test.py LLM_PROXY

Upstreams of three vendors' kinds answer as they are told; the proxy has them
behind patterns. Prints each case that fails, and last "N passed, N failed".
"""

import http.client
import json
import os
import sys
import tempfile
import threading
import time

from proxy import PATIENCE, Proxy, Upstream

KEY = "upstream-key-of-ours"

CONFIG = """
server: {{port: 0, model_lists_seconds: {age}, client_keys: [{keys}]}}
log: {{level: "off"}}
backends:
  openai: {{provider: openai, base_url: "http://127.0.0.1:{openai}/v1",
           api_key: {key}-openai}}
  claude: {{provider: anthropic, base_url: "http://127.0.0.1:{claude}",
           api_key: {key}-claude}}
  google: {{provider: gemini, base_url: "http://127.0.0.1:{gemini}",
           api_key: {key}-gemini}}
  lent: {{provider: openai, base_url: "http://127.0.0.1:{lent}/v1",
         pass_credentials: true}}
  gone: {{provider: openai, base_url: "http://127.0.0.1:1/v1", api_key: k}}
  silent: {{provider: openai, base_url: "http://127.0.0.1:{silent}/v1",
           api_key: k}}
models:
  named: {{backend: openai, model: gpt-5}}
  "gpt-*": openai
  "claude-*": claude
  "g/*": {{backend: google, model: "*"}}
  "lent/*": {{backend: lent, model: "*"}}
  "gone/*": {{backend: gone, model: "*"}}
  {extra}
  "team-*": {{backend: openai, model: "gpt-*", prefix: /team}}
"""
SILENT = '"silent/*": {backend: silent, model: "*"}'


class Lists(Upstream):
    """Answers by `answers`, a dictionary from path to (status, body); None is
    no answer until the end."""

    def __init__(self, answers):
        self.answers = answers
        self.gate = threading.Event()
        super().__init__()

    def answer(self, connection, request):
        path = request.split(b" ")[1].decode()
        found = self.answers.get(path, (404, {}))
        if found is None:
            self.gate.wait(PATIENCE)
            return
        body = json.dumps(found[1]).encode()
        connection.sendall(b"HTTP/1.1 %d X\r\ncontent-type: application/json"
                           b"\r\ncontent-length: %d\r\n\r\n%s"
                           % (found[0], len(body), body))

    def asked(self):
        """The request lines' paths."""
        return [request.split(b" ")[1].decode() for request in self.seen]


def openai_list(*names):
    return 200, {"object": "list", "data": [
        {"id": name, "object": "model"} for name in names]}


class World:
    """Upstreams and the proxy in front of them."""

    def __init__(self, binary, folder, age=300, silent=False, keys=""):
        self.openai = Lists({"/v1/models": openai_list(
            "gpt-5", "gpt-5-mini", "whisper-1")})
        self.claude = Lists({
            "/v1/models?limit=1000": (200, {
                "data": [{"type": "model", "id": "claude-1"}],
                "has_more": True, "last_id": "claude-1"}),
            "/v1/models?limit=1000&after_id=claude-1": (200, {
                "data": [{"type": "model", "id": "claude-2"}],
                "has_more": False, "last_id": "claude-2"})})
        self.gemini = Lists({
            "/v1beta/models?pageSize=1000": (200, {
                "models": [{"name": "models/gemini-1",
                            "supportedGenerationMethods": ["generateContent"]},
                           {"name": "models/aqa",
                            "supportedGenerationMethods": ["generateAnswer"]}],
                "nextPageToken": "a/b="}),
            "/v1beta/models?pageSize=1000&pageToken=a%2Fb%3D": (200, {
                "models": [{"name": "models/gemini-2"}]})})
        self.lent = Lists({"/v1/models": openai_list("lent-1")})
        self.silent = Lists({"/v1/models": None})
        self.proxy = Proxy(binary, folder, "models", CONFIG.format(
            age=age, keys=keys, key=KEY, openai=self.openai.port,
            claude=self.claude.port, gemini=self.gemini.port,
            lent=self.lent.port, silent=self.silent.port,
            extra=SILENT if silent else ""))

    def ask(self, path, headers=None):
        """(status, body)"""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.proxy.port, timeout=PATIENCE)
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, json.loads(body)

    def names(self, path="/v1/models", headers=None):
        status, body = self.ask(path, headers)
        if status != 200:
            return status
        return [model.get("id") or model["name"]
                for model in body.get("data", body.get("models"))]

    def stop(self):
        self.silent.gate.set()
        self.proxy.stop()


ALL = ["named", "gpt-5", "gpt-5-mini", "claude-1", "claude-2", "g/gemini-1",
       "g/gemini-2"]
CLAUDE = {"anthropic-version": "2023-06-01"}


def what_patterns_serve(world):
    yield "all of them", world.names(), ALL
    yield "again", world.names(), ALL
    yield "asked once", world.openai.asked(), ["/v1/models"]
    yield "two pages", world.claude.asked(), [
        "/v1/models?limit=1000", "/v1/models?limit=1000&after_id=claude-1"]
    yield "Gemini's pages", len(world.gemini.asked()), 2
    yield "not with a client's key", world.lent.asked(), []


def shapes(world):
    status, body = world.ask("/v1/models", CLAUDE)
    yield "status", status, 200
    yield "first", body["first_id"], "named"
    yield "last", body["last_id"], "g/gemini-2"
    yield "more", body["has_more"], False
    status, body = world.ask("/v1/models?limit=3&after_id=gpt-5", CLAUDE)
    yield "page", [model["id"] for model in body["data"]], [
        "gpt-5-mini", "claude-1", "claude-2"]
    yield "more", body["has_more"], True
    status, body = world.ask("/v1beta/models?pageSize=6")
    yield "Gemini's", len(body["models"]), 6
    status, body = world.ask("/v1beta/models?pageSize=6&pageToken="
                             + body["nextPageToken"])
    yield "the rest", body["models"][0]["name"], "models/g/gemini-2"
    yield "and no more", body.get("nextPageToken"), None
    for path in ("/v1/models/gpt-5-mini", "/models/g%2Fgemini-1",
                 "/v1beta/models/claude-2"):
        yield path, world.ask(path)[0], 200
    yield "unknown", world.ask("/v1/models/nobody")[0], 404


def prefixes(world):
    yield "its own", world.names("/team/v1/models"), ["team-5", "team-5-mini"]
    yield "its own, misspelled", world.names("/team/models"), [
        "team-5", "team-5-mini"]


def keys_stay(world):
    world.names(headers={"authorization": "Bearer clients-own",
                         "x-api-key": "clients-own", "cookie": "c=1"})
    for name in ("openai", "claude", "gemini"):
        upstream = getattr(world, name)
        seen = b"\n".join(upstream.seen)
        yield name, seen.count(f"{KEY}-{name}".encode()), len(upstream.seen)
        for other in ("openai", "claude", "gemini"):
            yield f"{name} {other}", (other != name and
                                      f"-{other}".encode() in seen), False
        yield f"{name} client", b"clients-own" in seen, False
        yield f"{name} cookie", b"cookie" in seen.lower(), False


def stale(world):
    yield "first", world.names(), ALL
    world.openai.answers["/v1/models"] = (500, {})
    world.claude.answers.clear()
    end = time.monotonic() + PATIENCE
    # Old after a second; the question goes out, and what was known stays.
    while len(world.openai.asked()) < 2 and time.monotonic() < end:
        if world.names() != ALL:
            break
        time.sleep(0.05)
    yield "asked again", len(world.openai.asked()) >= 2, True
    yield "nothing is hidden", world.names(), ALL
    world.openai.answers["/v1/models"] = openai_list("gpt-6")
    while "gpt-6" not in world.names() and time.monotonic() < end:
        time.sleep(0.05)
    yield "the new list", world.names(), [
        "named", "gpt-6", "claude-1", "claude-2", "g/gemini-1", "g/gemini-2"]


def silent(world):
    begin = time.monotonic()
    yield "without it", world.names(), ALL
    waited = time.monotonic() - begin
    yield "not for long", waited < 15, True
    # Others are served meanwhile, and nobody waits again.
    yield "health", world.ask("/health")[0], 200
    begin = time.monotonic()
    yield "again", world.names(), ALL
    yield "at once", time.monotonic() - begin < max(1.5, waited - 0.5), True
    yield "asked once", world.silent.asked(), ["/v1/models"]


def keyed(world):
    yield "no key", world.names(), 401
    yield "nobody was asked", world.openai.asked(), []
    yield "a key", world.names(headers={"x-api-key": "client-key"}), ALL
    seen = b"".join(world.openai.seen + world.claude.seen)
    yield "which stays here", b"client-key" in seen, False


def at_once(world):
    """Many ask, the backends are asked once."""
    results = []
    threads = [threading.Thread(target=lambda: results.append(world.names()))
               for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    yield "all", results, [ALL] * 30
    yield "one question", world.openai.asked(), ["/v1/models"]
    yield "two questions", len(world.claude.asked()), 2


def never(world):
    yield "configured names only", world.names(), ["named"]
    yield "nobody was asked", world.openai.asked(), []


CASES = ((what_patterns_serve, {}), (shapes, {}), (prefixes, {}),
         (keys_stay, {}), (stale, {"age": 1}), (silent, {"silent": True}),
         (keyed, {"keys": "client-key"}), (at_once, {}), (never, {"age": 0}))


def main():
    passed = failed = 0
    for case, options in CASES:
        with tempfile.TemporaryDirectory() as folder:
            world = World(os.path.abspath(sys.argv[1]), folder, **options)
            try:
                for name, got, wanted in case(world):
                    if got == wanted:
                        passed += 1
                        continue
                    failed += 1
                    print(f"{case.__name__}: {name}: {got!r}, "
                          f"expected {wanted!r}")
            finally:
                world.stop()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
