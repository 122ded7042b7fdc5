"""Drives the `openai` package: Chat Completions and Responses."""

import json

import openai

from jobs import answer, call, serve


def client(url):
    return openai.OpenAI(
        api_key="client-key", base_url=f"{url}/v1", max_retries=0
    )


class Chat:
    """chat.completions.create, .stream and .parse."""

    stops = {
        "stop": "end",
        "tool_calls": "tool",
        "length": "length",
        "content_filter": "filter",
    }
    usage = {"stream_options": {"include_usage": True}}

    def __init__(self, url):
        self.completions = client(url).chat.completions

    def create(self, body):
        return self.read(self.completions.create(**body))

    def stream(self, body):
        text, calls, stop, usage, model = "", {}, None, None, None
        chunks = self.completions.create(stream=True, **self.usage, **body)
        for chunk in chunks:
            model = chunk.model
            usage = chunk.usage or usage
            for choice in chunk.choices:
                text += choice.delta.content or ""
                stop = choice.finish_reason or stop
                for delta in choice.delta.tool_calls or []:
                    one = calls.setdefault(delta.index, ["", "", ""])
                    one[0] += delta.id or ""
                    one[1] += delta.function.name or ""
                    one[2] += delta.function.arguments or ""
        message = {"role": "assistant", "content": text or None}
        if calls:
            message["tool_calls"] = [
                {
                    "type": "function",
                    "id": id,
                    "function": {"name": name, "arguments": arguments},
                }
                for id, name, arguments in calls.values()
            ]
        return self.neutral(text, calls.values(), stop, usage, model), message

    def helper(self, body):
        # It takes no others, for it would parse their arguments.
        for tool in body.get("tools", []):
            tool["function"]["strict"] = True
        text = ""
        with self.completions.stream(**self.usage, **body) as stream:
            for event in stream:
                if event.type == "content.delta":
                    text += event.delta
            reply, message = self.read(stream.get_final_completion())
        assert reply["text"] == text, text
        return reply, message

    def parse(self, body, shape):
        return self.parsed(
            self.completions.parse(response_format=shape, **body)
        )

    def parse_stream(self, body, shape):
        with self.completions.stream(
            response_format=shape, **self.usage, **body
        ) as stream:
            return self.parsed(stream.get_final_completion())

    def neutral(self, text, calls, stop, usage, model):
        cached = usage.prompt_tokens_details.cached_tokens
        return answer(
            text,
            [call(id, name, json.loads(args)) for id, name, args in calls],
            self.stops[stop],
            (usage.prompt_tokens, cached, usage.completion_tokens),
            model=model,
        )

    def read(self, completion):
        [choice] = completion.choices
        calls = [
            (one.id, one.function.name, one.function.arguments)
            for one in choice.message.tool_calls or []
        ]
        reply = self.neutral(
            choice.message.content or "",
            calls,
            choice.finish_reason,
            completion.usage,
            completion.model,
        )
        return reply, choice.message

    def parsed(self, completion):
        reply, message = self.read(completion)
        return {**reply, "parsed": message.parsed.model_dump()}, message

    def append(self, body, message, results):
        body["messages"].append(message)
        for result in results:
            body["messages"].append({
                "role": "tool",
                "tool_call_id": result["id"],
                "content": result["text"],
            })


class Responses:
    """responses.create, .stream and .parse."""

    reasons = {"max_output_tokens": "length", "content_filter": "filter"}

    def __init__(self, url):
        self.responses = client(url).responses

    def create(self, body):
        return self.read(self.responses.create(**body))

    def stream(self, body):
        text, last = "", None
        for event in self.responses.create(stream=True, **body):
            if event.type == "response.output_text.delta":
                text += event.delta
            elif event.type in ("response.completed", "response.incomplete"):
                last = event.response
        reply, output = self.read(last)
        assert reply["text"] == text, text
        return reply, output

    def helper(self, body):
        with self.responses.stream(**body) as stream:
            return self.read(stream.get_final_response())

    def parse(self, body, shape):
        return self.parsed(self.responses.parse(text_format=shape, **body))

    def parse_stream(self, body, shape):
        with self.responses.stream(text_format=shape, **body) as stream:
            return self.parsed(stream.get_final_response())

    def read(self, response):
        calls = [
            call(item.call_id, item.name, json.loads(item.arguments))
            for item in response.output
            if item.type == "function_call"
        ]
        if response.status == "completed":
            stop = "tool" if calls else "end"
        else:
            stop = self.reasons[response.incomplete_details.reason]
        usage = response.usage
        cached = usage.input_tokens_details.cached_tokens
        reply = answer(
            response.output_text,
            calls,
            stop,
            (usage.input_tokens, cached, usage.output_tokens),
            model=response.model,
        )
        return reply, response.output

    def parsed(self, response):
        reply, output = self.read(response)
        return {**reply, "parsed": response.output_parsed.model_dump()}, output

    def append(self, body, output, results):
        body["input"] += output
        for result in results:
            body["input"].append({
                "type": "function_call_output",
                "call_id": result["id"],
                "output": result["text"],
            })


def read_error(error):
    if isinstance(error, openai.APIStatusError):
        return error.status_code, error.body["message"]
    return None, str(error)


serve(
    f"openai {openai.__version__}",
    {"chat": Chat, "responses": Responses},
    read_error,
)
