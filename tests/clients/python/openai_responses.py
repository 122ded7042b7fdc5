"""openai, by Responses."""
import json

from openai import OpenAI

from cells import (GREETING, MODEL, QUESTION, TOOL, call_of, greeted,
                   greeted_in_pieces, main, used)

client = OpenAI()


def text():
    greeted(client.responses.create(model=MODEL, input=GREETING).output_text)


def stream():
    with client.responses.stream(model=MODEL, input=GREETING) as events:
        greeted_in_pieces(event.delta for event in events
                          if event.type == "response.output_text.delta")


def tools():
    offered = [{"type": "function", **TOOL}]
    first = client.responses.create(model=MODEL, input=QUESTION, tools=offered)
    [call] = [item for item in first.output if item.type == "function_call"]
    result = call_of(call.name, json.loads(call.arguments))
    used(client.responses.create(
        model=MODEL, previous_response_id=first.id, tools=offered,
        input=[{"type": "function_call_output", "call_id": call.call_id,
                "output": result}]).output_text)


main({"text": text, "stream": stream, "tools": tools}, "openai")
