"""Drives the `google-genai` package."""

from google import genai
from google.genai import errors, types

from jobs import answer, call, serve


class Models:
    """models.generate_content and .generate_content_stream."""

    stops = {"STOP": "end", "MAX_TOKENS": "length", "SAFETY": "filter"}

    def __init__(self, url):
        # The models alone do not keep their client open.
        self.client = genai.Client(
            api_key="client-key",
            http_options={"base_url": url, "retry_options": {"attempts": 1}},
        )

    def create(self, body):
        return self.read(
            [self.client.models.generate_content(**parameters(body))]
        )

    def stream(self, body):
        return self.read(
            self.client.models.generate_content_stream(**parameters(body))
        )

    def parse(self, body, shape):
        asked = parameters(body)
        asked["config"] |= {
            "response_mime_type": "application/json",
            "response_schema": shape,
        }
        response = self.client.models.generate_content(**asked)
        reply, content = self.read([response])
        return {**reply, "parsed": response.parsed.model_dump()}, content

    def read(self, chunks):
        parts, reason, usage, model = [], None, None, None
        for chunk in chunks:
            [candidate] = chunk.candidates
            parts += candidate.content.parts or []
            reason = candidate.finish_reason or reason
            usage = chunk.usage_metadata or usage
            model = chunk.model_version
        calls = [
            call(one.id, one.name, one.args)
            for one in (part.function_call for part in parts)
            if one
        ]
        thought = usage.thoughts_token_count or 0
        reply = answer(
            "".join(part.text or "" for part in parts if not part.thought),
            calls,
            "tool" if calls else self.stops[reason.value],
            (
                usage.prompt_token_count,
                usage.cached_content_token_count or 0,
                usage.candidates_token_count + thought,
            ),
            model=model,
        )
        return reply, types.Content(role="model", parts=parts)

    def append(self, body, content, results):
        names = {
            part.function_call.id: part.function_call.name
            for part in content.parts
            if part.function_call
        }
        parts = [
            types.Part(
                function_response=types.FunctionResponse(
                    id=result["id"],
                    name=names[result["id"]],
                    response={"output": result["text"]},
                )
            )
            for result in results
        ]
        body["contents"] += [content, types.Content(role="user", parts=parts)]


def parameters(body):
    """The body of the API as what the SDK takes."""
    rest = dict(body)
    model, contents = rest.pop("model"), rest.pop("contents")
    config = {**rest.pop("generationConfig", {}), **rest}
    return {"model": model, "contents": contents, "config": config}


def read_error(error):
    if isinstance(error, errors.APIError):
        return error.code, error.message
    return None, str(error)


serve(f"google-genai {genai.__version__}", {"models": Models}, read_error)
