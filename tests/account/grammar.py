"""What values a field takes, so that a canary in it is still one of its words.

A canary is a token that stands nowhere else ("q00017z"): letters and digits
only, so that it may be a name of a tool or a call's id. Numbers are canaries
where their range allows for enough of them; the rest ("word") is accounted for
by what it changes, as enums are.
"""
import base64
import json
import re

TOKEN = re.compile(r'q\d{5}z')
PNG = bytes.fromhex('89504e470d0a1a0a')
PDF = b'%PDF-1.4\n'
WAV = b'RIFF\x24\x00\x00\x00WAVEfmt '


class Word:
    """A value that is no canary: small numbers, constants."""

    def __init__(self, value):
        self.value = value


def b64(data):
    return base64.b64encode(data).decode()


def text(m):
    return m.token()


def constant(value):
    return lambda m: value


def bytes_of(head):
    """Base64 of something that begins as that kind of file does."""
    # Padded to whole groups, so that the token stands alone in the base64.
    return lambda m: b64(head + b' ' * (-len(head) % 3) + m.token().encode() + b'  ')


def url(m):
    return 'https://example.com/' + m.token()


def data_url(kind, head):
    make = bytes_of(head)
    return lambda m: 'data:%s;base64,%s' % (kind, make(m))


def arguments(m):
    return json.dumps({m.token(): m.token()})


def free(m):
    return {m.token(): m.token(), m.token(): [m.number(), {m.token(): True}]}


def flat(m):
    return {m.token(): m.token()}


def schema(m):
    name = m.token()
    return {'type': 'object', 'description': m.token(),
            'properties': {name: {'type': 'string', 'description': m.token()}},
            'required': [name], 'additionalProperties': False}


def function_ref(m):
    return {'type': 'function', 'name': m.token()}


def chat_function_ref(m):
    return {'type': 'function', 'function': {'name': m.token()}}


def real(low):
    """A number between low and 1."""
    return lambda m: m.real(low)


def integer(low, step=1):
    return lambda m: m.integer(low, step)


def power(m):
    """Counts are added up: no two sums of these are the same."""
    return m.power()


def word(value):
    return lambda m: Word(value)


# (where, what), the first that fits. Where: "<dialect>/<noun>:<path>", the path
# with "*" for every index and name.
GRAMMAR = [
    # Shared words.
    (r'/model$', text),
    (r'(input_schema|parametersJsonSchema|responseJsonSchema|inputSchema/json|outputSchema/json)$', schema),
    (r'openai-responses/.*tools/\*/(parameters|output_schema|input_schema)$', schema),
    (r'openai-chat/.*(function|functions/\*)/parameters$', schema),
    (r'(json_schema|format)/schema$', schema),
    (r'output_config/format/schema$', schema),
    (r'claude.*/allowed_callers/\*$', text),
    (r'structure/jsonSchema/schema$', lambda m: json.dumps(schema(m))),
    (r'(/|_)temperature$', real(0.3)),
    (r'/(top_p|topP)$', real(0.6)),
    (r'/(top_k|topK)$', integer(101)),
    (r'penalty$|Penalty$', real(0.1)),
    (r'/seed$', integer(71000)),
    (r'/(max_tokens|max_completion_tokens|max_output_tokens|maxOutputTokens|maxTokens)$', integer(50001)),
    (r'/(budget_tokens|thinkingBudget)$', integer(9001)),
    (r'/(top_logprobs)$', word(7)),
    (r'generationConfig/logprobs$', word(7)),
    (r'/n$|/candidateCount$', word(1)),
    (r'/ttl$', word('1h')),
    (r'outputConfig/effort$', word('high')),
    (r'openai-chat/answer:/choices/\*/index$', word(0)),
    (r'openai-chat/answer:/choices/\*/finish_reason$', word('stop')),
    (r'/answer:/(created|created_at|completed_at)$', word(1700000000)),
    # Media.
    (r'image_url/url$', data_url('image/png', PNG)),
    (r'openai-responses/.*/image_url$', data_url('image/png', PNG)),
    (r'openai-chat/.*file/file_data$', data_url('application/pdf', PDF)),
    (r'openai-responses/.*/file_data$', data_url('application/pdf', PDF)),
    (r'/file_url$|server_url$|/url$|/uri$|Uri$', url),
    (r'input_audio/data$', bytes_of(WAV)),
    (r'claude/.*source/data$', bytes_of(PNG)),
    (r'claude/.*/data$', bytes_of(b'red')),
    (r'inlineData/mimeType$', constant('image/png')),
    (r'inlineData/data$', bytes_of(PNG)),
    (r'fileData/mimeType$', constant('application/pdf')),
    (r'mimeType$|mime_type$', constant('image/png')),
    (r'/(image|video|audio)/source/bytes$', bytes_of(PNG)),
    (r'/document/source/bytes$', bytes_of(PDF)),
    (r'/(encrypted_content|signature|thoughtSignature|redactedContent|result)$', bytes_of(b'sig')),
    # Calls.
    (r'/arguments$', arguments),
    (r'openai-chat/.*tool_choice/allowed_tools/tools/\*$', chat_function_ref),
    (r'openai-responses/.*tool_choice/tools/\*$', function_ref),
    (r'claude/.*/input$', flat),
    (r'gemini/.*/(args|response)$', flat),
    (r'toolUse/input$', flat),
    (r'/toolResult/content/\*/json$', flat),
    (r'contents/\*/role$|systemInstruction/role$', constant('user')),
    (r'content/role$', constant('model')),
    (r'responseMimeType$', word('application/json')),
    (r'bedrock-converse/.*additionalModelRe\w+Fields$', flat),
    (r'additionalModelResponseFieldPaths/\*$', lambda m: '/' + m.token()),
    (r'(startOffset|endOffset|Duration|retryDelay)$', lambda m: '%ds' % m.integer(3001)),
    (r'(createTime|retirementTime)$', lambda m: '2026-01-01T00:00:%02dZ' % 7),
    # Counts of an answer.
    (r'/answer:.*(usage|usageMetadata)/.*(tokens|Tokens|TokenCount)$', power),
    (r'/answer:.*usageMetadata/.*tokenCount$', power),
    (r'gemini/answer:/candidates/\*/index$', word(0)),
    (r'bedrock-converse/answer:/output/message/role', constant('assistant')),
]
COMPILED = [(re.compile(where), make) for where, make in GRAMMAR]

BY_SCALAR = {'s': text, 'i': integer(80001), 'n': real(0.2), 'j': free,
             'x': bytes_of(b'raw')}


def maker(where, scalar):
    for pattern, make in COMPILED:
        if pattern.search(where):
            return make
    return BY_SCALAR[scalar]
