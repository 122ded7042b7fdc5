"""Prints which case or test covers each trap, and checks that it is there.

  traps_test.py REPOSITORY

The table is tests/golden/TRAPS.md. Fails when a number is missing, or when a
place is: a golden case, a C++ test by its name, or a file.
"""

import pathlib
import re
import sys

ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \|$")


def missing(root, place):
    """What is wrong with a place; None = nothing."""
    if place.endswith(".case"):
        path = root / "tests" / "golden" / place
        return None if path.is_file() else "no such case"
    file, _, name = place.partition(": ")
    path = root / "tests" / file
    if not path.is_file():
        return "no such file"
    if name and name not in re.sub(r'"\s*"', "", path.read_text()):
        return "no such test"
    return None


def places_of(text):
    """Commas separate places; names of tests may hold some, too."""
    out = []
    for piece in text.split(", "):
        starts = re.match(
            r"(request|fit|response|stream|error|pairs|unit|e2e)/", piece)
        if starts or not out:
            out.append(piece)
        else:
            out[-1] += ", " + piece
    return out


def main():
    root = pathlib.Path(sys.argv[1])
    faults = []
    numbers = []
    table = root / "tests" / "golden" / "TRAPS.md"
    for line in table.read_text().splitlines():
        row = ROW.match(line)
        if not row:
            continue
        number = int(row.group(1))
        numbers.append(number)
        for place in places_of(row.group(3)):
            print(f"{number:4}  {place}")
            fault = missing(root, place)
            if fault:
                faults.append(f"trap {number}: {place}: {fault}")
    if numbers != list(range(1, len(numbers) + 1)):
        faults.append("the numbers are not 1, 2, 3 ...")
    print("\n".join(faults))
    print(f"traps: {len(numbers) - len(faults)} passed, {len(faults)} failed")
    return 1 if faults or not numbers else 0


if __name__ == "__main__":
    sys.exit(main())
