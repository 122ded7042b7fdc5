"""A proxy under load: started, watched, ended."""

import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import time

from parts.dialects import DIALECTS
from parts.load import CLIENT_KEYS
from parts.upstream import key_for

START_SECONDS = 30
# Connections that the proxy may keep to its upstreams, for streams and for
# calls; for calls each costs two descriptors more.
KEPT_UPSTREAM = 8
STOP_SECONDS = 60
REST_SECONDS = 30
PAGE = resource.getpagesize()
LISTENING = re.compile(r"listening on http://\S+?:(\d+)")
# A quarantine that is full soon, so that what grows later is a leak.
ENVIRONMENT = {
    "ASAN_OPTIONS": "quarantine_size_mb=16:detect_leaks=1:"
                    "malloc_context_size=10",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=0",
}


def configuration(ports, deadline):
    """Small stores, so that they are full soon."""
    lines = [
        "server:",
        "  host: 127.0.0.1",
        "  port: 0",
        "  keep_alive_seconds: 1",
        f"  client_keys: {json.dumps(CLIENT_KEYS)}",
        "log: {format: json}",
        f"upstream: {{max_idle_connections: {KEPT_UPSTREAM}}}",
        "responses: {max_entries: 50, max_bytes: 2000000}",
        f"images: {{timeout_seconds: 3, allow_addresses: "
        f"[\"127.0.0.1:{ports['claude']}\"]}}",
        "backends:",
    ]
    for name, dialect in DIALECTS.items():
        url = f"http://127.0.0.1:{ports[name]}{dialect.PLACE}"
        lines.append(
            f"  up-{name}: {{provider: {dialect.PROVIDER}, base_url: \"{url}\","
            f" api_key: {key_for(name)}, deadlines: "
            f"{{first_byte: {deadline}, idle: {deadline}}}}}")
    lines.append("models:")
    lines.append("  listed: up-claude")
    lines += [f"  \"{name}-*\": {{backend: up-{name}, model: \"*\"}}"
              for name in DIALECTS]
    return "\n".join(lines) + "\n"


class Target:
    """One proxy and its load, from start to end."""

    def __init__(self, name, binary, folder):
        self.name, self.binary = name, os.path.abspath(binary)
        self.folder = pathlib.Path(folder)
        self.samples = []       # (second, bytes resident)
        self.files = []         # (second, descriptors)
        self.text = ""
        self.code = None
        self.tally = None
        self.before = self.after = (0, 0, 0)
        self.load = self.child = None
        self.lived = True

    def path(self, ending):
        return self.folder / f"{self.name}.{ending}"

    def start(self, deadline):
        """`deadline`: seconds that an upstream may be silent."""
        with open(self.path("load"), "wb") as out:
            self.load = subprocess.Popen(
                [sys.executable, "-m", "parts.load"], stdin=subprocess.PIPE,
                stdout=out, cwd=pathlib.Path(__file__).parent.parent)
        ports = json.loads(self.wait_for("load", re.compile("(.*)\n"))[1])
        self.path("yaml").write_text(configuration(ports["ports"], deadline), "ascii")
        with open(self.path("log"), "wb") as log:
            self.child = subprocess.Popen(
                [self.binary, "serve", "--config", str(self.path("yaml"))],
                cwd=self.folder, stdout=log, stderr=log,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder),
                     **ENVIRONMENT})
        self.port = int(self.wait_for("log", LISTENING)[1])
        self.before = self.counts()

    def wait_for(self, ending, pattern):
        """Until the file holds it; gives the match."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            text = self.path(ending).read_text("utf-8", errors="replace")
            match = pattern.search(text)
            if match:
                return match
            time.sleep(0.05)
        raise RuntimeError(f"{self.name}: no {pattern.pattern} in {ending}:\n"
                           f"{text[-2000:]}")

    def begin(self, plan):
        self.load.stdin.write((json.dumps(
            {**plan, "port": self.port}) + "\n").encode())
        self.load.stdin.flush()
        self.began = time.monotonic()

    def counts(self):
        """(resident bytes, descriptors, threads)"""
        place = pathlib.Path(f"/proc/{self.child.pid}")
        fields = (place / "statm").read_text("ascii").split()
        return (int(fields[1]) * PAGE, len(os.listdir(place / "fd")),
                len(os.listdir(place / "task")))

    def sample(self):
        """Once a second; False = the load is over, or the proxy is dead."""
        if self.child.poll() is not None:
            self.lived = False
            self.load.kill()
            return False
        size, files, _ = self.counts()
        second = time.monotonic() - self.began
        self.samples.append((second, size))
        self.files.append((second, files))
        return self.load.poll() is None

    def rest(self):
        """Until everything that was open is closed."""
        until = time.monotonic() + REST_SECONDS
        while time.monotonic() < until and self.child.poll() is None:
            self.after = self.counts()
            if self.after[1] <= self.before[1]:
                return
            time.sleep(0.2)

    def stop(self):
        """Ends it as an operator would, and reads what was said."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.child.kill()
        self.code = self.child.wait()
        self.text = self.path("log").read_text("utf-8", errors="replace")
        for line in self.path("load").read_text("utf-8").splitlines():
            self.tally = json.loads(line).get("tally", self.tally)

    def kill(self):
        for child in (self.load, self.child):
            if child is not None and child.poll() is None:
                child.kill()
                child.wait()
