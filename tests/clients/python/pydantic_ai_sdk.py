"""Pydantic AI, with the provider that its first argument names."""
import sys

from pydantic_ai import Agent

from cells import (GREETING, MODEL, QUESTION, get_weather, greeted,
                   greeted_in_pieces, main, used)

model = f"{sys.argv[1]}:{MODEL}"


async def text():
    greeted((await Agent(model).run(GREETING)).output)


async def stream():
    pieces = []
    async with Agent(model).run_stream(GREETING) as answer:
        async for piece in answer.stream_text(delta=True, debounce_by=None):
            pieces.append(piece)
    greeted_in_pieces(pieces)


async def tools():
    agent = Agent(model, tools=[get_weather])
    used((await agent.run(QUESTION)).output)


main({"text": text, "stream": stream, "tools": tools}, "pydantic-ai-slim")
