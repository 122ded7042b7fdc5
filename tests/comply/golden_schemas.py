"""Holds what we write against the schemas of those whose APIs they are.

The judge brings these schemas along: OpenAI's own, that of Open Responses and
Anthropic's. What we write stands in the golden cases: bodies, events of streams
and errors for clients of each dialect. A case is looked at as it stands in the
repository; that the library writes the same is what golden_test says.
"""
import contextlib
import dataclasses
import functools
import json
import pathlib
import re

from llm_comply import schema

SPECS = pathlib.Path(schema.__file__).parent / "specs"
GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden"
FOLDERS = ("response", "stream", "error", "pairs")
RULE = re.compile(
    r"--- (given|expect|options)(?: (\S+))?(?: ([^\s<]+))?(?: < (\S+))?\n")


class Schemas:
    """One bundled file of schemas, as the judge itself reads it."""

    def __init__(self, file, events=""):
        self.loader = schema.SpecLoader(str(SPECS / file))
        # Which schema an event has: the judge's own table has some names that
        # its schemas do not have, and not all that they have.
        self.events = {
            word: name for name in self.loader.schema_names
            if re.fullmatch(events, name)
            for word in words_of(self.loader.get_schema(name))}

    def objections(self, name, value):
        """Each says where and what, in the words of the judge."""
        return self.loader.validate(value, name)


def words_of(definition):
    """What `type` of such an object may be."""
    kind = definition.get("properties", {}).get("type", {})
    return kind.get("enum") or [kind["const"]] if kind else []


@functools.cache
def openai():
    return Schemas("openai_chat.json", r"Response\w+Event")


@functools.cache
def open_responses():
    return Schemas("openresponses.json", r"\w+StreamingEvent")


@functools.cache
def anthropic():
    return Schemas("anthropic.json",
                   r"(Message|ContentBlock)(Start|Delta|Stop)Event")


@dataclasses.dataclass(frozen=True)
class Objection:
    section: str  # "stream claude"
    schema: str
    text: str


@dataclasses.dataclass(frozen=True)
class Piece:
    """One thing that is written, and what its schema is called."""
    section: str
    schemas: Schemas
    name: str  # of the schema; empty: there is none
    value: object

    def objections(self):
        said = (self.schemas.objections(self.name, self.value) if self.name
                else [f"no schema has an event '{self.value.get('type')}'"])
        return [Objection(self.section, self.name, text) for text in said]


def unchanged(_):
    """What is done to a piece before it is looked at; planted.py does more."""


def events_of(body):
    """The events of a stream as golden cases have it: their JSON."""
    # Not splitlines(): JSON may hold what that takes for ends of lines.
    for line in body.split("\n"):
        line = line.removesuffix("\r")
        for start in ("data: ", "data:", "event chunk "):
            if line.startswith(start + "{"):
                yield json.loads(line[len(start):])
                break


def whole(section, schemas, name):
    def pieces(body, change=unchanged):
        value = json.loads(body)
        change(value)
        yield Piece(section, schemas(), name, value)
    return pieces


def failure(section, schemas, name):
    """`status N`, and then the body."""
    read = whole(section, schemas, name)
    return lambda body, change=unchanged: read(body.partition("\n")[2], change)


def stream(section, schemas, error, chunk=""):
    """Events that say what they are, or else are all a `chunk`."""
    def pieces(body, change=unchanged):
        for event in events_of(body):
            change(event)
            name = schemas().events.get(event.get("type"), chunk)
            if "error" in event and event.get("type") in (None, "error"):
                name = error
            yield Piece(section, schemas(), name, event)
    return pieces


# Who reads what, by what it is and for whom: for each of the bundled schemas
# that say something of it. Nothing is bundled for Gemini, nor for Converse and
# for the errors of Amazon's.
READERS = {tuple(section.split()):
           [make(section, *rest) for make, *rest in makers]
           for section, *makers in (
    ("response openai-chat", (whole, openai, "CreateChatCompletionResponse")),
    ("stream openai-chat", (stream, openai, "ErrorResponse",
                            "CreateChatCompletionStreamResponse")),
    ("error openai-chat", (failure, openai, "ErrorResponse")),
    ("response openai-responses", (whole, open_responses, "ResponseResource"),
     (whole, openai, "Response")),
    ("stream openai-responses",
     (stream, open_responses, "ErrorStreamingEvent"),
     (stream, openai, "ResponseErrorEvent")),
    ("error openai-responses", (failure, openai, "ErrorResponse")),
    ("response claude", (whole, anthropic, "Message")),
    ("stream claude", (stream, anthropic, "ErrorResponse")),
    ("error claude", (failure, anthropic, "ErrorResponse")),
    # A Claude model at Amazon's: Anthropic's bodies and events.
    ("response bedrock", (whole, anthropic, "Message")),
    ("stream bedrock", (stream, anthropic, "ErrorResponse")),
)}
FAMILY = {"bedrock": "claude"}


def sections(path, kind="expect"):
    """(what, dialect, body) of those sections that somebody reads."""
    text = path.read_text("utf-8", errors="replace")
    rules = list(RULE.finditer(text))
    for rule, after in zip(rules, [*rules[1:], None]):
        said, what, dialect, file = rule.groups()
        if said == kind and (what, dialect) in READERS:
            body = text[rule.end():after.start() if after else len(text)]
            yield what, dialect, ((path.parent / file).read_text(
                "utf-8", errors="replace") if file else body)


def cases():
    for folder in FOLDERS:
        yield from sorted((GOLDEN / folder).rglob("*.case"))


def passed_on(path):
    """What is objected to in the upstream's own words: {(what, family, text)}.
    A client of the same dialect gets them as they came."""
    found = set()
    for what, dialect, body in sections(path, "given"):
        for reader in READERS[what, dialect]:
            with contextlib.suppress(json.JSONDecodeError, AttributeError):
                for piece in reader(body):
                    found |= {(what, FAMILY.get(dialect, dialect), one.text)
                              for one in piece.objections()}
    return found


def check(path):
    """(pieces looked at, [Objection])."""
    seen, found, theirs = 0, [], passed_on(path)
    for what, dialect, body in sections(path):
        family = FAMILY.get(dialect, dialect)
        for reader in READERS[what, dialect]:
            for piece in reader(body):
                seen += 1
                found += [one for one in piece.objections()
                          if (what, family, one.text) not in theirs]
    return seen, found
