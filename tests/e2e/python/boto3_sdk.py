"""Drives boto3's bedrock-runtime: Converse, and InvokeModel for Claude."""

import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

import claude
from jobs import answer, call, serve


def client(url):
    return boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="client-key",
        config=Config(retries={"total_max_attempts": 1}),
    )


class Converse:
    """converse and converse_stream."""

    stops = {**claude.STOPS, "content_filtered": "filter"}

    def __init__(self, url):
        self.client = client(url)

    def create(self, body):
        reply = self.client.converse(**body)
        return self.read(
            reply["output"]["message"], reply["stopReason"], reply["usage"]
        )

    def stream(self, body):
        message, stop, usage = {"content": []}, None, None
        json_of = {}
        for event in self.client.converse_stream(**body)["stream"]:
            [(kind, data)] = event.items()
            if kind == "messageStart":
                message["role"] = data["role"]
            elif kind == "contentBlockStart":
                message["content"].append(data["start"])
            elif kind == "contentBlockDelta":
                self.add(message["content"], json_of, data)
            elif kind == "messageStop":
                stop = data["stopReason"]
            elif kind == "metadata":
                usage = data["usage"]
        for index, text in json_of.items():
            tool = message["content"][index]["toolUse"]
            tool["input"] = json.loads(text or "{}")
        return self.read(message, stop, usage)

    @staticmethod
    def add(content, json_of, data):
        index, delta = data["contentBlockIndex"], data["delta"]
        if "text" in delta:
            # Blocks of text have no start.
            if index == len(content):
                content.append({"text": ""})
            content[index]["text"] += delta["text"]
        elif "toolUse" in delta:
            part = json_of.get(index, "") + delta["toolUse"]["input"]
            json_of[index] = part

    def read(self, message, stop, usage):
        content = message["content"]
        calls = [
            call(one["toolUseId"], one["name"], one["input"])
            for one in (block.get("toolUse") for block in content)
            if one
        ]
        cached = usage.get("cacheReadInputTokens", 0)
        written = usage.get("cacheWriteInputTokens", 0)
        reply = answer(
            "".join(block.get("text", "") for block in content),
            calls,
            self.stops[stop],
            (
                usage["inputTokens"] + cached + written,
                cached,
                usage["outputTokens"],
            ),
        )
        return reply, message

    def append(self, body, message, results):
        content = [
            {
                "toolResult": {
                    "toolUseId": result["id"],
                    "content": [{"text": result["text"]}],
                }
            }
            for result in results
        ]
        body["messages"] += [message, {"role": "user", "content": content}]


class Invoke:
    """invoke_model and invoke_model_with_response_stream."""

    append = staticmethod(claude.append)

    def __init__(self, url):
        self.client = client(url)

    def create(self, body):
        reply = self.client.invoke_model(**self.parameters(body))
        return claude.read(json.load(reply["body"]))

    def stream(self, body):
        reply = self.client.invoke_model_with_response_stream(
            **self.parameters(body)
        )
        return claude.read_events(
            json.loads(event["chunk"]["bytes"]) for event in reply["body"]
        )

    @staticmethod
    def parameters(body):
        rest = {**body, "anthropic_version": "bedrock-2023-05-31"}
        return {"modelId": rest.pop("model"), "body": json.dumps(rest)}


def read_error(error):
    if isinstance(error, ClientError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return status, error.response["Error"]["Message"]
    return None, str(error)


serve(
    f"boto3 {boto3.__version__}",
    {"converse": Converse, "invoke": Invoke},
    read_error,
)
