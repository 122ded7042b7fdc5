"""The six dialects as the fault matrix needs them: what a client asks, what an
upstream answers when nothing is wrong, and how to read what a client got.
"""

import base64
import json
import struct
import zlib

TEXT = "Hello there, this is the answer"
PIECES = ["Hello there, ", "this is ", "the answer"]
USAGE_IN, USAGE_OUT = 11, 7


def dump(value):
    return json.dumps(value, separators=(",", ":"))


def sse(data, name=None):
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {data}\n\n".encode()


def frame(kind, name, payload):
    """One message of application/vnd.amazon.eventstream."""
    headers = b""
    type_name = ":event-type" if kind == "event" else ":exception-type"
    for key, value in ((type_name, name), (":content-type", "application/json"),
                       (":message-type", kind)):
        headers += (bytes([len(key)]) + key.encode() + b"\x07" +
                    struct.pack(">H", len(value)) + value.encode())
    total = 16 + len(headers) + len(payload)
    prelude = struct.pack(">II", total, len(headers))
    body = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return body + struct.pack(">I", zlib.crc32(body))


def frames(body):
    """The messages in `body` as (kind, name, payload); raises where broken."""
    out = []
    at = 0
    while at < len(body):
        total, length = struct.unpack_from(">II", body, at)
        message = body[at:at + total]
        if len(message) != total:
            raise ValueError("cut frame")
        if zlib.crc32(message[:-4]) != struct.unpack(">I", message[-4:])[0]:
            raise ValueError("checksum")
        fields = {}
        p = 12
        while p < 12 + length:
            n = message[p]
            key = message[p + 1:p + 1 + n].decode()
            p += 1 + n + 1
            (m,) = struct.unpack_from(">H", message, p)
            fields[key] = message[p + 2:p + 2 + m].decode()
            p += 2 + m
        kind = fields[":message-type"]
        out.append((kind, fields.get(":event-type") or
                    fields.get(":exception-type"),
                    message[12 + length:-4]))
        at += total
    return out


def sse_events(body):
    """(name, data) of each event; raises for what is none."""
    text = body.decode()
    if text and not text.endswith("\n\n"):
        raise ValueError(f"cut event: {text[-80:]!r}")
    out = []
    for block in text.split("\n\n"):
        name, data = None, []
        for line in block.split("\n"):
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                data.append(line[6:])
            elif line and not line.startswith(":"):
                raise ValueError(f"odd line: {line[:80]!r}")
        if data:
            out.append((name, "\n".join(data)))
    return out


class Dialect:
    #: Its streams have a last event; else the connection's end is theirs.
    has_end = True


class Read:
    """What a client makes of a stream."""

    def __init__(self):
        self.text = ""
        self.ends = 0
        self.errors = []


class OpenAiChat(Dialect):
    name, provider, url_path = "openai-chat", "openai-compatible", "/v1"
    kind = "text/event-stream"

    @staticmethod
    def request(model, stream):
        return "/v1/chat/completions", {
            "model": model, "stream": stream,
            "messages": [{"role": "user", "content": "hi"}]}

    @staticmethod
    def whole():
        return dump({"id": "c1", "object": "chat.completion", "created": 1,
                     "model": "m", "choices": [{
                         "index": 0, "message": {"role": "assistant",
                                                 "content": TEXT},
                         "finish_reason": "stop"}],
                     "usage": {"prompt_tokens": USAGE_IN,
                               "completion_tokens": USAGE_OUT,
                               "total_tokens": USAGE_IN + USAGE_OUT}})

    @staticmethod
    def chunk(delta, reason=None):
        return sse(dump({"id": "c1", "object": "chat.completion.chunk",
                         "created": 1, "model": "m", "choices": [{
                             "index": 0, "delta": delta,
                             "finish_reason": reason}]}))

    @classmethod
    def stream(cls):
        return ([cls.chunk({"role": "assistant", "content": ""})] +
                [cls.chunk({"content": piece}) for piece in PIECES] +
                [cls.chunk({}, "stop"), sse("[DONE]")])

    @staticmethod
    def error():
        return dump({"error": {"message": "it broke", "type": "server_error",
                               "code": None, "param": None}})

    @classmethod
    def error_event(cls):
        return sse(cls.error())

    @staticmethod
    def text_of(body):
        return body["choices"][0]["message"]["content"]

    @staticmethod
    def message_of(body):
        return body["error"]["message"]

    @staticmethod
    def read(body):
        out = Read()
        for _, data in sse_events(body):
            if data == "[DONE]":
                out.ends += 1
                continue
            event = json.loads(data)
            if "error" in event:
                out.errors.append(event["error"]["message"])
            for choice in event.get("choices", []):
                out.text += choice["delta"].get("content") or ""
        return out


class Claude(Dialect):
    name, provider, url_path = "claude", "anthropic", ""
    kind = "text/event-stream"

    @staticmethod
    def request(model, stream):
        return "/v1/messages", {
            "model": model, "stream": stream, "max_tokens": 64,
            "messages": [{"role": "user", "content": "hi"}]}

    @staticmethod
    def whole():
        return dump({"id": "msg_1", "type": "message", "role": "assistant",
                     "model": "m", "content": [{"type": "text", "text": TEXT}],
                     "stop_reason": "end_turn", "stop_sequence": None,
                     "usage": {"input_tokens": USAGE_IN,
                               "output_tokens": USAGE_OUT}})

    @staticmethod
    def events():
        start = {"type": "message_start", "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
            "content": [], "stop_reason": None, "stop_sequence": None,
            "usage": {"input_tokens": USAGE_IN, "output_tokens": 1}}}
        begin = {"type": "content_block_start", "index": 0,
                 "content_block": {"type": "text", "text": ""}}
        return ([start, begin] +
                [{"type": "content_block_delta", "index": 0,
                  "delta": {"type": "text_delta", "text": piece}}
                 for piece in PIECES] +
                [{"type": "content_block_stop", "index": 0},
                 {"type": "message_delta",
                  "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                  "usage": {"output_tokens": USAGE_OUT}},
                 {"type": "message_stop"}])

    @classmethod
    def stream(cls):
        return [sse(dump(event), event["type"]) for event in cls.events()]

    @staticmethod
    def error():
        return dump({"type": "error", "error": {"type": "api_error",
                                                "message": "it broke"}})

    @classmethod
    def error_event(cls):
        return sse(cls.error(), "error")

    @staticmethod
    def text_of(body):
        return body["content"][0]["text"]

    @staticmethod
    def message_of(body):
        assert body["type"] == "error"
        return body["error"]["message"]

    @staticmethod
    def read_events(events):
        out = Read()
        for event in events:
            if event["type"] == "content_block_delta":
                out.text += event["delta"].get("text", "")
            elif event["type"] == "message_stop":
                out.ends += 1
            elif event["type"] == "error":
                out.errors.append(event["error"]["message"])
        return out

    @classmethod
    def read(cls, body):
        return cls.read_events([json.loads(d) for _, d in sse_events(body)])


class Responses(Dialect):
    name, provider, url_path = "openai-responses", "openai-responses", "/v1"
    kind = "text/event-stream"

    @staticmethod
    def request(model, stream):
        return "/v1/responses", {"model": model, "stream": stream,
                                 "input": "hi", "store": False}

    @staticmethod
    def response(status, output):
        return {"id": "resp_1", "object": "response", "created_at": 1,
                "status": status, "error": None, "incomplete_details": None,
                "model": "m", "output": output, "usage": {
                    "input_tokens": USAGE_IN,
                    "input_tokens_details": {"cached_tokens": 0},
                    "output_tokens": USAGE_OUT,
                    "output_tokens_details": {"reasoning_tokens": 0},
                    "total_tokens": USAGE_IN + USAGE_OUT}}

    @staticmethod
    def item(status, text):
        content = [{"type": "output_text", "text": text, "annotations": []}]
        return {"type": "message", "id": "msg_1", "status": status,
                "role": "assistant", "content": content if text else []}

    @classmethod
    def whole(cls):
        return dump(cls.response("completed", [cls.item("completed", TEXT)]))

    @classmethod
    def stream(cls):
        part = {"type": "output_text", "text": "", "annotations": []}
        place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        done = cls.item("completed", TEXT)
        events = [
            {"type": "response.created",
             "response": cls.response("in_progress", [])},
            {"type": "response.output_item.added", "output_index": 0,
             "item": cls.item("in_progress", "")},
            {"type": "response.content_part.added", **place, "part": part}]
        events += [{"type": "response.output_text.delta", **place,
                    "delta": piece} for piece in PIECES]
        events += [
            {"type": "response.output_text.done", **place, "text": TEXT},
            {"type": "response.content_part.done", **place,
             "part": {**part, "text": TEXT}},
            {"type": "response.output_item.done", "output_index": 0,
             "item": done},
            {"type": "response.completed",
             "response": cls.response("completed", [done])}]
        return [sse(dump({**event, "sequence_number": i}), event["type"])
                for i, event in enumerate(events)]

    error = OpenAiChat.error

    @staticmethod
    def error_event():
        return sse(dump({"type": "error", "code": "server_error",
                         "message": "it broke", "param": None,
                         "sequence_number": 1}), "error")

    @staticmethod
    def text_of(body):
        return body["output"][0]["content"][0]["text"]

    message_of = OpenAiChat.message_of

    @staticmethod
    def read(body):
        out = Read()
        for _, data in sse_events(body):
            event = json.loads(data)
            kind = event["type"]
            if kind == "response.output_text.delta":
                out.text += event["delta"]
            elif kind in ("response.completed", "response.incomplete"):
                out.ends += 1
            elif kind == "response.failed":
                out.errors.append(event["response"]["error"]["message"])
            elif kind == "error":
                out.errors.append(event.get("message") or
                                  event["error"]["message"])
        return out


class Gemini(Dialect):
    has_end = False
    name, provider, url_path = "gemini", "gemini", ""
    kind = "text/event-stream"

    @staticmethod
    def request(model, stream):
        verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return f"/v1beta/models/{model}:{verb}", {
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}]}

    @staticmethod
    def answer(text, reason=None):
        candidate = {"content": {"role": "model", "parts": [{"text": text}]},
                     "index": 0}
        if reason:
            candidate["finishReason"] = reason
        return dump({"candidates": [candidate], "usageMetadata": {
            "promptTokenCount": USAGE_IN, "candidatesTokenCount": USAGE_OUT,
            "totalTokenCount": USAGE_IN + USAGE_OUT},
            "modelVersion": "m", "responseId": "r1"})

    @classmethod
    def whole(cls):
        return cls.answer(TEXT, "STOP")

    @classmethod
    def stream(cls):
        return ([sse(cls.answer(piece)) for piece in PIECES[:-1]] +
                [sse(cls.answer(PIECES[-1], "STOP"))])

    @staticmethod
    def error():
        return dump({"error": {"code": 500, "message": "it broke",
                               "status": "INTERNAL"}})

    @classmethod
    def error_event(cls):
        return sse(cls.error())

    @staticmethod
    def text_of(body):
        parts = body["candidates"][0]["content"]["parts"]
        return "".join(part.get("text", "") for part in parts)

    message_of = OpenAiChat.message_of

    @classmethod
    def read(cls, body):
        out = Read()
        for _, data in sse_events(body):
            event = json.loads(data)
            if "error" in event:
                out.errors.append(event["error"]["message"])
            for candidate in event.get("candidates", []):
                parts = candidate.get("content", {}).get("parts", [])
                out.text += "".join(p.get("text", "") for p in parts)
                out.ends += 1 if candidate.get("finishReason") else 0
        return out


class Bedrock(Dialect):
    """Claude's bodies in Amazon's frames."""

    name, provider, url_path = "bedrock", "bedrock-claude", ""
    kind = "application/vnd.amazon.eventstream"

    @staticmethod
    def request(model, stream):
        verb = "invoke-with-response-stream" if stream else "invoke"
        return f"/model/{model}/{verb}", {
            "anthropic_version": "bedrock-2023-05-31", "max_tokens": 64,
            "messages": [{"role": "user", "content": "hi"}]}

    whole = Claude.whole

    @staticmethod
    def stream():
        return [frame("event", "chunk", dump({"bytes": base64.b64encode(
            dump(event).encode()).decode()}).encode())
            for event in Claude.events()]

    @staticmethod
    def error():
        return dump({"message": "it broke"})

    @classmethod
    def error_event(cls):
        return frame("exception", "internalServerException",
                     cls.error().encode())

    text_of = Claude.text_of

    @staticmethod
    def message_of(body):
        return body["message"]

    @classmethod
    def read(cls, body):
        out = Read()
        events = []
        for kind, _, payload in frames(body):
            if kind == "exception":
                out.errors.append(json.loads(payload)["message"])
            elif "bytes" in json.loads(payload):  # else a keep-alive
                events.append(json.loads(
                    base64.b64decode(json.loads(payload)["bytes"])))
        inner = Claude.read_events(events)
        inner.errors += out.errors
        return inner


class Converse(Dialect):
    name, provider, url_path = "bedrock-converse", "bedrock", ""
    kind = "application/vnd.amazon.eventstream"

    @staticmethod
    def request(model, stream):
        verb = "converse-stream" if stream else "converse"
        return f"/model/{model}/{verb}", {
            "messages": [{"role": "user", "content": [{"text": "hi"}]}]}

    @staticmethod
    def usage():
        return {"inputTokens": USAGE_IN, "outputTokens": USAGE_OUT,
                "totalTokens": USAGE_IN + USAGE_OUT}

    @classmethod
    def whole(cls):
        return dump({"output": {"message": {"role": "assistant",
                                            "content": [{"text": TEXT}]}},
                     "stopReason": "end_turn", "usage": cls.usage(),
                     "metrics": {"latencyMs": 1}})

    @classmethod
    def stream(cls):
        events = [("messageStart", {"role": "assistant"})]
        events += [("contentBlockDelta", {"contentBlockIndex": 0,
                                          "delta": {"text": piece}})
                   for piece in PIECES]
        events += [("contentBlockStop", {"contentBlockIndex": 0}),
                   ("messageStop", {"stopReason": "end_turn"}),
                   ("metadata", {"usage": cls.usage(),
                                 "metrics": {"latencyMs": 1}})]
        return [frame("event", name, dump(data).encode())
                for name, data in events]

    error = Bedrock.error
    error_event = Bedrock.error_event
    message_of = Bedrock.message_of

    @staticmethod
    def text_of(body):
        return body["output"]["message"]["content"][0]["text"]

    @staticmethod
    def read(body):
        out = Read()
        for kind, name, payload in frames(body):
            data = json.loads(payload)
            if kind == "exception":
                out.errors.append(data["message"])
            elif name == "contentBlockDelta":
                out.text += data["delta"].get("text", "")
            elif name == "messageStop":
                out.ends += 1
        return out


DIALECTS = [OpenAiChat, Claude, Responses, Gemini, Bedrock, Converse]
