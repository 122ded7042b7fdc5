"""LangChain, with the integration that its first argument names."""
import sys

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool

from cells import (GREETING, MODEL, QUESTION, call_of, get_weather, greeted,
                   greeted_in_pieces, main, used)


def openai():
    from langchain_openai import ChatOpenAI
    return ChatOpenAI(model=MODEL)


def anthropic():
    from langchain_anthropic import ChatAnthropic
    return ChatAnthropic(model=MODEL)


def google():
    from langchain_google_genai import ChatGoogleGenerativeAI
    return ChatGoogleGenerativeAI(model=MODEL)


package, make = {
    "openai": ("langchain-openai", openai),
    "anthropic": ("langchain-anthropic", anthropic),
    "google": ("langchain-google-genai", google),
}[sys.argv[1]]
chat = make()


def text_of(message):
    text = message.text
    return text() if callable(text) else text


def text():
    greeted(text_of(chat.invoke(GREETING)))


def stream():
    greeted_in_pieces(text_of(chunk) for chunk in chat.stream(GREETING))


def tools():
    offering = chat.bind_tools([tool(get_weather)])
    messages = [HumanMessage(QUESTION)]
    first = offering.invoke(messages)
    [call] = first.tool_calls
    messages += [first, ToolMessage(call_of(call["name"], call["args"]),
                                    tool_call_id=call["id"])]
    used(text_of(offering.invoke(messages)))


main({"text": text, "stream": stream, "tools": tools}, package)
