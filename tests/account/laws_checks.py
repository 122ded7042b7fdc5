"""The laws: what must hold between two translations of one message.

Each law says which lines the program is asked (`first`, and `then`, with the
first answers), what is wrong with the answers (`faults`: places and what is
wrong there), and how to make one thing of them wrong on purpose (`plant`), so
that it is known to see. What counts are the canaries, as in checker.py.
"""
import base64
import copy
import json
import random

import declared
from checker import Content, Losses, Name, leaves, pattern_of, place_of, tokens_in
from grammar import TOKEN
from translator import DIALECTS, line_of


class Law:
    nouns = ()

    def targets(self, source):
        return [target for target in DIALECTS if target != source]

    def first(self, message, target):
        return [ask(message, target)]

    def then(self, message, target, answers):
        return []


def ask(message, target):
    line = line_of(message, target)
    line.pop('strict', None)
    return line


class Way:
    """A translation, as the tables of declared.py ask for it."""

    def __init__(self, noun, source, target):
        self.noun, self.source, self.target = noun, source, target


def failed(message, target):
    """The upstream's answer says itself that it is none."""
    body = message.body
    states = [body.get('status'), body.get('stopReason')]
    states += [c.get('finishReason') for c in body.get('candidates', ())]
    way = Way(message.noun, message.dialect, target)
    return any(declared.match(declared.FAILED, way, '', state) for state in states if state)


def refused_rightly(message, target, answer):
    """As the account allows: what cannot be sent on, or is no answer."""
    if answer['kind'] == 'unsupported' or message.noun != 'request' and failed(message, target):
        return True
    return declared.match(declared.INVALID, Way(message.noun, message.dialect, target), answer.get('path', ''))


def canaries(message):
    """(place, token or number) of all that can be followed."""
    for where, value in leaves(message.body):
        if isinstance(value, str):
            for token in sorted(tokens_in(value)):
                yield where, token
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and value in message.numbers:
            yield where, value


def has(content, canary, sums):
    if isinstance(canary, str):
        return canary in content.tokens
    return content.has_number(canary, sums)


CREATED = 1700000000  # as the program is told; no sum of counts


def content_of(answer):
    content = Content(answer['parsed'], answer.get('target', ''))
    content.numbers.pop(float(CREATED), None)
    return content


# ---- changes on purpose


def holders(value):
    """(holder, key) of every text with a canary."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        if isinstance(inner, str) and tokens_in(inner):
            yield value, key
        yield from holders(inner)


def forget(parsed, canary):
    """Takes a canary out of a body, wherever it stands."""
    for holder, key in list(holders(parsed)):
        if canary in tokens_in(holder[key]):
            holder[key] = 'forgotten'


# ---- order of fields


def shuffled(value, rng):
    """The same, with the members of every object in another order."""
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: shuffled(value[key], rng) for key in keys}
    if isinstance(value, list):
        return [shuffled(inner, rng) for inner in value]
    return value


def unordered(value):
    """As it compares: texts that hold JSON are read, and what is the order of
    members by its meaning is none."""
    if isinstance(value, dict):
        return {k: sorted(v) if k == 'propertyOrdering' else unordered(v) for k, v in value.items()}
    if isinstance(value, list):
        return [unordered(inner) for inner in value]
    if isinstance(value, str) and '{' in value:
        at = value.index('{')
        try:
            inner, end = json.JSONDecoder().raw_decode(value, at)
        except ValueError:
            return value
        return [value[:at], unordered(inner), unordered(value[end:])]
    return value


def differences(a, b, where=()):
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            if key not in a or key not in b:
                yield where + (key,), a.get(key, '(nothing)'), b.get(key, '(nothing)')
            else:
                yield from differences(a[key], b[key], where + (key,))
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (one, other) in enumerate(zip(a, b)):
            yield from differences(one, other, where + (str(i),))
    elif a != b:
        yield where, a, b


class Order(Law):
    """The order of members does not matter."""
    nouns = ('request', 'answer')

    def first(self, message, target):
        line = ask(message, target)
        rng = random.Random(json.dumps(message.body))
        return [line, dict(line, body=shuffled(line['body'], rng))]

    def faults(self, message, target, answers):
        one, other = (self.compared(answer) for answer in answers)
        for where, a, b in differences(one, other):
            yield pattern_of(where), 'is %s, but shuffled %s' % (json.dumps(a), json.dumps(b))

    @staticmethod
    def compared(answer):
        losses = sorted(tuple(loss) for loss in answer.get('losses', ()))
        return {'output': unordered(answer.get('parsed')), 'losses': [list(loss) for loss in losses],
                'error': answer.get('error'), 'path': answer.get('path'), 'target': answer.get('target')}

    def plant(self, message, target, answers):
        parsed = answers[1].get('parsed')
        return bool(parsed) and parsed.popitem() is not None


# ---- cuts


class Cuts(Law):
    """No output depends on where a stream was cut."""
    nouns = ('stream',)

    def first(self, message, target):
        line = dict(ask(message, target), keep_alive=False)
        data = b''.join(base64.b64decode(chunk) for chunk in line['chunks'])
        rng = random.Random(json.dumps(message.body))
        return [dict(line, chunks=[base64.b64encode(data).decode()]),
                dict(line, chunks=[base64.b64encode(piece).decode() for piece in self.pieces(data, rng)])]

    @staticmethod
    def pieces(data, rng):
        """Bytes one by one where they are few, else about fifty pieces."""
        if len(data) < 4000 and rng.random() < 0.3:
            return [data[i:i + 1] for i in range(len(data))]
        cuts = sorted({rng.randint(0, len(data)) for _ in range(rng.choice((1, 5, 50)))} | {0, len(data)})
        return [data[a:b] for a, b in zip(cuts, cuts[1:])]

    def faults(self, message, target, answers):
        one, other = (base64.b64decode(answer.get('bytes', '')) for answer in answers)
        if one != other:
            at = next((i for i, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
            yield '(bytes)', 'from byte %d on %r, but cut %r' % (at, one[at:][:150], other[at:][:150])
        for member in ('losses', 'error', 'path', 'done'):
            if answers[0].get(member) != answers[1].get(member):
                yield '(%s)' % member, '%s, but cut %s' % tuple(json.dumps(a.get(member)) for a in answers)

    def plant(self, message, target, answers):
        data = base64.b64decode(answers[1].get('bytes', ''))
        answers[1]['bytes'] = base64.b64encode(data[:len(data) // 2] + data[len(data) // 2 + 1:]).decode()
        return bool(data)


# ---- there and back


class Back(Law):
    """What both dialects have survives the way there and back."""
    nouns = ('request', 'answer')

    def then(self, message, target, answers):
        if 'error' in answers[0]:
            return []
        model = TOKEN.search(answers[0].get('target', ''))
        return [{'noun': message.noun, 'from': target, 'to': message.dialect, 'body': answers[0]['parsed'],
                 'model': model.group() if model else 'model', 'drop_hosted_tools': True,
                 'answer_id': 'qanswerid'}]

    def faults(self, message, target, answers):
        if len(answers) < 2:
            return
        there, back = answers
        if 'error' in back:
            if back['kind'] != 'unsupported':
                yield '(refused)>' + back.get('path', ''), back['error']
            return
        kept, returned = content_of(there), content_of(back)
        sums = message.noun != 'request'
        losses = Losses(back['losses'], sums and target)
        way = Way(message.noun, target, message.dialect)
        for where, canary in canaries(message):
            if not has(kept, canary, False) or has(returned, canary, sums):
                continue
            places = [p for p, value in leaves(there['parsed']) if self.stands(canary, value)]
            if not any(losses.covering(p) or declared.match(declared.MEANT, way, place_of(p)) for p in places):
                seen = pattern_of(places[0]) if places else '(path or sum)'
                yield pattern_of(where) + '>' + seen, '%r did not come back' % (canary,)

    @staticmethod
    def stands(canary, value):
        if isinstance(canary, str):
            return isinstance(value, str) and canary in tokens_in(value)
        return not isinstance(value, (str, bool)) and value == canary

    def plant(self, message, target, answers):
        if len(answers) < 2 or 'parsed' not in answers[1]:
            return False
        kept, returned = content_of(answers[0]), content_of(answers[1])
        way = Way(message.noun, target, message.dialect)
        if answers[1]['losses']:
            return False  # it might be told
        for where, canary in canaries(message):
            places = [p for p, value in leaves(answers[0]['parsed']) if self.stands(canary, value)]
            meant = any(declared.match(declared.MEANT, way, place_of(p)) for p in places)
            if isinstance(canary, str) and canary in kept.tokens and canary in returned.tokens and not meant:
                forget(answers[1]['parsed'], canary)
                return not has(content_of(answers[1]), canary, False)
        return False


# ---- a dialect to itself


class Identity(Law):
    """A dialect to itself, through the canonical form, is what it was."""
    nouns = ('request', 'answer')

    def targets(self, source):
        return [source]

    def faults(self, message, target, answers):
        answer = answers[0]
        if 'error' in answer:
            if not refused_rightly(message, target, answer):
                yield '(refused)>' + answer.get('path', ''), answer['error']
            return
        content = content_of(answer)
        losses = Losses(answer['losses'], message.noun != 'request' and target)
        way = Way(message.noun, message.dialect, target)
        for where, canary in canaries(message):
            found = (content.tokens if isinstance(canary, str) else content.numbers).get(canary, [])
            if pattern_of(where) in found or losses.covering(where) \
                    or declared.match(declared.MEANT, way, place_of(where)) \
                    or message.noun == 'request' and declared.not_allowed(message.body, where):
                continue
            moved = ','.join(sorted(set(found)))
            yield pattern_of(where) + ('>' + moved if moved else ''), '%r is %s' % (canary, 'at ' + moved if moved else 'gone')

    def plant(self, message, target, answers):
        parsed = answers[0].get('parsed')
        wanted = {canary for _, canary in canaries(message)}
        for holder, key in holders(parsed or {}):
            if isinstance(holder, dict) and tokens_in(holder[key]) & wanted and not answers[0]['losses']:
                holder['renamed'] = holder.pop(key)
                return True
        return False


# ---- streams and answers


class Fold(Law):
    """A translated stream, put together, is the translated answer."""
    nouns = ('stream',)

    def first(self, message, target):
        whole = copy.copy(message)
        whole.noun = 'answer'
        return [ask(message, target), ask(whole, target)]

    def faults(self, message, target, answers):
        if message.body.get('status') in ('queued', 'in_progress', 'cancelled'):
            return  # no stream ends so; streams.py says "completed"
        stream, answer = answers
        if 'error' in stream or 'error' in answer:
            if ('error' in stream) != ('error' in answer):
                yield '(refused)', 'stream: %s; answer: %s' % (stream.get('error'), answer.get('error'))
            return
        sent = Content(message.sent)
        streamed, whole = content_of(stream), content_of(answer)
        for where, canary in canaries(message):
            if not has(sent, canary, True):
                continue
            here, there = has(streamed, canary, True), has(whole, canary, True)
            if here != there:
                yield pattern_of(where), '%r is only in the %s' % (canary, 'stream' if here else 'answer')
        if end_of(stream['parsed'][0]) != end_of(answer['parsed']):
            yield '(end)', 'stream: %r; answer: %r' % (end_of(stream['parsed'][0]), end_of(answer['parsed']))

    def plant(self, message, target, answers):
        if any('error' in answer for answer in answers):
            return False
        sent, whole = Content(message.sent), content_of(answers[1])
        for where, canary in canaries(message):
            if isinstance(canary, str) and canary in sent.tokens and canary in whole.tokens:
                if has(content_of(answers[0]), canary, False):
                    forget(answers[0]['parsed'], canary)
                    return not has(content_of(answers[0]), canary, False)
        return False


ENDS = {'finish_reason', 'finishReason', 'stop_reason', 'stopReason', 'incomplete_details'}


def end_of(value):
    """The last word on why it ended."""
    found = None
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        if key in ENDS and inner is not None:
            found = inner
        else:
            found = end_of(inner) or found
    return found


LAWS = {'fold': Fold(), 'back': Back(), 'identity': Identity(), 'order': Order(), 'cuts': Cuts()}
