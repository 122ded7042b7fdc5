"""What the programs here have in common: one client each, three cells.

A program makes its client as `llm-proxy env` says, asks the demo in three
ways, and prints a line of JSON for each cell. A cell is a function without
arguments, plain or async, that raises when something is wrong.
"""
import asyncio
import importlib.metadata
import inspect
import json
import os
import sys
import traceback

MODEL = "demo"
GREETING = "Greet Z\u00fcrich \U0001f600!"
QUESTION = "What is the weather in Oslo?"
RESULT = "12 degrees and rain"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}
TOOL = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": SCHEMA,
}

called = []


def get_weather(city: str) -> str:
    """The weather in a city."""
    called.append(city)
    return RESULT


def same(one, other):
    assert one == other, f"{one!r} is not {other!r}"


def greeted(text):
    """The demo repeats what it was told."""
    assert "Z\u00fcrich \U0001f600" in (text or ""), f"not repeated: {text!r}"


def greeted_in_pieces(pieces):
    pieces = [piece for piece in pieces if piece]
    assert len(pieces) > 1, f"not streamed: {pieces!r}"
    greeted("".join(pieces))


def used(text):
    """The tool was called for Oslo, and the answer tells its result."""
    same(called, ["Oslo"])
    assert RESULT in (text or ""), f"result not used: {text!r}"


def call_of(name, arguments):
    """Calls what the model named."""
    same(name, "get_weather")
    return get_weather(**arguments)


def snippet():
    """What `llm-proxy env` printed for this client."""
    return os.environ["LLMPROXY_SETTINGS"]


def main(cells, *packages):
    # One for all cells: clients keep what belongs to a loop.
    loop = asyncio.Runner()
    for name, body in cells.items():
        called.clear()
        error = None
        try:
            done = body()
            if inspect.isawaitable(done):
                loop.run(done)
        except BaseException as failure:  # a cell may even exit
            error = "".join(traceback.format_exception(failure))
        print(json.dumps({"cell": name, "error": error}), flush=True)
    versions = [f"{name} {importlib.metadata.version(name)}"
                for name in packages]
    print(json.dumps({"versions": versions}), flush=True)
    # Threads of a client may not keep its process.
    sys.stdout.flush()
    os._exit(0)
