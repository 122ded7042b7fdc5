"""OpenAI Responses."""

import json

from parts import openai_chat
from parts.frames import read_sse, sse
from parts.heard import Heard

NAME = "openai-responses"
PROVIDER = "openai-responses"
CONTENT_TYPE = "text/event-stream; charset=utf-8"
PLACE = "/v1"
key_of = openai_chat.key_of
error = openai_chat.error


def path(model, stream):
    return "/v1/responses"


def body(order, model, text):
    content = [{"type": "input_text", "text": text}]
    if order.image:
        content.append({"type": "input_image", "image_url": order.image})
    out = {"model": model, "input": [{"role": "user", "content": content}]}
    if order.previous:
        out["previous_response_id"] = order.previous
    if order.stream:
        out["stream"] = True
    if order.tool:
        out["tools"] = [{"type": "function", "name": "note", "strict": False,
                         "parameters": order.schema()}]
    return out


def items(order):
    yield {"id": f"msg_{order.id}", "type": "message", "status": "completed",
           "role": "assistant", "content": [{
               "type": "output_text", "text": order.text(),
               "annotations": []}]}
    if order.tool:
        yield {"id": f"fc_{order.id}", "type": "function_call",
               "status": "completed", "call_id": f"call_{order.id}",
               "name": "note", "arguments": order.argument_text()}


def whole(order, meta):
    return {"id": f"resp_{meta}", "object": "response",
            "created_at": 1794200000, "model": "mock", "status": "completed",
            "error": None, "incomplete_details": None,
            "output": list(items(order)), "parallel_tool_calls": True,
            "tool_choice": "auto", "tools": [],
            "usage": {"input_tokens": 9,
                      "input_tokens_details": {"cached_tokens": 0},
                      "output_tokens": 7,
                      "output_tokens_details": {"reasoning_tokens": 0},
                      "total_tokens": 16}}


def message_events(order, item):
    at = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    part = item["content"][0]
    yield {"type": "response.output_item.added", "output_index": 0,
           "item": {**item, "status": "in_progress", "content": []}}
    yield {"type": "response.content_part.added", **at,
           "part": {**part, "text": ""}}
    for piece in order.pieces():
        yield {"type": "response.output_text.delta", **at, "delta": piece}
    yield {"type": "response.output_text.done", **at, "text": part["text"]}
    yield {"type": "response.content_part.done", **at, "part": part}
    yield {"type": "response.output_item.done", "output_index": 0,
           "item": item}


def call_events(order, item):
    at = {"item_id": item["id"], "output_index": 1}
    yield {"type": "response.output_item.added", "output_index": 1,
           "item": {**item, "status": "in_progress", "arguments": ""}}
    for shred in order.shreds():
        yield {"type": "response.function_call_arguments.delta", **at,
               "delta": shred}
    yield {"type": "response.function_call_arguments.done", **at,
           "arguments": item["arguments"]}
    yield {"type": "response.output_item.done", "output_index": 1,
           "item": item}


def events(order, meta):
    final = whole(order, meta)
    begun = {**final, "status": "in_progress", "output": [], "usage": None}
    out = [{"type": "response.created", "response": begun},
           {"type": "response.in_progress", "response": begun}]
    for item, make in zip(final["output"], (message_events, call_events)):
        out += make(order, item)
    out.append({"type": "response.completed", "response": final})
    return [sse({**one, "sequence_number": number}, one["type"])
            for number, one in enumerate(out)]


def stream_error():
    return sse({"type": "error", "code": "server_is_overloaded",
                "message": "soak ordered it", "param": None,
                "sequence_number": 9}, "error")


def read_whole(answer):
    heard = Heard(ends=1 if answer["status"] == "completed" else 0)
    for item in answer["output"]:
        if item["type"] == "message":
            heard.pieces += [part["text"] for part in item["content"]]
        elif item["type"] == "function_call":
            heard.arguments.append([item["arguments"]])
    return heard


def read_stream(stream):
    heard, number, final = Heard(), 0, None
    for name, data in read_sse(stream):
        event = json.loads(data)
        kind = event["type"]
        if name != kind:
            heard.broken = f"event {name} holds a {kind}"
        if "sequence_number" in event and kind != "error":
            if event["sequence_number"] != number:
                heard.broken = (f"number {event['sequence_number']} where "
                                f"{number} is due")
            number += 1
        if kind in ("error", "response.failed"):
            heard.errors += 1
        elif kind == "response.output_text.delta":
            heard.add(event["delta"])
        elif kind == "response.function_call_arguments.delta":
            heard.argue(0, event["delta"])
        elif kind in ("response.completed", "response.incomplete"):
            heard.ends += 1
            final = event["response"]
    if final and read_whole(final).text != heard.text:
        heard.broken = "the end holds another text than the pieces"
    return heard
