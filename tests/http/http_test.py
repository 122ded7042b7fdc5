"""Sends bytes to the real llm-proxy and compares what comes back.

  http_test.py LLM_PROXY [--only WORD] [--wrong] [FILE...]

The rows stand in the *.rows files beside this one, whose README says how they
are written. `--wrong` puts a server in llm-proxy's place that answers all
requests alike: every row must fail then, which shows that it can.

Prints each row that fails, and last "N passed, N failed".
"""

import argparse
import os
import select
import socket
import sys
import tempfile
import threading

from proxy import Proxy, Upstream
from rows import read_rows

# Seconds until a row is given up. A row that passes waits for nothing but
# bytes, so this says only how long a failure takes.
PATIENCE = 20
# Seconds in which nothing must come where nothing is expected: long enough for
# an answer that is already on its way.
SILENCE = 0.1

CONFIG = """
server:
  port: 0
  max_body_bytes: 100000
{keys}
log:
  level: "off"
backends:
  demo:
    base_url: "demo:"
  raw:
    provider: openai
    base_url: "http://127.0.0.1:{upstream}"
    api_key: upstream-key
models:
  demo: demo
  "raw-*": raw
"""
KEYS = '  client_keys: ["client-key"]\n'


class WrongServer:
    """Gives every connection the same answer, one that no row expects."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(connection,),
                             daemon=True).start()

    @staticmethod
    def answer(connection):
        try:
            connection.sendall(b"HTTP/1.1 299 Wrong\r\ncontent-length: 0\r\n"
                               b"connection: close\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        except OSError:
            pass

    def stop(self):
        self.listener.close()


class Fault(Exception):
    """How a row came out otherwise than it says."""


class Client:
    """One connection, read answer by answer."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(PATIENCE)
        self.received = b""
        self.ended = ""

    def send(self, data):
        # A server may answer and close before it has been sent everything.
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def more(self):
        """False at the end, whose kind is in `ended`."""
        if self.ended:
            return False
        try:
            piece = self.socket.recv(65536)
        except ConnectionResetError:
            self.ended = "reset"
            return False
        except TimeoutError as error:
            raise Fault("no answer") from error
        if not piece:
            self.ended = "closed"
        self.received += piece
        return bool(piece)

    def until(self, size_of):
        """Reads until `size_of(received)` says how many bytes are wanted."""
        while (size := size_of(self.received)) is None:
            if not self.more():
                raise Fault(f"the connection was {self.ended} after "
                            f"{self.received[:200]!r}")
        taken, self.received = self.received[:size], self.received[size:]
        return taken

    def answer(self, method):
        """The next answer: (status, its bytes)."""
        def head_size(data):
            end = data.find(b"\r\n\r\n")
            return None if end < 0 else end + 4
        head = self.until(head_size)
        status = int(head.split(b" ", 2)[1])
        fields = dict(line.lower().split(b": ", 1)
                      for line in head.split(b"\r\n")[1:] if b": " in line)
        if method == "HEAD" or status < 200 or status in (204, 304):
            return status, head
        if fields.get(b"transfer-encoding") == b"chunked":
            return status, head + self.chunks()
        if b"content-length" in fields:
            length = int(fields[b"content-length"])
            return status, head + self.until(
                lambda data: length if len(data) >= length else None)
        while self.more():
            pass
        rest, self.received = self.received, b""
        return status, head + rest

    def chunks(self):
        body = b""
        while True:
            line = self.until(lambda data: data.find(b"\r\n") + 2
                              if b"\r\n" in data else None)
            size = int(line, 16)
            body += self.until(lambda data: size + 2
                               if len(data) >= size + 2 else None)
            if size == 0:
                return body

    def state(self):
        """What became of the connection: open, closed or reset."""
        if self.received:
            raise Fault(f"more than was expected: {self.received[:200]!r}")
        return self.ended or "open"


def methods_of(row):
    """The methods of a row's requests, for answers to HEAD."""
    found = []
    for kind, data in row.steps:
        if kind != "send":
            continue
        for line in data.split(b"\r\n"):
            words = line.split(b" ")
            if len(words) == 3 and words[2].startswith(b"HTTP/"):
                found.append(words[0].decode("latin-1"))
    return found


class Run:
    """One row on a connection of its own."""

    def __init__(self, row, port, upstream):
        self.row = row
        self.client = Client(port)
        self.upstream = upstream
        self.expected = list(row.statuses)
        self.methods = methods_of(row)
        self.text = b""

    def take_answer(self):
        if not self.expected:
            raise Fault("the row expects no more answers")
        wanted = self.expected.pop(0)
        method = self.methods[0] if self.methods else ""
        status, text = self.client.answer(method)
        # An interim answer may come unasked (RFC 9110, section 15.2).
        while status < 200 and status != wanted:
            self.text += text
            status, text = self.client.answer(method)
        if status >= 200 and self.methods:
            self.methods.pop(0)
        self.text += text
        if status != wanted:
            raise Fault(f"status {status}, expected {wanted}: {text[:300]!r}")

    def nothing_yet(self):
        readable, _, _ = select.select([self.client.socket], [], [], SILENCE)
        if readable or self.client.received:
            raise Fault("an answer came too early")

    def step(self, kind, data):
        if kind == "send":
            self.client.send(data)
        elif kind == "await":
            self.take_answer()
        elif kind == "silence":
            self.nothing_yet()
        elif kind == "half":
            self.client.socket.shutdown(socket.SHUT_WR)

    def end(self):
        while self.expected:
            self.take_answer()
        if self.row.state == "open":
            # It is open when it answers another request.
            self.client.send(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n"
                             b"\r\n")
            status, _ = self.client.answer("GET")
            if status != 200:
                raise Fault(f"the connection then answered {status}")
            return
        # Not ours to end: whoever reads until the end shows that it came.
        while self.client.more():
            pass
        if self.client.state() != self.row.state:
            raise Fault(f"the connection is {self.client.state()}")

    def checks(self):
        seen = b"\n".join(self.upstream.seen).lower()
        for kind, text in self.row.checks:
            where = seen if kind.startswith("upstream") else self.text.lower()
            wanted = not kind.endswith("lacks")
            if (text.lower() in where) != wanted:
                raise Fault(f"{kind} {text!r}: {where[:600]!r}")
        if self.row.upstream_silent and seen:
            raise Fault(f"the upstream was asked: {seen[:300]!r}")

    def __call__(self):
        try:
            for kind, data in self.row.steps:
                self.step(kind, data)
            self.end()
            self.checks()
        finally:
            self.client.socket.close()


def run(rows, servers, upstream):
    failed = 0
    for row in rows:
        upstream.seen.clear()
        try:
            Run(row, servers[row.server].port, upstream)()
        except (Fault, OSError, ValueError) as fault:
            failed += 1
            print(f"{row.place}: {row.section} {row.name}: {fault}")
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--only", default="")
    parser.add_argument("--wrong", action="store_true")
    arguments = parser.parse_args()
    folder = os.path.dirname(os.path.abspath(__file__))
    files = arguments.files or sorted(
        os.path.join(folder, name) for name in os.listdir(folder)
        if name.endswith(".rows"))
    rows = [row for file in files for row in read_rows(file)
            if arguments.only in row.name + row.section]
    upstream = Upstream()
    with tempfile.TemporaryDirectory() as place:
        if arguments.wrong:
            servers = {"open": WrongServer(), "keyed": WrongServer()}
        else:
            servers = {
                name: Proxy(arguments.binary, place, name, CONFIG.format(
                    keys=keys, upstream=upstream.port))
                for name, keys in (("open", ""), ("keyed", KEYS))}
        try:
            failed = run(rows, servers, upstream)
        finally:
            for server in servers.values():
                server.stop()
    if arguments.wrong:
        # What is right of a row there is to fail.
        failed = len(rows) - failed
    print(f"{len(rows) - failed} passed, {failed} failed")
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
