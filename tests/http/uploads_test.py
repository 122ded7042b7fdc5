"""Uploads through the real llm-proxy: what the upstream gets, and what becomes
of those that are too large, cut, slow, unwelcome, or find no disk.

  uploads_test.py LLM_PROXY [NAME...]

Prints a line a test and last "N passed, N failed".
"""

import json
import os
import sys
import tempfile
import time

import uploads
from proxy import PATIENCE, Proxy
from uploads import Client, Form, Upstream

MIB = 1 << 20
PATH = "/v1/audio/transcriptions"
LIMIT = 40 * MIB
CONFIG = """
server:
  port: 0
  client_keys: ["client-key"]
  max_body_bytes: 100000
  max_upload_bytes: {limit}
  max_upload_bytes_in_flight: {all}
  shutdown_seconds: 1
log: {{level: info, format: json, file: "{log}"}}
backends:
  up:
    provider: openai
    base_url: "http://127.0.0.1:{upstream}/v1"
    api_key: upstream-key
  claude: {{provider: anthropic, api_key: k, base_url: "http://127.0.0.1:1"}}
  demo: {{base_url: "demo:"}}
models:
  hear: {{backend: up, model: whisper-large-v3-turbo}}
  "as-it-is": up
  claude: claude
  demo: demo
"""


class Fault(Exception):
    """What went wrong."""


def check(right, message):
    if not right:
        raise Fault(message)


def eventually(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        check(time.monotonic() < end, f"it did not happen that {what}")
        time.sleep(0.01)


class World:
    """A proxy with an upstream of its own."""

    def __init__(self, binary, folder, name, limit=LIMIT, together=4 * LIMIT,
                 environment=None):
        self.upstream = Upstream()
        self.log = os.path.join(folder, name + ".log")
        self.files = os.path.join(folder, name + ".uploads")
        os.mkdir(self.files)
        config = CONFIG.format(limit=limit, all=together, log=self.log,
                               upstream=self.upstream.port)
        self.proxy = Proxy(binary, folder, name, config,
                           {"TMPDIR": self.files, **(environment or {})})

    def client(self):
        return Client(self.proxy.port, PATIENCE)

    def ask(self, form, path=PATH, **how):
        with self.client() as client:
            client.send(path, form, **how)
            status, body = client.answer()
            return status, json.loads(body or b"{}")

    def open_files(self):
        """How many uploads the proxy holds."""
        folder = f"/proc/{self.proxy.process.pid}/fd"
        links = []
        for name in os.listdir(folder):
            try:
                links.append(os.readlink(os.path.join(folder, name)))
            except FileNotFoundError:
                continue
        return sum(link.startswith(self.files) for link in links)

    def log_lines(self):
        with open(self.log, encoding="utf-8") as file:
            return [json.loads(line) for line in file if '"status"' in line]

    def end(self):
        left = os.listdir(self.files)
        code = self.proxy.stop()
        self.upstream.shutdown()
        check(code == 0, f"the proxy ended with {code}")
        check(not left, f"files are left: {left}")


def test_passes(world):
    """A file arrives as it was sent, with our key and the mapped model."""
    for size, last, chunked in ((0, True, False), (10, False, False),
                                (300_000, True, True), (5 * MIB, True, False),
                                (5 * MIB + 1, False, True)):
        status, body = world.ask(Form("hear", size, last), chunked=chunked)
        check(status == 200 and body["text"] == "hello", f"{status} {body}")
        got = world.upstream.seen[-1]
        wanted = Form("whisper-large-v3-turbo", size, last)
        check(got["sha256"] == wanted.digest(), f"{size}: other bytes came")
        check(got["head"]["content-length"] == str(wanted.length),
              f"{size}: length {got['head']['content-length']}")
        check(got["head"].first == "POST /v1/audio/transcriptions HTTP/1.1",
              got["head"].first)
        check(got["head"]["authorization"] == "Bearer upstream-key",
              got["head"]["authorization"])
        check(got["head"]["content-type"] == uploads.TYPE, "content-type")
    eventually(lambda: not world.open_files(), "all files are closed")
    eventually(lambda: len(world.log_lines()) == 5, "all is in the log")
    line = world.log_lines()[-1]
    check(line["model"] == "hear" and line["backend"] == "up", line)
    check(line["input_tokens"] == 9 and line["output_tokens"] == 2, line)


def test_unchanged(world):
    """A model that needs no other name leaves every byte; below a backend's
    name nothing is read."""
    form = Form("as-it-is", 3 * MIB)
    for path in (PATH, "/up/v1/files"):
        status, _ = world.ask(form, path)
        check(status == 200, f"{path}: {status}")
        check(world.upstream.seen[-1]["sha256"] == form.digest(), path)


def test_too_large(world):
    """413 before a byte is read where the length says so, else once it is."""
    for chunked in (False, True):
        with world.client() as client:
            client.send(PATH, Form("hear", LIMIT + MIB), chunked=chunked)
            status, body = client.answer()
        check(status == 413, f"{status} {body}")
        check(str(LIMIT).encode() in body, body)
    with world.client() as client:
        client.socket.sendall(uploads.request_head(
            PATH, LIMIT + MIB, ("expect: 100-continue",)))
        check(client.answer()[0] == 413, "100-continue before 413")
    # Of bodies that are no uploads the limit is another.
    with world.client() as client:
        client.socket.sendall(
            uploads.request_head("/v1/embeddings", 200_000))
        check(client.answer()[0] == 413, "an ordinary body of 200 KB")
    check(not world.upstream.seen, "the upstream was asked")
    eventually(lambda: not world.open_files(), "all files are closed")


def test_no_key(world):
    """Who may not come in is told so before anything is read."""
    with world.client() as client:
        head = uploads.request_head(PATH, 30 * MIB)
        client.socket.sendall(head.replace(b"Bearer client-key", b"Bearer no"))
        check(client.answer()[0] == 401, "no 401")
    check(not world.open_files(), "a file was made")


def test_refused(world):
    """Forms that go nowhere, and say why."""
    for model, status, word in ((None, 400, "model is required"),
                                ("nosuch", 404, "nosuch"),
                                ("claude", 400, "Anthropic Messages"),
                                ("demo", 400, "demo")):
        got, body = world.ask(Form(model, MIB))
        check(got == status, f"{model}: {got} {body}")
        check(word in body["error"]["message"], body)
    check(not world.upstream.seen, "the upstream was asked")
    eventually(lambda: not world.open_files(), "all files are closed")


def test_cut(world):
    """A client that leaves in the middle leaves nothing behind."""
    form = Form("hear", 20 * MIB)
    for bytes_sent in (len(form.before), 3 * MIB):
        with world.client() as client:
            client.socket.sendall(uploads.request_head(PATH, form.length))
            sent = 0
            for piece in form.pieces():
                if sent >= bytes_sent:
                    break
                client.socket.sendall(piece)
                sent += len(piece)
            if bytes_sent >= MIB:
                eventually(lambda: world.open_files() == 1, "a file is open")
        eventually(lambda: not world.open_files(), "the file is closed")
    check(not world.upstream.seen, "the upstream was asked")


def test_client_leaves(world):
    """The upstream of a client that left is left alone, too."""
    world.upstream.piece, world.upstream.pause = 4096, 0.01
    with world.client() as client:
        check(client.send(PATH, Form("hear", 20 * MIB)), "it was not taken")
        eventually(lambda: world.upstream.seen and
                   world.upstream.seen[-1]["bytes"] > 0, "it is sent on")
    eventually(lambda: not world.open_files(), "the file is closed")
    check(not world.upstream.seen[-1]["complete"], "all of it was sent")


def test_slow_upstream(world):
    """An upstream that takes its time gets all; others do not wait for it."""
    world.upstream.piece, world.upstream.pause = 1 << 17, 0.02
    form = Form("hear", 6 * MIB)
    with world.client() as client:
        check(client.send(PATH, form), "it was not taken")
        eventually(lambda: world.upstream.seen, "it is sent on")
        begin = time.monotonic()
        with world.client() as other:
            other.socket.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost"
                                 b"\r\n\r\n")
            check(other.answer()[0] == 200, "healthz")
        check(time.monotonic() - begin < 5, "others had to wait")
        check(client.answer()[0] == 200, "no answer")
    wanted = Form("whisper-large-v3-turbo", 6 * MIB)
    check(world.upstream.seen[-1]["sha256"] == wanted.digest(), "other bytes")


def test_early_answer(world):
    """An upstream that refuses without reading is heard."""
    world.upstream.refuse_early = True
    status, body = world.ask(Form("hear", 20 * MIB))
    # What it says, or that it cut the connection while we still sent.
    check(status in (401, 502), f"{status} {body}")
    eventually(lambda: not world.open_files(), "the file is closed")


def test_together(world):
    """All uploads together are bounded, and room comes back."""
    world.upstream.piece, world.upstream.pause = 65536, 0.02
    with world.client() as first:
        check(first.send(PATH, Form("hear", 9 * MIB)), "it was not taken")
        eventually(lambda: world.upstream.seen, "it is sent on")
        status, body = world.ask(Form("hear", 9 * MIB))
        check(status == 503, f"{status} {body}")
    eventually(lambda: not world.open_files(), "the file is closed")
    world.upstream.piece, world.upstream.pause = 1 << 20, 0
    eventually(lambda: world.ask(Form("hear", 9 * MIB))[0] == 200,
               "there is room again")


def test_no_disk(world):
    """Without a place to keep it an upload gets 507; small ones need none."""
    status, body = world.ask(Form("hear", 2 * MIB))
    check(status == 507, f"{status} {body}")
    check("missing" not in json.dumps(body), "the folder is told to clients")
    eventually(lambda: any("missing" in json.dumps(line)
                           for line in world.log_lines()),
               "the log says why")
    check(world.ask(Form("hear", 1000))[0] == 200, "a small one")


def test_named_folder(binary, folder):
    """A folder that is configured and cannot be used is told at the start."""
    config = CONFIG.format(limit=LIMIT, all=4 * LIMIT, upstream=1,
                           log=os.path.join(folder, "x.log"))
    config = config.replace("server:\n", "server:\n  upload_folder: /nowhere\n")
    try:
        Proxy(binary, folder, "named", config, {}).stop()
    except SystemExit:
        return
    raise Fault("it started")


# What their worlds have beyond the usual.
WORLDS = {
    test_together: {"limit": 10 * MIB, "together": 16 * MIB},
    test_no_disk: {"environment": {"TMPDIR": "/missing"}},
}


def run(binary, folder, name, test):
    if test is test_named_folder:
        return test(binary, folder)
    world = World(binary, folder, name, **WORLDS.get(test, {}))
    try:
        test(world)
    finally:
        # A process that is left would keep whoever reads our output waiting.
        world.end()
    return None


def main():
    binary, *names = sys.argv[1:]
    tests = {name: test for name, test in globals().items()
             if name.startswith("test_")
             and (not names or any(word in name for word in names))}
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, test in tests.items():
            begin = time.monotonic()
            try:
                run(binary, folder, name, test)
                print(f"ok   {name} ({time.monotonic() - begin:.1f} s)")
            except Fault as fault:
                failed += 1
                print(f"FAIL {name}: {fault}")
    print(f"{len(tests) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not tests else 0)


if __name__ == "__main__":
    main()
