"""Words of enums, booleans and small numbers: each must change something.

No canary fits into them. What becomes of a message with one word is compared
with what becomes of it with another, and without the member: a word that makes
no difference and is in no loss was silently left out, unless it says what is
so anyway (declared.NEUTRAL, declared.SAME).
"""
import copy
import json

import declared
from checker import Fault, Losses, pattern_of, place_of


def without(body, where):
    out = copy.deepcopy(body)
    at = out
    for step in where[:-1]:
        at = at[step]
    if isinstance(at, list):
        return None
    del at[where[-1]]
    return out


def signature(answer):
    return json.dumps([answer.get('parsed'), answer.get('losses'), answer.get('error'),
                       answer.get('target')], sort_keys=True)


class Word:
    """One word of a group, and what became of it."""

    def __init__(self, word, message, answer):
        self.word, self.message, self.answer = word, message, answer
        self.noun, self.source = message.noun, message.dialect
        self.where = tuple(str(step) for step in message.where)

    def told(self):
        return Losses(self.answer.get('losses', ()), self.noun != 'request' and self.source).covering(self.where)


def check(words, absent, target, required):
    """Faults of the words of one place towards one target."""
    faults, counts = [], {'words': 0, 'words that tell': 0, 'words in losses': 0, 'words declared': 0}
    seen = {}
    for word in words:
        word.target = target
        counts['words'] += 1
        if 'error' in word.answer or word.told():
            counts['words in losses'] += 1
            continue
        own = signature(word.answer)
        place = place_of(word.where)
        if absent is not None and own == signature(absent):
            if declared.match(declared.NEUTRAL, word, place, word.word):
                counts['words declared'] += 1
            else:
                faults.append(fault(word, 'silent word', '%r is as if it were not there' % word.word))
            continue
        if own in seen:
            if declared.match(declared.SAME, word, place, word.word):
                counts['words declared'] += 1
            else:
                faults.append(fault(word, 'same word', '%r becomes the same as %r' % (word.word, seen[own])))
            continue
        seen[own] = word.word
        counts['words that tell'] += 1
    return faults, counts


def fault(word, kind, detail):
    return Fault(kind, word.noun, word.source, word.target,
                 pattern_of(word.where) + '=' + str(word.word), detail, word.where)
