"""Proof that the judge, its schemas and our tables can object.

A relay between the judge and a proxy takes one thing out of each answer or puts
another in its place; the named test must then object in the words given. The
same is done to what golden cases hold, and to the tables of exceptions.
"""
import contextlib
import dataclasses
import http.client
import http.server
import json
import threading

import golden_schemas
import nulls
from cells import CELLS, DEMO, Objection, judge
from exceptions import CellException, GoldenException
from verdicts import settle, settle_golden


# --- Changing an answer.

def without(*path):
    """Takes out a member: "choices", 0, "finish_reason"."""
    def change(value):
        for step in path[:-1]:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return
        if isinstance(value, dict):
            value.pop(path[-1], None)
    return change


def put(new, *path):
    def change(value):
        for step in path[:-1]:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return
        if isinstance(value, dict) and path[-1] in value:
            value[path[-1]] = new
    return change


def without_events(word):
    """Takes out the events of a type: None in their place."""
    return lambda value: value.get("type") == word


def changed_text(change, text):
    """A body, or the events of a stream, with `change` made to each."""
    if not text.startswith(("event:", "data:")):
        value = json.loads(text)
        change(value)
        return json.dumps(value)
    events = []
    for event in text.split("\n\n"):
        lines = event.split("\n")
        data = lines[-1].removeprefix("data: ")
        if data.startswith("{"):
            value = json.loads(data)
            if change(value):
                continue
            lines[-1] = "data: " + json.dumps(value)
        events.append("\n".join(lines))
    return "\n\n".join(events)


# --- The relay.

@contextlib.contextmanager
def relay(port, change):
    """The port of a server that hands on what it is asked, and then answers
    with what `change` makes of the answer."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            upstream.request("POST", self.path, body, dict(self.headers))
            answer = upstream.getresponse()
            text = changed_text(change, answer.read().decode()).encode()
            upstream.close()
            self.send_response(answer.status)
            self.send_header("content-type", answer.headers["content-type"])
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


# --- What is planted, and who must notice.

@dataclasses.dataclass(frozen=True)
class Fault:
    format: str
    test: str
    change: object
    kind: str
    says: str


MESSAGE = ("choices", 0, "message")
CANDIDATE = ("candidates", 0)
FAULTS = (
    Fault("openai-chat", "chat-basic-response", without("created"),
          "error", "'created' is a required property"),
    Fault("openai-chat", "chat-basic-response", without(*MESSAGE, "refusal"),
          "error", "choices.0.message: 'refusal' is a required property"),
    Fault("openai-chat", "chat-basic-response", put("resp_1", "id"),
          "warning", "response.id 'resp_1...' missing 'chatcmpl-' prefix"),
    Fault("openai-chat", "chat-tool-calling", without(*MESSAGE, "tool_calls"),
          "error", "choices[0].message.tool_calls is missing or empty"),
    Fault("openai-chat", "chat-streaming-response",
          put(None, "choices", 0, "finish_reason"),
          "error", "no streaming chunk had a finish_reason"),
    Fault("open-responses", "basic-response", without("top_p"),
          "error", "'top_p' is a required property"),
    Fault("open-responses", "basic-response", put("done", "status"),
          "error", "expected status='completed', got 'done'"),
    Fault("open-responses", "streaming-response", without("item_id"),
          "error", "'item_id' is a required property"),
    Fault("open-responses", "streaming-response", put(7, "sequence_number"),
          "error", "event 1: sequence_number 7 <= previous 7"),
    Fault("open-responses", "streaming-response",
          without_events("response.completed"),
          "error",
          "stream has no terminal event (completed/failed/incomplete)"),
    Fault("anthropic", "anth-basic-response", without("stop_details"),
          "error", "'stop_details' is a required property"),
    Fault("anthropic", "anth-thinking-display", put([{
        "type": "text", "text": "no thought", "citations": None}], "content"),
          "warning", "no thinking content block found in response.content "
          "(model may not emit thinking at current config)"),
    Fault("anthropic", "anth-streaming-response",
          without_events("message_delta"),
          "error", "missing message_delta event (carries stop_reason/usage)"),
    Fault("google-genai", "google-basic-response", without("responseId"),
          "error", "response.responseId is missing"),
    Fault("google-genai", "google-thinking",
          without("usageMetadata", "thoughtsTokenCount"),
          "warning", "usageMetadata.thoughtsTokenCount is missing or 0 "
          "(model may not report thinking tokens)"),
    Fault("google-genai", "google-streaming-usage", without("usageMetadata"),
          "error", "no streaming chunk contained usageMetadata"),
)


def noticed(fault, port):
    """None, or what was said instead."""
    cell = next(one for one in CELLS
                if one.format.name == fault.format and one.column == DEMO)
    with relay(port, fault.change) as between:
        said = judge(cell, between, fault.test).objections
    if Objection(fault.test, fault.kind, fault.says) in said:
        return None
    return f"{fault.format} {fault.test}: not {fault.says!r}, but {said}"


# What stands in golden cases: a section, what is done to it, and who objects.
PIECES = (
    ("response openai-chat", without("choices", 0, "logprobs"),
     "choices.0: 'logprobs' is a required property"),
    ("stream openai-chat", without("choices", 0, "finish_reason"),
     "choices.0: 'finish_reason' is a required property"),
    ("error openai-chat", without("error", "param"),
     "error: 'param' is a required property"),
    ("response openai-responses", without("prompt_cache_key"),
     "'prompt_cache_key' is a required property"),
    ("response openai-responses", without("parallel_tool_calls"),
     "'parallel_tool_calls' is a required property"),
    ("stream openai-responses", without("sequence_number"),
     "'sequence_number' is a required property"),
    ("stream openai-responses", put("response.nonsense", "type"),
     "no schema has an event 'response.nonsense'"),
    ("error openai-responses", without("error", "code"),
     "error: 'code' is a required property"),
    ("response claude", without("usage", "server_tool_use"),
     "usage: 'server_tool_use' is a required property"),
    ("stream claude", without("message", "container"),
     "message: 'container' is a required property"),
    ("error claude", without("request_id"),
     "'request_id' is a required property"),
    ("response bedrock", without("stop_sequence"),
     "'stop_sequence' is a required property"),
    ("stream bedrock", without("index"), "'index' is a required property"),
)


def objections_to(section, change):
    """Of all cases, with the change made to each piece of the section."""
    what, dialect = section.split()
    for path in golden_schemas.cases():
        for found, said, body in golden_schemas.sections(path):
            if (found, said) == (what, dialect):
                for reader in golden_schemas.READERS[what, dialect]:
                    for piece in reader(body, change):
                        yield from piece.objections()


def piece_noticed(section, change, says):
    if any(one.text == says for one in objections_to(section, change)):
        return None
    return f"{section}: nobody says {says!r}"


def table_noticed(verdict):
    """A row that explains nothing, and an objection without a row."""
    cell = CELLS[0]
    needless = CellException(
        cell.format.name, (cell.column,),
        dataclasses.replace(verdict.objections[0], text="never said"), "none")
    unexplained, unused = settle(cell, verdict, (needless,))
    if set(unexplained) == set(verdict.objections) and unused == [needless]:
        return None
    return f"the tables of exceptions hide {unexplained} or {unused}"


def null_noticed():
    """`error` must be there, if only as null; `extra` need not be."""
    path = next(path for path in golden_schemas.cases()
                if path.stem == "call_without_a_name")
    what, dialect, body = next(
        one for one in nulls.own_sections(path)
        if one[:2] == ("response", "openai-responses"))
    read = golden_schemas.READERS[what, dialect][0]
    piece = next(read(body, lambda value: value.update(extra=None)))
    if nulls.requires(piece, ("error",)) and not nulls.requires(
            piece, ("extra",)) and ("extra",) in nulls.places(piece.value):
        return None
    return "a null that nobody requires is not noticed"


def golden_table_noticed():
    said = golden_schemas.Objection("stream claude", "ErrorResponse", "wrong")
    rows = [GoldenException(("stream claude",), "ErrorResponse", "wrong", "",
                            ("one", "two")),
            GoldenException(("stream claude",), "ErrorResponse", "right", "")]
    unexplained, unused = settle_golden([("one", said), ("three", said)], rows)
    if (unexplained == [("three", said)]
            and unused == [(rows[0], "two"), (rows[1], "any")]):
        return None
    return f"the table of golden cases hides {unexplained} or {unused}"
