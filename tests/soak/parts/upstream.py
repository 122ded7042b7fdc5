"""The upstream: six listeners, one a dialect, that look up each request in
the Book and do what its order says."""

import asyncio
import gzip
import json
import random
import re
import socket
import struct
import urllib.parse

from parts.dialects import DIALECTS
from parts.order import image_of

SILENCE = 120           # seconds; every deadline of the proxy is shorter
KEEP_ALIVE = 6          # an idle connection is closed after so many seconds
HEAD_LIMIT = 1 << 16
NUMBER = re.compile(rb"soak#(\d+)#")
MODEL = re.compile(rb'"model": ?"([^"]*)"')
PATH_MODEL = re.compile(r"/(?:models|model)/([^/:?]+)[:/]")


def key_for(name):
    return f"sk-soak-upstream-{name}-0123456789"


def head(status, headers):
    lines = [f"HTTP/1.1 {status} X"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"


class Request:
    """One request as it came."""

    def __init__(self, method, target, headers, body):
        self.method, self.target = method, target
        self.headers, self.body = headers, body

    def model(self):
        match = PATH_MODEL.search(self.target)
        if match:
            return match[1]
        match = MODEL.search(self.body[:400]) or \
            MODEL.search(self.body[-400:])
        return match[1].decode() if match else ""

    def number(self):
        found = NUMBER.findall(self.body[-2000:]) or \
            NUMBER.findall(urllib.parse.unquote(self.target).encode())
        return int(found[-1]) if found else 0


async def read_request(reader):
    """None = the peer is gone, as it may be between two requests."""
    try:
        lines = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"),
                                        KEEP_ALIVE)).decode().split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        headers = {}
        for line in lines[1:-2]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    except (asyncio.IncompleteReadError, ConnectionError, TimeoutError,
            asyncio.TimeoutError):
        return None
    return Request(method, target, headers, body)


class Upstream:
    def __init__(self, book, seed):
        self.book = book
        self.random = random.Random(seed)
        self.ports = {}
        self.servers = []
        self.open = set()       # calls that are being answered
        self.writers = set()
        self.requests = 0

    async def start(self):
        for name, dialect in DIALECTS.items():
            server = await asyncio.start_server(
                lambda r, w, d=dialect: self.serve(r, w, d), "127.0.0.1", 0,
                limit=HEAD_LIMIT)
            self.servers.append(server)
            self.ports[name] = server.sockets[0].getsockname()[1]

    def let_go(self):
        """Closes the connections that the proxy keeps."""
        for writer in list(self.writers):
            writer.transport.abort()

    async def serve(self, reader, writer, dialect):
        self.writers.add(writer)
        try:
            while True:
                request = await read_request(reader)
                if request is None:
                    break
                self.requests += 1
                if not await self.answer(request, Peer(reader, writer),
                                         dialect):
                    break
        except (ConnectionError, TimeoutError, asyncio.CancelledError):
            pass
        except Exception as problem:  # pylint: disable=broad-except
            self.book.unknown.append(f"the upstream fails: {problem!r}")
        finally:
            self.writers.discard(writer)
            writer.close()

    async def answer(self, request, peer, dialect):
        """True = the connection goes on."""
        if "/image/" in request.target:
            return await self.picture(request, peer)
        # The proxy itself asks what there is.
        if request.method == "GET" and \
                request.target.partition("?")[0].endswith("/models"):
            return await plain(peer, 200, {"data": []})
        order = self.book.orders.get(request.number())
        if order is None:
            # A request of a client that has left meanwhile may still come.
            if request.number() == 0:
                self.book.unknown.append(
                    f"{request.method} {request.target[:80]}")
            return await plain(peer, 410, {})
        if request.method == "GET" or "count_tokens" in request.target:
            return await plain(peer, 200, {
                "soak": order.id, "key": dialect.key_of(request.headers) ==
                key_for(dialect.NAME), "input_tokens": 9})
        order.seen(dialect.key_of(request.headers), key_for(dialect.NAME),
                   request.model(), request.body)
        self.open.add(order.id)
        try:
            return await Answering(self, order, peer, dialect).run()
        except (ConnectionError, TimeoutError):
            order.gone = True
            raise
        finally:
            self.open.discard(order.id)

    async def picture(self, request, peer):
        """/image/HOW/NUMBER"""
        how, number = request.target.split("/")[2:4]
        if how == "silent":
            await peer.silence()
            return False
        if how == "missing":
            return await plain(peer, 404, {})
        data = image_of(number) if how == "good" else b"<html>no image</html>"
        await peer.send(head(200, {"content-type": "image/png",
                                   "content-length": len(data)}) + data)
        return True


async def plain(peer, status, value):
    body = json.dumps(value).encode()
    await peer.send(head(status, {"content-type": "application/json",
                                  "content-length": len(body)}) + body)
    return True


class Peer:
    """The proxy, at the other end of a connection."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def gone(self):
        return self.reader.at_eof() or self.writer.transport.is_closing()

    async def send(self, data):
        if self.gone():
            raise ConnectionResetError
        self.writer.write(data)
        await self.writer.drain()

    async def silence(self):
        """Until it leaves."""
        for _ in range(SILENCE * 20):
            if self.gone():
                raise ConnectionResetError
            await asyncio.sleep(0.05)

    def reset(self):
        """Ends the connection by a reset."""
        sock = self.writer.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Answering:
    """The answer to one request."""

    def __init__(self, upstream, order, peer, dialect):
        self.order, self.peer, self.dialect = order, peer, dialect
        self.random = upstream.random
        self.meta = f"same-for-all-{order.id % 3}"

    async def run(self):
        fault = self.order.fault
        special = getattr(self, fault, None)
        if special:
            return await special()
        if fault.startswith("status_"):
            return await self.refuse(int(fault[7:]))
        if self.order.stream and fault != "whole_for_stream":
            return await self.stream()
        return await self.whole()

    async def send(self, data):
        await self.peer.send(data)

    # --- no answer at all

    async def reset_at_once(self):
        self.peer.reset()
        return False

    async def close_at_once(self):
        return False

    async def half_head(self):
        await self.send(b"HTTP/1.1 200 OK\r\ncontent-type: applicat")
        return False

    async def silent(self):
        await self.peer.silence()
        return False

    async def endless_head(self):
        try:
            await self.send(b"HTTP/1.1 200 OK\r\nx: ")
            for _ in range(400):
                await self.send(b"y" * 4096)
        except ConnectionError:
            pass
        return False

    async def garbage(self):
        await self.send(b"\x16\x03\x01\x02\x00\x01\x00 what is this\r\n\r\n")
        return False

    async def html(self):
        body = b"<!doctype html><title>Log in</title>" * 20
        await self.send(head(200, {"content-type": "text/html",
                                   "content-length": len(body)}) + body)
        return True

    async def redirect(self):
        await self.send(head(302, {"location": "http://127.0.0.1:9/login",
                                   "content-length": 0}))
        return True

    async def refuse(self, status):
        headers, body = self.dialect.error(status)
        data = json.dumps(body).encode()
        await self.send(head(status, {"content-type": "application/json",
                                      "content-length": len(data),
                                      **headers}) + data)
        return True

    # --- whole answers

    def body(self):
        return json.dumps(self.dialect.whole(self.order, self.meta),
                          ensure_ascii=False).encode()

    async def whole(self):
        data = self.body()
        headers = {"content-type": "application/json"}
        if self.order.fault == "early_hints":
            await self.send(head(103, {"link": "</x>"}) * 3)
        if self.order.cuts:
            headers["transfer-encoding"] = "chunked"
            data = chunk(data[:len(data) // 2]) + \
                chunk(data[len(data) // 2:]) + LAST_CHUNK
        else:
            headers["content-length"] = len(data)
        await self.pieces(head(200, headers) + data)
        return True

    async def pieces(self, data):
        """In one piece, or as the order says."""
        fault = self.order.fault
        if fault == "single_bytes":
            for at in range(min(len(data), 200)):
                await self.send(data[at:at + 1])
                await asyncio.sleep(0)
            await self.send(data[200:])
        elif fault == "slow_pieces":
            middle = self.random.randrange(1, len(data))
            await self.send(data[:middle])
            await asyncio.sleep(self.random.uniform(0.2, 2))
            await self.send(data[middle:])
        else:
            await self.send(data)

    async def half_json(self):
        data = self.body()
        data = data[:len(data) // 2]
        await self.send(head(200, {"content-type": "application/json",
                                   "content-length": len(data)}) + data)
        return True

    async def wrong_shape(self):
        return await plain(self.peer, 200, ["what", 1, None])

    async def short_body(self):
        data = self.body()
        await self.send(head(200, {"content-type": "application/json",
                                   "content-length": len(data) + 10}) + data)
        return False

    async def gzip(self):
        data = gzip.compress(self.body())
        await self.send(head(200, {"content-type": "application/json",
                                   "content-encoding": "gzip",
                                   "content-length": len(data)}) + data)
        return True

    async def bad_chunk(self):
        await self.send(head(200, {
            "content-type": self.dialect.CONTENT_TYPE if self.order.stream
            else "application/json", "transfer-encoding": "chunked"}))
        await self.send(b"zz\r\n{}\r\n")
        return False

    # --- streams

    async def stream(self):
        order = self.order
        events = self.dialect.events(order, self.meta)
        if order.fault == "early_hints":
            await self.send(head(103, {"link": "</x>"}) * 3)
        await self.send(head(200, {"content-type": self.dialect.CONTENT_TYPE,
                                   "transfer-encoding": "chunked"}))
        last = len(events) - 1
        at = min(order.at, last)
        ending = getattr(self, f"end_{order.fault}", None)
        for number, event in enumerate(events):
            if ending and number == at:
                order.at_last = at == last
                return await ending(event)
            if number == last:
                return await self.last(event)
            await self.event(event)
            if order.pace:
                await asyncio.sleep(order.pace)
        return True

    async def event(self, data):
        if not self.order.cuts:
            return await self.pieces_of_stream(chunk(data))
        middle = self.random.randrange(len(data) + 1)
        for part in (data[:middle], data[middle:]):
            if part:
                await self.pieces_of_stream(chunk(part))

    async def pieces_of_stream(self, data):
        if self.order.fault in ("single_bytes", "slow_pieces") and \
                self.random.random() < 0.1:
            return await self.pieces(data)
        await self.send(data)

    async def last(self, event):
        fault = self.order.fault
        if fault == "no_last_blank":
            event = event.rstrip(b"\r\n") if b"data:" in event else event
        await self.send(chunk(event))
        if fault == "two_ends":
            await self.send(chunk(event))
        if fault == "garbage_behind":
            await self.send(chunk(b"\x00\xff garbage {{{ behind the end"))
        if fault == "open_behind":
            await self.peer.silence()
        await self.send(LAST_CHUNK)
        return True

    async def end_cut_reset(self, event):
        self.peer.reset()
        return False

    async def end_cut_close(self, event):
        return False

    async def end_cut_event(self, event):
        await self.send(chunk(event[:len(event) // 2]))
        return False

    async def end_early_end(self, event):
        await self.send(LAST_CHUNK)
        return True

    async def end_error_event(self, event):
        await self.send(chunk(self.dialect.stream_error()) + LAST_CHUNK)
        return True

    async def end_bad_event(self, event):
        bad = b"data: {\"choices\": [{\"delta\": nonsense\n\n" \
            if b"data:" in event else event[:-4] + b"oops"
        await self.send(chunk(bad))
        await asyncio.sleep(0.01)
        await self.send(LAST_CHUNK)
        return True

    async def end_silent_stream(self, event):
        await self.peer.silence()
        return False
