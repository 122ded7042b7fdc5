"""Gemini generateContent."""

import json

from parts.frames import read_sse, sse
from parts.heard import Heard

NAME = "gemini"
PROVIDER = "gemini"
CONTENT_TYPE = "text/event-stream"
PLACE = ""


def key_of(headers):
    return headers.get("x-goog-api-key", "")


def path(model, stream):
    action = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return f"/v1beta/models/{model}:{action}"


def body(order, model, text):
    parts = [{"text": text}]
    if order.image:
        parts.append({"fileData": {"fileUri": order.image,
                                   "mimeType": "image/png"}})
    out = {"contents": [{"role": "user", "parts": parts}]}
    if order.tool:
        out["tools"] = [{"functionDeclarations": [
            {"name": "note", "parametersJsonSchema": order.schema()}]}]
    return out


USAGE = {"promptTokenCount": 9, "candidatesTokenCount": 7,
         "totalTokenCount": 16}


def shell(parts, meta, rest):
    return {"candidates": [{"content": {"role": "model", "parts": parts},
                            "index": 0, **rest}],
            "modelVersion": "mock", "responseId": meta}


def call_parts(order):
    return [{"functionCall": {"name": "note", "args": order.arguments()}}] \
        if order.tool else []


def whole(order, meta):
    parts = [{"text": order.text()}] + call_parts(order)
    return {**shell(parts, meta, {"finishReason": "STOP"}),
            "usageMetadata": USAGE}


def events(order, meta):
    def chunk(parts, rest=None, usage=None):
        return sse({**shell(parts, meta, rest or {}), **(usage or {})},
                   line_end="\r\n")
    out = [chunk([{"text": piece}]) for piece in order.pieces()]
    out += [chunk([part]) for part in call_parts(order)]
    out.append(chunk([{"text": ""}], {"finishReason": "STOP"},
                     {"usageMetadata": USAGE}))
    return out


STATUSES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED",
            404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL",
            503: "UNAVAILABLE", 529: "UNAVAILABLE"}


def error(status):
    return {}, {"error": {"code": status, "message": "soak ordered it",
                          "status": STATUSES[status]}}


def stream_error():
    return sse(error(503)[1])


def take(heard, answer):
    if "error" in answer:
        heard.errors += 1
        return
    for candidate in answer.get("candidates", []):
        for part in candidate.get("content", {}).get("parts", []):
            if part.get("thought"):
                continue
            if part.get("text"):
                heard.add(part["text"])
            if "functionCall" in part:
                heard.arguments.append([json.dumps(part["functionCall"]["args"])])
        if candidate.get("finishReason"):
            heard.ends += 1


def read_whole(answer):
    heard = Heard()
    take(heard, answer)
    return heard


def read_stream(stream):
    heard = Heard()
    for _, data in read_sse(stream):
        take(heard, json.loads(data))
    return heard
