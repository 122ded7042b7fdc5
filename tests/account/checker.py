"""Taint in, taint out: is each leaf of a message in what became of it, or in a
loss? Knows JSON, base64 and the vendors' schemas, and nothing of the translator.
"""
import base64
import binascii
import collections
import json
import re

import answer_places
import declared
from generator import TYPES, root_of
from grammar import TOKEN

Fault = collections.namedtuple('Fault', 'kind noun source target pattern detail where')
RUN = re.compile(r'[A-Za-z0-9+/_-]{12,}={0,2}')
NUMBER = re.compile(r'(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])')


def unescape(path):
    return tuple(p.replace('~1', '/').replace('~0', '~') for p in path.split('/')[1:])


def leaves(value, where=()):
    """Scalars with their place, and the names of members that are canaries."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if TOKEN.search(key):
                yield where + (key,), Name(key)
            yield from leaves(inner, where + (key,))
        if not value:
            yield where, value
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from leaves(inner, where + (str(i),))
        if not value:
            yield where, value
    else:
        yield where, value


class Name(str):
    """The name of a member, as opposed to its value."""


def pattern_of(where):
    return '/' + '/'.join('*' if w.isdigit() or TOKEN.search(w) else w for w in where)


def tokens_in(text, depth=0):
    """Canaries of a text, also inside of base64."""
    found = set(TOKEN.findall(text))
    if depth < 4 and len(text) >= 12:
        for run in RUN.findall(text):
            data = decoded(run)
            if data is not None:
                found |= tokens_in(data.decode('latin-1'), depth + 1)
    return found


def decoded(run):
    run = run.rstrip('=').replace('-', '+').replace('_', '/')
    try:
        return base64.b64decode(run + '=' * (-len(run) % 4))
    except (binascii.Error, ValueError):
        return None


class Content:
    """What stands in an output: canaries and numbers, each with its places."""

    def __init__(self, body, more=''):
        self.tokens = collections.defaultdict(list)
        self.numbers = collections.defaultdict(list)
        for where, value in leaves(body):
            pattern = pattern_of(where)
            if isinstance(value, str):
                for token in tokens_in(value):
                    self.tokens[token].append(pattern)
                if not isinstance(value, Name):
                    for number in NUMBER.findall(value):
                        self.numbers[float(number)].append(pattern)
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                self.numbers[float(value)].append(pattern)
        for token in tokens_in(more):
            self.tokens[token].append('(path)')

    def has_number(self, number, sums):
        return float(number) in self.numbers or sums and self.in_sums(number)

    def in_sums(self, number):
        """Counts are added up. Each that is made is a power of two, so that
        a sum tells what it is made of."""
        if number < 1000 or number % 1000:
            return False
        if not hasattr(self, 'bits'):
            self.bits = 0
            for count in self.numbers:
                if count >= 1000 and count % 1000 == 0:
                    self.bits |= int(count) // 1000
        return int(number) // 1000 & ~self.bits == 0


ANY_PART = ('content',)  # as losses of streams name a part


class Losses:
    def __init__(self, losses, answer_of=None):
        self.all = [(unescape(path), kind, what) for path, kind, what in losses]
        self.answer_of = answer_of  # the upstream's dialect

    def covering(self, where, exactly=False):
        """Those that lead to this place: it or what it stands in."""
        return [l for l in self.all if where[:len(l[0])] == l[0] and l[0] != ANY_PART or self.answer_of and answer_places.leads_to(
            self.answer_of, place_of(l[0]), place_of(where), exactly)]


def place_of(where):
    return '/' + '/'.join(where)


class Case:
    """One message, translated."""

    def __init__(self, message, target, answer):
        self.message, self.target, self.answer = message, target, answer
        self.noun, self.source = message.noun, message.dialect
        self.faults = []
        self.counts = collections.Counter()

    def fault(self, kind, where, detail):
        pattern = where if isinstance(where, str) else pattern_of(where)
        self.faults.append(Fault(kind, self.noun, self.source, self.target, pattern, detail,
                                 None if isinstance(where, str) else where))

    def check(self):
        if 'error' in self.answer:
            self.refused()
            return self
        self.output = self.answer['parsed']
        if self.noun == 'stream' and not self.answer['done']:
            self.fault('unfinished', '(stream)', 'the stream has no end')
        self.content = Content(self.output, self.answer.get('target', ''))
        self.sent = Content(self.message.sent) if self.noun == 'stream' else None
        self.losses = Losses(self.answer['losses'], self.noun != 'request' and self.source)
        self.paths_lead_somewhere()
        self.each_leaf()
        if self.noun == 'request':
            self.strict()
        if self.noun != 'stream':
            self.nothing_invented()
        return self

    def refused(self):
        self.counts['refused'] += 1
        path = self.answer.get('path', '')
        kind = self.answer['kind']
        if kind == 'invalid_request':
            if not declared.match(declared.INVALID, self, path):
                self.fault('invalid', pattern_of(unescape(path)), self.answer['error'])
        elif kind != 'unsupported' and self.noun == 'request':
            self.fault('error', pattern_of(unescape(path)), self.answer['error'])
        elif self.noun != 'request':
            self.failed()
        elif path and not resolves(self.message.body, unescape(path)):
            self.fault('refused nowhere', path, self.answer['error'])

    def failed(self):
        """An upstream's answer became an error: right where it says that it failed."""
        body = self.message.body
        states = [body.get('status'), body.get('stopReason')]
        states += [c.get('finishReason') for c in body.get('candidates', ())]
        if not any(declared.match(declared.FAILED, self, '', state) for state in states if state):
            self.fault('error', '(answer)', self.answer['error'])

    def paths_lead_somewhere(self):
        for path, kind, what in self.losses.all:
            self.counts['losses'] += 1
            if self.noun != 'request' and answer_places.known(place_of(path)):
                continue
            if not resolves(self.message.body, path) and not declared.match(
                    declared.OF_WHAT_IS_NOT_THERE, self, place_of(path)):
                self.fault('loss nowhere', path, what)

    def each_leaf(self):
        for where, value in leaves(self.message.body):
            here = self.presence(where, value)
            if here is None:
                continue
            self.counts['leaves'] += 1
            told = self.losses.covering(where)
            if here:
                self.counts['in output'] += 1
                self.false_loss(where, value)
                self.noun == 'request' and self.right_place(where, value)
            elif told:
                self.counts['in losses'] += 1
            elif not declared.match(declared.MEANT, self, place_of(where)) and not (
                    self.noun == 'request' and declared.not_allowed(self.message.body, where)):
                self.fault('silent', where, '%r is neither in the output nor in a loss' % value)
            else:
                self.counts['declared'] += 1

    def presence(self, where, value):
        """True or false; nothing for what is no canary."""
        if isinstance(value, str):
            wanted = tokens_in(value)
            if self.sent and not all(t in self.sent.tokens for t in wanted):
                return None  # streams of this dialect do not have it
            return all(t in self.content.tokens for t in wanted) if wanted else None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        if value not in self.message.numbers or self.sent and float(value) not in self.sent.numbers:
            return None
        return self.content.has_number(value, self.noun != 'request')

    def false_loss(self, where, value):
        if self.elsewhere(where, value):
            return
        for path, kind, what in self.losses.covering(where, exactly=True):
            if kind == 'dropped' and not declared.match(declared.BOTH, self, place_of(where)):
                self.fault('false loss', where, 'is in the output, but: %s: %s' % (place_of(path), what))

    def elsewhere(self, where, value):
        """The same canary stands in another place as well: ids and names do."""
        if not isinstance(value, str):
            return False
        if not hasattr(self, 'places'):
            self.places = collections.Counter(
                t for _, v in leaves(self.message.body) if isinstance(v, str) for t in tokens_in(v))
        return any(self.places[t] > 1 for t in tokens_in(value))

    def right_place(self, where, value):
        meant = declared.concept(self.source, pattern_of(where))
        if meant is None or isinstance(value, Name):
            return
        if isinstance(value, str):
            places = self.content.tokens[next(iter(tokens_in(value)))]
        else:
            places = self.content.numbers.get(float(value), [])
        found = {declared.concept(self.target, p) for p in places}
        if places and meant not in found:
            self.fault('swapped', where, '%s is at %s' % (meant, ', '.join(sorted(places))))

    def strict(self):
        if 'strict' not in self.answer:
            return
        if bool(self.answer['losses']) != (self.answer['strict'] is not None):
            self.fault('strict', '(strict)', 'losses %s, but strict %s' % (
                self.answer['losses'], self.answer['strict']))

    def nothing_invented(self):
        known = Known(self.message)
        root = root_of(self.noun, self.target)
        for kind, where, detail in schema_problems(root, self.output, known):
            if not declared.match(declared.DEFAULTS, self, place_of(where), detail):
                self.fault(kind, where, '%r in the output' % (detail,))


def resolves(body, where):
    at = body
    for step in where:
        if isinstance(at, dict) and step in at:
            at = at[step]
        elif isinstance(at, list) and step.isdigit() and int(step) < len(at):
            at = at[int(step)]
        else:
            return False
    return True


def objects(value):
    if isinstance(value, dict):
        yield json.dumps(value, sort_keys=True)
        value = value.values()
    if not isinstance(value, (str, int, float)) and value is not None:
        for inner in value:
            yield from objects(inner)


class Known:
    """What of an output came from the input, or tells nothing."""

    def __init__(self, message):
        self.strings = {v for _, v in leaves(message.body) if isinstance(v, str)}
        self.numbers = {float(v) for _, v in leaves(message.body)
                        if isinstance(v, (int, float)) and not isinstance(v, bool)}
        self.sums = message.noun != 'request'

        self.objects = set(objects(message.body))

    def object(self, value):
        """It stands in the input as it is."""
        return json.dumps(value, sort_keys=True) in self.objects

    def string(self, value):
        return not value or value in self.strings or bool(tokens_in(value))

    def number(self, value):
        return float(value) in self.numbers or value == 0 or self.sums and value >= 1000


def schema_problems(t, value, known, where=()):
    """(kind, place, value) of what is not of this type, or made up."""
    if isinstance(t, dict) and 't' in t:
        return schema_problems(TYPES[t['t']], value, known, where)
    if isinstance(t, dict) and 'u' in t:
        return schema_problems(likeliest(t['u'], value), value, known, where)
    if value is None:
        return []
    if isinstance(t, str):
        return scalar_problems(t, value, known, where)
    if 'e' in t:
        return [] if value in t['e'] else [('wrong word', where, value)]
    if 'a' in t:
        if not isinstance(value, list):
            return [('wrong type', where, value)] * 3
        return [p for i, v in enumerate(value) for p in schema_problems(t['a'], v, known, where + (str(i),))]
    if not isinstance(value, dict):
        return [('wrong type', where, value)] * 3
    if known.object(value):
        return []
    if 'm' in t:
        return [p for k, v in value.items() for p in schema_problems(t['m'], v, known, where + (k,))]
    out = [('missing', where + (r,), r) for r in t.get('r', ()) if r not in value]
    for key, inner in value.items():
        if key not in t['o']:
            out.append(('unknown member', where + (key,), inner))
            continue
        out += schema_problems(t['o'][key], inner, known, where + (key,))
    return out


def likeliest(members, value):
    """The member of a union that `value` is meant to be."""
    return max(members, key=lambda m: likeness(m, value))


def likeness(t, value):
    while isinstance(t, dict) and 't' in t:
        t = TYPES[t['t']]
    if isinstance(t, str):
        fits = {'s': str, 'x': str, 'b': bool, 'i': (int, float), 'n': (int, float)}.get(t, object)
        return (1 if isinstance(value, fits) and (t == 'b' or not isinstance(value, bool)) else -9,)
    if 'u' in t:
        return max(likeness(m, value) for m in t['u'])
    if 'e' in t:
        return (2 if value in t['e'] else 0 if isinstance(value, str) else -9,)
    if 'a' in t:
        if not isinstance(value, list):
            return (-9,)
        return (1,) + (likeness(t['a'], value[0]) if value else ())
    if not isinstance(value, dict):
        return (-9,)
    if 'm' in t:
        return (0,)
    words = 0
    for key in ('type', 'role', 'mode'):
        if key in value and key in t['o'] and isinstance(value[key], str):
            words += 3 if likeness(t['o'][key], value[key])[0] > 0 else -3
    own = sum(k in t['o'] for k in value)
    missing = sum(r not in value for r in t.get('r', ()))
    deep = sum(likeness(t['o'][k], v)[0] < 0 for k, v in value.items() if k in t['o'])
    return (words, own - missing - len(value) - deep * 2,)


def scalar_problems(kind, value, known, where):
    if kind in 'sx':
        if not isinstance(value, str):
            return [('wrong type', where, value)] * 2
        return [] if known.string(value) else [('made up', where, value)]
    if kind == 'b':
        return [] if isinstance(value, bool) else [('wrong type', where, value)] * 2
    if kind in 'in':
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return [('wrong type', where, value)] * 2
        return [] if known.number(value) else [('made up', where, value)]
    out = []
    for inner, scalar in leaves(value, where):
        if isinstance(scalar, str) and not isinstance(scalar, Name) and not known.string(scalar):
            out.append(('made up', inner, scalar))
        elif isinstance(scalar, (int, float)) and not isinstance(scalar, bool) and not known.number(scalar):
            out.append(('made up', inner, scalar))
    return out
