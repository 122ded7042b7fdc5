#!/usr/bin/env python3
"""Puts llm-proxy before an outside judge, llm-comply.

    run.sh [WORD...]            all, or the cells and parts whose name has one
    run.sh --serve [WORD...]    starts the proxies, prints the judge's own
                                commands for those cells, and waits

Three parts: the judge's tests of each format against each proxy ("cells"), the
schemas that it brings along against what golden cases write ("golden"), and
faults of our making, which must be noticed ("planted").
"""
import argparse
import concurrent.futures
import contextlib
import shlex
import signal
import sys

import cells
import exceptions
import golden_schemas
import nulls
import planted
import proxies
from verdicts import settle, settle_golden

AT_ONCE = 2
PARTS = ("golden", "planted")


class Report:
    def __init__(self):
        self.passed = self.failed = 0
        self.explained = 0

    def add(self, passed, failures):
        self.passed += passed
        self.failed += len(failures)
        for text in failures:
            print(f"FAIL {text}", flush=True)


@contextlib.contextmanager
def running():
    """Ports by column."""
    names = [form.model for form in cells.FORMATS]
    with proxies.Proxy() as bare, proxies.Proxy(proxies.BEHIND) as behind, \
            proxies.Proxy(proxies.front(names, behind.port)) as front:
        ports = dict.fromkeys(cells.COLUMNS, front.port)
        yield ports | {cells.BARE: bare.port, cells.DEMO: behind.port}


def print_table(verdicts):
    """What the judge itself says: tests passed / all."""
    rows = [("", *cells.COLUMNS)]
    for form in cells.FORMATS:
        said = [verdicts.get(f"{form.name}/{column}")
                for column in cells.COLUMNS]
        rows.append((form.name, *(f"{one.passed}/{one.all}" if one else "-"
                                  for one in said)))
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("  " + "  ".join(text.ljust(width) for text, width in
                               zip(row, widths)).rstrip())


def judged(cell, ports):
    """A verdict, or what kept the judge from one."""
    try:
        return cells.judge(cell, ports[cell.column])
    except (RuntimeError, OSError, cells.subprocess.TimeoutExpired) as error:
        return str(error)


def play(chosen, ports, report):
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        said = list(pool.map(lambda cell: judged(cell, ports), chosen))
    verdicts = {}
    for cell, verdict in zip(chosen, said):
        if isinstance(verdict, str):
            report.add(0, [f"{cell.name}: {verdict}"])
            continue
        verdicts[cell.name] = verdict
        unexplained, unused = settle(cell, verdict, exceptions.CELLS)
        report.explained += len(verdict.objections) - len(unexplained)
        failures = [f"{cell.name} {one.test}: {one.kind}: {one.text}"
                    for one in unexplained]
        failures += [f"{cell.name} {row.objection.test}: exceptions.py expects "
                     f"{row.objection.kind} {row.objection.text!r}, which "
                     "nobody says" for row in unused]
        wrong = {one.test for one in unexplained}
        report.add(verdict.all - len(wrong), failures)
        if failures:
            print(f"again: tests/comply/run.sh {cell.name}")
    return verdicts


def check_golden(report):
    cases, pieces, found = 0, 0, []
    for path in golden_schemas.cases():
        seen, objections = golden_schemas.check(path)
        cases += seen > 0
        pieces += seen
        found += [(path.stem, one) for one in objections]
    found += nulls.needless()
    unexplained, unused = settle_golden(found, exceptions.GOLDEN)
    report.explained += len(found) - len(unexplained)
    wrong = {case for case, _ in unexplained}
    report.add(cases - len(wrong), [
        f"{case} ({one.section}): {one.schema}: {one.text[:600]}"
        for case, one in unexplained])
    report.add(0, [f"exceptions.py: {row.text!r} is said nowhere in {case}"
                   for row, case in unused])
    print(f"golden: {pieces} bodies and events of {cases} cases "
          "held against the bundled schemas", flush=True)


def check_planted(ports, report):
    bare = next(cell for cell in cells.CELLS
                if cell.column == cells.BARE)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        said = list(pool.map(
            lambda fault: planted.noticed(fault, ports[cells.DEMO]),
            planted.FAULTS))
    said += [planted.piece_noticed(*piece) for piece in planted.PIECES]
    said.append(planted.table_noticed(cells.judge(bare, ports[cells.BARE])))
    said += [planted.null_noticed(), planted.golden_table_noticed()]
    wrong = [f"planted: {text}" for text in said if text]
    report.add(len(said) - len(wrong), wrong)
    print(f"planted: {len(said) - len(wrong)} of {len(said)} noticed",
          flush=True)


def serve(chosen, ports):
    for cell in chosen:
        print(shlex.join(cell.command(ports[cell.column])))
    print("until Ctrl-C, or SIGTERM", flush=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    signal.sigwait({signal.SIGINT, signal.SIGTERM})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("words", nargs="*", metavar="WORD")
    arguments = parser.parse_args()

    def wanted(name):
        return not arguments.words or any(
            word in name for word in arguments.words)

    chosen = [cell for cell in cells.CELLS if wanted(cell.name)]
    parts = [part for part in PARTS if wanted(part)]
    if not chosen and not parts:
        parser.error(f"no cell or part is called {arguments.words}")
    if arguments.serve:
        with running() as ports:
            serve(chosen, ports)
        return 0
    report = Report()
    if "golden" in parts:
        check_golden(report)
    if chosen or "planted" in parts:
        with running() as ports:
            verdicts = play(chosen, ports, report)
            if "planted" in parts:
                check_planted(ports, report)
        if verdicts:
            print_table(verdicts)
            print("one cell: tests/comply/run.sh anthropic/gemini; with the "
                  "judge's own words: tests/comply/run.sh --serve "
                  "anthropic/gemini")
    print(f"{report.explained} objections are explained in exceptions.py")
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed or not report.passed else 0


if __name__ == "__main__":
    sys.exit(main())
