"""Uploads for tests: forms of any size that are made as they are sent, and an
upstream that reads them piece by piece and keeps what they come to."""

import hashlib
import socket
import socketserver
import threading
import time

BOUNDARY = "----llmproxyTestBoundary7MA4YWxkTrZu0gW"
TYPE = "multipart/form-data; boundary=" + BOUNDARY
PIECE = 1 << 16
# Repeated, it makes the file: line ends and dashes, so that boundaries are
# looked for.
PATTERN = (b"\r\n--" + bytes(range(256)) + b"\r\n------llmproxyTest\n") * 240
PATTERN = PATTERN[:PIECE]


def field(name, value):
    return (f"--{BOUNDARY}\r\ncontent-disposition: form-data; "
            f'name="{name}"\r\n\r\n{value}\r\n').encode()


FILE_HEAD = (f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; "
             f'filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n').encode()
END = f"--{BOUNDARY}--\r\n".encode()


class Form:
    """`model` before or behind a file of `size` bytes."""

    def __init__(self, model, size, model_last=True):
        self.size = size
        named = field("model", model) if model is not None else b""
        self.before = (b"" if model_last else named) + FILE_HEAD
        self.after = b"\r\n" + (named if model_last else b"") + END
        self.length = len(self.before) + size + len(self.after)

    def pieces(self):
        yield self.before
        left = self.size
        while left > 0:
            yield PATTERN[:min(left, PIECE)]
            left -= PIECE
        yield self.after

    def digest(self):
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest()


class Head:
    """Of a request or an answer."""

    def __init__(self, stream):
        self.first = stream.readline().decode("latin-1").strip()
        self.fields = {}
        for line in iter(lambda: stream.readline().strip(), b""):
            name, _, value = line.decode("latin-1").partition(":")
            self.fields[name.lower()] = value.strip()

    def __getitem__(self, name):
        return self.fields.get(name, "")


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            head = Head(self.rfile)
            if not head.first:
                return
            upstream = self.server
            if upstream.refuse_early:
                upstream.refuse(self.wfile)
                return
            if not self.receive(head, upstream):
                return
            self.wfile.write(upstream.answer)

    def receive(self, head, upstream):
        digest, left = hashlib.sha256(), int(head["content-length"] or 0)
        got = {"head": head, "complete": False, "bytes": 0}
        upstream.seen.append(got)
        while left > 0:
            if upstream.pause:
                time.sleep(upstream.pause)
            piece = self.rfile.read1(min(left, upstream.piece))
            if not piece:
                return False
            digest.update(piece)
            got["bytes"] += len(piece)
            left -= len(piece)
        got.update(sha256=digest.hexdigest(), complete=True)
        return True


class Upstream(socketserver.ThreadingTCPServer):
    """`seen` has an entry a request: its head, how many bytes of its body have
    come, whether that is all, and their hash. Reads `piece` bytes, then waits
    for `pause` seconds; `refuse_early` answers 401 and reads nothing."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen, self.piece, self.pause = [], 1 << 20, 0
        self.refuse_early = False
        text = b'{"text":"hello","usage":{"input_tokens":9,"output_tokens":2}}'
        self.answer = (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                       b"content-length: %d\r\n\r\n" % len(text)) + text
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    @staticmethod
    def refuse(out):
        text = b'{"error":{"message":"bad key","type":"authentication_error"}}'
        out.write(b"HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n"
                  b"content-type: application/json\r\n"
                  b"content-length: %d\r\n\r\n" % len(text) + text)


def request_head(path, length, extra=()):
    lines = [f"POST {path} HTTP/1.1", "host: localhost",
             "content-type: " + TYPE, "authorization: Bearer client-key",
             *extra]
    lines.append(f"content-length: {length}" if length is not None
                 else "transfer-encoding: chunked")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Client:
    """One request; sent as it is made."""

    def __init__(self, port, patience):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(patience)
        self.stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.socket.close()

    def send(self, path, form, chunked=False, extra=()):
        """False = the proxy did not take all of it."""
        try:
            self.socket.sendall(request_head(
                path, None if chunked else form.length, extra))
            for piece in form.pieces():
                if not piece:
                    continue
                if chunked:
                    piece = b"%x\r\n%s\r\n" % (len(piece), piece)
                self.socket.sendall(piece)
            if chunked:
                self.socket.sendall(b"0\r\n\r\n")
        except OSError:
            return False
        return True

    def answer(self):
        """Status and body."""
        head = Head(self.stream)
        body = self.stream.read(int(head["content-length"] or 0))
        return int(head.first.split()[1]), body
