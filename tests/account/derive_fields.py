"""Makes fields.json: what the vendors' own types say that may be sent.

    python3 -m venv v && v/bin/pip install openai==3.57.0 anthropic==2.14.0 \\
        google-genai==3.6.1 botocore==1.44.8 llm-comply==0.5.0
    v/bin/python tests/account/derive_fields.py > tests/account/fields.json

Run once for a version of the SDKs; the tests read what it wrote and need none
of them. Only facts are kept: names of fields, their types, which are
required, the words of enums. A type is one of

    "s" "i" "n" "b" "j" "x"          string, integer, number, boolean, any JSON,
                                     base64
    {"e": [words]}                   one of these
    {"o": {name: type}, "r": [...]}  an object and its required members
    {"a": type}  {"m": type}         an array; an object of any names
    {"u": [types]}                   any of these; that a member may also be
                                     null is left out: it counts as absent
    {"t": name}                      the type of that name
"""
import collections.abc
import enum
import gzip
import importlib.metadata
import json
import pathlib
import sys
import types
import typing

import anthropic._types
import anthropic.types as claude
import botocore
import llm_comply
import google.genai.types as gemini
import openai.types.chat as chat
import openai.types.responses as responses
import pydantic
import typing_extensions
from openai.types.chat import completion_create_params as chat_create
from openai.types.responses import response_create_params as responses_create

SCALARS = {str: 's', int: 'i', float: 'n', bool: 'b', bytes: 'x', object: 'j',
           typing.Any: 'j', type(None): 'z', dict: 'j', list: {'a': 'j'}}
PACKAGES = ['openai', 'anthropic', 'google-genai', 'botocore', 'llm-comply']


class Types:
    """Types by name, filled while they are met."""

    def __init__(self):
        self.named = {}
        self.by_class = {}

    def of(self, t):
        if t in SCALARS:
            return SCALARS[t]
        if t == anthropic._types.Base64FileInput:
            return 'x'
        origin = typing.get_origin(t)
        args = typing.get_args(t)
        if origin in (typing.Annotated, typing_extensions.Required,
                      typing_extensions.NotRequired):
            return self.of(args[0])
        if origin is typing.Literal:
            return {'e': list(args)}
        if origin in (typing.Union, types.UnionType):
            return self.union([self.of(a) for a in args])
        if type(t).__name__ == 'TypeAliasType':
            return self.of(t.__value__)
        if isinstance(origin, type) and issubclass(origin, dict) or origin is collections.abc.Mapping:
            value = self.of(args[1]) if args else 'j'
            return 'j' if value == 'j' else {'m': value}
        if origin is not None and args:
            return {'a': self.of(args[0])}
        if isinstance(t, type) and issubclass(t, enum.Enum):
            return {'e': [m.value for m in t]}
        if typing_extensions.is_typeddict(t):
            return self.name(t, self.typed_dict)
        if isinstance(t, type) and issubclass(t, pydantic.BaseModel):
            return self.name(t, self.model)
        if isinstance(t, (typing.ForwardRef, str, typing.TypeVar)):
            return 'j'
        return 'j'

    @staticmethod
    def union(members):
        flat = []
        for member in members:
            for one in member['u'] if isinstance(member, dict) and 'u' in member else [member]:
                if one not in flat and one != 'z':
                    flat.append(one)
        if 's' in flat and any(len(one.get('e', ())) > 15 for one in flat if one != 's' and isinstance(one, dict)):
            return 's'  # names of models
        return flat[0] if len(flat) == 1 else {'u': flat}

    def name(self, cls, make):
        if cls in self.by_class:
            return {'t': self.by_class[cls]}
        name = cls.__module__.split('.')[0] + '.' + cls.__name__
        while name in self.named:
            name += '_'
        self.by_class[cls] = name
        self.named[name] = None
        self.named[name] = make(cls)
        return {'t': name}

    def typed_dict(self, cls):
        hints = typing_extensions.get_type_hints(cls, include_extras=True)
        return {'o': {k: self.of(v) for k, v in hints.items()},
                'r': [k for k, v in hints.items() if self.required(cls, v)]}

    @staticmethod
    def required(cls, hint):
        origin = typing.get_origin(hint)
        if origin is typing_extensions.Required:
            return True
        return cls.__total__ and origin is not typing_extensions.NotRequired

    def model(self, cls):
        members, required = {}, []
        for name, field in cls.model_fields.items():
            wire = field.alias or field.serialization_alias or name
            if cls.__module__.startswith('google.') and '_' in wire:
                head, *rest = wire.split('_')
                wire = head + ''.join(w.title() for w in rest)
            members[wire] = self.of(field.annotation)
            if field.is_required():
                required.append(wire)
        return {'o': members, 'r': required}


def aws(named, shapes, name):
    """A shape of botocore's service model."""
    shape = shapes[name]
    kind = shape['type']
    simple = {'integer': 'i', 'long': 'i', 'float': 'n', 'double': 'n', 'boolean': 'b',
              'blob': 'x', 'timestamp': 's'}
    if shape.get('document'):
        return 'j'
    if kind == 'string':
        return {'e': shape['enum']} if 'enum' in shape else 's'
    if kind in simple:
        return simple[kind]
    if kind == 'list':
        return {'a': aws(named, shapes, shape['member']['shape'])}
    if kind == 'map':
        return {'m': aws(named, shapes, shape['value']['shape'])}
    key = 'aws.' + name
    if key not in named:
        named[key] = None
        members = {k: aws(named, shapes, v['shape']) for k, v in shape['members'].items()
                   if v.get('location') != 'uri'}
        if shape.get('union'):
            named[key] = {'u': [{'o': {k: v}, 'r': [k]} for k, v in members.items()]}
        else:
            named[key] = {'o': members,
                          'r': [r for r in shape.get('required', ()) if r in members]}
    return {'t': key}


class OpenApi:
    """Schemas of an OpenAPI document, in the same notation."""

    def __init__(self, named, document, prefix):
        self.named, self.prefix = named, prefix
        self.schemas = document['components']['schemas']

    def of_name(self, name):
        key = self.prefix + name
        if key not in self.named:
            self.named[key] = 'j'
            self.named[key] = self.of(self.schemas[name])
        return {'t': key}

    def of(self, s):
        if '$ref' in s:
            return self.of_name(s['$ref'].rsplit('/', 1)[1])
        if 'const' in s:
            return {'e': [s['const']]}
        if 'enum' in s:
            return {'e': [w for w in s['enum'] if w is not None]}
        if 'allOf' in s:
            return self.joined(s)
        for key in ('oneOf', 'anyOf'):
            if key in s:
                return Types.union([self.of(m) for m in s[key] if m.get('type') != 'null'])
        kinds = s.get('type', 'object' if 'properties' in s else None)
        kinds = [k for k in (kinds if isinstance(kinds, list) else [kinds]) if k != 'null']
        return Types.union([self.of_kind(k, s) for k in kinds]) if kinds else 'j'

    def of_kind(self, kind, s):
        simple = {'string': 's', 'integer': 'i', 'number': 'n', 'boolean': 'b', None: 'j'}
        if kind in simple:
            return 'x' if s.get('format') in ('byte', 'binary') else simple[kind]
        if kind == 'array':
            return {'a': self.of(s['items']) if s.get('items') else 'j'}
        if 'properties' in s:
            return {'o': {k: self.of(v) for k, v in s['properties'].items()},
                    'r': [r for r in s.get('required', ()) if r in s['properties']]}
        more = s.get('additionalProperties')
        inner = self.of(more) if isinstance(more, dict) and more else 'j'
        return 'j' if inner == 'j' else {'m': inner}

    def joined(self, s):
        parts = [self.of(p) for p in s['allOf']]
        if 'properties' in s:
            parts.append(self.of_kind('object', s))
        found = [p if 'o' in p else self.named.get(p.get('t')) for p in parts if isinstance(p, dict)]
        objects = [p for p in found if isinstance(p, dict) and 'o' in p]
        if not objects:
            return parts[0]
        return {'o': {k: v for p in objects for k, v in p['o'].items()},
                'r': sorted({r for p in objects for r in p['r']})}


class Merger:
    """Adds to the types of an SDK what the document says beyond them."""

    def __init__(self, named):
        self.named, self.done = named, set()

    def look(self, t):
        while isinstance(t, dict) and 't' in t:
            t = self.named[t['t']]
        return t

    def merge(self, a, b):
        pair = json.dumps([a, b]) if isinstance(a, dict) and 't' in a else None
        if pair in self.done:
            return a
        if pair:
            self.done.add(pair)
        own, other = self.look(a), self.look(b)
        if isinstance(own, str) or isinstance(other, str) or own is None or other is None:
            return a
        if 'o' in own and 'o' in other:
            for key, inner in other['o'].items():
                own['o'][key] = self.merge(own['o'][key], inner) if key in own['o'] else inner
            return a
        if 'e' in own and 'e' in other:
            own['e'] += [w for w in other['e'] if w not in own['e']]
            return a
        if 'a' in own and 'a' in other:
            own['a'] = self.merge(own['a'], other['a'])
            return a
        if 'u' in own or 'u' in other:
            return self.union(own.get('u', [a]), other.get('u', [b]), a)
        return a

    def sign(self, t):
        """What tells members of a union apart."""
        t = self.look(t)
        if isinstance(t, str):
            return t
        if 'o' in t:
            words = [self.look(t['o'][k]) for k in ('type', 'role') if k in t['o']]
            return ('o',) + tuple(json.dumps(w) for w in words if isinstance(w, dict) and 'e' in w)
        return next(iter(t))

    def union(self, members, others, whole):
        signs = {self.sign(m): i for i, m in enumerate(members)}
        for other in others:
            sign = self.sign(other)
            if sign in signs:
                members[signs[sign]] = self.merge(members[signs[sign]], other)
            elif sign not in ('s', 'j', 'z', ('o',)):
                members.append(other)
        return whole if 'u' in (self.look(whole) if isinstance(self.look(whole), dict) else {}) else Types.union(members)


DOCUMENTS = [
    ('anthropic', 'claude', {'request': 'CreateMessageParams', 'answer': 'Message'}),
    ('openai_chat', 'openai-chat', {'request': 'CreateChatCompletionRequest',
                                    'answer': 'CreateChatCompletionResponse'}),
    ('openai_chat', 'openai-responses', {'request': 'CreateResponse', 'answer': 'Response'}),
    # Of Open Responses the requests alone: its answers have kinds of text
    # that no provider sends.
    ('openresponses', 'openai-responses', {'request': 'CreateResponseBody'}),
]


def add_documents(named, roots):
    folder = pathlib.Path(llm_comply.__file__).parent / 'specs'
    for file, dialect, names in DOCUMENTS:
        document = OpenApi(named, json.loads((folder / (file + '.json')).read_text()), file + '.')
        for noun, name in names.items():
            roots[noun][dialect] = Merger(named).merge(roots[noun][dialect], document.of_name(name))


def reachable(named, roots):
    seen, todo = {}, [roots]
    while todo:
        t = todo.pop()
        if isinstance(t, dict):
            name = t.get('t')
            if isinstance(name, str) and set(t) == {'t'} and name not in seen:
                seen[name] = named[name]
                todo.append(named[name])
            todo += t.values()
        elif isinstance(t, list):
            todo += t
    return {k: v for k, v in named.items() if k in seen}


def gemini_request(found):
    """The SDK has no class for the body as it is sent: its members are."""
    members = {'contents': {'a': found.of(gemini.Content)},
               'systemInstruction': found.of(gemini.Content),
               'tools': {'a': found.of(gemini.Tool)},
               'toolConfig': found.of(gemini.ToolConfig),
               'generationConfig': found.of(gemini.GenerationConfig),
               'safetySettings': {'a': found.of(gemini.SafetySetting)},
               'cachedContent': 's', 'labels': {'m': 's'},
               'serviceTier': found.of(gemini.ServiceTier), 'store': 'b'}
    found.named['google.Request'] = {'o': members, 'r': ['contents']}
    return {'t': 'google.Request'}


def gemini_answer(found):
    found.of(gemini.GenerateContentResponse)
    answer = found.named['google.GenerateContentResponse']
    for of_sdk in ('sdkHttpResponse', 'automaticFunctionCallingHistory', 'parsed'):
        answer['o'].pop(of_sdk, None)
    return {'t': 'google.GenerateContentResponse'}


def main():
    found = Types()
    model = pathlib.Path(botocore.__file__).parent / 'data/bedrock-runtime/2023-09-30/service-2.json.gz'
    shapes = json.loads(gzip.decompress(model.read_bytes()))['shapes']
    roots = {
        'request': {
            'openai-chat': found.of(chat_create.CompletionCreateParamsNonStreaming),
            'openai-responses': found.of(responses_create.ResponseCreateParamsNonStreaming),
            'claude': found.of(claude.message_create_params.MessageCreateParamsNonStreaming),
            'gemini': gemini_request(found),
            'bedrock-converse': aws(found.named, shapes, 'ConverseRequest')},
        'answer': {
            'openai-chat': found.of(chat.ChatCompletion),
            'openai-responses': found.of(responses.Response),
            'claude': found.of(claude.Message),
            'gemini': gemini_answer(found),
            'bedrock-converse': aws(found.named, shapes, 'ConverseResponse')},
        'chunk': {
            'openai-chat': found.of(chat.ChatCompletionChunk)}}
    add_documents(found.named, roots)
    for name, t in found.named.items():
        if name.startswith('anthropic.Base64'):  # the SDK takes open files as well
            t['o']['data'] = 'x'
        if name.startswith('anthropic.InputSchema'):  # any JSON schema; the SDK says so in a comment
            found.named[name] = 'j'
    versions = {p: importlib.metadata.version(p) for p in PACKAGES}
    out = sys.stdout
    out.write('{"versions": %s,\n"roots": %s,\n"types": {\n' % (
        json.dumps(versions), json.dumps(roots)))
    out.write(',\n'.join('%s: %s' % (json.dumps(k), json.dumps(v))
                         for k, v in reachable(found.named, roots).items()))
    out.write('\n}}\n')


main()
