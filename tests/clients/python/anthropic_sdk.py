"""anthropic."""
from anthropic import Anthropic

from cells import (GREETING, MODEL, QUESTION, TOOL, call_of, greeted,
                   greeted_in_pieces, main, same, used)

client = Anthropic()
asked = {"model": MODEL, "max_tokens": 512}


def said(text):
    return [{"role": "user", "content": text}]


def text():
    greeted(client.messages.create(messages=said(GREETING), **asked)
            .content[0].text)


def stream():
    with client.messages.stream(messages=said(GREETING), **asked) as events:
        greeted_in_pieces(events.text_stream)


def tools():
    offered = [{"name": TOOL["name"], "description": TOOL["description"],
                "input_schema": TOOL["parameters"]}]
    messages = said(QUESTION)
    first = client.messages.create(messages=messages, tools=offered, **asked)
    same(first.stop_reason, "tool_use")
    [call] = [part for part in first.content if part.type == "tool_use"]
    messages += [
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": call.id,
             "content": call_of(call.name, call.input)}]}]
    used(client.messages.create(messages=messages, tools=offered, **asked)
         .content[0].text)


main({"text": text, "stream": stream, "tools": tools}, "anthropic")
