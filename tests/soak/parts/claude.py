"""Anthropic Messages; its bodies are Bedrock InvokeModel's too."""

import json

from parts.frames import read_sse, sse
from parts.heard import Heard

NAME = "claude"
PROVIDER = "anthropic"
CONTENT_TYPE = "text/event-stream; charset=utf-8"
PLACE = ""


def key_of(headers):
    return headers.get("x-api-key", "")


def path(model, stream):
    return "/v1/messages"


def body(order, model, text):
    content = [{"type": "text", "text": text}]
    if order.image:
        content.append({"type": "image",
                        "source": {"type": "url", "url": order.image}})
    out = {"model": model, "max_tokens": 1000,
           "messages": [{"role": "user", "content": content}]}
    if order.stream:
        out["stream"] = True
    if order.tool:
        out["tools"] = [{"name": "note", "input_schema": order.schema()}]
    return out


def whole(order, meta):
    content = [{"type": "text", "text": order.text()}]
    if order.tool:
        content.append({"type": "tool_use", "id": f"toolu_{order.id}",
                        "name": "note", "input": order.arguments()})
    return {"id": meta, "type": "message", "role": "assistant",
            "model": "mock", "content": content,
            "stop_reason": "tool_use" if order.tool else "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 9, "output_tokens": 7}}


def event_bodies(order, meta):
    begun = {"id": meta, "type": "message", "role": "assistant",
             "model": "mock", "content": [], "stop_reason": None,
             "stop_sequence": None,
             "usage": {"input_tokens": 9, "output_tokens": 1}}
    yield {"type": "message_start", "message": begun}
    yield {"type": "content_block_start", "index": 0,
           "content_block": {"type": "text", "text": ""}}
    for piece in order.pieces():
        yield {"type": "content_block_delta", "index": 0,
               "delta": {"type": "text_delta", "text": piece}}
    yield {"type": "content_block_stop", "index": 0}
    if order.tool:
        yield {"type": "content_block_start", "index": 1, "content_block": {
            "type": "tool_use", "id": f"toolu_{order.id}", "name": "note",
            "input": {}}}
        for shred in order.shreds():
            yield {"type": "content_block_delta", "index": 1, "delta": {
                "type": "input_json_delta", "partial_json": shred}}
        yield {"type": "content_block_stop", "index": 1}
    yield {"type": "message_delta", "delta": {
        "stop_reason": "tool_use" if order.tool else "end_turn",
        "stop_sequence": None}, "usage": {"output_tokens": 7}}
    yield {"type": "message_stop"}


def events(order, meta):
    return [sse(one, one["type"]) for one in event_bodies(order, meta)]


TYPES = {400: "invalid_request_error", 401: "authentication_error",
         404: "not_found_error", 429: "rate_limit_error", 500: "api_error",
         503: "overloaded_error", 529: "overloaded_error"}


def error(status):
    return {}, {"type": "error", "error": {"type": TYPES[status],
                                           "message": "soak ordered it"}}


def stream_error():
    return sse(error(529)[1], "error")


def read_whole(answer):
    heard = Heard(ends=1 if answer.get("stop_reason") else 0)
    for block in answer["content"]:
        if block["type"] == "text":
            heard.pieces.append(block["text"])
        elif block["type"] == "tool_use":
            heard.arguments.append([json.dumps(block["input"])])
    return heard


def take(heard, event):
    """One event of a stream, parsed."""
    kind = event["type"]
    if kind == "error":
        heard.errors += 1
    elif kind == "message_stop":
        heard.ends += 1
    elif kind == "content_block_delta":
        delta = event["delta"]
        if delta["type"] == "text_delta":
            heard.add(delta["text"])
        elif delta["type"] == "input_json_delta":
            heard.argue(0, delta["partial_json"])


def read_stream(stream):
    heard = Heard()
    for name, data in read_sse(stream):
        event = json.loads(data)
        if name != event["type"]:
            heard.broken = f"event {name} holds a {event['type']}"
        take(heard, event)
    return heard
