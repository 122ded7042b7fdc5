"""OpenAI Agents SDK, by Responses."""
from agents import Agent, Runner, function_tool

from cells import (GREETING, MODEL, QUESTION, get_weather, greeted,
                   greeted_in_pieces, main, used)


def agent(**rest):
    return Agent(name="clerk", instructions="Be brief.", model=MODEL, **rest)


async def text():
    greeted((await Runner.run(agent(), GREETING)).final_output)


async def stream():
    run = Runner.run_streamed(agent(), GREETING)
    greeted_in_pieces([
        event.data.delta async for event in run.stream_events()
        if event.type == "raw_response_event" and
        event.data.type == "response.output_text.delta"])


async def tools():
    offered = [function_tool(get_weather)]
    used((await Runner.run(agent(tools=offered), QUESTION)).final_output)


main({"text": text, "stream": stream, "tools": tools}, "openai-agents")
