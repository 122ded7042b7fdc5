"""Bedrock InvokeModel: Anthropic's bodies, AWS's frames and paths."""

import base64
import json

from parts import claude
from parts.frames import exception_frame, inner_frame, read_frames
from parts.heard import Heard

NAME = "bedrock"
PROVIDER = "bedrock-claude"
CONTENT_TYPE = "application/vnd.amazon.eventstream"
PLACE = ""
EXCEPTIONS = {
    400: "ValidationException", 401: "UnrecognizedClientException",
    404: "ResourceNotFoundException", 429: "ThrottlingException",
    500: "InternalServerException", 503: "ServiceUnavailableException",
    529: "ServiceUnavailableException",
}


def key_of(headers):
    return headers.get("authorization", "").removeprefix("Bearer ")


def path(model, stream):
    action = "invoke-with-response-stream" if stream else "invoke"
    return f"/model/{model}/{action}"


def body(order, model, text):
    out = claude.body(order, model, text)
    del out["model"]
    out.pop("stream", None)
    out["anthropic_version"] = "bedrock-2023-05-31"
    return out


def whole(order, meta):
    return claude.whole(order, meta)


def events(order, meta):
    return [inner_frame(one) for one in claude.event_bodies(order, meta)]


def error(status):
    return ({"x-amzn-errortype": EXCEPTIONS[status]},
            {"message": "soak ordered it"})


def stream_error():
    return exception_frame("serviceUnavailableException", "soak ordered it")


def read_whole(answer):
    return claude.read_whole(answer)


def read_stream(stream):
    heard = Heard()
    for headers, data in read_frames(stream):
        if headers[":message-type"] != "event":
            heard.errors += 1
            continue
        inside = json.loads(data).get("bytes")
        if inside:  # a keep-alive holds nothing
            claude.take(heard, json.loads(base64.b64decode(inside)))
    return heard
