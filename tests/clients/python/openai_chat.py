"""openai, by Chat Completions."""
import json

from openai import OpenAI

from cells import (GREETING, MODEL, QUESTION, TOOL, call_of, greeted,
                   greeted_in_pieces, main, same, used)

client = OpenAI()


def said(text):
    return [{"role": "user", "content": text}]


def ask(messages, **rest):
    return client.chat.completions.create(model=MODEL, messages=messages,
                                          **rest)


def text():
    greeted(ask(said(GREETING)).choices[0].message.content)


def stream():
    greeted_in_pieces(chunk.choices[0].delta.content
                      for chunk in ask(said(GREETING), stream=True)
                      if chunk.choices)


def tools():
    offered = [{"type": "function", "function": TOOL}]
    messages = said(QUESTION)
    choice = ask(messages, tools=offered).choices[0]
    same(choice.finish_reason, "tool_calls")
    [call] = choice.message.tool_calls
    result = call_of(call.function.name, json.loads(call.function.arguments))
    messages += [choice.message, {"role": "tool", "tool_call_id": call.id,
                                  "content": result}]
    used(ask(messages, tools=offered).choices[0].message.content)


main({"text": text, "stream": stream, "tools": tools}, "openai")
