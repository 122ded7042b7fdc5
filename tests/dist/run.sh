#!/usr/bin/env bash
# Makes archive and packages of a program that is there already, and tests
# them: what `make dist` does with a release.
#
#   run.sh SOURCE_DIR BUILD_DIR PROGRAM_BUILD_DIR OUT_DIR
#
# BUILD_DIR has the libraries, PROGRAM_BUILD_DIR the program.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
python3 "$1/server/packages/dist.py" "$1" "$2" "$4" --program-of "$3" --quick
exec python3 "$here/packages_test.py" "$4"
