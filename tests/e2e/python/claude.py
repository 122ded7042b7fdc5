"""Messages of Anthropic's API as plain dicts: for those without an SDK."""

import json

from jobs import answer, call

STOPS = {
    "end_turn": "end",
    "tool_use": "tool",
    "max_tokens": "length",
    "stop_sequence": "sequence",
    "refusal": "filter",
}


def read(message):
    """A message in neutral terms, and its place in the history."""
    content, usage = message["content"], message["usage"]
    cached = usage.get("cache_read_input_tokens") or 0
    written = usage.get("cache_creation_input_tokens") or 0
    texts = [block["text"] for block in content if block["type"] == "text"]
    calls = [
        call(block["id"], block["name"], block["input"])
        for block in content
        if block["type"] == "tool_use"
    ]
    reply = answer(
        "".join(texts),
        calls,
        STOPS[message["stop_reason"]],
        (
            usage["input_tokens"] + cached + written,
            cached,
            usage["output_tokens"],
        ),
        model=message["model"],
    )
    return reply, content


def read_events(events):
    """Likewise from the events of a stream, which must have ended."""
    message, json_of, ended = None, {}, False
    for event in events:
        kind = event["type"]
        if kind == "message_start":
            message = event["message"]
        elif kind == "content_block_start":
            assert event["index"] == len(message["content"])
            message["content"].append(event["content_block"])
        elif kind == "content_block_delta":
            block, delta = message["content"][event["index"]], event["delta"]
            if delta["type"] == "text_delta":
                block["text"] += delta["text"]
            elif delta["type"] == "input_json_delta":
                part = json_of.get(event["index"], "") + delta["partial_json"]
                json_of[event["index"]] = part
        elif kind == "message_delta":
            message.update(event["delta"])
            message["usage"].update(event["usage"])
        elif kind == "message_stop":
            ended = True
    assert ended, "no message_stop"
    for index, text in json_of.items():
        message["content"][index]["input"] = json.loads(text or "{}")
    return read(message)


def append(body, content, results):
    """The next turn: what was answered, and the results of its calls."""
    body["messages"] += [
        {"role": "assistant", "content": content},
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": result["id"],
                    "content": result["text"],
                }
                for result in results
            ],
        },
    ]
