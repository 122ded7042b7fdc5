"""Measures llm-proxy beside nginx and without a proxy, in one run.

  run.py --mock BINARY --load BINARY --proxy BINARY [--quick] [--only NAME]
         [--json FILE]

Prints one table in Markdown; docs/performance.md says how to read it. Exits
with 1 when a request failed or a stream was lost, never because of a time.
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time

from runner import holding, measures, processes, table

FULL = {"connections": (1, 32, 256), "call_rounds": 3, "seconds": 1.0,
        "streams": (100, 2000, 8000), "stream_rounds": 2, "crowds": (8000,),
        "starts": 15}
QUICK = {"connections": (1, 32), "call_rounds": 1, "seconds": 0.7,
         "streams": (100, 500), "stream_rounds": 1, "crowds": (),
         "starts": 5}
# Seconds that rounds may take; one that would not fit is left out. What is
# measured once comes after them, and takes about 100.
BUDGET = 400
# Two descriptors a stream in a proxy, and some reserve.
FILES_A_STREAM = 2.4


def say(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    """The processes of a run, and its faults."""

    def __init__(self, arguments, folder, stack):
        self.arguments = arguments
        self.folder = folder
        self.load = arguments.load
        self.files = processes.raise_descriptor_limit()
        self.began = time.monotonic()
        self.faults = measures.Faults()
        self.notes = []
        self.mock = stack.enter_context(processes.Mock(arguments.mock))
        self.places = {"mock": self.mock}
        if processes.nginx_binary() is None:
            self.notes.append("nginx: not measured, as it is not installed")
        else:
            self.places["nginx"] = stack.enter_context(self.fresh("nginx"))
        for name in ("proxy", "logging"):
            self.places[name] = stack.enter_context(self.fresh(name))

    @contextlib.contextmanager
    def fresh(self, place, pause=0.01):
        """A process of its own; the mock is always the same."""
        if place == "mock":
            yield self.mock
            return
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            if place == "nginx":
                process = processes.Nginx(folder, self.mock, self.files)
            else:
                log = f"{folder}/access.log" if place == "logging" else None
                process = processes.Proxy(self.arguments.proxy, folder,
                                          self.mock, log, pause)
            with process:
                yield process

    def can_hold(self, streams):
        """Whether a process may have descriptors for so many streams."""
        if self.files >= FILES_A_STREAM * streams:
            return True
        self.notes.append(f"{streams} streams: not measured, as a process may "
                          f"open {self.files} files only")
        return False

    def rounds_of(self, count, *what):
        """The first round, and of the others those there is time for."""
        rounds = []
        for number in range(count):
            began = time.monotonic()
            rounds.append(self.round_of(*what))
            now = time.monotonic()
            if now - self.began + (now - began) > BUDGET and \
                    number + 1 < count:
                self.notes.append(
                    f"{what[0].__name__} {what[2]}: {len(rounds)} of {count} "
                    "rounds, as there was no time for more")
                break
        return rounds

    def round_of(self, measure, routes, *options):
        """One round: every route once."""
        out = {}
        for route in routes:
            if route[1] not in self.places:
                continue
            say("  " + " ".join(map(str, (measure.__name__, *options))) +
                f": {route[0]}")
            out[route[0]] = measure(self, route, *options)
            measures.settle(self.mock)
        return out


def measure_all(bench, plan, wanted):
    results = {"calls": {}, "streams": {}, "abuse": {}, "crowd": {},
               "flat": {}, "process": {}}
    for connections in plan["connections"]:
        if not wanted(f"calls-{connections}"):
            continue
        routes = [route for route in measures.CALL_ROUTES
                  if route[1] != "logging" or connections == 32]
        results["calls"][connections] = bench.rounds_of(
            plan["call_rounds"], measures.calls, routes, connections,
            plan["seconds"])
    loaded = bench.places["proxy"].resident() / 1e6
    for count in plan["streams"]:
        if not wanted(f"streams-{count}"):
            continue
        if not bench.can_hold(count):
            continue
        results["streams"][count] = bench.rounds_of(
            plan["stream_rounds"], measures.streams, measures.STREAM_ROUTES,
            count)
    if wanted("abuse"):
        results["abuse"] = bench.round_of(holding.abused, holding.ROUTES)
    for count in plan["crowds"]:
        if wanted(f"crowd-{count}") and bench.can_hold(count):
            results["crowd"][count] = bench.round_of(
                holding.crowded, holding.ROUTES, count)
    if wanted("flat") and not bench.arguments.quick:
        results["flat"] = bench.round_of(holding.flat, holding.ROUTES)
    if wanted("process"):
        results["process"] = measures.start_up(bench, plan["starts"])
        results["process"]["binary_mb"] = measures.binary_mb(
            bench.arguments.proxy, bench.folder)
        if results["calls"]:
            results["process"]["loaded_mb"] = loaded
    return results


def first_line(*command):
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                            stderr=subprocess.STDOUT, check=False)
    return result.stdout.strip().split("\n")[0]


def machine(arguments):
    """On what the run took place, a line each."""
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    nginx = processes.nginx_binary()
    return {
        "date": datetime.date.today().isoformat(),
        "machine": f"{len(os.sched_getaffinity(0))} cores, {model}, "
                   f"Linux {platform.release()}",
        "load average before": f"{os.getloadavg()[0]:.2f}",
        "llm-proxy": first_line(arguments.proxy, "version"),
        "nginx": first_line(nginx, "-v") if nginx else "not installed",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mock", required=True, help="mock_upstream")
    parser.add_argument("--load", required=True, help="bench_load")
    parser.add_argument("--proxy", required=True,
                        help="llm-proxy, a release build")
    parser.add_argument("--quick", action="store_true",
                        help="a minute; figures are rough")
    parser.add_argument("--only", action="append", metavar="NAME",
                        help="calls, calls-32, streams, streams-8000, abuse, "
                             "crowd, flat, process")
    parser.add_argument("--json", metavar="FILE",
                        help="write the raw numbers of all rounds")
    arguments = parser.parse_args()

    def wanted(name):
        return not arguments.only or any(
            name == one or name.startswith(one + "-")
            for one in arguments.only)

    about = machine(arguments)
    with tempfile.TemporaryDirectory() as folder, \
            contextlib.ExitStack() as stack:
        bench = Bench(arguments, folder, stack)
        results = measure_all(bench, QUICK if arguments.quick else FULL,
                              wanted)
    print("\n".join(f"- {name}: {value}" for name, value in about.items()))
    print("\n" + table.markdown(results) + "\n")
    for line in bench.notes + bench.faults:
        print(f"- {line}")
    say(f"{time.monotonic() - bench.began:.0f} s")
    if arguments.json:
        with open(arguments.json, "w", encoding="ascii") as file:
            json.dump({"about": about, **results, "notes": bench.notes,
                       "faults": bench.faults}, file, indent=1)
    return 1 if bench.faults else 0


if __name__ == "__main__":
    sys.exit(main())
