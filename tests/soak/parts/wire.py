"""A client's connection: requests as bytes, answers as they come."""

import asyncio
import dataclasses
import gzip
import random
import socket
import struct
import time

LIMIT = 1 << 20
# Longer than every deadline of the proxy: an answer that is not there by then
# is lost.
PATIENCE = 90


@dataclasses.dataclass
class Answer:
    status: int = 0
    headers: dict = dataclasses.field(default_factory=dict)
    body: bytes = b""
    proper: bool = False    # the body ended as its framing says
    left: bool = False      # the client went first
    heard: object = None
    trouble: str = ""


class Leave(Exception):
    """The client goes."""


class Connection:
    """One connection, opened when it is needed."""

    def __init__(self, port, small=False):
        self.port, self.small = port, small
        self.reader = self.writer = None

    async def open(self):
        if self.writer and not self.writer.transport.is_closing() and \
                not self.reader.at_eof():
            return
        sock = socket.socket()
        sock.setblocking(False)
        if self.small:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try:
            await asyncio.get_running_loop().sock_connect(
                sock, ("127.0.0.1", self.port))
            self.reader, self.writer = await asyncio.open_connection(
                sock=sock, limit=4096 if self.small else LIMIT)
        except OSError:
            sock.close()
            raise

    def close(self, reset=False):
        if not self.writer:
            return
        if reset:
            sock = self.writer.get_extra_info("socket")
            if sock is not None and sock.fileno() >= 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                struct.pack("ii", 1, 0))
            self.writer.transport.abort()
        else:
            self.writer.close()
        self.reader = self.writer = None

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    # --- answers

    async def read_head(self, answer):
        while True:
            raw = await self.reader.readuntil(b"\r\n\r\n")
            lines = raw.decode("latin-1").split("\r\n")
            answer.status = int(lines[0].split(" ")[1])
            if answer.status >= 200:
                break
        for line in lines[1:-2]:
            name, _, value = line.partition(":")
            answer.headers[name.lower()] = value.strip()

    async def read_body(self, answer, method, on_piece):
        headers = answer.headers
        if method == "HEAD" or answer.status in (204, 304):
            answer.proper = True
        elif headers.get("transfer-encoding") == "chunked":
            await self.read_chunks(answer, on_piece)
        elif "content-length" in headers:
            await self.read_length(answer, int(headers["content-length"]),
                                   on_piece)
        else:
            answer.trouble = "a body without framing"

    async def read_chunks(self, answer, on_piece):
        parts = []
        try:
            while True:
                size = int((await self.reader.readuntil(b"\r\n")), 16)
                data = await self.reader.readexactly(size + 2)
                if data[-2:] != b"\r\n":
                    answer.trouble = "a chunk does not end"
                    return
                if size == 0:
                    answer.proper = True
                    return
                parts.append(data[:-2])
                answer.body = b""   # joined below
                await on_piece(len(parts))
        finally:
            answer.body = b"".join(parts)

    async def read_length(self, answer, size, on_piece):
        parts, left = [], size
        try:
            while left:
                data = await self.reader.read(min(left, 1 << 16))
                if not data:
                    return
                parts.append(data)
                left -= len(data)
                await on_piece(len(parts))
            answer.proper = True
        finally:
            answer.body = b"".join(parts)


@dataclasses.dataclass
class Manner:
    """How a client behaves during one request."""
    chunked: bool = False
    dribble: bool = False       # the head in odd pieces
    expect: bool = False
    coding: str = ""            # of the request's body
    leaves: str = ""            # upload, sent, head, or piece
    leaves_at: int = 0          # the piece
    reset: bool = False         # goes by a reset
    slow: float = 0             # seconds between two pieces
    stall: float = 0            # seconds of not reading, once


def head_of(method, target, headers):
    lines = [f"{method} {target} HTTP/1.1", "host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def chunks_of(body, rng):
    """The body in chunks of odd sizes, some with an extension."""
    out, at = [], 0
    while at < len(body):
        size = min(len(body) - at, rng.choice((1, 17, 4096, 65536, 300000)))
        extension = b";x=y" if rng.random() < 0.1 else b""
        out.append(b"%x%s\r\n%s\r\n" % (size, extension, body[at:at + size]))
        at += size
    return out + [b"0\r\n\r\n"]


class Caller:
    """Sends requests over one connection and reads what comes."""

    def __init__(self, port, rng, small=False):
        self.connection = Connection(port, small)
        self.rng = rng

    async def ask(self, method, target, headers, body=b"",
                  manner=Manner()):  # Manner is never changed
        answer = Answer()
        try:
            await asyncio.wait_for(
                self.exchange(answer, method, target, dict(headers), body,
                              manner), PATIENCE)
        except Leave:
            answer.left = True
            self.connection.close(manner.reset)
            return answer
        except (TimeoutError, asyncio.TimeoutError):
            answer.trouble = f"no end within {PATIENCE} s"
        except (OSError, asyncio.IncompleteReadError,
                asyncio.LimitOverrunError, ValueError, IndexError) as problem:
            answer.trouble = f"{type(problem).__name__}: {problem}"[:120]
        if not answer.proper or answer.headers.get("connection") == "close":
            self.connection.close()
        return answer

    async def exchange(self, answer, method, target, headers, body, manner):
        connection = self.connection
        await connection.open()
        if manner.coding == "gzip":
            headers["content-encoding"] = "gzip"
            body = gzip.compress(body, 1)
        if manner.chunked:
            headers["transfer-encoding"] = "chunked"
            pieces = chunks_of(body, self.rng)
        elif body or method == "POST":
            headers["content-length"] = len(body)
            pieces = [body]
        else:
            pieces = []
        if manner.expect:
            headers["expect"] = "100-continue"
        await self.upload(head_of(method, target, headers), pieces, manner)
        if manner.leaves == "sent":
            await asyncio.sleep(self.rng.choice((0, 0.001, 0.02, 0.3)))
            raise Leave
        await connection.read_head(answer)
        if manner.leaves == "head":
            raise Leave
        if manner.stall:
            await asyncio.sleep(manner.stall)
        try:
            await connection.read_body(answer, method,
                                       self.watcher(manner))
        finally:
            if not answer.proper and connection.reader:
                answer.trouble = answer.trouble or "the connection ended"

    async def upload(self, head, pieces, manner):
        connection = self.connection
        if manner.leaves == "upload":
            whole = head + b"".join(pieces)
            await connection.send(whole[:self.rng.randrange(1, len(whole))])
            await asyncio.sleep(self.rng.choice((0, 0.01)))
            raise Leave
        if manner.dribble:
            middle = self.rng.randrange(1, len(head))
            await connection.send(head[:middle])
            await asyncio.sleep(0.01)
            head = head[middle:]
        if len(pieces) <= 1:
            return await connection.send(head + b"".join(pieces))
        await connection.send(head)
        for piece in pieces:
            await connection.send(piece)
        return None

    def watcher(self, manner):
        async def on_piece(number):
            if manner.leaves == "piece" and number > manner.leaves_at:
                raise Leave
            if manner.slow:
                await asyncio.sleep(manner.slow)
        return on_piece

    async def raw(self, data):
        """Bytes that are no request of ours, and the first answer."""
        answer = Answer()
        try:
            await self.connection.open()
            await self.connection.send(data)
            await asyncio.wait_for(self.read_any(answer), PATIENCE)
        except (OSError, asyncio.IncompleteReadError, ValueError,
                asyncio.LimitOverrunError, IndexError, TimeoutError,
                asyncio.TimeoutError) as problem:
            answer.trouble = f"{type(problem).__name__}: {problem}"[:120]
        self.connection.close()
        return answer

    async def read_any(self, answer):
        await self.connection.read_head(answer)
        await self.connection.read_body(answer, "GET", self.watcher(Manner()))


def seeded(*parts):
    return random.Random(repr(parts))


def now():
    return time.monotonic()
