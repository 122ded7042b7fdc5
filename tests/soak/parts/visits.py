"""Everything that is no chat: lists, probes, wrong keys, and what no client
of ours would send."""

import json

from parts.dialects import DIALECTS, NAMES
from parts.wire import Answer, Caller

# Bytes, and the statuses that are right for them.
RAW = (
    (b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", (200,)),
    (b"GET healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", (400,)),
    (b"GET up-claude/@127.0.0.1:9/x HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
     (400,)),
    (b"GET /healthz HTTP/2.0\r\nhost: 127.0.0.1\r\n\r\n", (400, 505)),
    (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", (400,)),
    (b"GET /healthz HTTP/1.1\r\nhost : 127.0.0.1\r\n\r\n", (400,)),
    (b"GET /healthz HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", (400,)),
    (b"GET /healthz HTTP/1.1\r\n\r\n", (400,)),
    (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nhost: a\r\n\r\n", (414,)),
    (b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: " + b"a" * 80000 + b"\r\n\r\n",
     (431,)),
    (b"TRACE /up-claude/v1/x HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", (405,)),
    (b"CONNECT 127.0.0.1:9 HTTP/1.1\r\nhost: 127.0.0.1:9\r\n\r\n",
     (400, 405)),
    (b"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\n"
     b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
     (400,)),
    (b"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\n"
     b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello!", (400,)),
    (b"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: @key@\r\n"
     b"transfer-encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n", (400,)),
    (b"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: @key@\r\n"
     b"content-length: 99999999999\r\n\r\n", (413,)),
    (b"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\n"
     b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", (400, 501)),
)
# JSON, or not, and no chat that another dialect could be asked: 400 each.
BAD_BODIES = (
    b"", b"{", b"[]", b"null", b"\xff\xfe{}", b'{"messages":[]}',
    b'{"model":"@model@"}', b"[" * 5000, b'{"model":1,"messages":1}',
    b'{"model":"@model@","messages":[{"role":"user","content":[]}]}',
    b'{"model":"@model@","max_tokens":5,"messages":'
    b'[{"role":"user","content":[]}],"contents":[{"role":"user"}],'
    b'"input":[]}',
)


class Visits:
    def __init__(self, load, rng):
        self.load, self.rng = load, rng
        self.tally = load.tally
        self.caller = Caller(load.port, rng)

    def note(self, kind, answer, statuses, text=b""):
        wrong = None
        if answer.status not in statuses:
            wrong = f"{answer.status} where {statuses} is due"
        elif not answer.proper:
            wrong = "the body has no proper end"
        elif text not in answer.body:
            wrong = "the body is another"
        wrong = wrong or self.load.secret_fault(answer)
        self.tally.note(kind, answer.status, wrong,
                        f"{answer.trouble} {answer.body[:200]!r}")

    def headers(self, **more):
        return {"authorization": f"Bearer {self.load.key}", **more}

    async def health(self):
        path = self.rng.choice(("/health", "/healthz"))
        method = self.rng.choice(("GET", "GET", "HEAD"))
        self.note("health", await self.caller.ask(method, path, {}), (200,))

    async def lists(self):
        path, more = self.rng.choice((
            ("/v1/models", {}), ("/v1beta/models", {}),
            ("/v1/models", {"anthropic-version": "2023-06-01"}),
            ("/v1/models/listed", {})))
        answer = await self.caller.ask("GET", path, self.headers(**more))
        self.note("model list", answer, (200,), b"listed")

    async def wrong_key(self):
        dialect = DIALECTS[self.rng.choice(NAMES)]
        order = self.load.book.new(dialect.NAME, "claude")
        body = order.body_of(dialect)
        key = self.rng.choice(({}, {"authorization": "Bearer wrong"},
                               {"x-api-key": self.load.key[:-1]}))
        answer = await self.caller.ask(
            "POST", dialect.path(order.model(), False), key, body)
        self.note("wrong key", answer, (401, 403))
        if order.asked:
            self.tally.fault("wrong key: went upstream")
        self.load.book.close(order)

    async def bad_body(self):
        name, target = self.rng.sample(NAMES, 2)
        body = self.rng.choice(BAD_BODIES)
        answer = await self.caller.ask(
            "POST", DIALECTS[name].path(f"{target}-u0", False),
            self.headers(), body.replace(b"@model@", f"{target}-u0".encode()))
        self.note("bad body", answer, (400, 404, 422))

    async def raw(self):
        data, statuses = self.rng.choice(RAW)
        data = data.replace(b"@key@", self.load.key.encode())
        answer = await Caller(self.load.port, self.rng).raw(data)
        if answer.status not in statuses:
            self.tally.note("odd bytes", answer.status, "wrong status",
                            f"{statuses} {data[:120]!r} {answer.trouble} "
                            f"{answer.body[:100]!r}")
        else:
            self.tally.note("odd bytes", answer.status, None)

    async def unknown(self):
        path = self.rng.choice(("/nothing", "/v1/nothing", "/up-nobody/x"))
        answer = await self.caller.ask("GET", path, self.headers())
        self.note("unknown path", answer, (404,))

    async def foreign(self):
        """The preflight of a page that may not call."""
        answer = await self.caller.ask(
            "OPTIONS", "/v1/messages",
            {"origin": "https://evil.example",
             "access-control-request-method": "POST"})
        wrong = None
        if "access-control-allow-origin" in answer.headers:
            wrong = "a foreign page is let in"
        self.tally.note("foreign page", answer.status, wrong)

    async def pipelined(self):
        """Three requests at once, answered in their order."""
        connection = self.caller.connection
        await connection.open()
        paths = ("/healthz", "/v1/models", "/nothing")
        head = "".join(
            f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
            f"authorization: Bearer {self.load.key}\r\n\r\n"
            for path in paths)
        try:
            await connection.send(head.encode())
            statuses = []
            for _ in paths:
                answer = Answer()
                await self.caller.read_any(answer)
                statuses.append(answer.status)
        except (OSError, EOFError) as problem:
            statuses = repr(problem)
        connection.close()
        self.tally.note("pipelined", "3 answers",
                        None if statuses == [200, 200, 404]
                        else f"answers {statuses}")

    async def counting(self):
        name = self.rng.choice(NAMES)
        order = self.load.book.new("claude", name)
        body = order.body_of(DIALECTS["claude"])
        answer = await self.caller.ask(
            "POST", "/v1/messages/count_tokens", self.headers(), body)
        self.note("count tokens", answer, (200,), b"input_tokens")
        self.load.book.close(order)

    async def backend_path(self):
        """What is no chat, below a backend's name, with our key."""
        name = self.rng.choice(NAMES)
        order = self.load.book.new(name, name)
        answer = await self.caller.ask(
            "GET", f"/up-{name}/v1/files?q=soak%23{order.id}%23",
            self.headers())
        wrong = None
        try:
            if json.loads(answer.body) != {
                    "soak": order.id, "key": True, "input_tokens": 9}:
                wrong = f"another answer: {answer.body[:200]!r}"
        except ValueError:
            wrong = f"{answer.status} {answer.body[:200]!r} {answer.trouble}"
        self.tally.note("backend path", answer.status, wrong)
        self.load.book.close(order)

    async def idle(self):
        """A head that never comes whole, and a client that says nothing."""
        caller = Caller(self.load.port, self.rng)
        await caller.connection.open()
        await caller.connection.send(
            self.rng.choice((b"GET /hea", b"", b"\r\n\r\n")) or b"\r\n")
        await self.load.rest(self.rng.uniform(0, 3))
        caller.connection.close(self.rng.random() < 0.5)
        self.tally.note("half a head", "left", None)
