"""What clients can do to the others: ask for slow pictures, or not read."""

import asyncio
import json
import socket
import time

from dialects import OpenAiChat

# A probe that takes longer was held up by somebody. Seconds; under a sanitizer
# on a busy machine.
SLOWEST_PROBE = 2.0
ASKING = 70
# The kernel's buffers on both sides are smaller. Bytes.
MOST_BUFFERED = 64 << 20


async def probe(port):
    """Seconds until /healthz answered."""
    begin = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n"
                 b"connection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200"), answer[:100]
    return time.monotonic() - begin


class SilentServer:
    """Accepts and says nothing; counts who is there."""

    async def start(self):
        self.now = self.most = self.seen = 0
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        self.now += 1
        self.seen += 1
        self.most = max(self.most, self.now)
        try:
            while await reader.read(4096):
                pass
        except ConnectionError:
            pass
        self.now -= 1
        writer.close()


def picture_request(model, url):
    parts = [{"type": "text", "text": "what is it?"},
             {"type": "image_url", "image_url": {"url": url}}]
    body = json.dumps({"model": model, "messages": [
        {"role": "user", "content": parts}]}).encode()
    return (b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s" %
            (len(body), body))


async def slow_pictures(port, pictures, picture_port):
    """70 requests with pictures that never come; the others notice nothing."""
    writers = []
    for i in range(ASKING):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(picture_request("bedrock-converse/f-fine",
                                     f"http://127.0.0.1:{picture_port}/{i}"))
        writers.append(writer)
    begin = time.monotonic()
    while pictures.now == 0:
        await asyncio.sleep(0.01)
        assert time.monotonic() - begin < 20, "no picture was asked for"
    probes = [await probe(port) for _ in range(20)]
    assert max(probes) < SLOWEST_PROBE, f"a probe took {max(probes):.2f} s"
    assert pictures.most <= 32, f"{pictures.most} fetches at once"
    for writer in writers:  # all leave
        writer.transport.abort()
    begin = time.monotonic()
    while pictures.now > 0:
        await asyncio.sleep(0.01)
        assert time.monotonic() - begin < 20, "fetched for clients that left"


async def no_reader(port, stall):
    """A client that reads nothing of an endless stream is cut off."""
    path, body = OpenAiChat.request("openai-chat/f-endless_talk", True)
    text = json.dumps(body, separators=(",", ":")).encode()
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, ("127.0.0.1", port))
    await loop.sock_sendall(client, (
        f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: "
        f"{len(text)}\r\n\r\n").encode() + text)
    await asyncio.sleep(2 * stall + 1)
    # What waits in the kernel is still there, and behind it the reset.
    got = 0
    try:
        while piece := await asyncio.wait_for(
                loop.sock_recv(client, 1 << 20), 5):
            got += len(piece)
            assert got < MOST_BUFFERED, "it is still served"
        raise AssertionError("its stream ended in order")
    except ConnectionError:
        pass
    finally:
        client.close()
