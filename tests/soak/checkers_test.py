"""Shows that the soak's judges see what they must: each fault is made up once
here, and each judge is shown what is right as well.

  checkers_test.py        soak.py runs it as well
"""

import base64
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

# pylint: disable=wrong-import-position
from parts import chats, verdict
from parts.dialects import DIALECTS, NAMES
from parts.order import Book, image_of, image_text
from parts.wire import Answer

MB = 1e6


def answered(order, events=None, **more):
    """What the client has when the upstream's own bytes reach it."""
    dialect = DIALECTS[order.client]
    if events is None:
        events = dialect.events(order, "meta")
    body = b"".join(events)
    answer = Answer(status=200, body=body, proper=True, **more)
    answer.heard = chats.heard_of(order, dialect, answer)
    return answer


class Streams(unittest.TestCase):
    """Every dialect reads its own streams, and misses nothing."""

    def each(self, **options):
        for name in NAMES:
            with self.subTest(name):
                order = Book().new(name, name, stream=True, tool=True,
                                   **options)
                yield order, DIALECTS[name].events(order, "meta")

    def fault(self, order, events, **more):
        return verdict.chat_fault(order, answered(order, events, **more))[1]

    def test_whole(self):
        for order, events in self.each():
            self.assertIsNone(self.fault(order, events))

    def test_piece_lost(self):
        for order, events in self.each():
            at = next(i for i, event in enumerate(events)
                      if order.mark(3).encode() in read(order, event))
            self.assertIsNotNone(self.fault(order, events[:at] +
                                            events[at + 1:]))

    def test_piece_twice(self):
        for order, events in self.each():
            at = next(i for i, event in enumerate(events)
                      if order.mark(3).encode() in read(order, event))
            self.assertIsNotNone(self.fault(order, events[:at] +
                                            [events[at]] + events[at:]))

    def test_end_lost(self):
        for order, events in self.each():
            last = -2 if order.client == "bedrock-converse" else -1
            self.assertIn("no end", self.fault(order, events[:last]))

    def test_two_ends(self):
        for order, events in self.each():
            last = events[-2:] if order.client == "bedrock-converse" \
                else events[-1:]
            self.assertIsNotNone(self.fault(order, events + last))

    def test_error_that_nobody_ordered(self):
        for order, events in self.each():
            error = DIALECTS[order.client].stream_error()
            self.assertIn("nobody ordered",
                          self.fault(order, events[:5] + [error]))

    def test_ordered_error(self):
        for order, events in self.each(fault="error_event"):
            error = DIALECTS[order.client].stream_error()
            self.assertIsNone(self.fault(order, events[:5] + [error]))
            self.assertIn("2 errors",
                          self.fault(order, events[:5] + [error] * 2))
            self.assertIn("0 errors", self.fault(order, events[:5]))

    def test_error_behind_the_end(self):
        for order, events in self.each(fault="cut_reset"):
            broken = [DIALECTS[order.client].stream_error()]
            self.assertIn("end that", self.fault(order, events + broken))
            order.at_last = True
            if order.client == "bedrock-converse":
                self.assertIsNone(self.fault(order, events[:-1] + broken))
                self.assertIsNotNone(self.fault(order, events[:-2] + broken +
                                                events[-2:-1] * 2))
            order.target = "another"
            self.assertIn("end that", self.fault(order, events + broken))

    def test_end_without_done(self):
        for order, events in self.each(fault="early_end"):
            if order.client != "openai-chat":
                continue
            self.assertIn("0 errors", self.fault(order, events[:-1]))
            order.at_last = True
            self.assertIsNone(self.fault(order, events[:-1]))
            self.assertIsNotNone(self.fault(order, events[:-3]))
            order.target = "another"
            self.assertIsNotNone(self.fault(order, events[:-1]))

    def test_of_another_client(self):
        book = Book()
        for name in NAMES:
            with self.subTest(name):
                mine = book.new(name, name, stream=True)
                other = book.new(name, name, stream=True)
                events = DIALECTS[name].events(other, "meta")
                self.assertIn("MIXED UP", self.fault(mine, events))

    def test_one_piece_of_another_client(self):
        order = Book().new("claude", "claude", stream=True)
        text = order.text().replace("[1.3]", "[7.3]")
        self.assertIn("MIXED UP", verdict.text_fault(order, text, True))

    def test_another_call(self):
        for order, events in self.each():
            other = Book().new(order.client, order.client, tool=False)
            answer = answered(order, events)
            self.assertIsNotNone(verdict.call_fault(other, answer.heard))

    def test_body_without_end(self):
        order = Book().new("claude", "claude", stream=True)
        answer = answered(order)
        answer.proper = False
        self.assertIn("proper end", verdict.chat_fault(order, answer)[1])

    def test_left(self):
        order = Book().new("claude", "claude", stream=True)
        events = DIALECTS["claude"].events(order, "meta")
        self.assertIsNone(self.fault(order, events[:5], left=True))
        other = Book().new("openai-chat", "claude", stream=True)
        other.id = 9
        self.assertIn("MIXED UP", self.fault(
            order, DIALECTS["claude"].events(other, "meta")[:5], left=True))


def read(order, event):
    """The bytes of an event with base64 undone."""
    if order.client != "bedrock":
        return event
    start = event.find(b'{"bytes": "')
    return base64.b64decode(event[start + 11:event.rfind(b'"')])


class Whole(unittest.TestCase):
    def judge(self, order, body, **more):
        answer = Answer(status=200, body=body, proper=True, **more)
        answer.heard = chats.heard_of(order, DIALECTS[order.client], answer)
        return verdict.chat_fault(order, answer)[1]

    def test_right_and_wrong(self):
        for name in NAMES:
            with self.subTest(name):
                order = Book().new(name, name, tool=True)
                body = json.dumps(DIALECTS[name].whole(order, "meta"))
                self.assertIsNone(self.judge(order, body.encode()))
                self.assertIsNotNone(self.judge(order, body[:-9].encode()))
                order.id += 1
                self.assertIn("MIXED UP", self.judge(order, body.encode()))

    def test_status(self):
        order = Book().new("claude", "claude")
        def fault(status, body=b"{}", proper=True):
            return verdict.chat_fault(order, Answer(
                status=status, body=body, proper=proper))[1]
        self.assertIn("502", fault(502))
        self.assertIn("no answer", fault(0))
        order.fault = "reset_at_once"
        self.assertIsNone(fault(502))
        self.assertIn("500", fault(500))
        self.assertIn("JSON", fault(502, b"<html>"))
        self.assertIn("proper", fault(502, proper=False))

    def test_what_the_upstream_saw(self):
        order = Book().new("claude", "gemini")
        body = order.body_of(DIALECTS["gemini"])
        order.seen("key", "key", "u1", body)
        self.assertEqual(order.faults, [])
        order.seen("key", "key", "u1", body)
        self.assertIn("more than once", order.faults[0])
        for key, model, text in (("other", "u1", body), ("key", "u2", body),
                                 ("key", "u1", body[:-20]),
                                 ("key", "u1", body.replace(b"Lorem", b""))):
            order = Book().new("claude", "gemini")
            order.seen(key, "key", model, text)
            self.assertNotEqual(order.faults, [], (key, model))

    def test_image(self):
        body = b'{"data":"' + base64.b64encode(image_of("7")) + b'"}'
        self.assertIn("image 7.", image_text(body))


class Process(unittest.TestCase):
    """Judges of the process."""

    def samples(self, per_hour, noise=0):
        return [(second, 100 * MB + per_hour * second / 3600 +
                 (noise if second % 7 == 0 else 0))
                for second in range(1800)]

    def test_memory_that_grows(self):
        self.assertRegex(verdict.growth_fault(
            self.samples(60 * MB), 32 * MB, 8 * MB), "grows by 60[.]")

    def test_memory_that_stays(self):
        for samples in (self.samples(0), self.samples(0, 80 * MB),
                        self.samples(10 * MB), self.samples(-60 * MB)):
            self.assertIsNone(verdict.growth_fault(samples, 32 * MB, 8 * MB))

    def test_memory_that_grows_below_noise(self):
        self.assertIsNotNone(verdict.growth_fault(
            self.samples(60 * MB, 80 * MB), 32 * MB, 8 * MB))

    def test_memory_of_the_warm_up(self):
        samples = [(second, min(second, 600) * MB) for second in range(1800)]
        self.assertIsNone(verdict.growth_fault(samples, 32 * MB, 8 * MB))

    def test_descriptors(self):
        self.assertIsNone(verdict.count_fault("descriptors", 15, 17, 2))
        self.assertIn("18 descriptors",
                      verdict.count_fault("descriptors", 15, 18, 2))

    def test_latency(self):
        calm = [0.0001] * 100
        self.assertIsNone(verdict.latency_fault([0.001] * 500, calm, 0.5))
        self.assertIn("p99", verdict.latency_fault(
            [0.001] * 500 + [7.0] * 20, calm, 0.5))
        self.assertIsNone(verdict.latency_fault(
            [0.001] * 500 + [0.9] * 20, calm + [0.1] * 10, 0.5))
        self.assertIn("never", verdict.latency_fault([], calm, 0.5))

    def test_output(self):
        def fault(text, code=0):
            return verdict.output_fault(text, code, ("sk-secret",))
        self.assertIsNone(fault('{"status":200}'))
        for text in ("==1==ERROR: AddressSanitizer: heap-use-after-free",
                     "==1==ERROR: LeakSanitizer: detected memory leaks",
                     "a.cc:1:2: runtime error: signed integer overflow",
                     "vector: Assertion '!this->empty()' failed."):
            self.assertIn("SANITIZER", fault(text))
        self.assertIn("exit code -11", fault("", -11))
        self.assertIn("key", fault("bearer sk-secret"))


def run():
    """Numbers of passed and failed tests."""
    result = unittest.TextTestRunner(verbosity=0).run(
        unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))
    failed = len(result.failures) + len(result.errors)
    return result.testsRun - failed, failed


if __name__ == "__main__":
    print("soak's judges: {} passed, {} failed".format(*run()))
