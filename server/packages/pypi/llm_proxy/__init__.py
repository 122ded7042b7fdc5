"""Carries the program llm-proxy."""

import os
import sys


def program():
    """Path of the program."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "dist", "bin", "llm-proxy")


def main():
    """Becomes the program."""
    sys.stdout.flush()
    try:
        os.execv(program(), ["llm-proxy", *sys.argv[1:]])
    except OSError as error:
        sys.exit(f"llm-proxy: {program()} cannot be started: {error}. This "
                 "package is for Linux with glibc, on the processor that it "
                 "was made for.")
