"""Chats of all dialects with all: how one is drawn, sent, read and judged."""

import json

from parts import verdict
from parts.dialects import DIALECTS, NAMES
from parts.faults import BEHIND, ENDLESS, FAULTS
from parts.heard import Heard
from parts.order import FILL_JSON
from parts.wire import Caller, Manner

# Gemini's clients take an orderly end for a finished answer, so a stream that
# broke is an aborted connection for them.
ABORTED = ("gemini",)
LARGE = (1 << 20, 20 << 20)     # bytes of a large request
SHORT_LARGE = (1 << 20, 3 << 20)


WHOLE = [name for name, row in FAULTS.items() if row.whole and not row.slow]
STREAM = [name for name, row in FAULTS.items() if row.stream and not row.slow]


def draw(book, rng, **fixed):
    """An order: every other one has a fault."""
    stream = fixed.setdefault("stream", rng.random() < 0.6)
    if "fault" not in fixed:
        names = STREAM if stream else WHOLE
        fixed["fault"] = rng.choice(names) if rng.random() < 0.4 else "none"
    fixed.setdefault("client", rng.choice(NAMES))
    fixed.setdefault("target", rng.choice(NAMES))
    fixed.setdefault("count", rng.choice((1, 3, 8, 30, 120)))
    fixed.setdefault("pad", rng.choice((0, 5, 40, 400)))
    fixed.setdefault("fill", rng.choice((1, 1, 3, 100)))
    fixed.setdefault("tool", rng.random() < 0.3)
    fixed.setdefault("cuts", rng.random() < 0.4)
    fixed.setdefault("at", rng.randrange(12))
    fixed.setdefault("pace", rng.choice((0, 0, 0, 0.003, 0.05)))
    if fixed["fault"] in BEHIND and fixed["target"] in ENDLESS:
        fixed["fault"] = "none"
    return book.new(**fixed)


def manner_of(rng):
    return Manner(chunked=rng.random() < 0.3, dribble=rng.random() < 0.1,
                  expect=rng.random() < 0.05)


class Chats:
    def __init__(self, load, rng):
        self.load, self.rng = load, rng
        self.book, self.tally = load.book, load.tally
        self.caller = Caller(load.port, rng)

    async def send(self, order, manner, caller=None, kind="chat",
                   prefix="", settle=True):
        """One chat from begin to end; returns the answer."""
        client = DIALECTS[order.client]
        headers = {"content-type": "application/json",
                   "authorization": f"Bearer {self.load.key}"}
        body = order.body_of(client)
        answer = await (caller or self.caller).ask(
            "POST", prefix + client.path(order.model(), order.stream),
            headers, body, manner)
        answer.heard = heard_of(order, client, answer)
        label, fault = verdict.chat_fault(order, answer)
        fault = fault or end_fault(order, label, answer) or \
            self.load.secret_fault(answer)
        self.tally.note(
            kind, label, fault,
            f"{order.client} {'stream' if order.stream else 'whole'} -> "
            f"{order.target}, {order.fault} at {order.at} of {order.count}, "
            f"call {order.id}, {manner}, {answer.status} {answer.trouble} "
            f"{answer.body[-300:]!r}")
        if settle:
            self.book.close(order)
        return answer

    # --- kinds

    async def usual(self):
        await self.send(draw(self.book, self.rng), manner_of(self.rng))

    async def slow_fault(self):
        """An upstream that falls silent for as long as a deadline."""
        stream = self.rng.random() < 0.5
        fault = "silent_stream" if stream and self.rng.random() < 0.6 \
            else "silent"
        await self.send(draw(self.book, self.rng, stream=stream, fault=fault),
                        manner_of(self.rng))

    async def leaver(self):
        manner = manner_of(self.rng)
        manner.leaves = self.rng.choice(("upload", "sent", "head", "piece"))
        manner.leaves_at = self.rng.randrange(6)
        manner.reset = self.rng.random() < 0.5
        order = draw(self.book, self.rng, leaves=True)
        if self.rng.random() < 0.3:
            order.fault = "silent"
            manner.leaves = "sent"
        await self.send(order, manner, kind="leaving")

    async def slow_reader(self):
        order = draw(self.book, self.rng, stream=True, fault="none",
                     count=self.rng.choice((60, 300)), pad=1000, pace=0)
        caller = Caller(self.load.port, self.rng, small=True)
        manner = Manner(slow=0.004, stall=self.rng.choice((0, 1, 4)))
        await self.send(order, manner, caller, kind="slow reader")
        caller.connection.close()

    async def large(self):
        size = self.rng.randrange(*(SHORT_LARGE if self.load.short
                                    else LARGE))
        order = draw(self.book, self.rng, fill=size // len(FILL_JSON),
                     fault="none", pace=0)
        await self.send(order, manner_of(self.rng), kind="large request")

    async def large_answer(self):
        order = draw(self.book, self.rng, fault="none", pace=0,
                     count=100 if self.load.short else
                     self.rng.choice((100, 1000)), pad=2000, tool=False)
        await self.send(order, Manner(), kind="large answer")

    async def compressed(self):
        order = draw(self.book, self.rng, fault="none", fill=self.rng.choice(
            (1, 200, 40000)))
        await self.send(order, Manner(coding="gzip"), kind="compressed")

    async def image(self):
        how = self.rng.choice(("good", "good", "good", "missing", "html"))
        order = draw(self.book, self.rng, fault="none", client=self.rng.choice(
            ("openai-chat", "claude", "openai-responses", "gemini")),
            target=self.rng.choice(("bedrock", "bedrock-converse")))
        order.image = (f"http://127.0.0.1:{self.load.image_port}"
                       f"/image/{how}/{order.id}")
        if how != "good":
            order.fault = "status_400"  # what the client is told
        await self.send(order, Manner(), kind=f"image {how}")
        if how != "good" and order.asked:
            self.tally.fault(f"image {how}: went upstream all the same")

    async def idle_gap(self):
        """A kept connection after a pause, on both sides of the proxy."""
        await self.usual()
        await self.load.rest(self.rng.uniform(0.5, 9))
        await self.send(draw(self.book, self.rng, fault="none"), Manner(),
                        kind="after a pause")

    async def below_prefix(self):
        """The same dialect below a backend's name: bytes pass."""
        name = self.rng.choice(NAMES)
        order = draw(self.book, self.rng, client=name, target=name,
                     fault="none")
        client = DIALECTS[name]
        path = client.path(f"u{order.id}", order.stream)
        if client.PLACE:
            path = path.removeprefix(client.PLACE)
        body = json.dumps(client.body(order, f"u{order.id}",
                                      order.question())).encode()
        answer = await self.caller.ask(
            "POST", f"/up-{name}{path}",
            {"content-type": "application/json",
             "authorization": f"Bearer {self.load.key}"},
            body.replace(b"@fill@", FILL_JSON * order.fill))
        answer.heard = heard_of(order, client, answer)
        label, fault = verdict.chat_fault(order, answer)
        self.tally.note("passthrough", label,
                        fault or self.load.secret_fault(answer),
                        f"{name}, {answer.status} {answer.trouble} "
                        f"{answer.body[:200]!r}")
        self.book.close(order)

    async def stored(self):
        """A turn, its stored answer, the turn after it, and its end."""
        rng = self.rng
        first = draw(self.book, rng, client="openai-responses", fault="none",
                     target=rng.choice(("claude", "gemini", "openai-chat")),
                     tool=False, pace=0)
        answer = await self.send(first, Manner(), kind="stored turn",
                                 settle=False)
        number = response_id(answer)
        if not number:
            self.tally.fault(f"stored turn: no id in {answer.body[:200]!r}")
            return
        text = first.mark("end")
        await self.expect("GET", number, 200, text)
        await self.expect("GET", number, 404, "", key=self.load.other_key)
        second = draw(self.book, rng, client="openai-responses", fault="none",
                      target=first.target, previous=number, carries=text,
                      before=first.fill, tool=False, pace=0)
        await self.send(second, Manner(), kind="next turn")
        await self.expect("DELETE", number, 200, "")
        await self.expect("GET", number, 404, "")
        self.book.close(first)

    async def expect(self, method, number, status, text, key=None):
        answer = await self.caller.ask(
            method, f"/v1/responses/{number}",
            {"authorization": f"Bearer {key or self.load.key}"})
        wrong = None
        if answer.status != status or text.encode() not in answer.body:
            wrong = (f"{answer.status} where {status} is due: "
                     f"{answer.body[:200]!r} {answer.trouble}")
        self.tally.note(f"stored {method}", answer.status, wrong)


def heard_of(order, client, answer):
    """What the client makes of it; None = there is nothing to read."""
    if answer.status != 200:
        return None
    body = answer.body
    try:
        if not order.stream:
            return None if answer.left else client.read_whole(json.loads(body))
        if answer.left or not answer.proper:
            body = whole_events(body)
        return client.read_stream(body)
    except (ValueError, KeyError, TypeError, IndexError) as problem:
        return Heard(broken=f"{type(problem).__name__}: {problem}")


def whole_events(body):
    """Without the half event that a cut may leave. Frames count their own
    bytes."""
    if body[:1] == b"\0":
        return body
    end = max(body.rfind(b"\n\n") + 2, body.rfind(b"\r\n\r\n") + 4)
    return body[:end] if end > 3 else b""


def end_fault(order, label, answer):
    """How the body of a stream that broke must end."""
    if label != "faulted":
        return None
    aborted = order.client in ABORTED
    if answer.proper == aborted:
        return ("a broken stream ends in order" if aborted
                else "the body of a stream that broke has no proper end")
    return None


def response_id(answer):
    at = answer.body.find(b'"id":"resp_')
    return answer.body[at + 6:answer.body.find(b'"', at + 6)].decode() \
        if at >= 0 else ""
