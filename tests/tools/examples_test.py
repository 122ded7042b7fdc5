"""Runs the programs of examples/ and looks at what they print.

  examples_test.py SOURCE_DIR BINARY_DIR
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import unittest

SOURCES, BINARIES = (os.path.abspath(path) for path in sys.argv[1:3])
MAX_LINES = 80


def run(name, *arguments, stdin=""):
    environment = {key: value for key, value in os.environ.items()
                   if not key.endswith("_API_KEY")}
    return subprocess.run([os.path.join(BINARIES, name), *arguments],
                          input=stdin, capture_output=True, text=True,
                          env=environment, timeout=60, check=False)


def has(name):
    return os.path.exists(os.path.join(BINARIES, name))


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


class OwnHttpClient(unittest.TestCase):
    def test_says_all_that_is_sent(self):
        done = run("own_http_client", "m-1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        messages = [part for part in done.stdout.split("\n\n") if part]
        heads = [head.splitlines() for head in messages[::2]]
        self.assertEqual(heads, [
            ["POST https://api.anthropic.com/v1/messages",
             "content-type: application/json", "accept: text/event-stream",
             "anthropic-version: 2023-06-01", "x-api-key: KEY"],
            ["POST https://generativelanguage.googleapis.com/v1beta/models/"
             "m-1:streamGenerateContent?alt=sse",
             "content-type: application/json", "accept: text/event-stream",
             "x-goog-api-key: KEY"]])
        bodies = [json.loads(body) for body in messages[1::2]]
        self.assertEqual(bodies[0]["model"], "m-1")
        self.assertIn("contents", bodies[1])


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


class Send(unittest.TestCase):
    def test_answer_usage_and_losses(self):
        done = run("send", "hello there")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "You said: hello there\n")
        self.assertEqual(done.stderr, "4 tokens\nlost: /seed\n")

    def test_gives_up(self):
        done = run("send", "one two three " * 100, "0.1")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, "^cancelled: ")


class ManyCalls(unittest.TestCase):
    def test_all_end(self):
        done = run("many_calls", "50")
        self.assertEqual(done.returncode, 0, done.stderr)
        size = 50 * len("You said: Tell me a story")
        self.assertEqual(done.stdout, f"50 answers, 50 streams of {size} "
                         "bytes, one call cancelled\n")


class Tools(unittest.TestCase):
    def test_the_model_calls_and_answers(self):
        done = run("tools", "Weather in Oslo")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "I will call weather.\n"
                         "weather said: 12 degrees, rain\n")
        self.assertEqual(done.stderr,
                         "calls weather\n2 rounds, 4 messages\n")

    def test_a_failing_function_is_told_to_the_model(self):
        done = run("tools", "Weather in Atlantis")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Error: there is no such city", done.stdout)


class Fallback(unittest.TestCase):
    def test_the_next_one_answers(self):
        for model, kind in (("demo-error-500", "upstream_failed"),
                            ("demo-error-429", "rate_limited")):
            done = run("fallback", model)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout, "You said: Are you there?\n")
            self.assertEqual(done.stderr, f"choice 0: {kind}\n")

    def test_the_first_one_is_enough(self):
        done = run("fallback", "demo")
        self.assertEqual((done.stdout, done.stderr),
                         ("You said: Are you there?\n", ""))


class OwnLoop(unittest.TestCase):
    """Claude in, Chat Completions out, cut anywhere."""

    def check_stream(self, name):
        done = run(name)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        events = [line.removeprefix("data: ")
                  for line in done.stdout.split("\n\n") if line]
        self.assertEqual(events.pop(), "[DONE]")
        chunks = [json.loads(event) for event in events]
        text = "".join(choice["delta"].get("content") or ""
                       for chunk in chunks for choice in chunk["choices"])
        self.assertEqual(text, "You said: What is a proxy?")
        self.assertEqual({chunk["object"] for chunk in chunks},
                         {"chat.completion.chunk"})
        self.assertGreater(chunks[-1]["usage"]["completion_tokens"], 0)

    def test_epoll(self):
        self.check_stream("translate_epoll")

    @unittest.skipUnless(has("translate_asio"), "built without Boost")
    def test_asio(self):
        self.check_stream("translate_asio")


@unittest.skipUnless(has("gateway_beast"), "built without Boost")
class GatewayBeast(unittest.TestCase):
    def setUp(self):
        self.server = subprocess.Popen(
            [os.path.join(BINARIES, "gateway_beast")], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.port = int(self.server.stdout.readline())

    def tearDown(self):
        self.server.kill()
        self.server.communicate()

    def ask(self, headers, stream, target="/v1/messages"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=20)
        self.addCleanup(connection.close)
        connection.request("POST", target, json.dumps({
            "model": "any", "max_tokens": 50, "stream": stream,
            "messages": [{"role": "user", "content": "hello"}]}), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def test_whole_streamed_and_refused(self):
        known = {"x-session": "alice", "content-type": "application/json"}
        status, body = self.ask(known, False)
        self.assertEqual(status, 200)
        self.assertEqual(json.loads(body)["content"][0]["text"],
                         "You said: hello")
        self.assertEqual(self.server.stderr.readline(),
                         "/v1/messages any ok\n")
        status, body = self.ask(known, True)
        self.assertEqual(status, 200)
        self.assertIn("event: message_stop", body)
        self.assertEqual(self.ask({}, False), (403, ""))

    def test_a_query_is_none_of_the_path(self):
        known = {"x-session": "alice", "content-type": "application/json"}
        status, _ = self.ask(known, False, "/v1/messages?beta=true")
        self.assertEqual(status, 200)
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=20)
        self.addCleanup(connection.close)
        connection.request(
            "POST", "/v1beta/models/demo:streamGenerateContent?alt=sse",
            json.dumps({"contents": [{"parts": [{"text": "hello"}]}]}), known)
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.getheader("content-type").split(";")[0],
                         "text/event-stream")
        answer.read()


class RecordReplay(unittest.TestCase):
    def test_replays_what_was_recorded(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "a.rec")
            first = run("record_replay", "record", file)
            again = run("record_replay", "replay", file)
            self.assertEqual(first.returncode, 0, first.stderr)
            self.assertEqual(again.returncode, 0, again.stderr)
            self.assertEqual(first.stdout, "You said: What is a proxy?\n")
            self.assertEqual(again.stdout, first.stdout)
            with open(file, encoding="ascii") as recording:
                self.assertNotIn("a key that is not written",
                                 recording.read())
            with open(file, "w", encoding="ascii") as recording:
                recording.write("llmproxy recording 1\n")
            empty = run("record_replay", "replay", file)
            self.assertEqual(empty.returncode, 1)
            self.assertIn("has no recorded answer to POST demo:", empty.stderr)


class OwnDialect(unittest.TestCase):
    def test_speaks_signs_and_shows(self):
        done = run("own_dialect")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "You said: Who are you?\n")
        self.assertEqual(done.stderr, "POST demo:/acme/chat signed\n")


class GatewayHooks(unittest.TestCase):
    def test_rules_trace_and_limits(self):
        done = run("gateway_hooks")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.splitlines(), [
            "start, byte, 200 ok",
            "start, byte, 403 permission_denied",
            "start, byte, 200 ok",
            "start, byte, 200 ok",
            "start, byte, 429 rate_limited"])


class AllExamples(unittest.TestCase):
    def test_each_is_short_and_tested(self):
        names = [name for name in os.listdir(SOURCES) if name.endswith(".cc")]
        with open(__file__, encoding="ascii") as file:
            tests = file.read()
        for name in names:
            self.assertIn(f'"{name.removesuffix(".cc")}"', tests)
        for name in names:
            with open(os.path.join(SOURCES, name), encoding="ascii") as file:
                self.assertLessEqual(len(file.readlines()), MAX_LINES, name)


if __name__ == "__main__":
    program = unittest.main(argv=sys.argv[:1], exit=False, verbosity=1)
    result = program.result
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed", file=sys.stderr)
    sys.exit(1 if bad else 0)
