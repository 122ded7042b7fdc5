"""Puts llm-proxy under a mixed load, and says whether it came out of it well.

  soak.py --asan BINARY [--release BINARY] [--minutes M] [--seed N]
          [--workers N] [--short]

Each binary gets a proxy, an upstream and clients of its own, all at the same
time. Prints a report; exits with 1 when anything is not as it should be.
README.md says what is looked at.
"""

import argparse
import contextlib
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

# pylint: disable=wrong-import-position
import checkers_test
from parts import report, target

SHORT_SECONDS = 20
# How long an upstream may be silent. A short run is part of the tests, beside
# others on a machine without time, and orders no silence.
DEADLINE, SHORT_DEADLINE = 10, 60
WORKERS, SHORT_WORKERS = 64, 12


# Beyond its time a load has so long to end: the longest a client waits.
GRACE_SECONDS = 150


class Probe:
    """The process that asks /healthz."""

    def __init__(self, ports):
        self.child = subprocess.Popen(
            [sys.executable, "-m", "parts.probe", *map(str, ports)],
            cwd=pathlib.Path(__file__).parent, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)

    def stop(self):
        out, _ = self.child.communicate(timeout=GRACE_SECONDS)
        return json.loads(out)

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()


def watch(targets, seconds):
    """Until all loads are over, or must be."""
    until = time.monotonic() + seconds + GRACE_SECONDS
    while time.monotonic() < until:
        if not any([one.sample() for one in targets]):
            return
        time.sleep(1)


def run(arguments, seconds, folder, stack):
    targets = [target.Target(name, binary, folder)
               for name, binary in (("asan", arguments.asan),
                                    ("release", arguments.release)) if binary]
    for one in targets:
        stack.callback(one.kill)
        one.start(SHORT_DEADLINE if arguments.short else DEADLINE)
    probe = Probe([one.port for one in targets])
    stack.callback(probe.kill)
    for one in targets:
        one.begin({"seed": arguments.seed, "seconds": seconds,
                   "workers": arguments.workers,
                   "short": arguments.short,
                   "without": arguments.without.split(",")})
    watch(targets, seconds)
    health = probe.stop()
    for one in targets:
        one.rest()
        one.stop()
    return targets, health


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--asan")
    parser.add_argument("--release")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--seed", type=int, default=random.randrange(10 ** 6))
    parser.add_argument("--without", default="",
                        help="kinds of visits to leave out, by commas")
    parser.add_argument("--short", action="store_true",
                        help=f"{SHORT_SECONDS} seconds")
    arguments = parser.parse_args()
    if not arguments.asan and not arguments.release:
        parser.error("name a binary")
    arguments.workers = arguments.workers or \
        (SHORT_WORKERS if arguments.short else WORKERS)
    if arguments.short:
        arguments.without += ",slow_fault"
    seconds = SHORT_SECONDS if arguments.short else arguments.minutes * 60
    judges = checkers_test.run()
    print(f"soak: {seconds:.0f} s, seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="llmproxy-soak-") as folder, \
            contextlib.ExitStack() as stack:
        targets, health = run(arguments, seconds, folder, stack)
    good = report.tell(targets, health, seconds, arguments.seed, judges)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
