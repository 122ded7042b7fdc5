"""What run.py and laws.py share: the program under test, the lines that it
reads, and the files of faults that are known.
"""
import base64
import collections
import fnmatch
import json
import random
import subprocess
import tempfile

import planted
import streams

NOUNS = ['request', 'answer', 'stream']  # and errors
DIALECTS = ['openai-chat', 'openai-responses', 'claude', 'gemini', 'bedrock', 'bedrock-converse']


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
        message.sent = streams.joined(streams.read(message.dialect, b''.join(whole)))
        line['chunks'] = [base64.b64encode(c).decode() for c in streams.cut(whole, rng)]
        line['keep_alive'] = rng.random() < 0.5
    return line


class Open:
    """Faults that are known and not yet repaired: open.txt."""

    def __init__(self, path):
        self.rows = collections.OrderedDict()
        for line in path.read_text().splitlines():
            if line and not line.startswith('#'):
                row = tuple(part.strip() for part in line.split('|'))
                assert len(row) == 6, 'open.txt: ' + line
                self.rows[row] = 0

    def has(self, key):
        kind, noun, source, target, pattern = key
        for row in self.rows:
            if all(fnmatch.fnmatchcase(text, wanted) or text in wanted.split() for text, wanted in zip(
                    (kind, noun, source, target), row)) and fnmatch.fnmatchcase(pattern, row[4]):
                self.rows[row] += 1
                return True
        return False

    def idle(self):
        return [' | '.join(row) for row, count in self.rows.items()
                if not count and not row[5].startswith('mixes: ')]
