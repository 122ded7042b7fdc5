"""Bedrock Converse."""

import json

from parts import bedrock
from parts.frames import event_frame, read_frames
from parts.heard import Heard

NAME = "bedrock-converse"
PROVIDER = "bedrock"
CONTENT_TYPE = bedrock.CONTENT_TYPE
PLACE = ""
key_of = bedrock.key_of
error = bedrock.error
stream_error = bedrock.stream_error


def path(model, stream):
    return f"/model/{model}/{'converse-stream' if stream else 'converse'}"


def body(order, model, text):
    out = {"messages": [{"role": "user", "content": [{"text": text}]}]}
    if order.tool:
        out["toolConfig"] = {"tools": [{"toolSpec": {
            "name": "note", "inputSchema": {"json": order.schema()}}}]}
    return out


USAGE = {"inputTokens": 9, "outputTokens": 7, "totalTokens": 16}


def stop_of(order):
    return "tool_use" if order.tool else "end_turn"


def whole(order, meta):
    content = [{"text": order.text()}]
    if order.tool:
        content.append({"toolUse": {"toolUseId": f"tooluse_{order.id}",
                                    "name": "note",
                                    "input": order.arguments()}})
    return {"output": {"message": {"role": "assistant", "content": content}},
            "stopReason": stop_of(order), "usage": USAGE,
            "metrics": {"latencyMs": 7}}


def events(order, meta):
    out = [("messageStart", {"role": "assistant"})]
    out += [("contentBlockDelta", {"contentBlockIndex": 0,
                                   "delta": {"text": piece}})
            for piece in order.pieces()]
    out.append(("contentBlockStop", {"contentBlockIndex": 0}))
    if order.tool:
        out.append(("contentBlockStart", {
            "contentBlockIndex": 1, "start": {"toolUse": {
                "toolUseId": f"tooluse_{order.id}", "name": "note"}}}))
        out += [("contentBlockDelta", {"contentBlockIndex": 1, "delta": {
            "toolUse": {"input": shred}}}) for shred in order.shreds()]
        out.append(("contentBlockStop", {"contentBlockIndex": 1}))
    out.append(("messageStop", {"stopReason": stop_of(order)}))
    out.append(("metadata", {"usage": USAGE, "metrics": {"latencyMs": 7}}))
    return [event_frame(*one) for one in out]


def read_whole(answer):
    heard = Heard(ends=1 if answer.get("stopReason") else 0)
    for block in answer["output"]["message"]["content"]:
        if "text" in block:
            heard.pieces.append(block["text"])
        elif "toolUse" in block:
            heard.arguments.append([json.dumps(block["toolUse"]["input"])])
    return heard


def read_stream(stream):
    heard = Heard()
    for headers, data in read_frames(stream):
        if headers[":message-type"] != "event":
            heard.errors += 1
            continue
        kind, event = headers[":event-type"], json.loads(data)
        if kind == "messageStop":
            heard.ends += 1
        elif kind == "contentBlockDelta":
            delta = event["delta"]
            if "text" in delta:
                heard.add(delta["text"])
            elif "toolUse" in delta:
                heard.argue(0, delta["toolUse"]["input"])
    return heard
