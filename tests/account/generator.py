"""Requests and answers of each dialect, made from fields.json.

A *site* is one place that a message may have: a member, a member of a union,
a word of an enum. `sites` lists all of them, `message` makes the smallest
valid message that has it, and `mixed` one that has many. Every scalar in it
is a canary (grammar.py).
"""
import copy
import json
import pathlib
import random

import grammar
import repairs

HERE = pathlib.Path(__file__).parent
FIELDS = json.loads((HERE / 'fields.json').read_text())
TYPES = FIELDS['types']

# What the SDK's types leave open and the service demands.
NEEDED = {
    'openai.FunctionCallOutput': ['call_id'],
    'google.FunctionDeclaration': ['name'], 'google.FunctionCall': ['name'],
    'google.FunctionResponse': ['name', 'response'], 'google.Blob': ['mimeType', 'data'],
    'google.FileData': ['fileUri', 'mimeType'],
    'google.FunctionResponseBlob': ['mimeType', 'data'],
    'google.FunctionResponseFileData': ['fileUri', 'mimeType'],
    'google.Content': ['parts', 'role'], 'google.SafetySetting': ['category', 'threshold'],
    'google.ExecutableCode': ['code', 'language'],
    'google.CodeExecutionResult': ['outcome', 'output'],
    'google.Schema': ['type'],
    'google.ToolCall': ['toolType'], 'google.ToolResponse': ['toolType'],
    'google.GenerateContentResponse': ['candidates'],
    'google.Candidate': ['content', 'finishReason'],
    'google.GenerateContentResponsePromptFeedback': ['blockReason'],
    'aws.ConverseRequest': ['messages'],
    'openai_chat.InputMessage': ['type', 'role', 'content'],
}
# Objects of which at least one of these members is there.
ONE_OF = {'google.Part': ('text', ['text', 'inlineData', 'fileData', 'functionCall',
                                   'functionResponse', 'executableCode', 'codeExecutionResult',
                                   'toolCall', 'toolResponse', 'audioTranscription']),
          'openai.ResponseInputImageParam': ('image_url', ['image_url', 'file_id']),
          'openai.ResponseInputImageContentParam': ('image_url', ['image_url', 'file_id']),
          'openai.ResponseInputFileParam': ('file_data', ['file_data', 'file_id', 'file_url']),
          'openai.ResponseInputFileContentParam': ('file_data', ['file_data', 'file_id', 'file_url']),
          'openai.FileFile': ('file_data', ['file_data', 'file_id']),
          'openai_chat.InputFileContent': ('file_data', ['file_data', 'file_id']),
          'openai_chat.InputImageContent': ('image_url', ['image_url', 'file_id']),
          'openresponses.InputFileContentParam': ('file_data', ['file_data', 'file_url']),
          'openresponses.InputImageContentParamAutoParam': ('image_url', ['image_url']),
          'google.FunctionResponsePart': ('inlineData', ['inlineData', 'fileData'])}
# Lists of an answer that are mostly empty.
LEFT_EMPTY = ('annotations', 'tools', 'logprobs')
# Members of a union that stand for it where nothing is asked for.
PREFERRED = ['s', 'openai.ChatCompletionUserMessageParam',
             'openai.ChatCompletionContentPartTextParam',
             'anthropic.TextBlockParam', 'anthropic.TextBlock', 'anthropic.ToolParam',
             'openai.FunctionToolParam', 'openai.FunctionTool',
             'openai.ResponseInputTextParam', 'openai.ResponseOutputTextParam',
             'openai.ResponseOutputMessage', 'anthropic.UserMessageParam',
             'openai.EasyInputMessageParam', 'anthropic.PlainTextSourceParam',
             'openai.ChatCompletionFunctionToolParam', 'openai.ResponseOutputText']
# Sites that the services themselves do not take, or that are not of this
# dialect's bodies: not made.
SKIPPED = {
    'request': ('stream',),
    'answer': (),
    'stream': ('instructions', 'tools'),  # repeats the request
}


class Maker:
    def __init__(self, dialect, noun):
        self.dialect, self.noun = dialect, noun
        self.count = 0
        self.powers = 0
        self.numbers = []  # canaries among the numbers

    def token(self):
        self.count += 1
        return 'q%05dz' % self.count

    def integer(self, low, step=1):
        self.count += 1
        self.numbers.append(low + self.count * step)
        return self.numbers[-1]

    def number(self):
        return self.integer(80001)

    def real(self, low):
        self.count += 1
        self.numbers.append(round(low + (self.count * 10 + 1) / 1e4, 4))
        return self.numbers[-1]

    def power(self):
        self.powers += 1
        self.numbers.append(1000 * 2 ** self.powers)
        return self.numbers[-1]

    def scalar(self, kind, path):
        if kind == 'b':
            return True
        where = '%s/%s:/%s' % (self.dialect, self.noun, '/'.join(path))
        made = grammar.maker(where, kind)(self)
        return made.value if isinstance(made, grammar.Word) else made

    def make(self, t, route=(), path=(), name=None, depth=0):
        """The least value of this type that has `route`."""
        if isinstance(t, str):
            return self.scalar(t, path)
        if 't' in t:
            return self.make(TYPES[t['t']], route, path, t['t'], depth)
        if 'e' in t:
            return route[0][1] if route else usual_word(t['e'])
        if 'u' in t:
            pick = route[0][1] if route else usual_member(t['u'])
            return self.make(t['u'][pick], route[1:], path, None, depth)
        if 'a' in t:
            return [self.make(t['a'], route[1:], path + ('*',), None, depth + 1)]
        if 'm' in t:
            key = self.token()
            return {key: self.make(t['m'], route[1:], path + ('*',), None, depth + 1)}
        return self.object(t, route, path, name, depth)

    def object(self, t, route, path, name, depth):
        wanted = [route[0][1]] if route else []
        members = wanted + [m for m in needed_members(t, name) if m not in wanted]
        if name in ONE_OF and not set(members) & set(ONE_OF[name][1]):
            members.append(ONE_OF[name][0])
        out = {}
        for member in members:
            inner = route[1:] if route and member == route[0][1] else ()
            if self.noun == 'answer' and member in LEFT_EMPTY and not inner and member not in wanted:
                out[member] = []
                continue
            out[member] = self.make(t['o'][member], inner, path + (member,), None, depth + 1)
        return {m: out[m] for m in t['o'] if m in out}


def needed_members(t, name):
    return list(t.get('r', ())) + [m for m in NEEDED.get(name, ()) if m not in t.get('r', ())]


def usual_word(words):
    for word in words:
        if not str(word).endswith('UNSPECIFIED'):
            return word
    return words[0]


def usual_member(members):
    for wanted in PREFERRED:
        for i, member in enumerate(members):
            if member == wanted or isinstance(member, dict) and member.get('t') == wanted:
                return i
    return 0


def routes(t, route=(), stack=()):
    """Every way to a leaf; no type is gone through twice on it."""
    if isinstance(t, str):
        if t == 'b':
            yield route + (('v', True),)
            yield route + (('v', False),)
        else:
            yield route
    elif 't' in t:
        if t['t'] not in stack:
            yield from routes(TYPES[t['t']], route, stack + (t['t'],))
    elif 'e' in t:
        for word in t['e']:
            yield route + (('v', word),)
    elif 'u' in t:
        for i, member in enumerate(t['u']):
            yield from routes(member, route + (('u', i),), stack)
    elif 'a' in t or 'm' in t:
        key = 'a' if 'a' in t else 'm'
        yield from routes(t[key], route + ((key, '*'),), stack)
    else:
        if not t['o']:
            yield route
        for member, inner in t['o'].items():
            yield from routes(inner, route + (('f', member),), stack)


def path_of(route):
    return tuple(step[1] for step in route if step[0] in 'f') if route else ()


def pattern_of(route):
    return '/' + '/'.join('*' if step[0] in 'am' else step[1] for step in route if step[0] in 'fam')


def schema_dialect(dialect):
    """Bedrock's InvokeModel takes Anthropic's body."""
    return 'claude' if dialect == 'bedrock' else dialect


def bedrock_request():
    """Anthropic's body; the model and `stream` are in the path."""
    claude = TYPES[FIELDS['roots']['request']['claude']['t']]
    members = {k: v for k, v in claude['o'].items() if k not in ('model', 'stream')}
    members.update(anthropic_version={'e': ['bedrock-2023-05-31']}, anthropic_beta={'a': 's'})
    TYPES['bedrock.Request'] = {'o': members, 'r': ['max_tokens', 'messages', 'anthropic_version']}
    return {'t': 'bedrock.Request'}


FIELDS['roots']['request']['bedrock'] = bedrock_request()


def root_of(noun, dialect):
    roots = FIELDS['roots']['answer' if noun == 'stream' else noun]
    return roots.get(dialect) or roots[schema_dialect(dialect)]


def sites(dialect, noun):
    root = root_of(noun, dialect)
    for route in routes(root):
        first = route[0][1] if route else ''
        if first in SKIPPED[noun]:
            continue
        yield route


class Message:
    """A body, what stands in it, and how it came about."""

    def __init__(self, dialect, noun, body, maker, where):
        self.dialect, self.noun, self.body = dialect, noun, body
        self.numbers = frozenset(maker.numbers)
        self.where = where   # of the site, in the body, or None

    def size(self):
        return len(json.dumps(self.body))

    def with_body(self, body):
        out = copy.copy(self)
        out.body, out.where = body, None
        return out


def required(t, route):
    """The member at the end of the route must be there."""
    name, out = None, False
    for kind, what in route:
        while isinstance(t, dict) and 't' in t:
            name, t = t['t'], TYPES[t['t']]
        if kind == 'f':
            out = what in needed_members(t, name)
            t, name = t['o'][what], None
        elif kind == 'u':
            t, name = t['u'][what], None
        elif kind in 'am':
            out = True
            t, name = t[kind], None
    return out


def set_boolean(body, where, value):
    at = body
    for step in where[:-1]:
        at = at[step]
    at[where[-1]] = value


def message(dialect, noun, route):
    maker = Maker(schema_dialect(dialect), 'answer' if noun == 'stream' else noun)
    root = root_of(noun, dialect)
    boolean = route and route[-1][0] == 'v' and isinstance(route[-1][1], bool)
    made = maker.make(root, route[:-1] if boolean else route)
    where = trace(root, made, route)
    if boolean:
        set_boolean(made, where, route[-1][1])
    marked = Marked(made, where)
    repairs.repair(dialect, noun, made, maker)
    return Message(dialect, noun, made, maker, marked.where())


def trace(t, value, route):
    """Where in `value`, just made, the end of the route stands."""
    where = []
    for step in route:
        if step[0] == 'f':
            where.append(step[1])
        elif step[0] == 'a':
            where.append(0)
        elif step[0] == 'm':
            at = value
            for key in where:
                at = at[key]
            where.append(next(iter(at)))
    return tuple(where)


class Marked:
    """Finds a place again after the body around it was changed."""

    def __init__(self, body, where):
        self.body, self.end = body, where[-1] if where else None
        at = body
        for step in where[:-1]:
            at = at[step]
        self.holder = at

    def where(self):
        found = self.find(self.body, ())
        if found is None or self.end is None:
            return None
        inside = isinstance(self.holder, list) and self.end < len(self.holder)
        if isinstance(self.holder, dict) and self.end in self.holder or inside:
            return found + (self.end,)
        return None

    def find(self, at, where):
        if at is self.holder:
            return where
        inner = at.items() if isinstance(at, dict) else enumerate(at) if isinstance(at, list) else ()
        for key, value in inner:
            found = self.find(value, where + (key,))
            if found is not None:
                return found
        return None


def merge(into, other):
    """What `other` has and `into` does not; elements of arrays behind."""
    for key, value in other.items():
        if key not in into:
            into[key] = value
        elif isinstance(value, dict) and isinstance(into[key], dict):
            if not into[key].keys() & {'type', 'role'} and not into[key].keys() & value.keys() & {'mode'}:
                merge(into[key], value)
        elif key in ('choices', 'candidates'):
            merge(into[key][0], value[0])  # nobody asks for more than one
        elif isinstance(value, list) and isinstance(into[key], list):
            into[key] += value


def mixed(dialect, noun, all_routes, seed):
    """A message with several sites at once."""
    rng = random.Random(seed)
    maker = Maker(schema_dialect(dialect), 'answer' if noun == 'stream' else noun)
    root = root_of(noun, dialect)
    body = {}
    for route in rng.sample(all_routes, rng.randint(2, 12)):
        boolean = route and route[-1][0] == 'v' and isinstance(route[-1][1], bool)
        made = maker.make(root, route[:-1] if boolean else route)
        if boolean:
            set_boolean(made, trace(root, made, route), route[-1][1])
        merge(body, made)
    repairs.repair(dialect, noun, body, maker)
    return Message(dialect, noun, body, maker, None)
