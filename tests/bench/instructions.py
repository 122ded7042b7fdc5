"""Counts the instructions of the core's hottest paths and holds them to it.

A time depends on the machine and on who else uses it; a count of instructions
(callgrind) hardly does. instructions.txt keeps the counts. This fails when
one grows by more than 10 %, or shrinks by more than that, so that the file
tells the truth. It also runs each path slowed down (its input parsed three
times more) and fails unless that would have been caught.

Counts are of one compiler and one set of libraries, which the file names.
With others they are not comparable, and it says so; then the check is how many
times its floor (bare simdjson and RapidJSON, built the same way) each path
takes, which moves less: it may be 30 % above the recorded ratio.

  instructions.py VALGRIND DRIVER FILE [--update]
"""

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys

# Path of the driver, and the two numbers of runs whose difference counts:
# it cancels what is done once.
PATHS = {
    "stream_event": (200, 700),
    "small_request": (50, 150),
    "response": (50, 150),
    "large_request": (2, 5),
    "passed_request": (2, 5),
}
TOLERANCE = 0.10
FOREIGN_TOLERANCE = 0.30
KINDS = ("path", "floor", "slowed")


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True,
                            check=False)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{result.stderr}")
    return result


def collected(valgrind, *driver):
    """Instructions of one run of the driver."""
    errors = run(valgrind, "--tool=callgrind",
                 "--callgrind-out-file=/dev/null", *driver).stderr
    return int(re.search(r"Collected *: *(\d+)", errors).group(1))


def measure(valgrind, driver):
    """{(path, kind): instructions of one}"""
    def one(job):
        path, kind = job
        few, many = PATHS[path]
        how = [] if kind == "path" else [kind]
        counts = [collected(valgrind, driver, path, str(count), *how)
                  for count in (few, many)]
        return round((counts[1] - counts[0]) / (many - few))

    jobs = [(path, kind) for path in PATHS for kind in KINDS]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(jobs, pool.map(one, jobs)))


def read(name):
    """The toolchain and {(path, kind): count} that the file keeps."""
    versions, counts = "", {}
    with open(name, encoding="utf-8") as file:
        for line in file:
            if line.startswith("built with: "):
                versions = line.partition(": ")[2].strip()
            elif line.strip() and not line.startswith("#"):
                path, count, floor = line.split()
                counts[path, "path"] = int(count)
                counts[path, "floor"] = int(floor)
    return versions, counts


def write(name, versions, counts):
    with open(name, "w", encoding="utf-8") as file:
        file.write("# Instructions of one run of each path, and of its floor; "
                   "see instructions.py.\n"
                   "# To write it anew: instructions.py VALGRIND DRIVER FILE "
                   "--update\n"
                   f"built with: {versions}\n")
        for path in PATHS:
            file.write(f"{path} {counts[path, 'path']} "
                       f"{counts[path, 'floor']}\n")


class Check:
    """What a count may be, against the file."""

    def __init__(self, kept, now, comparable):
        self.kept, self.now, self.comparable = kept, now, comparable

    def values(self, path, kind):
        """(now, kept): counts, or ratios to the floor."""
        if self.comparable:
            return self.now[path, kind], self.kept[path, "path"]
        return (self.now[path, kind] / self.now[path, "floor"],
                self.kept[path, "path"] / self.kept[path, "floor"])

    def grown(self, path, kind):
        now, kept = self.values(path, kind)
        limit = TOLERANCE if self.comparable else FOREIGN_TOLERANCE
        return now > kept * (1 + limit)

    def shrunk(self, path):
        now, kept = self.values(path, "path")
        return self.comparable and now < kept * (1 - TOLERANCE)

    def faults(self, path):
        now, kept = self.values(path, "path")
        if self.grown(path, "path"):
            yield f"{path}: {now:.6g}, was {kept:.6g}: grown"
        if self.shrunk(path):
            yield (f"{path}: {now:.6g}, was {kept:.6g}: better; "
                   f"write it down with --update")
        # Against what is now: the file may be out of date already.
        slowed = self.now[path, "slowed"] / self.now[path, "path"]
        if slowed <= 1 + TOLERANCE:
            yield (f"{path}: parsing its input three times more is not noticed "
                   f"({(slowed - 1) * 100:.0f} % more)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("valgrind")
    parser.add_argument("driver")
    parser.add_argument("file")
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()

    # Below valgrind, which has a processor of its own.
    versions = run(arguments.valgrind, "--tool=none", "-q", arguments.driver,
                   "versions").stdout.strip()
    now = measure(arguments.valgrind, arguments.driver)
    if arguments.update:
        write(arguments.file, versions, now)
    kept_versions, kept = read(arguments.file)
    check = Check(kept, now, versions == kept_versions)

    for path in PATHS:
        count, floor, slowed = (now[path, kind] for kind in KINDS)
        print(f"{path:15} {count:9} instructions, {count / floor:.2f} times "
              f"its floor; kept {kept[path, 'path']}; slowed {slowed}")
    if not check.comparable:
        print(f"NOT COMPARABLE: the counts in the file are of {kept_versions};"
              f"\nthis is {versions}.\nCompared with the floor instead.")
    faults = [fault for path in PATHS for fault in check.faults(path)]
    for fault in faults:
        print(fault)
    print(f"instructions: {2 * len(PATHS) - len(faults)} passed, "
          f"{len(faults)} failed")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
