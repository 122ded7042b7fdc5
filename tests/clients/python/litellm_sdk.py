"""litellm, by the API that its first argument names: openai, anthropic or
gemini."""
import json
import os
import sys

# It asks the network for its table of prices otherwise.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm  # noqa: E402

from cells import (GREETING, MODEL, QUESTION, TOOL, call_of, greeted,  # noqa: E402
                   greeted_in_pieces, main, used)

model = f"{sys.argv[1]}/{MODEL}"


def said(text):
    return [{"role": "user", "content": text}]


def text():
    greeted(litellm.completion(model=model, messages=said(GREETING))
            .choices[0].message.content)


def stream():
    greeted_in_pieces(
        chunk.choices[0].delta.content for chunk in litellm.completion(
            model=model, messages=said(GREETING), stream=True))


def tools():
    offered = [{"type": "function", "function": TOOL}]
    messages = said(QUESTION)
    message = litellm.completion(model=model, messages=messages,
                                 tools=offered).choices[0].message
    [call] = message.tool_calls
    result = call_of(call.function.name, json.loads(call.function.arguments))
    messages += [message.model_dump(), {"role": "tool", "content": result,
                                        "tool_call_id": call.id}]
    used(litellm.completion(model=model, messages=messages, tools=offered)
         .choices[0].message.content)


main({"text": text, "stream": stream, "tools": tools}, "litellm")
