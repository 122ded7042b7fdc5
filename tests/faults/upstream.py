"""The upstream of the fault matrix: one listener a dialect. Which fault it
plays stands in the model that is asked for ("f-NAME"); see faults.py.
"""

import asyncio
import re
import socket
import struct

NAME = re.compile(rb"f-([a-z0-9_]+)")
# Nothing is silent for longer: the proxy's deadlines are far shorter.
PATIENCE = 30


class Call:
    """One request at the upstream, and the ways to answer it."""

    def __init__(self, dialect, reader, writer, stream):
        self.dialect = dialect
        self.reader = reader
        self.writer = writer
        self.stream = stream
        self.kind = dialect.kind if stream else "application/json"
        whole = dialect.whole().encode()
        third = len(whole) // 3
        #: What a good answer consists of; never empty.
        self.parts = dialect.stream() if stream else [
            whole[:third], whole[third:2 * third], whole[2 * third:]]
        self.body = b"".join(self.parts)
        self.open = True

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, status=200, fields=None, kind=None):
        """`fields` as bytes lines without their ends."""
        lines = [f"HTTP/1.1 {status} Whatever".encode()]
        kind = self.kind if kind is None else kind
        if kind:
            lines.append(b"content-type: " + kind.encode())
        lines += fields or []
        await self.send(b"\r\n".join(lines) + b"\r\n\r\n")

    async def begin(self, **rest):
        """The head of a good answer: streams in chunks, the others sized."""
        if self.stream:
            await self.head(fields=[b"transfer-encoding: chunked"], **rest)
        else:
            await self.head(fields=[self.length()], **rest)

    def length(self, more=0):
        return f"content-length: {len(self.body) + more}".encode()

    async def give(self, data):
        """A piece of the body, framed as begin() said."""
        if self.stream:
            await self.chunk(data)
        else:
            await self.send(data)

    async def chunk(self, data):
        await self.send(b"%x\r\n%s\r\n" % (len(data), data))

    async def end(self):
        if self.stream:
            await self.send(b"0\r\n\r\n")

    async def answer(self, **rest):
        """All of a good answer."""
        await self.begin(**rest)
        for part in self.parts:
            await self.give(part)
        await self.end()

    async def sized(self, status, body, kind="application/json", fields=None):
        await self.head(status, [f"content-length: {len(body)}".encode()] +
                        (fields or []), kind)
        await self.send(body)

    async def for_ever(self, data):
        """Until the proxy has enough; fails the case when it never has."""
        async def flood():
            while True:
                await self.send(data)
                await asyncio.sleep(0)  # the others' turn
        await asyncio.wait_for(flood(), PATIENCE)

    async def silence(self):
        await asyncio.wait_for(self.reader.read(1), PATIENCE)
        self.open = False

    def close(self):
        self.open = False

    def reset(self):
        self.open = False
        self.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def is_stream(head, body):
    path = head.split(b" ", 2)[1]
    return b"stream" in path.lower() or b'"stream":true' in body


class Upstream:
    def __init__(self, faults):
        self.faults = faults
        self.servers = []
        self.problems = []  # what no fault was meant to do

    async def start(self, dialect):
        async def serve(reader, writer):
            await self.serve(dialect, reader, writer)
        server = await asyncio.start_server(serve, "127.0.0.1", 0,
                                            limit=1 << 24)
        self.servers.append(server)
        return server.sockets[0].getsockname()[1]

    async def serve(self, dialect, reader, writer):
        try:
            while await self.one(dialect, reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError,
                asyncio.CancelledError):
            pass  # the proxy left, which is its right
        except Exception as problem:  # pylint: disable=broad-except
            self.problems.append(repr(problem))
        finally:
            writer.close()

    async def one(self, dialect, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: *(\d+)", head, re.I)
        body = await reader.readexactly(int(length.group(1))) if length else b""
        name = NAME.search(head.split(b"\r\n", 1)[0]) or NAME.search(body)
        call = Call(dialect, reader, writer, is_stream(head, body))
        await self.faults[name.group(1).decode()].script(call)
        return call.open

    async def stop(self):
        for server in self.servers:
            server.close()
