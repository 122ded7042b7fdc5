"""Runs the programs of examples/ and looks at what they print.

  examples_test.py SOURCE_DIR BINARY_DIR
"""

import json
import os
import subprocess
import sys
import unittest

SOURCES, BINARIES = (os.path.abspath(path) for path in sys.argv[1:3])
MAX_LINES = 40


def run(name, *arguments, stdin=""):
    environment = {key: value for key, value in os.environ.items()
                   if not key.endswith("_API_KEY")}
    return subprocess.run([os.path.join(BINARIES, name), *arguments],
                          input=stdin, capture_output=True, text=True,
                          env=environment, timeout=60, check=False)


class TranslateBody(unittest.TestCase):
    def test_built_in_body(self):
        done = run("translate_body")
        self.assertEqual(done.returncode, 0, done.stderr)
        body = json.loads(done.stdout)
        self.assertEqual(body["model"], "claude-sonnet-4-5")
        self.assertEqual(body["system"], "Be brief.")
        self.assertEqual(body["messages"],
                         [{"role": "user", "content": "What is a proxy?"}])
        self.assertGreater(body["max_tokens"], 0)
        self.assertRegex(done.stderr, r"^lost: /seed: .+\n$")

    def test_body_from_standard_input(self):
        done = run("translate_body", "-", stdin=json.dumps({
            "model": "m", "max_completion_tokens": 7, "stop": "END",
            "messages": [{"role": "user", "content": "hi"}]}))
        self.assertEqual(done.returncode, 0, done.stderr)
        body = json.loads(done.stdout)
        self.assertEqual(body["max_tokens"], 7)
        self.assertEqual(body["stop_sequences"], ["END"])
        self.assertEqual(done.stderr, "")

    def test_mistake_is_placed(self):
        done = run("translate_body", "-", stdin=json.dumps(
            {"model": "m", "messages": [{"role": "user", "content": 5}]}))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("/messages/0/content", done.stderr)


class StreamPrint(unittest.TestCase):
    def test_prints_the_demo_models_answer(self):
        first = run("stream_print", "hello there")
        again = run("stream_print", "hello there")
        other = run("stream_print", "something else")
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(first.stderr, "")
        self.assertGreater(len(first.stdout.split()), 3)
        self.assertEqual(first.stdout, again.stdout)
        self.assertNotEqual(first.stdout, other.stdout)


class AllExamples(unittest.TestCase):
    def test_each_is_short_and_tested(self):
        names = [name for name in os.listdir(SOURCES) if name.endswith(".cc")]
        self.assertEqual(sorted(names),
                         ["stream_print.cc", "translate_body.cc"])
        for name in names:
            with open(os.path.join(SOURCES, name), encoding="ascii") as file:
                self.assertLessEqual(len(file.readlines()), MAX_LINES, name)


if __name__ == "__main__":
    program = unittest.main(argv=sys.argv[:1], exit=False, verbosity=1)
    result = program.result
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed", file=sys.stderr)
    sys.exit(1 if bad else 0)
