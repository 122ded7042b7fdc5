"""LlamaIndex, by the lines that `llm-proxy env` prints."""
from llama_index.core.agent.workflow import FunctionAgent

from cells import (GREETING, QUESTION, get_weather, greeted,
                   greeted_in_pieces, main, snippet, used)

made = {}
exec(compile(snippet(), "llm-proxy env llamaindex", "exec"), made)
llm = made["llm"]


def text():
    greeted(llm.complete(GREETING).text)


def stream():
    greeted_in_pieces(piece.delta for piece in llm.stream_complete(GREETING))


async def tools():
    agent = FunctionAgent(tools=[get_weather], llm=llm)
    used(str(await agent.run(QUESTION)))


main({"text": text, "stream": stream, "tools": tools},
     "llama-index-core", "llama-index-llms-openai-like")
