"""Makes the reference of the public headers; a warning of Doxygen's, such as a
public member without a word about it, is a fault.

  reference_test.py SOURCE_DIR OUTPUT_DIR

Ends with 77, which is "skipped", where Doxygen is not installed.
"""

import os
import pathlib
import shutil
import subprocess
import sys

SKIPPED = 77


def main():
    source, output = (os.path.abspath(path) for path in sys.argv[1:3])
    if shutil.which("doxygen") is None:
        print("reference: doxygen is not installed")
        return SKIPPED
    os.makedirs(output, exist_ok=True)
    doxyfile = pathlib.Path(source, "docs", "Doxyfile").read_text("ascii")
    doxyfile += f'\nOUTPUT_DIRECTORY = "{output}"\n'
    done = subprocess.run(["doxygen", "-"], cwd=source, input=doxyfile,
                          text=True, stderr=subprocess.PIPE, check=False)
    faults = done.stderr.splitlines()
    headers = pathlib.Path(source, "include", "llmproxy").glob("*.h")
    for header in headers:
        page = header.name.replace("_", "__").replace(".", "_8") + ".html"
        if not os.path.exists(os.path.join(output, page)):
            faults.append(f"{header}: has no page in the reference")
    for fault in faults:
        print(fault)
    print(f"reference: {output}/index.html, {len(faults)} faults")
    return 1 if faults or done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
