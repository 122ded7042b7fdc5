"""Our reader of requests beside Boost.Beast's.

  compare.py DRIVER [VALGRIND]

What each refuses, over all rows of tests/http (where ours is tried on the
real process), and the instructions that a head takes (callgrind). Prints what
docs/security.md quotes. The driver is built by

  cmake --build build/release --target parser_driver
"""

import collections
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
HTTP = HERE.parent.parent / "http"
sys.path.insert(0, str(HTTP))

import rows as http_rows  # pylint: disable=wrong-import-position

HEADS = ("claude-code", "openai-python", "curl")
# Two numbers of runs whose difference counts: it cancels what is done once.
RUNS = (100, 600)
# Statuses by which a reader of bytes says no, apart from what a gateway says.
REFUSALS = {400, 405, 408, 413, 414, 417, 431, 501, 505}


def all_rows():
    return [row for path in sorted(HTTP.glob("*.rows"))
            for row in http_rows.read_rows(str(path))]


def judged(driver, rows):
    """[(requests taken, what was said then)] of Beast, row by row."""
    texts = ["".join(data.hex() for what, data in row.steps if what == "send")
             for row in rows]
    out = subprocess.run([driver, "judge"], input="\n".join(texts) + "\n",
                         capture_output=True, text=True, check=True).stdout
    return [(int(line.split(" ", 1)[0]), line.split(" ", 1)[1])
            for line in out.splitlines()]


def classes(rows, verdicts):
    """{class: [row]}: who refuses what."""
    found = collections.defaultdict(list)
    for row, (_, said) in zip(rows, verdicts):
        ours = any(status in REFUSALS for status in row.statuses)
        beast = said not in ("done", "need more")
        found[ours, beast].append((row, said))
    return found


def tell_refusals(driver):
    rows = all_rows()
    found = classes(rows, judged(driver, rows))
    print(f"{len(rows)} rows of tests/http: both take "
          f"{len(found[False, False])}, both refuse {len(found[True, True])}")
    for key, title in (((True, False), "only ours refuses"),
                       ((False, True), "only Beast refuses")):
        print(f"{title}: {len(found[key])}")
        for row, said in found[key]:
            statuses = " ".join(map(str, row.statuses))
            print(f"  {row.section:10} {row.name}: ours {statuses}, "
                  f"Beast: {said}")


def instructions(valgrind, driver, whose, head):
    counts = []
    for count in RUNS:
        errors = subprocess.run(
            [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null",
             driver, "heads", whose, head, str(count)],
            capture_output=True, text=True, check=True).stderr
        counts.append(int(re.search(r"Collected *: *(\d+)", errors)[1]))
    return round((counts[1] - counts[0]) / (RUNS[1] - RUNS[0]))


def tell_instructions(valgrind, driver):
    print("| head | ours | Beast | Beast / ours |\n|---|---:|---:|---:|")
    for head in HEADS:
        ours, beast = (instructions(valgrind, driver, whose, head)
                       for whose in ("ours", "beast"))
        print(f"| {head} | {ours:,} | {beast:,} | {beast / ours:.2f} |")


def main():
    driver = sys.argv[1]
    tell_refusals(driver)
    if len(sys.argv) > 2:
        tell_instructions(sys.argv[2], driver)


if __name__ == "__main__":
    main()
