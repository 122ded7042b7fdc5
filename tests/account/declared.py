"""What is meant: transformations that the checker accepts, each with a reason.

A row: (noun, from, to, place in the input, reason). The words are patterns of
fnmatch; "*" in a place is any number of steps. Rows of DEFAULTS have the place
in the output, and behind it what stands there; those of NEUTRAL and SAME the
word. Blanks stand between patterns of which one must fit, "|" between words.
"""
import fnmatch
import re

used = set()


def tables():
    return {name: table for name, table in globals().items() if name.isupper() and isinstance(table, list)}


def size():
    return sum(len(table) for table in tables().values())


def idle():
    """Rows that excused nothing; those of "mixes: " are met by chance."""
    return [row for name, table in tables().items() if name != 'CONCEPTS' for row in table
            if row not in used and not row[-1].startswith('mixes: ')]


def compiled(pattern):
    return re.compile(fnmatch.translate(pattern))


def match(table, case, place, value=None):
    for row in table:
        noun, source, target, where = row[:4]
        if not (compiled_match(noun, 'answer' if case.noun == 'stream' else case.noun) and compiled_match(source, case.source)
                and compiled_match(target, case.target) and compiled_match(where, place)):
            continue
        if len(row) == 6 and not compiled_match(row[4], str(value), '|'):
            continue
        used.add(row)
        return True
    return False


cache = {}


def compiled_match(pattern, text, separator=' '):
    if pattern == '*':
        return True
    if (pattern, separator) not in cache:
        cache[pattern, separator] = re.compile('(?:%s)' % '|'.join(fnmatch.translate(p) for p in pattern.split(separator)))
    return cache[pattern, separator].match(text) is not None


ANY = '*'
RESPONSES = 'openai-responses'
CLAUDES = 'claude bedrock'
OTHERS_OF_SCHEMA_NAMES = 'claude bedrock gemini'

# Neither in the output nor in a loss.
MEANT = [
    ('request', 'openai-chat', OTHERS_OF_SCHEMA_NAMES, '/response_format/json_schema/name',
     'OpenAI demands a name for every schema; nobody reads it'),
    ('request', RESPONSES, OTHERS_OF_SCHEMA_NAMES, '/text/format/name', 'the same'),
    ('request', 'bedrock-converse', OTHERS_OF_SCHEMA_NAMES,
     '/outputConfig/textFormat/structure/jsonSchema/name', 'the same'),
    ('request', RESPONSES, ANY, '/input/*/id', 'ids of items (docs/dialects.md: neutral)'),
    ('request', RESPONSES, ANY, '/input/*/status', 'states of items (docs/dialects.md: neutral)'),
]
# What answers of Responses repeat of the request; a client gets its own back.
ECHO = ('/instructions* /tools/* /tool_choice* /text* /reasoning* /metadata* /temperature /top_p '
        '/max_output_tokens /max_tool_calls /user /safety_identifier /prompt_cache_key '
        '/prompt_cache_retention /prompt_cache_options* /previous_response_id /conversation/id '
        '/prompt/* /background /truncation /parallel_tool_calls /service_tier=auto '
        '/frequency_penalty /presence_penalty')
# What servers tell of how they served, and parts of counts that cross.
SERVING = ('/system_fingerprint /metadata/* /metrics/latencyMs /candidates/*/tokenCount '
           '/candidates/*/avgLogprobs /candidates/*/safetyRatings/* /promptFeedback/safetyRatings/* '
           '/modelStatus/* /usageMetadata/trafficType /diagnostics/* /usage/inference_geo /usage/speed '
           '/usage/server_tool_use/* /tool_usage/* /prompt_cache_diagnostics/* '
           '/usage/*_details/* /usage/cache_creation/* /usage/cacheDetails/* /usageMetadata/*Details/*')


def not_allowed(body, where):
    """A tool beside those of `allowed_tools`: it may not be called, so it is
    not sent (docs/dialects.md: Tools)."""
    choice = body.get('tool_choice')
    if not isinstance(choice, dict) or choice.get('type') != 'allowed_tools':
        return False
    choice = choice.get('allowed_tools', choice)
    # Where no tool may be called and the target cannot say so, none is sent.
    none = choice.get('mode') == 'none'
    if none and where[0] == 'tool_choice':
        return True
    allowed = set() if none else {name_of(tool) for tool in choice['tools']}
    tool = None
    at = body
    for step, following in zip(where, where[1:]):
        if step in ('tools', 'functions') and following.isdigit() and isinstance(at, dict):
            tool = at[step][int(following)]
        at = at[int(step) if isinstance(at, list) else step]
    if tool is None:
        return False
    return not allowed & {name_of(one) for one in tool.get('tools', [tool])}


def name_of(tool):
    return (tool.get('function') or tool.get('custom') or tool).get('name')


MEANT += [
    ('request', 'gemini', ANY, '*/propertyOrdering/*', 'it becomes the order of the properties'),
    ('request', RESPONSES, ANY, '/input/*/logprobs/*',
     'measured of an earlier answer (docs/dialects.md: neutral)'),
    ('request', 'openai-chat', ANY, '/max_tokens', 'mixes: the older name of max_completion_tokens'),
    ('request', 'openai-chat ' + RESPONSES, ANY, '/user', 'mixes: the older name of safety_identifier'),
    ('answer', RESPONSES, ANY, ECHO, 'repeats the request'),
    ('answer', ANY, ANY, SERVING, 'of the serving, not of the answer'),
    ('answer', ANY, 'bedrock-converse', '/id /model /responseId /modelVersion',
     'answers of Converse have neither'),
    ('answer', RESPONSES, ANY, '/output/*/id', 'ids of items (docs/dialects.md: neutral)'),
    ('answer', RESPONSES, ANY, '/output_text', 'joined by the SDK; not of the wire'),
]
# In the output, and in a loss that says "dropped".
BOTH = [
    ('answer', CLAUDES, CLAUDES, '/content/*/caller/*',
     'mixes: losses of streams count no parts; it is of another call'),
    ('answer', ANY, ANY, '/usage* /usageMetadata*', 'a count that is in a sum, and not of its own any more'),
]
# A valid message that is said to be wrong.
INVALID = [
    ('request', RESPONSES, ANY, '/input/*/output/*/type',
     'input_video: of Open Responses alone, no provider has it'),
    ('request', 'bedrock-converse', ANY, '/toolConfig/tools/0',
     'a cache point with nothing before it'),
]
# Answers that are errors: (noun, from, to, any, state that the body tells, reason).
FAILED = [
    ('answer', RESPONSES, ANY, ANY, 'failed|cancelled|queued|in_progress', 'not finished'),
    ('answer', 'gemini', ANY, ANY, 'TOO_MANY_TOOL_CALLS|MALFORMED_FUNCTION_CALL|UNEXPECTED_TOOL_CALL'
     '|MALFORMED_RESPONSE|MISSING_THOUGHT_SIGNATURE', 'answers and calls that cannot be read'),
]
# Losses of members that the client did not send.
OF_WHAT_IS_NOT_THERE = []
# In the output, but not in the input: (noun, from, to, place, what, reason).
DEFAULTS = [
    ('request', ANY, CLAUDES, '/max_tokens', '8192', 'Anthropic demands a limit'),
    ('request', ANY, ANY, '/model', 'model', 'the name in the path, as this test sets it'),
    ('request', ANY, 'bedrock-converse', '/additionalModelRequestFields/thinking/type',
     'adaptive|enabled|disabled', "Anthropic's own words"),
    ('request', ANY, ANY, '*thinking/budget_tokens', '1024|4096|6144|8192|16384|24576|32000',
     'docs/dialects.md: Effort and budgets'),
    ('request', ANY, 'gemini', '/generationConfig/thinkingConfig/thinkingBudget',
     '0|-1|1024|4096|8192|16384|24576|32000', 'the same'),
    ('request', ANY, 'bedrock-converse', '/outputConfig/effort', 'low|medium|high|xhigh|max',
     "words of Anthropic's"),
    ('request', ANY, 'gemini', '/contents/*/role', 'user|model', 'its only roles'),
    ('request', ANY, 'gemini', '/generationConfig/responseMimeType', 'application/json',
     'what says that JSON is wanted'),
    ('request', ANY, 'gemini', '*/mimeType', '*/*', 'media types, by format or from a data: URL'),
    ('request', ANY, 'bedrock-converse', '*/document/name', 'document *',
     'Converse demands names and forbids most characters'),
    ('request', ANY, 'openai-chat openai-responses', '*/filename', 'document.pdf',
     'OpenAI demands a name of a file'),
    ('request', ANY, 'openai-chat openai-responses', '*/name', 'response',
     'OpenAI demands a name of a schema'),
    ('request', ANY, ANY, '*', '[[]document * attached in the next user message]',
     'results of Chat Completions are text'),
    ('request', ANY, ANY, '*', '[[]image * attached in the next user message]', 'the same'),
    ('request', ANY, ANY, '/system /system/*/text /instructions /messages/*/content* /input/*/content* /systemInstruction/*',
     'Respond with a single valid JSON object and nothing else.', 'JSON mode where there is none'),
    ('request', ANY, ANY, '*', '(no output)', 'Converse demands content'),
    ('request', ANY, ANY, '*', 'Error: *', 'a failed result, where only its text can say so'),
    ('request', ANY, 'bedrock-converse bedrock claude gemini', '*/text /messages/*/content', '.',
     "a turn that may not be empty, or one of the user's before the model's first"),
    ('request', ANY, ANY, '*/description', 'Not available any more. Do not call it.',
     'Converse demands a definition of every tool that was called'),
    ('request', 'openai-chat', ANY, '*', 'call_function_*', 'old function calls have no id'),
    ('request', 'gemini', ANY, '*', 'call|call_*', 'its calls need no id'),
    ('request', ANY, ANY, '*/description', '(*: *)', 'limits move into descriptions (docs/dialects.md)'),
    ('request', 'gemini', 'bedrock-converse', '*/jsonSchema/schema', '{*}',
     'Converse takes the schema as text'),
    ('request', ANY, ANY, '*/arguments', '{}', 'a call without arguments'),
    ('request', ANY, RESPONSES, '/input/*/content/*/type', 'output_text',
     "takes it of the assistant's messages without an id, though its types do not say so"),
    ('request', ANY, RESPONSES, '/input/*/content/*/refusal', ANY, 'the same'),
    ('request', ANY, RESPONSES, '/input/*/content/*/type', 'refusal', 'the same'),
    ('request', ANY, ANY, '*/input_schema/* */parameters/* */parametersJsonSchema/* */json/*',
     'object|string|input', 'a tool with free text is a function of one string'),
    ('request', ANY, ANY, '*schema/* *Schema/* */json/* */parameters/*',
     'object|string|integer|number|boolean|array|null', "JSON Schema's words"),
]
DEFAULTS += [
    ('answer', ANY, 'gemini', '/candidates/*/content/role', 'model', 'its only role'),
    ('answer', ANY, 'gemini bedrock-converse', '*/mimeType', '*/*', 'media types by format'),
    ('answer', ANY, RESPONSES, '/temperature /top_p /frequency_penalty /presence_penalty /store',
     '1|0|True', 'its clients demand them; the last three are of Open Responses'),
    ('answer', 'openai-chat', RESPONSES, '/output/*/status', 'completed',
     'of a custom call; the documents have it, the SDK has not'),
    ('answer', 'gemini bedrock-converse', ANY, '*/id /id /responseId', '*qanswerid*', 'an upstream that gives no id'),
    ('answer', 'gemini', ANY, '*', 'call_*', 'its calls need no id'),
    ('answer', 'gemini', ANY, '*', 'the provider blocked the prompt: *', 'a reason without words'),
    ('answer', 'openai-chat', ANY, '*', 'call_function_*', 'old function calls have no id'),
    ('answer', ANY, ANY, '*/arguments', '{}', 'a call without arguments'),
    ('answer', ANY, 'openai-chat', '/choices/*/message/reasoning_content', ANY,
     "DeepSeek's member, which many clients read (docs/dialects.md: Thinking)"),
]
# Words that say what is so without them: (noun, from, to, place, word, reason).
NEUTRAL = [
    ('request', 'gemini', ANY, ANY, '*UNSPECIFIED|unspecified', "proto's word for absent"),
    ('request', 'gemini', ANY, ANY, 'False', 'proto3: what is false is not sent'),
    ('request', 'gemini', ANY, '/toolConfig/functionCallingConfig/mode', 'AUTO', 'the default'),
    ('request', 'gemini', 'bedrock', '/serviceTier', 'standard', 'the default; InvokeModel has no tiers'),
    ('request', ANY, ANY, '*/strict', 'False', 'the default'),
    ('request', 'gemini', CLAUDES + ' bedrock-converse', '/tools/*/parameters/nullable', 'True',
     'arguments are objects, everywhere'),
    ('request', ANY, CLAUDES + ' bedrock-converse', '/text/format/strict', 'True',
     'what Anthropic always does'),
    ('request', 'openai-chat', ANY, '/logprobs /store', 'False', 'the default'),
    ('request', ANY, ANY, '/parallel_tool_calls', 'True', 'the default'),
    ('request', 'openai-chat ' + RESPONSES, ANY, '/stream_options/*', 'True|False',
     'of streams; this request wants none'),
    ('request', 'openai-chat ' + RESPONSES, ANY, '/verbosity /text/verbosity', 'medium', 'the default'),
    ('request', ANY, ANY, '*/detail', 'auto', 'the default'),
    ('request', ANY, ANY, '/service_tier /serviceTier/type', 'auto|default', 'the default'),
    ('request', 'claude', 'bedrock', '/service_tier', 'standard_only', 'InvokeModel has no tiers'),
    ('request', RESPONSES, ANY, '/store /truncation /input/*/status', ANY, 'docs/dialects.md: neutral'),
    ('request', RESPONSES, ANY, '/background', 'False', 'the default'),
    ('request', 'gemini', ANY, '/store', ANY, 'docs/dialects.md: neutral'),
    ('request', 'gemini', ANY, '*/streamFunctionCallArguments', ANY, 'how a stream is cut'),
    ('request', RESPONSES, ANY, '/input/*/type', 'message', 'what an item without a type is'),
    ('request', 'bedrock-converse', ANY, '*/toolResult/status', 'success', 'the default'),
    ('request', CLAUDES, ANY, '*/is_error */disable_parallel_tool_use', 'False', 'the default'),
    ('request', CLAUDES, ANY, '/tools/*/type', 'custom', 'the default'),
    ('request', CLAUDES, ANY, '/thinking/display', 'summarized|omitted',
     'where thinking is shown so, or not at all, unasked'),
]
NEUTRAL += [
    ('answer', RESPONSES, ANY, ECHO, ANY, 'repeats the request'),
    ('answer', ANY, ANY, SERVING, ANY, 'of the serving, not of the answer'),
    ('answer', 'gemini', ANY, ANY, 'False|*UNSPECIFIED', 'proto3: what is false is not sent'),
    ('answer', CLAUDES, ANY, '/stop_reason', 'end_turn|tool_use|stop_sequence',
     'the usual end, as the content says itself'),
    ('answer', RESPONSES, ANY, '/output/*/status', ANY, 'docs/dialects.md: neutral'),
    ('answer', RESPONSES, ANY, '/status', 'completed', 'the usual end'),
    ('answer', 'openai-chat ' + RESPONSES, ANY, '/service_tier', 'auto', 'no tier'),
]
# Words of one place that become the same: (noun, from, to, place, word, reason).
SAME = [
    ('request', RESPONSES, ANY, '/include/*', ANY, 'docs/dialects.md: neutral'),
    ('request', RESPONSES, ANY, '/input/*/status', ANY, 'docs/dialects.md: neutral'),
    ('request', RESPONSES, ANY, '/input/*/role', 'developer|system', 'one role under two names'),
    ('request', 'gemini', 'claude bedrock bedrock-converse',
     '/tools/*/functionDeclarations/*/parameters/type', ANY,
     'arguments are objects, everywhere'),
]

SAME += [
    ('answer', RESPONSES, ANY, ECHO, ANY, 'repeats the request'),
    ('answer', ANY, ANY, SERVING, ANY, 'of the serving, not of the answer'),
    ('answer', RESPONSES, ANY, '/output/*/status', ANY, 'docs/dialects.md: neutral'),
    ('answer', 'openai-chat', ANY, '/choices/*/finish_reason', 'tool_calls|function_call',
     'the end of a turn, where nothing is called'),
    ('answer', 'bedrock-converse', ANY, '/output/message/role', ANY, 'always the assistant'),
    ('answer', 'bedrock-converse ' + CLAUDES, ANY, '/stopReason /stop_reason', 'tool_use|stop_sequence|end_turn',
     'the usual end, as the content says itself'),
]
# Endings that one API tells apart and others do not.
SAME += [
    ('answer', 'gemini', ANY, '/candidates/*/finishReason', words, why) for words, why in [
        ('SAFETY|BLOCKLIST|PROHIBITED_CONTENT|SPII|RECITATION|LANGUAGE|IMAGE_SAFETY|MODEL_ARMOR'
         '|IMAGE_PROHIBITED_CONTENT|IMAGE_RECITATION', 'a filter ended it'),
    ]]
SAME += [
    ('answer', 'bedrock-converse', ANY, '/stopReason', 'content_filtered|guardrail_intervened',
     'a filter ended it'),
]

# What a place is for, where it must not be another: the first that fits.
CONCEPTS = [(re.compile(p), c) for p, c in [
    (r'(^|/)temperature$', 'temperature'),
    (r'/(top_p|topP)$', 'top_p'),
    (r'/(top_k|topK)$', 'top_k'),
    (r'/(frequency_penalty|frequencyPenalty)$', 'frequency penalty'),
    (r'/(presence_penalty|presencePenalty)$', 'presence penalty'),
    (r'^(/generationConfig)?/seed$', 'seed'),
    (r'^(/generationConfig|/inferenceConfig)?/(max_tokens|max_completion_tokens|max_output_tokens|maxOutputTokens|maxTokens)$', 'limit'),
    (r'/(budget_tokens|thinkingBudget)$', 'budget'),
    (r'^/stop(/\*)?$|/(stop_sequences|stopSequences)/\*$', 'stop sequence'),
]]


def concept(dialect, pattern):
    for where, meant in CONCEPTS:
        if where.search(pattern):
            return meant
    return None
