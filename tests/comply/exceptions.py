"""Where the judge, or a schema that it brings along, is wrong.

A row of CELLS is one objection to one test, word for word, in the columns
named. A row of GOLDEN is one kind of objection to one kind of section; `cases`
names the cases that it is for, and without them the text is the whole of what
is said, so that nothing else hides behind it. A row that explains nothing
(CELLS: in one of its columns; GOLDEN: in one of its cases) is a failure.
"""
import dataclasses
import re

from cells import BARE, COLUMNS, Objection


@dataclasses.dataclass(frozen=True)
class CellException:
    format: str
    columns: tuple
    objection: Objection
    reason: str


def skipped(form, test, text):
    return CellException(
        form, (BARE,), Objection(test, "skipped", text),
        "the judge leaves this out for models with the name \"demo\"; the "
        "other columns have names with which it does not")


def compact(text):
    return CellException(
        "open-responses", COLUMNS,
        Objection("compact-response", "warning", text),
        "there is no /responses/compact here and the answer is 404, which the "
        "test takes; it then looks for a compacted answer in the error's body")


def uncounted(form, test, text):
    return CellException(
        form, ("bedrock-converse",), Objection(test, "warning", text),
        "Converse does not say how many tokens were thinking")


O_SERIES = "reasoning requires o-series or gpt-5 models"

CELLS = (
    skipped("openai-chat", "chat-reasoning-summary", O_SERIES),
    skipped("open-responses", "reasoning-summary", O_SERIES),
    skipped("anthropic", "anth-thinking-display",
            "extended thinking requires claude-3.5-sonnet or later"),
    compact("response.output is missing or empty"),
    compact("expected object containing 'compact', got ''"),
    compact("no output item with type='compaction' (found: [])"),
    uncounted("openai-chat", "chat-reasoning-summary",
              "usage.completion_tokens_details.reasoning_tokens is 0 "
              "(model may not support reasoning)"),
    uncounted("google-genai", "google-thinking",
              "usageMetadata.thoughtsTokenCount is missing or 0 "
              "(model may not report thinking tokens)"),
)


@dataclasses.dataclass(frozen=True)
class GoldenException:
    sections: tuple
    schema: str  # a pattern
    text: str    # a pattern
    reason: str
    cases: tuple = ()

    def explains(self, case, objection):
        return (objection.section in self.sections
                and (not self.cases or case in self.cases)
                and re.fullmatch(self.schema, objection.schema)
                and re.fullmatch(self.text, objection.text))


RESPONSES = ("response openai-responses", "stream openai-responses")
CHAT = ("response openai-chat", "stream openai-chat")
# OpenAI's own schemas of answers, and those of Open Responses.
OPENAI, OPEN = r"Response(\w+Event)?", r"Response(Resource|\w+StreamingEvent)"
BOTH = rf"{OPENAI}|{OPEN}"

NULLABLE = ("the schema says `nullable` beside a list of words, which means "
            "that null may stand there too; the judge takes it for a word that "
            "is not in the list")
OLDER = "OpenAI's schemas in the judge are of early 2025, and older than "
FUNCTIONS_ONLY = ("Open Responses has no tools but functions, and OpenAI's "
                  "schemas in the judge are older than ")
NAMESPACE = ("openai_responses_to_client_call_without_arguments",
             "openai_responses_to_client_cut_in_a_call",
             "openai_responses_to_client_cut_off",
             "openai_responses_to_client_error_in_the_middle",
             "openai_responses_to_client_of_chat",
             "openai_responses_to_client_of_claude",
             "openai_responses_to_client_refused")
CUSTOM = ("custom_tool_unwrapped", "custom_tool_wrapped_otherwise",
          "openai_responses_custom_tool",
          "openai_responses_to_client_of_claude")


def item(kind):
    """Somewhere an object of that type is none that the schema lists."""
    return (rf"[a-z0-9_.]+: \{{[^{{}}]*'type': '{kind}'.*\}} is not valid "
            "under any of the given schemas")


USER = ("OpenAI answers with null where no user was named (the captures among "
        "our cases have it)")

GOLDEN = (
    GoldenException(
        CHAT, "CreateChatCompletionStreamResponse",
        r"choices\.0\.finish_reason: None is not one of \['stop', 'length', "
        r"'tool_calls', 'content_filter', 'function_call'\]", NULLABLE),
    GoldenException(
        RESPONSES, OPENAI,
        r"(response\.)?reasoning\.(summary: None is not one of \['auto', "
        r"'concise', 'detailed'\]|effort: None is not one of \['low', "
        r"'medium', 'high'\])", NULLABLE),
    GoldenException(
        RESPONSES, OPENAI, r"(response\.)?user: None is not of type 'string'",
        USER),
    GoldenException(
        RESPONSES, "none",
        r"(response\.)?user is null, and no schema requires it",
        USER),
    GoldenException(
        CHAT, "none",
        r"choices\.\*\.logprobs is null, and no schema requires it",
        "OpenAI writes it into each piece of a stream, as its schema requires "
        "of whole answers"),
    GoldenException(
        RESPONSES, r"Response(Created|InProgress|Failed)Event",
        r"response\.usage: None is not of type 'object'",
        "OpenAI writes null until it is known, and Open Responses requires it"),
    GoldenException(
        RESPONSES, "",
        "no schema has an event 'keepalive'",
        "OpenAI sends it while nothing else is to be said, and has no schema "
        "for it",
        ("openai_responses_to_client_ping", "stream_calls_of_bedrock",
         "stream_calls_of_claude")),
    GoldenException(
        ("stream claude",), "", "no schema has an event 'ping'",
        "Anthropic documents it, and has no schema for it",
        ("openai_responses_events_of_tomorrow",)),
    GoldenException(
        ("error claude",), "ErrorResponse",
        r"error: \{'type': 'request_too_large', 'message': '[^']*'\} is not "
        "valid under any of the given schemas",
        "Anthropic documents this word for status 413, and its schema has it "
        "not", ("claude_too_large",)),
    GoldenException(
        CHAT, "CreateChatCompletionResponse",
        r"service_tier: 'priority' is not one of \['auto', 'default', 'flex'\]",
        OLDER + "this tier", ("converse_rich",)),
    GoldenException(
        CHAT, r"CreateChatCompletion(Stream)?Response",
        r"choices\.0\.(delta|message)\.tool_calls\.\d+"
        r"(\.type: 'custom' is not one of \['function'\]|"
        r": 'function' is a required property)",
        OLDER + "calls of custom tools", CUSTOM),
    GoldenException(
        RESPONSES, "", r"no schema has an event "
        r"'response\.custom_tool_call_input\.(delta|done)'",
        FUNCTIONS_ONLY + "calls of custom tools", CUSTOM[-1:]),
    GoldenException(
        RESPONSES, BOTH, item("custom_tool_call"),
        FUNCTIONS_ONLY + "calls of custom tools", CUSTOM[-1:]),
    GoldenException(
        RESPONSES, BOTH, item("custom"),
        FUNCTIONS_ONLY + "custom tools",
        ("openai_responses_to_client_fills_its_echo",)),
    GoldenException(
        RESPONSES, BOTH, item("namespace"),
        FUNCTIONS_ONLY + "namespaces of tools", NAMESPACE),
    GoldenException(
        RESPONSES, BOTH, item("image_generation_call"),
        FUNCTIONS_ONLY + "its pictures", ("gemini_image",)),
    GoldenException(
        RESPONSES, "ResponseResource|Response",
        r"text\.format: \{'type': 'json_schema', .*'description': None, "
        r"'strict': False\} is not valid under any of the given schemas",
        "Open Responses requires a description, if only null, and a schema "
        "that is always null; OpenAI takes no null here",
        ("openai_responses_to_client_fills_its_echo",)),
)
