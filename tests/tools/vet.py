"""Runs clang-tidy (.clang-tidy) over our own .cc files, several at a time.

  vet.py BUILD_DIR [--jobs N] [FILE ...]

BUILD_DIR holds compile_commands.json. Exits 1 when there is any finding.
"""

import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import time


def vet(build_dir, path):
    # The flags are g++'s; clang may not know each of its warnings, and its
    # own compiler warnings are not what is asked here.
    result = subprocess.run(
        ["clang-tidy", "-p", build_dir, "--quiet",
         "--extra-arg=-Wno-error", "--extra-arg=-w", path],
        capture_output=True, text=True, check=False)
    # Standard error counts the warnings in system headers, which nobody asked
    # for, unless clang-tidy could not run at all.
    return result.returncode, result.stdout or result.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build_dir")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()

    database = os.path.join(arguments.build_dir, "compile_commands.json")
    with open(database, encoding="utf-8") as file:
        known = [entry["file"] for entry in json.load(file)]
    # What the build writes is not there yet, and not ours to change.
    built = os.path.abspath(arguments.build_dir) + os.sep
    known = [path for path in known if not path.startswith(built)]
    wanted = [os.path.abspath(path) for path in arguments.files] or known

    began = time.monotonic()
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        runs = [pool.submit(vet, arguments.build_dir, path) for path in wanted]
        for path, run in zip(wanted, runs):
            code, output = run.result()
            if code != 0:
                bad += 1
                print(f"{os.path.relpath(path)}:\n{output}", flush=True)
    seconds = time.monotonic() - began
    print(f"clang-tidy: {len(wanted)} files, {bad} with findings, "
          f"{seconds:.0f} s")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
