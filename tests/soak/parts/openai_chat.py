"""OpenAI Chat Completions."""

import json

from parts.frames import read_sse, sse
from parts.heard import Heard

NAME = "openai-chat"
PROVIDER = "openai"
CONTENT_TYPE = "text/event-stream"
PLACE = "/v1"


def key_of(headers):
    return headers.get("authorization", "").removeprefix("Bearer ")


def path(model, stream):
    return "/v1/chat/completions"


def body(order, model, text):
    content = text
    if order.image:
        content = [{"type": "text", "text": text},
                   {"type": "image_url", "image_url": {"url": order.image}}]
    out = {"model": model, "messages": [{"role": "user", "content": content}]}
    if order.stream:
        out["stream"] = True
    if order.tool:
        out["tools"] = [{"type": "function", "function": {
            "name": "note", "parameters": order.schema()}}]
    return out


def whole(order, meta):
    message = {"role": "assistant", "content": order.text(), "refusal": None}
    if order.tool:
        message["tool_calls"] = [{
            "id": f"call_{order.id}", "type": "function", "function": {
                "name": "note", "arguments": order.argument_text()}}]
    return {"id": f"chatcmpl-{meta}", "object": "chat.completion",
            "created": 1794200000, "model": "mock",
            "choices": [{"index": 0, "message": message,
                         "finish_reason": stop_of(order)}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 7,
                      "total_tokens": 16}}


def stop_of(order):
    return "tool_calls" if order.tool else "stop"


def events(order, meta):
    def chunk(delta, reason=None):
        return sse({"id": f"chatcmpl-{meta}",
                    "object": "chat.completion.chunk",
                    "created": 1794200000, "model": "mock",
                    "choices": [{"index": 0, "delta": delta,
                                 "finish_reason": reason}]})
    out = [chunk({"role": "assistant", "content": ""})]
    out += [chunk({"content": piece}) for piece in order.pieces()]
    if order.tool:
        out.append(chunk({"tool_calls": [{
            "index": 0, "id": f"call_{order.id}", "type": "function",
            "function": {"name": "note", "arguments": ""}}]}))
        out += [chunk({"tool_calls": [{
            "index": 0, "function": {"arguments": shred}}]})
            for shred in order.shreds()]
    out.append(chunk({}, stop_of(order)))
    out.append(sse("[DONE]"))
    return out


def error(status):
    return {}, {"error": {"message": "soak ordered it", "type": "server_error",
                          "param": None, "code": None}}


def stream_error():
    return sse(error(500)[1])


def read_whole(answer):
    choice = answer["choices"][0]
    heard = Heard(ends=1 if choice["finish_reason"] else 0)
    heard.pieces.append(choice["message"]["content"] or "")
    for call in choice["message"].get("tool_calls") or []:
        heard.arguments.append([call["function"]["arguments"]])
    return heard


def read_stream(stream):
    heard = Heard()
    for _, data in read_sse(stream):
        if data == "[DONE]":
            heard.ends += 1
            continue
        event = json.loads(data)
        if "error" in event:
            heard.errors += 1
            continue
        for choice in event["choices"]:
            delta = choice["delta"]
            if delta.get("content"):
                heard.add(delta["content"])
            for call in delta.get("tool_calls") or []:
                heard.argue(call["index"],
                            call["function"].get("arguments") or "")
    return heard
