"""Runs the fuzz targets and says what came of it.

  run.py BUILD [--seconds N] [--executions N] [--jobs N] [--only TARGET,...]
         [--grow]

Each target runs for N seconds (60), as many at once as there are jobs. With
--executions the quick ones go on until all have done N together. What is found
is kept below BUILD/fuzzing: corpora, which later runs go on from, and
artifacts, which are tried again first: what breaks nothing any more goes. With
--grow the corpora in the repository become what the run has found, made as
small as can be. The end is a table; any artifact fails it.
"""

import argparse
import concurrent.futures
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import corpus

# Bytes. libFuzzer calls an input that takes more a fault.
MEMORY_MB = 1024
ALLOCATION_MB = 256
# Seconds for one input: far above the slowest on a loaded machine.
TIMEOUT = 30
LONGEST = 16384
# Inputs of any length from the start. The entropic schedule counts features
# for two thirds of the time of targets with many of them (perf, clang 16):
# request, response and stream run three times as often without.
PACE = ["-len_control=0", "-entropic=0"]
# What shows a leak, a wrong index or a number that overflows ends the run.
ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=0:abort_on_error=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:abort_on_error=1",
}


class Target:
    """One executable with its folders."""

    def __init__(self, build, name):
        self.name = name
        self.program = f"{build}/tests/fuzz/fuzz_{name}"
        self.folder = f"{build}/fuzzing/{name}"
        self.corpus = self.folder + "/corpus"
        self.artifacts = self.folder + "/artifacts"
        self.log = self.folder + "/log"

    def seeds(self):
        """Folders to begin with: packed corpus, regressions."""
        folders = []
        pack = f"{corpus.HERE}/corpus/{self.name}.pack"
        if os.path.exists(pack):
            folders.append(self.folder + "/packed")
            shutil.rmtree(folders[0], ignore_errors=True)
            corpus.unpack(pack, folders[0])
        regressions = f"{corpus.HERE}/regressions/{self.name}"
        if os.path.isdir(regressions):
            folders.append(regressions)
        return folders

    def options(self):
        options = [f"-max_len={LONGEST}", f"-timeout={TIMEOUT}",
                   f"-rss_limit_mb={MEMORY_MB}",
                   f"-malloc_limit_mb={ALLOCATION_MB}",
                   f"-artifact_prefix={self.artifacts}/"]
        words = f"{corpus.HERE}/words/{self.name}.dict"
        return options + ([f"-dict={words}"] if os.path.exists(words) else [])

    def call(self, log, *words):
        return subprocess.run([self.program, *self.options(), *words],
                              stdout=log, stderr=log,
                              env=os.environ | ENVIRONMENT,
                              check=False).returncode

    def prepare(self):
        """Empties the log, and the artifacts of what was repaired."""
        for folder in (self.corpus, self.artifacts):
            os.makedirs(folder, exist_ok=True)
        with open(self.log, "wb"):
            pass
        for name in os.listdir(self.artifacts):
            file = f"{self.artifacts}/{name}"
            if self.call(subprocess.DEVNULL, file) == 0:
                os.remove(file)

    def run(self, seconds):
        begin = time.monotonic()
        with open(self.log, "ab") as log:
            code = self.call(log, f"-max_total_time={seconds}",
                             "-print_final_stats=1", *PACE, self.corpus,
                             *self.seeds())
        return Outcome(self, code, time.monotonic() - begin)

    def grow(self):
        """The packed corpus becomes the fewest inputs that reach as much."""
        with tempfile.TemporaryDirectory() as smallest:
            with open(self.log, "ab") as log:
                if self.call(log, "-merge=1", smallest, self.corpus,
                             *self.seeds()):
                    sys.exit(f"run.py: merging failed, see {self.log}")
            corpus.pack(smallest, f"{corpus.HERE}/corpus/{self.name}.pack")


class Outcome:
    """What the runs of a target so far say, in its log."""

    def __init__(self, target, code, seconds):
        with open(target.log, encoding="utf-8", errors="replace") as file:
            text = file.read()
        self.target = target
        self.code = code
        counts = self.all(text, r"number_of_executed_units:\s*(\d+)")
        self.executions = sum(counts)
        # Of the last run.
        self.rate = counts[-1] / seconds if counts else 0
        self.coverage = max(self.all(text, r"cov: (\d+)"), default=0)
        self.corpus = max(self.all(text, r"corp: (\d+)"), default=0)
        self.artifacts = sorted(os.listdir(target.artifacts))

    @staticmethod
    def all(text, pattern):
        return [int(number) for number in re.findall(pattern, text)]

    def failed(self):
        return bool(self.code or self.artifacts)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("build")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--executions", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="")
    parser.add_argument("--grow", action="store_true")
    return parser.parse_args()


def names(arguments):
    found = sorted(name.removesuffix(".cc")
                   for name in os.listdir(corpus.HERE + "/targets"))
    only = [name for name in arguments.only.split(",") if name]
    unknown = set(only) - set(found)
    if unknown:
        sys.exit("run.py: no target " + ", ".join(sorted(unknown)))
    return only or found


def total(outcomes):
    return sum(outcome.executions for outcome in outcomes)


def quick(outcomes):
    """Those of more than middling speed: what is slow has had its time."""
    middle = sum(outcome.rate for outcome in outcomes) / len(outcomes)
    return [outcome for outcome in outcomes if outcome.rate >= middle]


def run_all(targets, arguments):
    """All for the same time, then the quick ones until there is enough."""
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:

        def run(which, seconds):
            return {outcome.target.name: outcome for outcome in pool.map(
                lambda target: target.run(seconds), which)}

        list(pool.map(Target.prepare, targets))
        outcomes = run(targets, arguments.seconds)
        while True:
            done = list(outcomes.values())
            missing = arguments.executions - total(done)
            going_on = quick(done)
            rate = sum(outcome.rate for outcome in going_on)
            if missing <= 0 or not rate or any(o.failed() for o in done):
                return done
            outcomes |= run([outcome.target for outcome in going_on],
                            math.ceil(missing / rate))


def show(outcomes):
    row = "{:<12} {:>12} {:>11} {:>8} {:>9} {:>8}"
    print(row.format("target", "executions", "each second", "corpus",
                     "coverage", "crashes"))
    for outcome in outcomes:
        print(row.format(outcome.target.name, f"{outcome.executions:,}",
                         f"{outcome.rate:,.0f}", outcome.corpus,
                         outcome.coverage, len(outcome.artifacts)))
    print(row.format("total", f"{total(outcomes):,}", "",
                     sum(o.corpus for o in outcomes), "",
                     sum(len(o.artifacts) for o in outcomes)))


def main():
    arguments = parse_arguments()
    targets = [Target(os.path.abspath(arguments.build), name)
               for name in names(arguments)]
    outcomes = run_all(targets, arguments)
    show(outcomes)
    failed = [outcome for outcome in outcomes if outcome.failed()]
    for outcome in failed:
        print(f"{outcome.target.name}: failed, see {outcome.target.log}")
        for artifact in outcome.artifacts:
            print(f"  {outcome.target.artifacts}/{artifact}")
    if arguments.grow:
        for target in targets:
            target.grow()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
