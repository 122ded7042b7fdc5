"""How streams are cut into events: SSE lines and AWS event-stream frames."""

import base64
import json
import struct
import zlib


class Malformed(ValueError):
    """What came is no event."""


def sse(data, name=None, line_end="\n"):
    """One event; `data` is JSON, or a text that is sent as it is."""
    text = data if isinstance(data, str) else \
        json.dumps(data, ensure_ascii=False)
    head = f"event: {name}{line_end}" if name else ""
    return f"{head}data: {text}{line_end}{line_end}".encode()


def read_sse(text):
    """[(name, data)] of a whole stream; what is left behind the last blank
    line counts as an event too, as it reached the client."""
    events, name, data = [], None, []
    text = text.decode("utf-8")
    for line in text.replace("\r\n", "\n").split("\n") + [""]:
        if not line:
            if data:
                events.append((name, "\n".join(data)))
            name, data = None, []
            continue
        field, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
    return events


def frame(headers, body):
    """One frame of application/vnd.amazon.eventstream."""
    packed = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" +
        struct.pack(">H", len(value)) + value.encode()
        for name, value in headers.items())
    prelude = struct.pack(">II", 16 + len(packed) + len(body), len(packed))
    prelude += struct.pack(">I", zlib.crc32(prelude))
    message = prelude + packed + body
    return message + struct.pack(">I", zlib.crc32(message))


def event_frame(kind, body):
    return frame({":message-type": "event", ":event-type": kind,
                  ":content-type": "application/json"},
                 json.dumps(body).encode())


def exception_frame(kind, message):
    return frame({":message-type": "exception", ":exception-type": kind,
                  ":content-type": "application/json"},
                 json.dumps({"message": message}).encode())


def inner_frame(body):
    """An event of Anthropic inside one of Bedrock."""
    inside = base64.b64encode(json.dumps(body).encode()).decode()
    return event_frame("chunk", {"bytes": inside})


def read_headers(packed):
    headers, at = {}, 0
    while at < len(packed):
        size = packed[at]
        name = packed[at + 1:at + 1 + size].decode()
        at += 1 + size
        if packed[at] != 7:
            raise Malformed(f"header {name} is no string")
        (length,) = struct.unpack_from(">H", packed, at + 1)
        headers[name] = packed[at + 3:at + 3 + length].decode()
        at += 3 + length
    return headers


def read_frames(stream):
    """[(headers, body)]; half a frame at the end is left out."""
    frames, at = [], 0
    while len(stream) - at >= 16:
        total, size = struct.unpack_from(">II", stream, at)
        if len(stream) - at < total:
            break
        whole = stream[at:at + total]
        if zlib.crc32(whole[:-4]) != struct.unpack(">I", whole[-4:])[0]:
            raise Malformed("the checksum of a frame is wrong")
        frames.append((read_headers(whole[12:12 + size]),
                       whole[12 + size:-4]))
        at += total
    return frames
