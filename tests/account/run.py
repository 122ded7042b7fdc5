#!/usr/bin/env python3
"""Taint in, taint out: README.md.

    run.py build/asan/tests/account/account_lines                one sweep
    run.py ... --seconds 600 --seed 7                            and random mixes
    run.py ... --noun request --from claude --to gemini --repeat 123   one mix again
    run.py ... --plant dropped                                   must find a fault
"""
import argparse
import collections
import json
import pathlib
import sys
import time

import declared
import generator
import errors
import planted
import shrink
import words
from checker import Case, Fault
from translator import DIALECTS, NOUNS, Open, Translator, line_of

HERE = pathlib.Path(__file__).parent


class Run:
    def __init__(self, options):
        self.options = options
        self.translator = Translator(options.binary, options.plant)
        self.counts = collections.Counter()
        self.faults = {}   # key: smallest Fault and body
        self.open = Open(HERE / 'open.txt')
        self.known = collections.Counter()
        self.routes = {}
        self.fired = collections.Counter()

    def add(self, faults, message):
        for fault in faults:
            key = fault[:5]
            self.fired[key] += 1
            if key in self.known or self.fired[key] == 1 and not self.options.all and self.open.has(key):
                self.known[key] += 1
                continue
            if key not in self.faults or message.size() < self.faults[key][1].size():
                self.faults[key] = (fault, message)

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
            if source == 'bedrock' and target != 'claude':
                continue  # its body is Claude's; mixes see the other pairs
            self.sweep_pair(noun, list(groups.values()), target)

    def sweep_pair(self, noun, groups, target):
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
            if tried and noun != 'stream' and (len(tried) > 1 or absent is not None):
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

    def failures(self, source):
        lines = errors.lines(source, self.targets(source))
        for line, answer in zip(lines, self.translator.translate(lines)):
            self.counts['errors'] += 1
            for kind, place, detail in errors.problems(line, answer):
                message = generator.Message(source, 'error', line['body'], generator.Maker(source, 'error'), None)
                self.add([Fault(kind, 'error', source, line['to'], place, detail, None)], message)

    def mixes(self, noun, source, seeds):
        all_routes = self.routes_of(noun, source)
        messages = []
        for seed in seeds:
            messages.append(generator.mixed(source, noun, all_routes, '%s/%s/%d' % (noun, source, seed)))
            messages[-1].seed = seed
        for target in self.targets(source):
            answers = self.translator.translate([line_of(m, target) for m in messages])
            for message, answer in zip(messages, answers):
                case = Case(message, target, answer).check()
                self.counts.update(case.counts)
                self.counts['messages'] += 1
                self.add(case.faults, message)

    def routes_of(self, noun, source):
        if (noun, source) not in self.routes:
            self.routes[noun, source] = list(generator.sites(source, noun))
        return self.routes[noun, source]

    def shrink_all(self):
        """Every message that was found is made as small as it can be."""
        for key, (fault, message) in list(self.faults.items()):
            body = shrink.smallest(message.body, lambda smaller: self.still(key, message.with_body(smaller)))
            self.faults[key] = (fault, message.with_body(body))

    def still(self, key, message):
        try:
            answer = self.translator.translate([line_of(message, key[3])])[0]
            return any(f[:5] == key for f in Case(message, key[3], answer).check().faults)
        except (KeyError, IndexError, TypeError, AttributeError):
            return False  # no message any more that a stream could be made of

    def print(self):
        groups = collections.OrderedDict()
        for key in sorted(self.faults):
            kind, noun, source, target, pattern = key
            groups.setdefault((kind, noun, source, pattern), []).append(key)
        for (kind, noun, source, pattern), keys in groups.items():
            fault, message = self.faults[keys[0]]
            body = message.body
            print('%s: %s %s -> %s: %s\n    %s\n    %s' % (
                kind, noun, source, ' '.join(k[3] for k in keys), pattern,
                fault.detail[:400], json.dumps(body)[:900]))
            if hasattr(message, 'seed'):
                print('    again, and smaller: run.py PROGRAM --noun %s --from %s --to %s --repeat %d' % (
                    noun, source, keys[0][3], message.seed))
        kinds = collections.Counter((k[0], k[1]) for k in groups)
        for (kind, noun), n in sorted(kinds.items()):
            print('  %5d %s %s' % (n, noun, kind))
        print('account: ' + ', '.join('%d %s' % (n, what) for what, n in sorted(self.counts.items())))
        known = collections.Counter(key[0] for key in self.known)
        print('account: open: ' + (', '.join('%d %s' % (n, kind) for kind, n in sorted(known.items())) or 'nothing'))
        print('account: %d rows declared; %d places open by %d rows of open.txt' % (
            declared.size(), len(self.known), len(self.open.rows)))

    def idle_rows(self):
        """Rows that nothing needs any more; of a whole sweep only."""
        return ['open.txt: no such fault any more: ' + row for row in self.open.idle()] + [
            'declared.py: nothing needs: %r' % (row,) for row in declared.idle()]


def sweep(run, options):
    for noun in NOUNS:
        for source in DIALECTS:
            if options.noun in (None, noun) and options.source in (None, source):
                began = time.time()
                run.sweep(noun, source)
                print('account: %s of %s: %.0f s' % (noun, source, time.time() - began), flush=True)


    for source in DIALECTS:
        if options.noun is None and options.source in (None, source):
            run.failures(source)


def mixes(run, options):
    """Mixes until the time is over; in CI as many as --mixes says."""
    until = time.time() + options.seconds
    seed = options.seed
    done = 0
    while done < options.mixes or time.time() < until:
        for noun in NOUNS:
            for source in DIALECTS:
                if options.noun in (None, noun) and options.source in (None, source):
                    run.mixes(noun, source, range(seed, seed + 20))
        seed += 20
        done += 20
        if run.faults and not options.all:
            break


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('binary')
    parser.add_argument('--noun', choices=NOUNS)
    parser.add_argument('--from', dest='source', choices=DIALECTS)
    parser.add_argument('--to', choices=DIALECTS)
    parser.add_argument('--site', help='only places that have this in their path')
    parser.add_argument('--mixes', type=int, default=0, help='of each dialect, at least')
    parser.add_argument('--seconds', type=float, default=0, help='mixes for so long')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--repeat', type=int, help='the mix of this seed alone, made smaller')
    parser.add_argument('--all', action='store_true', help='report what open.txt has as well')
    parser.add_argument('--plant', choices=sorted(planted.PLANTS))
    options = parser.parse_args()
    run = Run(options)
    if options.repeat is not None:
        run.mixes(options.noun, options.source, [options.repeat])
        run.shrink_all()
    else:
        if not options.seconds:
            sweep(run, options)
        mixes(run, options)
    run.print()
    if options.plant:
        return planted_result(run, options.plant)
    whole = not (options.noun or options.source or options.to or options.site
                 or options.seconds or options.repeat is not None or options.all)
    idle = run.idle_rows() if whole else []
    print('\n'.join(idle), end='\n' if idle else '')
    return 1 if run.faults or idle else 0


def planted_result(run, plant):
    kind = planted.FOUND_AS[plant]
    found = sum(key[0] == kind for key in run.faults)
    print('account: planted fault %r: %s' % (plant, 'found at %d places' % found if found else 'NOT FOUND'))
    return 0 if found else 1


sys.exit(main())
