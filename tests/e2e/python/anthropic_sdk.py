"""Drives the `anthropic` package."""

import anthropic

import claude
from jobs import serve


class Messages:
    """messages.create, .stream and .parse."""

    append = staticmethod(claude.append)

    def __init__(self, url):
        client = anthropic.Anthropic(
            api_key="client-key", base_url=url, max_retries=0
        )
        self.messages = client.messages

    def create(self, body):
        return read(self.messages.create(**body))

    def stream(self, body):
        with self.messages.create(stream=True, **body) as events:
            return claude.read_events(event.to_dict() for event in events)

    def helper(self, body):
        with self.messages.stream(**body) as stream:
            text = "".join(stream.text_stream)
            message = stream.get_final_message()
        reply, content = read(message)
        assert reply["text"] == text, text
        return reply, content

    def parse(self, body, shape):
        return parsed(self.messages.parse(output_format=shape, **body))

    def parse_stream(self, body, shape):
        with self.messages.stream(output_format=shape, **body) as stream:
            return parsed(stream.get_final_message())


def read(message):
    # The history holds the SDK's own objects, as programs have it.
    return claude.read(message.to_dict())[0], message.content


def parsed(message):
    reply, content = read(message)
    return {**reply, "parsed": message.parsed_output.model_dump()}, content


def read_error(error):
    if isinstance(error, anthropic.APIStatusError):
        return error.status_code, error.body["error"]["message"]
    return None, str(error)


serve(f"anthropic {anthropic.__version__}", {"messages": Messages}, read_error)
