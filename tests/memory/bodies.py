"""Large requests: what one client may send within max_body_bytes.

A body is a small request of a dialect in which one place is filled.
"""

import json

HOLE = "@@"
IMAGE = "image/png"


def user(dialect, text):
    """A request with one user turn."""
    if dialect == "gemini":
        return {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    if dialect == "bedrock-converse":
        return {"messages": [{"role": "user", "content": [{"text": text}]}]}
    if dialect == "openai-responses":
        return {"input": text}
    return {"messages": [{"role": "user", "content": text}]}


def text_request(dialect):
    return user(dialect, HOLE)


def system_request(dialect):
    body = user(dialect, "hi")
    if dialect == "gemini":
        body["systemInstruction"] = {"parts": [{"text": HOLE}]}
    elif dialect == "bedrock-converse":
        body["system"] = [{"text": HOLE}]
    elif dialect == "openai-responses":
        body["instructions"] = HOLE
    elif dialect == "openai-chat":
        body["messages"].insert(0, {"role": "system", "content": HOLE})
    else:
        body["system"] = HOLE
    return body


def arguments_request(dialect):
    """A tool call in the history."""
    return calls(dialect, HOLE, "done")


def result_request(dialect):
    return calls(dialect, "x", HOLE)


def calls(dialect, argument, result):
    value = {"path": argument}
    # Arguments in a string: what fills them must not need escapes there.
    text = json.dumps(value)
    body = user(dialect, "hi")
    if dialect == "openai-chat":
        body["messages"] += [
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "c1", "type": "function",
                 "function": {"name": "write", "arguments": text}}]},
            {"role": "tool", "tool_call_id": "c1", "content": result}]
    elif dialect == "openai-responses":
        body["input"] = [
            {"role": "user", "content": "hi"},
            {"type": "function_call", "call_id": "c1", "name": "write",
             "arguments": text},
            {"type": "function_call_output", "call_id": "c1",
             "output": result}]
    elif dialect == "gemini":
        body["contents"] += [
            {"role": "model", "parts": [
                {"functionCall": {"name": "write", "args": value}}]},
            {"role": "user", "parts": [
                {"functionResponse": {"name": "write",
                                      "response": {"output": result}}}]}]
    elif dialect == "bedrock-converse":
        body["messages"] += [
            {"role": "assistant", "content": [
                {"toolUse": {"toolUseId": "c1", "name": "write",
                             "input": value}}]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "c1",
                                "content": [{"text": result}]}}]}]
    else:
        body["messages"] += [
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "c1", "name": "write",
                 "input": value}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "c1",
                 "content": result}]}]
    return body


def image_request(dialect):
    parts = {
        "openai-chat": ("messages", {"type": "image_url", "image_url": {
            "url": f"data:{IMAGE};base64,{HOLE}"}}),
        "openai-responses": ("input", {
            "type": "input_image",
            "image_url": f"data:{IMAGE};base64,{HOLE}"}),
        "gemini": ("contents", {"inlineData": {"mimeType": IMAGE,
                                               "data": HOLE}}),
        "bedrock-converse": ("messages", {"image": {
            "format": "png", "source": {"bytes": HOLE}}}),
    }
    claude = ("messages", {"type": "image", "source": {
        "type": "base64", "media_type": IMAGE, "data": HOLE}})
    name, part = parts.get(dialect, claude)
    content = "parts" if dialect == "gemini" else "content"
    return {name: [{"role": "user", content: [part]}]}


PLACES = {
    "text": text_request, "system": system_request,
    "arguments": arguments_request, "result": result_request,
    "image": image_request,
}
# What fills them, as it stands in the JSON. Each four bytes or so.
FILLINGS = {
    "plain": b"word", "escaped": b"ab\\n\\\"", "unicode": b"\\u00e9",
    "quotes": b"\\\\\\\"", "utf-8": b"\xc3\xa9\xc3\xa9",
}


def fill(template, filling, size):
    """The JSON of `template` with its hole filled to about `size` bytes."""
    before, after = json.dumps(template).encode().split(HOLE.encode())
    return before + filling * ((size - len(before)) // len(filling)) + after


def repeated(before, unit, after, size):
    """As many `unit`s, joined by commas, as `size` bytes take."""
    return before + b",".join([unit] * (size // (len(unit) + 1))) + after


# Shapes of many values, in openai-chat.
SHAPES = {
    "parts": lambda size: repeated(
        b'{"model":"M","messages":[{"role":"user","content":[',
        b'{"type":"text","text":""}', b"]}]}", size),
    "arrays": lambda size: repeated(
        b'{"model":"M","messages":[{"role":"user","content":"hi"}],"x":[',
        b"[]", b"]}", size),
    "keys": lambda size: repeated(
        b'{"model":"M","messages":[{"role":"user","content":"hi"}],'
        b'"aaaaaaaa":1,', b'"aaaaaaaa":1', b"}", size),
    "messages": lambda size: repeated(
        b'{"model":"M","messages":[', b'{"role":"user","content":"a"}',
        b"]}", size),
}
