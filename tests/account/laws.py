#!/usr/bin/env python3
"""Laws over generated messages: README.md.

    laws.py build/asan/tests/account/account_lines          what CI runs
    laws.py ... --sites 0                                    every site there is
    laws.py ... --seconds 600 --seed 7                       and random mixes
    laws.py ... --law back --noun request --from claude --to gemini --repeat 123
    laws.py ... --plant all                                  each must find a fault
"""
import argparse
import collections
import copy
import json
import pathlib
import random
import sys
import time

import generator
import laws_declared
import shrink
from laws_checks import LAWS
from translator import DIALECTS, NOUNS, Open, Translator

HERE = pathlib.Path(__file__).parent
Found = collections.namedtuple('Found', 'detail message answers')


class Run:
    def __init__(self, options):
        self.options = options
        self.translator = Translator(options.binary)
        self.cases = collections.Counter()    # of each law
        self.pairs = collections.defaultdict(set)
        self.planted = collections.defaultdict(lambda: [0, 0])  # law: made, found
        self.found = {}                       # (law, noun, from, to, place): Found
        self.times = collections.Counter()
        self.open = Open(HERE / 'open_laws.txt')
        self.known = set()
        self.routes = {}

    def wanted(self, noun, source):
        return self.options.noun in (None, noun) and self.options.source in (None, source)

    def check_all(self, messages):
        """Messages of one noun and dialect, against every law and target."""
        noun, source = messages[0].noun, messages[0].dialect
        for name, law in LAWS.items():
            if noun not in law.nouns or self.options.law not in (None, name):
                continue
            for target in law.targets(source):
                if self.options.to in (None, target) and not self.again(messages, target):
                    self.check(name, messages, target)

    def again(self, messages, target):
        """Bedrock's body is Claude's: of all its sites one target is enough."""
        return not self.options.sites and not hasattr(messages[0], 'seed') \
            and messages[0].dialect == 'bedrock' and target != 'claude'

    def check(self, name, messages, target):
        self.cases[name] += len(messages)
        self.pairs[name].add((messages[0].dialect, target))
        for message, answers in zip(messages, self.asked(name, messages, target)):
            faults = dict(LAWS[name].faults(message, target, answers))
            if self.options.plant:
                self.plant(name, message, target, answers, faults)
                continue
            for place, detail in faults.items():
                self.add((name, message.noun, message.dialect, target, place), Found(detail, message, answers))

    def asked(self, name, messages, target):
        """What the program answers to the lines of each message."""
        law = LAWS[name]
        first = [law.first(message, target) for message in messages]
        answers = self.round(first)
        more = [law.then(m, target, a) for m, a in zip(messages, answers)]
        return [one + other for one, other in zip(answers, self.round(more))]

    def round(self, lines):
        answers = iter(self.translator.translate([line for some in lines for line in some]) if any(lines) else [])
        return [[next(answers) for _ in some] for some in lines]

    def add(self, key, found):
        self.times[key] += 1
        if key in self.known or key not in self.found and self.excused(key):
            self.known.add(key)
        elif key not in self.found or found.message.size() < self.found[key].message.size():
            self.found[key] = found

    def excused(self, key):
        return not self.options.all and (laws_declared.match(key) or self.open.has(key))

    def plant(self, name, message, target, answers, faults):
        """Makes one thing wrong, which the law must see."""
        wrong = copy.deepcopy(answers)
        if LAWS[name].plant(message, target, wrong):
            self.planted[name][0] += 1
            self.planted[name][1] += dict(LAWS[name].faults(message, target, wrong)) != faults

    def sites(self, noun, source):
        """The smallest message of each site, or of some of them by chance."""
        routes = self.routes_of(noun, source)
        if 0 < self.options.sites < len(routes):
            routes = random.Random('%s/%s' % (noun, source)).sample(routes, self.options.sites)
        messages = [generator.message(source, noun, route) for route in routes]
        if messages:
            self.check_all(messages)

    def mixes(self, noun, source, seeds):
        messages = []
        for seed in seeds:
            messages.append(generator.mixed(source, noun, self.routes_of(noun, source),
                                            '%s/%s/%d' % (noun, source, seed)))
            messages[-1].seed = seed
        self.check_all(messages)

    def routes_of(self, noun, source):
        if (noun, source) not in self.routes:
            self.routes[noun, source] = list(generator.sites(source, noun))
        return self.routes[noun, source]

    def shrink_all(self):
        for key, found in list(self.found.items()):
            body = shrink.smallest(found.message.body, lambda tried: self.still(key, found.message, tried))
            message = found.message.with_body(body)
            answers = self.asked(key[0], [message], key[3])[0]
            detail = dict(LAWS[key[0]].faults(message, key[3], answers))[key[4]]
            self.found[key] = Found(detail, message, answers)

    def still(self, key, message, body):
        message = message.with_body(body)
        try:
            answers = self.asked(key[0], [message], key[3])[0]
            return key[4] in dict(LAWS[key[0]].faults(message, key[3], answers))
        except (KeyError, IndexError, TypeError, AttributeError):
            return False  # no message any more that a stream could be made of


def print_found(run):
    """Faults of one kind together, the smallest message of each."""
    groups = collections.OrderedDict()
    for key in sorted(run.found):
        groups.setdefault((key[0], key[1], key[2], key[4]), []).append(key)
    for (law, noun, source, place), keys in groups.items():
        found = run.found[keys[0]]
        print('%s: %s %s -> %s: %s (%d times)\n    %s\n    %s' % (
            law, noun, source, ' '.join(key[3] for key in keys), place, sum(run.times[key] for key in keys),
            found.detail[:400], json.dumps(found.message.body)[:900]))
        for answer in found.answers:
            print('    -> %s\n       losses: %s' % (
                (answer.get('error') or answer.get('body') or json.dumps(answer.get('parsed')))[:400],
                json.dumps(answer.get('losses'))[:400]))
        if hasattr(found.message, 'seed'):
            print('    again, and smaller: laws.py PROGRAM --law %s --noun %s --from %s --to %s --repeat %d' % (
                law, noun, source, keys[0][3], found.message.seed))
    return groups


def print_sums(run, groups):
    for name in LAWS:
        if run.cases[name]:
            print('law %-8s %6d cases, %2d pairs, %d failures in %d places; %d places open or declared' % (
                name, run.cases[name], len(run.pairs[name]),
                sum(n for key, n in run.times.items() if key in run.found and key[0] == name),
                sum(group[0] == name for group in groups), sum(key[0] == name for key in run.known)))
    print('laws: %d rows declared, %d rows open' % (len(laws_declared.ROWS), len(run.open.rows)))


def idle_rows(run):
    """Rows that nothing needs any more; of a whole run only."""
    return ['open_laws.txt: no such fault any more: ' + row for row in run.open.idle()] + [
        'laws_declared.py: nothing needs: %r' % (row,) for row in laws_declared.idle()]


def planted_result(run):
    missed = False
    for name in LAWS:
        if run.options.law in (None, name):
            made, found = run.planted[name]
            print('law %-8s planted %d times, found %d times' % (name, made, found))
            missed = missed or not made or found < made
    return 1 if missed else 0


def check_sites_and_mixes(run, options):
    until = time.time() + options.seconds
    if not options.seconds:
        for noun in NOUNS:
            for source in DIALECTS:
                if run.wanted(noun, source):
                    run.sites(noun, source)
    done = 0
    while done < options.mixes or time.time() < until:
        for noun in NOUNS:
            for source in DIALECTS:
                if run.wanted(noun, source):
                    run.mixes(noun, source, range(options.seed + done, options.seed + done + 10))
        done += 10
        if run.found and options.seconds and not options.all:
            break


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('binary')
    parser.add_argument('--law', choices=sorted(LAWS))
    parser.add_argument('--noun', choices=NOUNS)
    parser.add_argument('--from', dest='source', choices=DIALECTS)
    parser.add_argument('--to', choices=DIALECTS)
    parser.add_argument('--sites', type=int, default=40, help='so many of each dialect and noun; 0: all of them')
    parser.add_argument('--mixes', type=int, default=0, help='of each dialect, at least')
    parser.add_argument('--seconds', type=float, default=0, help='mixes alone, for so long')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--repeat', type=int, help='the mix of this seed alone, made smaller')
    parser.add_argument('--all', action='store_true', help='report what is open or declared as well')
    parser.add_argument('--plant', choices=sorted(LAWS) + ['all'])
    options = parser.parse_args()
    if options.plant and options.plant != 'all':
        options.law = options.plant
    run = Run(options)
    if options.repeat is not None:
        run.mixes(options.noun, options.source, [options.repeat])
        run.shrink_all()
    else:
        check_sites_and_mixes(run, options)
    if options.plant:
        return planted_result(run)
    print_sums(run, print_found(run))
    whole = not (options.law or options.noun or options.source or options.to or options.sites
                 or options.seconds or options.repeat is not None or options.all)
    idle = idle_rows(run) if whole else []
    print('\n'.join(idle), end='\n' if idle else '')
    return 1 if run.found or idle else 0


sys.exit(main())
