"""Runs clang-tidy (.clang-tidy) over our own .cc files, several at a time.

  vet.py BUILD_DIR [--jobs N] [--batch N] [FILE ...]

Most of clang-tidy's time goes into the standard headers, which it walks anew
for each file. So files that are built with the same flags are read as one, N
at a time; those that do not go together (two helpers of one name) are halved
until they do. Files that are named are read one by one.

BUILD_DIR holds compile_commands.json. Exits 1 when there is any finding.
"""

import argparse
import concurrent.futures
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


class File:
    """One entry of the compilation database."""

    def __init__(self, entry):
        self.path = entry["file"]
        self.directory = entry["directory"]
        arguments = shlex.split(entry["command"])
        output = arguments.index("-o")
        # `-c FILE` comes last.
        self.flags = [word for word in arguments[1:output]
                      + arguments[output + 2:]
                      if word not in ("-c", self.path)]

    def kin(self):
        return self.directory, *self.flags

    def order(self):
        """Files of one name mostly have namespaces of their own."""
        return os.path.basename(self.path), self.path


def run_tidy(files, scratch, options, flags=()):
    """clang-tidy over `files` as one: its exit code and what it found."""
    source = files[0].path
    if len(files) > 1:
        handle, source = tempfile.mkstemp(suffix=".cc", dir=scratch)
        with os.fdopen(handle, "w", encoding="utf-8") as all_files:
            for file in files:
                all_files.write(f'#include "{file.path}"  // NOLINT\n')
    # The flags are g++'s; clang may not know each of its warnings, and its
    # own compiler warnings are not what is asked here.
    result = subprocess.run(
        ["clang-tidy", "--quiet", *options, source, "--", *files[0].flags,
         "-Wno-error", "-w", *flags],
        cwd=files[0].directory, capture_output=True, text=True, check=False)
    # Standard error counts the warnings in system headers, which nobody asked
    # for, unless clang-tidy could not run at all.
    return result.returncode, result.stdout or result.stderr


def go_together(files, scratch):
    # It has to be asked for some check; this one only looks at comments.
    return len(files) == 1 or run_tidy(
        files, scratch, ["--checks=-*,google-readability-todo"],
        ["-ferror-limit=1"])[0] == 0


def vet(files, scratch):
    """(exit code, findings) of each batch that `files` come apart into."""
    if not go_together(files, scratch):
        half = len(files) // 2
        return vet(files[:half], scratch) + vet(files[half:], scratch)
    # Of several files as one, each is a header of the file that joins them.
    return [run_tidy(files, scratch, [
        "--config-file", os.path.join(ROOT, ".clang-tidy"),
        f"--header-filter=^{ROOT}/(include|lib|server|examples|tests)/"])]


def batches(files, size):
    kin = {}
    for file in files:
        kin.setdefault(file.kin(), []).append(file)
    for alike in kin.values():
        alike.sort(key=File.order)
        for first in range(0, len(alike), size):
            yield alike[first:first + size]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build_dir")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--batch", type=int, default=12)
    arguments = parser.parse_args()

    database = os.path.join(arguments.build_dir, "compile_commands.json")
    with open(database, encoding="utf-8") as file:
        known = [File(entry) for entry in json.load(file)]
    # What the build writes is not there yet, and not ours to change.
    built = os.path.abspath(arguments.build_dir) + os.sep
    known = [file for file in known if not file.path.startswith(built)]
    if arguments.files:
        named = {os.path.abspath(path) for path in arguments.files}
        known = [file for file in known if file.path in named]
        missing = named - {file.path for file in known}
        if missing:
            sys.exit(f"not built in {arguments.build_dir}: {sorted(missing)}")

    began = time.monotonic()
    read, bad = 0, 0
    with tempfile.TemporaryDirectory() as scratch, \
            concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        runs = [pool.submit(vet, batch, scratch) for batch in
                batches(known, 1 if arguments.files else arguments.batch)]
        for run in runs:
            for code, output in run.result():
                read += 1
                if code != 0:
                    bad += 1
                    print(output, flush=True)
    seconds = time.monotonic() - began
    print(f"clang-tidy: {len(known)} files in {read} batches, {bad} with "
          f"findings, {seconds:.0f} s")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
