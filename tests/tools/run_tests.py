"""Runs ctest and says in one line how many single tests passed.

A ctest entry is a whole program: hundreds of Catch2 cases, golden cases,
SDK calls. This counts those, from the summary each program prints; an entry
that prints none counts as one test. A failing entry counts at least one
failure, whatever it printed.

  run_tests.py BUILD_DIR [--jobs N] [--only REGEX]
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

# How the programs say it, each with groups passed and failed, or all passed.
# The last match in the output counts.
SUMMARIES = [
    # golden_test, node and python checks of this repository
    re.compile(r"(?P<passed>\d+) passed, (?P<failed>\d+) failed"),
    # Catch2, all well
    re.compile(r"All tests passed \(.* in (?P<passed>\d+) test cases?\)"),
    # Catch2, some failed; a column without a number is left out
    re.compile(r"test cases: +\d+ \|(?: +(?P<passed>\d+) passed \|)?"
               r" +(?P<failed>\d+) failed"),
]


def count(output, entry_passed):
    """Numbers of passed and failed tests of one ctest entry."""
    passed, failed = 0, 0
    for pattern in SUMMARIES:
        matches = list(pattern.finditer(output))
        if matches:
            groups = matches[-1].groupdict(default="0")
            passed = int(groups["passed"])
            failed = int(groups.get("failed", 0))
            break
    if entry_passed and passed == 0:
        passed = 1
    if not entry_passed:
        failed = max(failed, 1)
    return passed, failed


def last_line(output):
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1].strip("= ") if lines else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build_dir")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", help="run the entries that match")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        report = os.path.join(scratch, "ctest.xml")
        command = ["ctest", "--test-dir", arguments.build_dir,
                   "--output-on-failure", "--no-tests=error",
                   "--output-junit", report, "-j", str(arguments.jobs),
                   "--test-output-size-passed", "10000000",
                   "--test-output-size-failed", "10000000"]
        if arguments.only:
            command += ["-R", arguments.only]
        ctest = subprocess.run(command, check=False)
        entries = (list(xml.parse(report).getroot().iter("testcase"))
                   if os.path.exists(report) else [])

    print("\nby entry:")
    all_passed, all_failed = 0, 0
    for entry in entries:
        output = entry.findtext("system-out") or ""
        skipped = entry.find("skipped")
        if skipped is not None and skipped.get("message", "").startswith(
                "SKIP_"):
            print(f"  {entry.get('name'):16} skip   {last_line(output)}")
            continue
        passed, failed = count(output, entry.get("status") == "run")
        all_passed += passed
        all_failed += failed
        verdict = "FAILED" if failed else "ok"
        print(f"  {entry.get('name'):16} {verdict:6} {last_line(output)}")
    if ctest.returncode and not all_failed:
        all_failed = 1  # ctest itself could not run
    print(f"\n{all_passed} passed, {all_failed} failed")
    sys.exit(1 if all_failed else 0)


if __name__ == "__main__":
    main()
