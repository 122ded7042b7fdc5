"""The table of the fault matrix: what an upstream does, and what a client is
to get for it.

An expectation is one of
  "answer"            the whole answer, and its end
  "late"              "answer"; or "broken" where only the end of the connection
                      is the end of a stream
  "broken"            a stream that had begun: its text so far, one error in
                      the client's dialect, the end the client understands
  "502 some words"    an HTTP error: its status (one of several, "502|503") and
                      words that its message has
  None                the fault does not exist in that form
"""

import gzip
import struct
import zlib

FAULTS = {}


class Fault:
    def __init__(self, name, script, whole, stream, backend=""):
        self.name = name
        self.script = script
        self.expected = {False: whole, True: stream}
        self.backend = backend  # behind the dialect's name; "" = the usual


def fault(whole, stream):
    def add(script):
        FAULTS[script.__name__] = Fault(script.__name__, script, whole, stream)
        return script
    return add


def elsewhere(name, words):
    """A fault of the way to the upstream: nothing there plays it."""
    FAULTS[name] = Fault(name, None, words, words, "-" + name)


elsewhere("refused", "502 cannot connect")
elsewhere("no_tls", "502 no secure connection")
elsewhere("wrong_certificate", "502 no secure connection")
elsewhere("unknown_host", "502 cannot connect")


# --- Nothing wrong, said oddly.

@fault("answer", "answer")
async def fine(call):
    await call.answer()


@fault("answer", "answer")
async def fine_byte_by_byte(call):
    await call.begin()
    for i in range(len(call.body)):
        await call.give(call.body[i:i + 1])
    await call.end()


@fault("answer", "answer")
async def fine_in_one_piece(call):
    await call.begin()
    await call.give(call.body)
    await call.end()


@fault("answer", "answer")
async def fine_until_close(call):
    await call.head(fields=[b"connection: close"])
    await call.send(call.body)
    call.close()


@fault("answer", "answer")
async def fine_chunked(call):
    await call.head(fields=[b"transfer-encoding: chunked"])
    for part in call.parts:
        await call.chunk(part)
    await call.send(b"0\r\n\r\n")


@fault("answer", "answer")
async def fine_http10(call):
    await call.send(b"HTTP/1.0 200 OK\r\ncontent-type: " +
                    call.kind.encode() + b"\r\n\r\n" + call.body)
    call.close()


@fault("answer", "answer")
async def trailers(call):
    await call.head(fields=[b"transfer-encoding: chunked"])
    await call.chunk(call.body)
    await call.send(b"0\r\nx-checksum: 1\r\n\r\n")


@fault("answer", "answer")
async def announced_keep_alive(call):
    await call.head(fields=[call.length(), b"keep-alive: timeout=1, max=2"])
    await call.send(call.body)


@fault("answer", "answer")
async def no_type(call):
    await call.begin(kind="")
    for part in call.parts:
        await call.give(part)
    await call.end()


@fault("answer", "answer")
async def wrong_type(call):
    await call.answer(kind="text/plain; charset=utf-8")


@fault("answer", "answer")
async def type_of_a_page(call):
    await call.answer(kind="text/html")


@fault("answer", "answer")
async def type_of_the_other_form(call):
    await call.answer(kind="application/json" if call.stream
                      else "text/event-stream")


@fault("answer", None)
async def bom(call):
    call.body = b"\xef\xbb\xbf" + call.body
    await call.sized(200, call.body)


@fault("answer", "answer")
async def interim_heads(call):
    for _ in range(5):
        await call.send(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n")
    await call.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    await call.answer()


@fault("answer", "answer")
async def same_length_twice(call):
    await call.head(fields=[call.length(), call.length()])
    await call.send(call.body)


@fault("answer", "answer")
async def gzip_unasked(call):
    call.body = gzip.compress(call.body)
    await call.head(fields=[call.length(), b"content-encoding: gzip"])
    await call.send(call.body)


@fault("answer", "answer")
async def deflate_in_chunks(call):
    body = zlib.compress(call.body)
    await call.head(fields=[b"transfer-encoding: chunked",
                            b"content-encoding: deflate"])
    for i in range(0, len(body), 7):
        await call.chunk(body[i:i + 7])
    await call.send(b"0\r\n\r\n")


# --- It ends, or says nothing, somewhere.

def at_every_place():
    """reset, close and silence at each place of an answer."""
    def add(place, whole, stream, reach):
        for what, kind in (("reset", "502"), ("close", "502"),
                           ("silence", "504|408")):
            async def script(call, reach=reach, what=what):
                await reach(call)
                ending = getattr(call, what)()
                if ending is not None:
                    await ending
            script.__name__ = f"{what}_{place}"
            fault(kind if whole == "error" else whole,
                  kind if stream == "error" else stream)(script)

    async def nowhere(_):
        pass

    async def mid_head(call):
        await call.send(b"HTTP/1.1 200 OK\r\ncontent-type: text")

    async def after_head(call):
        await call.begin()

    async def mid_body(call):
        await call.begin()
        for part in call.parts[:2]:
            await call.give(part)

    async def mid_event(call):
        await mid_body(call)
        await call.give(call.parts[2][:len(call.parts[2]) // 2])

    async def last_event(call):
        await call.head(fields=[b"transfer-encoding: chunked"])
        for part in call.parts:
            await call.chunk(part)

    async def mid_chunk(call):
        await call.head(fields=[b"transfer-encoding: chunked"])
        for part in call.parts[:2]:
            await call.chunk(part)
        await call.send(b"ffff\r\n" + call.parts[2][:5])

    add("before_head", "error", "error", nowhere)
    add("mid_head", "error", "error", mid_head)
    add("after_head", "error", "error", after_head)
    add("mid_body", "error", "broken", mid_body)
    add("mid_event", "error", "broken", mid_event)
    add("mid_chunk", "error", "broken", mid_chunk)
    # The end was earned: what the connection does then does not matter.
    add("after_last_event", "error", "late", last_event)


at_every_place()


@fault("502", "late")
async def short_body(call):
    await call.head(fields=[call.length(100)])
    await call.send(call.body)
    call.close()


@fault("answer", "answer")
async def long_body(call):
    await call.head(fields=[call.length()])
    await call.send(call.body + b"and more than was promised")
    call.close()


@fault("502", "502")
async def empty_answer(call):
    await call.sized(200, b"", call.kind)


@fault("502", "502")
async def empty_chunked_answer(call):
    await call.head(fields=[b"transfer-encoding: chunked"])
    await call.send(b"0\r\n\r\n")


# --- Too much.

@fault("502 larger than", "late")
async def endless_body(call):
    if not call.stream:
        await call.head(fields=[b"transfer-encoding: chunked"])
        await call.chunk(b'{"text":"')
        return await call.for_ever(b"400\r\n" + b"a" * 1024 + b"\r\n")
    await call.begin()
    await call.chunk(call.body)
    return await call.for_ever(b"400\r\n" + b":" * 1023 + b"\n\r\n")


@fault(None, "broken")
async def endless_line(call):
    await call.begin()
    for part in call.parts[:2]:
        await call.chunk(part)
    await call.chunk(endless_event(call))
    await call.for_ever(b"400\r\n" + b"a" * 1024 + b"\r\n")


@fault(None, "502 larger than")
async def endless_first_line(call):
    await call.begin()
    await call.chunk(endless_event(call))
    await call.for_ever(b"400\r\n" + b"a" * 1024 + b"\r\n")


def endless_event(call):
    """How an event begins that does not end."""
    if "eventstream" not in call.kind:
        return b"data: "
    # A prelude that announces 15 MiB, with its own checksum.
    prelude = struct.pack(">II", 15 << 20, 0)
    return prelude + struct.pack(">I", zlib.crc32(prelude))


@fault("502 header lines", "502 header lines")
async def endless_header_line(call):
    await call.send(b"HTTP/1.1 200 OK\r\nx-long: ")
    await call.for_ever(b"a" * 1024)


@fault("502 header lines", "502 header lines")
async def endless_headers(call):
    await call.send(b"HTTP/1.1 200 OK\r\n")
    await call.for_ever(b"x-header: value\r\n" * 64)


@fault("502 header lines", "502 header lines")
async def interim_flood(call):
    await call.for_ever(b"HTTP/1.1 102 Processing\r\n\r\n" * 32)


@fault("502|500 ", "502|500 ")
async def endless_error(call):
    await call.head(500, [b"transfer-encoding: chunked"], "text/plain")
    await call.for_ever(b"400\r\n" + b"e" * 1024 + b"\r\n")


# Packed once: it takes a while, and everything here is one thread.
BOMB = gzip.compress(b'{"text":"' + b"a" * (32 << 20))


@fault("502 larger than", None)
async def gzip_bomb(call):
    await call.sized(200, BOMB, fields=[b"content-encoding: gzip"])


# --- Not what was asked for.

PAGE = b"<!DOCTYPE html><html><body>Please log in</body></html>"


@fault("502 web page", "502 web page")
async def page(call):
    await call.sized(200, PAGE, "text/html; charset=utf-8")


@fault("502 web page", "502 web page")
async def page_as_the_right_type(call):
    await call.sized(200, b"\n  " + PAGE, call.kind)


@fault("503|502|529 ", "503|502|529 ")
async def page_of_a_balancer(call):
    await call.sized(503, PAGE, "text/html")


@fault("500|502 ", "500|502 ")
async def error_in_plain_text(call):
    await call.sized(500, b"Internal Server Error", "text/plain")


@fault("500|502 ", "500|502 ")
async def error_without_a_body(call):
    await call.sized(500, b"", "")


@fault("500|502 ", "500|502 ")
async def error_that_is_cut(call):
    await call.head(500, [b"content-length: 1000"])
    await call.send(call.dialect.error().encode())
    call.close()


@fault("500|502 it broke", "500|502 it broke")
async def error(call):
    await call.sized(500, call.dialect.error().encode())


@fault("429 ", "429 ")
async def throttled(call):
    await call.sized(429, b'{"message":"slow down"}',
                     fields=[b"retry-after: 7"])


@fault("502 login.example.com", "502 login.example.com")
async def redirect(call):
    await call.sized(302, b"", fields=[
        b"location: https://login.example.com/in?key=SECRET"])


@fault("502 redirect", "502 redirect")
async def redirect_to_nowhere(call):
    await call.sized(307, PAGE, "text/html")


@fault("502 ", "502 ")
async def no_content(call):
    await call.head(204)


@fault("502 ", "502 ")
async def not_modified(call):
    await call.head(304)


@fault("502 ", "502 ")
async def switching_protocols(call):
    await call.send(b"HTTP/1.1 101 Switching Protocols\r\n"
                    b"upgrade: x\r\nconnection: upgrade\r\n\r\n")
    call.close()


@fault("502 ", "502 ")
async def no_http(call):
    await call.send(b"SSH-2.0-OpenSSH_9.2\r\n")
    call.close()


@fault("502 compressed", "502 compressed")
async def gzip_unsaid(call):
    await call.sized(200, gzip.compress(call.body), call.kind)


@fault("502 ", "502 ")
async def unknown_coding(call):
    await call.sized(200, call.body, call.kind,
                     [b"content-encoding: x-made-up"])


@fault("502 ", "502 ")
async def gzip_that_is_none(call):
    await call.sized(200, call.body, call.kind, [b"content-encoding: gzip"])


@fault("502 ", "502 ")
async def bad_chunk_size(call):
    await call.head(fields=[b"transfer-encoding: chunked"])
    await call.send(b"zz\r\n")
    call.close()


@fault("502 ", "broken")
async def bad_chunk_size_later(call):
    await call.head(fields=[b"transfer-encoding: chunked"])
    for part in call.parts[:2]:
        await call.chunk(part)
    await call.send(b"-5\r\nhello\r\n")
    call.close()


@fault("502 ", "502 ")
async def huge_chunk_size(call):
    await call.head(fields=[b"transfer-encoding: chunked"])
    await call.send(b"fffffffffffffffff\r\nx")
    call.close()


@fault("502 ", "502 ")
async def not_json(call):
    if call.stream and "eventstream" in call.kind:
        return await call.sized(200, b"\x00" * 64, call.kind)
    body = b"data: {broken\n\n" if call.stream else b'{"broken'
    return await call.sized(200, body, call.kind)


# --- Streams that contradict themselves.

@fault(None, "500|502|503|529 it broke")
async def error_as_first_event(call):
    await call.begin()
    await call.chunk(call.dialect.error_event())
    await call.silence()


@fault(None, "broken")
async def error_in_the_middle(call):
    await call.begin()
    for part in call.parts[:2]:
        await call.chunk(part)
    await call.chunk(call.dialect.error_event())
    await call.silence()


@fault(None, "broken")
async def error_and_on_and_on(call):
    await call.begin()
    for part in call.parts[:2]:
        await call.chunk(part)
    await call.chunk(call.dialect.error_event())
    part = call.parts[1]
    await call.for_ever(b"%x\r\n%s\r\n" % (len(part), part))


@fault(None, "broken")
async def malformed_event(call):
    await call.begin()
    for part in call.parts[:2]:
        await call.chunk(part)
    await call.chunk(b"\x00\x00\x00\x01" * 8 if "eventstream" in call.kind
                     else b"data: {broken\n\n")
    await call.silence()


def end_of(call):
    """The events that end a stream; of no text."""
    return call.parts[-2:] if call.dialect.has_end else []


@fault(None, "answer")
async def two_ends(call):
    await call.begin()
    for part in call.parts + end_of(call):
        await call.chunk(part)
    await call.end()


@fault(None, "answer")
async def two_ends_in_one_piece(call):
    await call.begin()
    await call.chunk(call.body + b"".join(end_of(call)))
    await call.end()


@fault(None, "late")
async def garbage_behind_the_end(call):
    await call.begin()
    for part in call.parts:
        await call.chunk(part)
    await call.chunk(b"\xff\xfe garbage { behind the end")
    await call.end()


@fault(None, "late")
async def error_behind_the_end(call):
    await call.begin()
    for part in call.parts:
        await call.chunk(part)
    await call.chunk(call.dialect.error_event())
    await call.end()


# --- Not of the matrix: for clients.py.

@fault(None, None)
async def endless_talk(call):
    await call.begin()
    await call.chunk(call.parts[0])
    part = call.parts[1]
    await call.for_ever(b"%x\r\n%s\r\n" % (len(part), part))
