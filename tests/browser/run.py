"""Web pages against a proxy without client keys, in a real browser.

  run.py LLM_PROXY

Needs Debian's chromium. One page tries every way it has (attacks.js) at
proxies that are configured differently; what arrives at the upstream says
which of them worked. Prints a line for each fault and a summary.
"""

import http.client
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
KEY = "sk-operator-key-of-the-test"
PATIENCE = 120  # seconds; far more than a page takes

ANSWER = json.dumps({
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1,
    "model": "m", "choices": [{"index": 0, "finish_reason": "stop",
                               "message": {"role": "assistant",
                                           "content": "secret answer"}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})

CONFIG = """
server: {{host: 127.0.0.1, port: 0{server}}}
log: {{level: "off"}}
backends:
  up: {{base_url: "http://127.0.0.1:{upstream}/v1", api_key: {key}}}
models: {{m: up}}
"""


class Server(http.server.ThreadingHTTPServer):
    """A server on a port of the system's choice, and what it was told."""

    daemon_threads = True

    def __init__(self, handler):
        super().__init__(("127.0.0.1", 0), handler)
        self.port = self.server_address[1]
        self.seen = []
        self.results = {}
        self.done = threading.Event()
        self.proxy = None  # where rebound names lead
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    """What both servers share."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def answer(self, status, content_type, body):
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Upstream(Handler):
    """Whatever it is asked, it answers, and remembers which way that came."""

    def do_GET(self):
        text = self.path + self.body().decode("utf-8", "replace")
        found = re.search(r"way-([a-z-]+)", text)
        if found and KEY in self.headers.get("authorization", ""):
            self.server.seen.append(found[1])
        self.answer(200, "application/json", ANSWER.encode())

    do_POST = do_GET


class Site(Handler):
    """The page. Names that end in rebind.test are ours for the page itself
    and lead to the proxy for all else, as after DNS rebinding."""

    def do_GET(self):
        if self.path.startswith("/page"):
            page = "<!doctype html><body><script src='/page.js'></script>"
            body, kind = page.encode(), "text/html"
            if self.path == "/page.js":
                with open(os.path.join(HERE, "attacks.js"), "rb") as file:
                    body, kind = file.read(), "text/javascript"
            return self.answer(200, kind, body)
        if self.path == "/done":
            self.server.results = json.loads(self.body())
            self.answer(200, "text/plain", b"")
            return self.server.done.set()
        if self.headers.get("host", "").startswith("rebind.test"):
            return self.pass_on()
        return self.answer(404, "text/plain", b"")

    do_POST = do_GET
    do_OPTIONS = do_GET

    def pass_on(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.proxy)
        connection.putrequest(self.command, self.path, skip_host=True,
                              skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.endheaders(self.body() or None)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        self.answer(response.status,
                    response.headers.get("content-type", "text/plain"), body)


class Proxy:
    """A running llm-proxy."""

    def __init__(self, binary, folder, upstream, server):
        path = os.path.join(folder, "config.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(server=server, upstream=upstream,
                                     key=KEY))
        self.process = subprocess.Popen(
            [binary, "--config", path], cwd=folder, env={},
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.port = int(re.search(r"listening on http://[^ ]*:(\d+)", line)[1])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)


def browse(browser, url, site):
    """Shows one page until it says that it is done."""
    site.done.clear()
    site.results = {}
    with tempfile.TemporaryDirectory() as profile:
        command = [
            browser, "--headless=new", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-component-update",
            "--disable-dev-shm-usage", "--disable-sync", "--mute-audio",
            "--host-resolver-rules=MAP *.test 127.0.0.1",
            f"--user-data-dir={profile}", url]
        if os.geteuid() == 0:  # the sandbox does not work as root
            command.insert(1, "--no-sandbox")
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL,
                                   env={**os.environ, "HOME": profile},
                                   start_new_session=True)
        done = site.done.wait(PATIENCE)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        # Its helpers may still write for a moment.
        shutil.rmtree(profile, ignore_errors=True)
        os.makedirs(profile, exist_ok=True)
    if not done:
        raise RuntimeError(f"{browser} did not finish {url}")


# Ways that a browser itself stops where the server does not allow them.
ASKING = {"readable-get", "json", "event-source"}
NEVER = {"websocket"}
WAYS = set(re.findall(r'^  "([a-z-]+)": ', open(
    os.path.join(HERE, "attacks.js"), encoding="utf-8").read(), re.M))
# Without an origin of its own, to which nothing was allowed by name.
NAMELESS = {"sandboxed-frame", "data-frame"}
# What says nothing but that it is from another site.
UNNAMED = {"get", "get-without-referrer", "image", "script", "style", "frame"}

# What a browser names the page's origin with.
POSTS = {"beacon", "form", "json", "plain-post", "plain-post-below-a-backend",
         "post-without-referrer"}

# Name, host of the page, settings of the server, what arrives upstream, what
# the page can read.
EVIL = "evil.test"
ROWS = [
    ("a page of another host", EVIL, "", set(), set()),
    ("a name that was rebound", "rebind.test", "", set(), set()),
    ("a page of a host that looks local", "localhost.evil.test", "", set(),
     set()),
    # The same ways do work where they are let in, or this test says nothing.
    ("all pages, all names", EVIL, ', cors: {origins: ["*"]}, hosts: ["*"]',
     WAYS - NEVER, {"readable-get", "json"}),
    # What it posts says an origin, and that is not configured.
    ("a rebound name that is configured", "rebind.test",
     ", hosts: [rebind.test]", WAYS - NEVER - NAMELESS - POSTS,
     {"readable-get"}),
    ("a page that is configured", "app.test",
     ', cors: {origins: ["http://app.test:{port}"]}',
     WAYS - NEVER - NAMELESS - UNNAMED, {"readable-get", "json"}),
    ("a page beside one that is configured", EVIL,
     ', cors: {origins: ["http://app.test:{port}"]}', set(), set()),
    ("a page of this machine", "127.0.0.1", "",
     {"plain-post", "plain-post-below-a-backend", "post-without-referrer",
      "form", "event-source", "readable-get"}, set()),
]


class Checks:
    """Counts, and says what failed."""

    passed = failed = 0

    def same(self, what, got, expected):
        if got == expected:
            self.passed += 1
            return
        self.failed += 1
        print(f"FAILED {what}: unexpected {sorted(got - expected)}, "
              f"missing {sorted(expected - got)}")


def run_row(row, browser, binary, checks):
    name, host, server, arrives, readable = row
    upstream, site = Server(Upstream), Server(Site)
    with tempfile.TemporaryDirectory() as folder:
        proxy = Proxy(binary, folder, upstream.port,
                      server.replace("{port}", str(site.port)))
        site.proxy = proxy.port
        rebound = host == "rebind.test"
        where = "" if rebound else f"http://127.0.0.1:{proxy.port}"
        try:
            browse(browser, f"http://{host}:{site.port}/page?proxy={where}",
                   site)
        finally:
            proxy.stop()
    seen = set(upstream.seen)
    # A browser sends a beacon when it likes, perhaps after we have looked: what
    # counts is that none arrives where none may.
    for way in sorted(WAYS - ({"beacon"} if arrives else set())):
        checks.same(f"{name}: {way}", seen & {way}, arrives & {way})
    read = {way for way, text in site.results.items()
            if "secret answer" in text}
    checks.same(f"{name}: what it can read", read, readable)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("chromium is missing: .ci/install test")
    checks = Checks()
    for row in ROWS:
        run_row(row, browser, os.path.abspath(sys.argv[1]), checks)
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
