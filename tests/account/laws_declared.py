"""What is meant to break a law, row by row, with a reason.

(law, noun, from, to, places, reason), with blanks between what may stand there.
A place is the one that the law names: in the message, and behind ">" where it
is found instead. "*" is an index or a name, as the laws print it, and "..."
anything. Reasons of "mixes: " are met by chance, and stay.
"""
import fnmatch

used = set()
ANY = '*'
CLAUDES = 'claude bedrock'
RESPONSES = 'openai-responses'
ROWS = [
    ('identity', 'request', CLAUDES, ANY,
     '/messages/*/content/*/text>/messages/*/content /system/*/text>/system '
     '/messages/*/content/*/content/*/text>/messages/*/content/*/content',
     'a text that is alone is not put into a list'),
    ('identity', 'request', CLAUDES, ANY, '/messages/*/content>/messages/*/content/*/text',
     'neighbours of one role become one turn'),
    ('identity', 'request', 'openai-chat', ANY,
     '/messages/*/content/*/text>/messages/*/content /stop>/stop/* '
     '/messages/*/content/*/refusal>/messages/*/refusal', 'two ways to say the same'),
    ('identity', 'request', 'openai-chat', ANY,
     '/function_call/name>/tools/*/function/name /function_call/name>/tool_choice/function/name...',
     'mixes: it is the older tool_choice, which wins'),
    ('identity', 'request', 'openai-chat', ANY,
     '/messages/*/function_call/...>/messages/*/tool_calls/... '
     '/messages/*/name>/messages/*/tool_calls/*/function/name...', 'mixes: the older way to call, beside tools'),
    ('identity', 'answer', 'openai-chat', ANY,
     '/choices/*/message/function_call/...>/choices/*/message/tool_calls/...', 'the older way to call'),
    ('identity', 'request', RESPONSES, ANY,
     '/input>/input/*/content/*/text /input/*/content>/input/*/content/*/text', 'two ways to say the same'),
    ('identity', 'request', RESPONSES, ANY,
     '/input/*/content>/instructions /input/*/content/*/text>/instructions',
     'what the system says first is in the instructions'),
    ('identity', ANY, RESPONSES, ANY,
     '/output/*/content/*/text>/output/*/summary/*/text /input/*/content/*/text>/input/*/summary/*/text',
     'what a model thinks in words stands with its summary'),
    ('identity', 'request', RESPONSES, ANY, '/input/*/tools/...>/tools/...',
     'additional_tools are tools as others'),
    ('identity', 'request', 'gemini', ANY,
     '/tools/*/functionDeclarations/*/parameters/...>/tools/*/functionDeclarations/*/parametersJsonSchema/... '
     '/generationConfig/responseSchema/...>/generationConfig/responseJsonSchema/...',
     "Google's own schemas become JSON Schema"),
    ('identity', 'answer', 'gemini', ANY,
     '/usageMetadata/promptTokenCount /usageMetadata/toolUsePromptTokenCount', 'they are in one sum'),
    ('identity', 'answer', 'gemini', ANY,
     '/promptFeedback/blockReasonMessage>/candidates/*/content/parts/*/text '
     '/candidates/*/finishMessage>/candidates/*/content/parts/*/text', 'a refusal is explained in the text'),
]


def fits(pattern, text):
    """One of the words fits; stars are themselves, dots are anything."""
    return any(fnmatch.fnmatchcase(text, word.replace('[', '[[]').replace('*', '[*]').replace('...', '*'))
               for word in pattern.split())


def match(key):
    for row in ROWS:
        if all(pattern == ANY or text in pattern.split() for pattern, text in zip(row[:4], key)) \
                and fits(row[4], key[4]):
            used.add(row)
            return True
    return False


def idle():
    return [row for row in ROWS if row not in used and not row[5].startswith('mixes: ')]
