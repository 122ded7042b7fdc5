"""The load on one proxy: upstream and clients in one process.

Runs as a program of its own: reads one line of JSON with what it is to do,
writes lines of JSON: first the ports of the upstream, then a sign of life a
second, then the tally."""

import asyncio
import gc
import json
import random
import sys
import time
import traceback

from parts.chats import Chats
from parts.order import Book
from parts.tally import Tally
from parts.upstream import Upstream, key_for
from parts.visits import Visits
from parts.dialects import NAMES

# How often each kind of visit is drawn: (weight, whose, method).
KINDS = (
    (60, Chats, "usual"),
    (10, Chats, "leaver"),
    (3, Chats, "below_prefix"),
    (3, Chats, "stored"),
    (3, Chats, "image"),
    (3, Chats, "compressed"),
    (2, Chats, "large_answer"),
    (1, Chats, "idle_gap"),
    (0.7, Chats, "slow_reader"),
    (0.4, Chats, "slow_fault"),
    (0.3, Chats, "large"),
    (4, Visits, "health"),
    (3, Visits, "lists"),
    (3, Visits, "wrong_key"),
    (3, Visits, "bad_body"),
    (3, Visits, "raw"),
    (2, Visits, "unknown"),
    (2, Visits, "foreign"),
    (2, Visits, "pipelined"),
    (2, Visits, "counting"),
    (3, Visits, "backend_path"),
    (1, Visits, "idle"),
)
CLIENT_KEYS = ("sk-soak-client-one-0123456789", "sk-soak-client-two-0123456789")
# Never to be seen by a client.
SECRETS = tuple(key_for(name) for name in NAMES)
SETTLE_SECONDS = 30


# Seconds between two visits of a client. Most of a visit's time is the
# upstream's, so 64 clients make about 100 a second.
PAUSES = (0, 0.05, 0.2, 0.4)


class Load:
    def __init__(self, plan):
        self.port = plan["port"]
        self.seed = plan["seed"]
        self.workers = plan["workers"]
        self.short = plan["short"]
        self.deadline = time.monotonic() + plan["seconds"]
        self.kinds = [row for row in KINDS if row[2] not in plan["without"]]
        self.weights = [row[0] for row in self.kinds]
        self.key, self.other_key = CLIENT_KEYS
        self.book = Book()
        self.tally = Tally()
        self.upstream = Upstream(self.book, self.seed)
        self.secrets = [secret.encode() for secret in SECRETS]

    @property
    def image_port(self):
        return self.upstream.ports["claude"]

    def secret_fault(self, answer):
        for secret in self.secrets:
            if secret in answer.body:
                return "ROBBED: the answer holds a key of the upstream"
        return None

    async def rest(self, seconds):
        """A pause that ends with the run."""
        await asyncio.sleep(min(seconds,
                                max(self.deadline - time.monotonic(), 0)))

    async def work(self, number):
        rng = random.Random(f"{self.seed} {number}")
        mine = {kind: kind(self, rng) for kind in (Chats, Visits)}
        while time.monotonic() < self.deadline:
            _, kind, method = rng.choices(self.kinds, self.weights)[0]
            try:
                await getattr(mine[kind], method)()
            except OSError as problem:
                self.tally.fault(f"{method}: nobody answers", problem)
                await asyncio.sleep(0.2)
            except Exception:  # pylint: disable=broad-except
                self.tally.fault(f"{method}: a fault of this tool",
                                 traceback.format_exc(limit=-3))
            if rng.random() < 0.1:
                mine[kind].caller.connection.close()
            await asyncio.sleep(rng.choice(PAUSES))
        for one in mine.values():
            one.caller.connection.close()

    async def run(self):
        beat = asyncio.ensure_future(self.beat())
        tasks = [asyncio.ensure_future(self.work(number))
                 for number in range(self.workers)]
        for task in tasks:
            await task
        beat.cancel()
        await self.settle()

    async def beat(self):
        while True:
            await asyncio.sleep(1)
            say({"calls": sum(self.tally.calls.values()),
                 "faults": self.tally.count})

    async def settle(self):
        """Calls whose clients left must end at the upstream as well."""
        until = time.monotonic() + SETTLE_SECONDS
        while self.upstream.open and time.monotonic() < until:
            await asyncio.sleep(0.1)
        if self.upstream.open:
            self.tally.fault(
                f"{len(self.upstream.open)} calls go on upstream though their "
                f"clients are gone: {sorted(self.upstream.open)[:5]}")
        for text in self.book.unknown:
            self.tally.fault("a request of nobody, or a fault of this tool",
                             text)
        self.upstream.let_go()


def say(value):
    print(json.dumps(value), flush=True)


async def line_of(reader):
    return json.loads(await reader.readline())


async def main():
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    # The proxy's configuration needs the ports, and the plan its port.
    upstream = Upstream(Book(), 0)
    await upstream.start()
    say({"ports": upstream.ports})
    load = Load(await line_of(reader))
    upstream.book, load.upstream = load.book, upstream
    upstream.random = random.Random(load.seed)
    await load.run()
    say({"tally": load.tally.plain()})


if __name__ == "__main__":
    gc.freeze()
    asyncio.run(main())
