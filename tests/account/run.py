#!/usr/bin/env python3
"""Taint in, taint out: README.md.

    run.py build/asan/tests/account/account_lines                one sweep
    run.py ... --seconds 600 --seed 7                            and random mixes
    run.py ... --noun request --from claude --to gemini --repeat 123   one mix again
    run.py ... --plant dropped                                   must find a fault
"""
import argparse
import base64
import collections
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import declared
import generator
import planted
import streams
import words
from checker import Case, pattern_of

DIALECTS = ['openai-chat', 'openai-responses', 'claude', 'gemini', 'bedrock', 'bedrock-converse']
BATCH = 20000


class Translator:
    """The program under test."""

    def __init__(self, binary, plant=None):
        self.binary = binary
        self.plant = plant
        self.calls = 0

    def translate(self, lines):
        with tempfile.TemporaryFile('w+') as given, tempfile.TemporaryFile('w+') as got:
            for line in lines:
                given.write(json.dumps(line) + '\n')
            given.seek(0)
            subprocess.run([self.binary], stdin=given, stdout=got, check=True)
            got.seek(0)
            answers = [json.loads(line) for line in got]
        assert len(answers) == len(lines)
        self.calls += len(lines)
        for line, answer in zip(lines, answers):
            if 'body' in answer:
                answer['parsed'] = json.loads(answer['body'])
            if 'bytes' in answer:
                events = streams.read(line['to'], base64.b64decode(answer['bytes']))
                answer['parsed'] = streams.joined(events)
            if self.plant:
                planted.PLANTS[self.plant](line, answer)
        return answers


def line_of(message, target):
    line = {'noun': message.noun, 'from': message.dialect, 'to': target, 'body': message.body,
            'drop_hosted_tools': True, 'answer_id': 'qanswerid'}
    if message.noun == 'request':
        line['strict'] = True
    if message.noun == 'stream':
        rng = random.Random(json.dumps(message.body))
        whole = streams.chunks(message.dialect, line.pop('body'), rng)
        line['chunks'] = [base64.b64encode(c).decode() for c in streams.cut(whole, rng)]
        line['keep_alive'] = rng.random() < 0.5
    return line


class Run:
    def __init__(self, options):
        self.options = options
        self.translator = Translator(options.binary, options.plant)
        self.counts = collections.Counter()
        self.faults = {}   # key: first Fault and body
        self.fired = collections.Counter()

    def add(self, faults, message):
        for fault in faults:
            key = fault[:5]
            self.fired[key] += 1
            if key not in self.faults or len(json.dumps(message.body)) < len(json.dumps(self.faults[key][1])):
                self.faults[key] = (fault, message.body)

    def targets(self, source):
        return [t for t in DIALECTS if t != source and (not self.options.to or t == self.options.to)]

    def sweep(self, noun, source):
        """One message for each site, to every target."""
        groups = collections.OrderedDict()
        for route in generator.sites(source, noun):
            if self.options.site and self.options.site not in generator.pattern_of(route):
                continue
            word = route[-1][1] if route and route[-1][0] == 'v' else None
            key = route[:-1] if word is not None else route
            message = generator.message(source, noun, route)
            message.required = generator.required(generator.root_of(noun, source), key)
            groups.setdefault(key, []).append((word, message))
        for target in self.targets(source):
            self.sweep_pair(list(groups.values()), target)

    def sweep_pair(self, groups, target):
        lines = []
        for group in groups:
            for word, message in group:
                lines.append(line_of(message, target))
            absent = self.absent_of(group)
            if absent is not None:
                line = line_of(group[0][1], target)
                line['body'] = absent
                lines.append(line)
        answers = iter(self.translator.translate(lines))
        for group in groups:
            tried = []
            for word, message in group:
                answer = next(answers)
                case = Case(message, target, answer).check()
                self.counts.update(case.counts)
                self.counts['messages'] += 1
                self.add(case.faults, message)
                if word is not None and message.where is not None:
                    tried.append(words.Word(word, message, answer))
            absent = next(answers) if self.absent_of(group) is not None else None
            if tried and (len(tried) > 1 or absent is not None):
                faults, counts = words.check(tried, absent, target, absent is None)
                self.counts.update(counts)
                for fault in faults:
                    self.add([fault], next(t.message for t in tried if fault.pattern.endswith('=' + str(t.word))))

    @staticmethod
    def absent_of(group):
        word, message = group[0]
        if word is None or message.where is None or message.required:
            return None
        return words.without(message.body, message.where)

    def mixes(self, noun, source, seeds):
        all_routes = list(generator.sites(source, noun))
        messages = []
        for seed in seeds:
            messages.append(generator.mixed(source, noun, all_routes, '%s/%s/%d' % (noun, source, seed)))
        for target in self.targets(source):
            answers = self.translator.translate([line_of(m, target) for m in messages])
            for message, answer in zip(messages, answers):
                case = Case(message, target, answer).check()
                self.counts.update(case.counts)
                self.counts['messages'] += 1
                self.add(case.faults, message)

    def print(self):
        groups = collections.OrderedDict()
        for key in sorted(self.faults):
            kind, noun, source, target, pattern = key
            groups.setdefault((kind, noun, source, pattern), []).append(key)
        for (kind, noun, source, pattern), keys in groups.items():
            fault, body = self.faults[keys[0]]
            print('%s: %s %s -> %s: %s\n    %s\n    %s' % (
                kind, noun, source, ' '.join(k[3] for k in keys), pattern,
                fault.detail[:400], json.dumps(body)[:900]))
        kinds = collections.Counter((k[0], k[1]) for k in groups)
        for (kind, noun), n in sorted(kinds.items()):
            print('  %5d %s %s' % (n, noun, kind))
        print('account: ' + ', '.join('%d %s' % (n, what) for what, n in sorted(self.counts.items())))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('binary')
    parser.add_argument('--noun')
    parser.add_argument('--from', dest='source')
    parser.add_argument('--to')
    parser.add_argument('--site')
    parser.add_argument('--seconds', type=float, default=0)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--plant', choices=sorted(planted.PLANTS))
    options = parser.parse_args()
    run = Run(options)
    for noun in ['request', 'answer', 'stream']:
        for source in DIALECTS:
            if options.noun not in (None, noun) or options.source not in (None, source):
                continue
            began = time.time()
            run.sweep(noun, source)
            print('%s %s: %.1f s' % (noun, source, time.time() - began), file=sys.stderr)
    run.print()


main()
