"""google-genai; it calls the tool by itself."""
from google import genai
from google.genai import types

from cells import (GREETING, MODEL, QUESTION, get_weather, greeted,
                   greeted_in_pieces, main, used)

client = genai.Client()


def text():
    greeted(client.models.generate_content(model=MODEL, contents=GREETING)
            .text)


def stream():
    greeted_in_pieces(
        chunk.text for chunk in client.models.generate_content_stream(
            model=MODEL, contents=GREETING))


def tools():
    config = types.GenerateContentConfig(tools=[get_weather])
    used(client.models.generate_content(model=MODEL, contents=QUESTION,
                                        config=config).text)


main({"text": text, "stream": stream, "tools": tools}, "google-genai")
