"""Checks the tools of the benchmark: calls and streams of every dialect,
without and with llm-proxy between, all complete. Looks at no time.

  smoke.py --mock BINARY --load BINARY --proxy BINARY
"""

import argparse
import sys
import tempfile

from runner import processes

CALLS, CONNECTIONS = 200, 8
STREAMS, EVENTS = 20, 10


def faults_of(load, port, dialect, prefix, mock):
    """What is wrong with the calls and streams of one dialect."""
    before = mock.stats()
    calls = processes.load(load, "calls", port, dialect, prefix, count=CALLS,
                           connections=CONNECTIONS)
    if calls["requests"] != CALLS or calls["errors"]:
        yield f"calls: {calls}"
    streams = processes.load(load, "streams", port, dialect, prefix,
                             streams=STREAMS, events=EVENTS, interval_us=2000)
    if (streams["complete"], streams["events"]) != (STREAMS, STREAMS * EVENTS):
        yield f"streams: {streams}"
    left = processes.load(load, "leave", port, dialect, prefix, streams=4,
                          count=STREAMS, events=EVENTS, interval_us=2000)
    if left["left"] + left["complete"] != STREAMS or not left["left"]:
        yield f"streams that were left: {left}"
    after = mock.stats()
    if after["requests"] - before["requests"] != CALLS + 2 * STREAMS:
        yield f"the mock saw {before}, then {after}"


def abuse_faults(load, port):
    """Modes that hold connections: these must at least have got them."""
    idle = processes.load(load, "idle", port, "claude", connections=10,
                          seconds=0.3)
    if idle["connected"] != 10:
        yield f"idle: {idle}"
    for option in ({}, {"read": True}):
        slow = processes.load(load, "slow", port, "claude", connections=10,
                              seconds=0.5, interval=0.05, **option)
        if slow["connected"] != 10 or slow["bytes"] == 0:
            yield f"slow: {slow}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--mock", "--load", "--proxy"):
        parser.add_argument(name, required=True)
    arguments = parser.parse_args()
    passed = failed = 0

    def report(name, faults):
        nonlocal passed, failed
        faults = list(faults)
        failed += bool(faults)
        passed += not faults
        for fault in faults:
            print(f"{name}: {fault}")

    with tempfile.TemporaryDirectory() as folder, \
            processes.Mock(arguments.mock) as mock, \
            processes.Proxy(arguments.proxy, folder, mock) as proxy:
        for dialect in processes.PROVIDERS:
            report(f"{dialect}, direct", faults_of(
                arguments.load, mock.port, dialect, "", mock))
            report(f"{dialect}, llm-proxy", faults_of(
                arguments.load, proxy.port, dialect, dialect + "-", mock))
        report("abuse", abuse_faults(arguments.load, mock.port))
    print(f"bench tools: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
