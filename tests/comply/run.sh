#!/usr/bin/env bash
# Puts llm-proxy before an outside judge, llm-comply from PyPI: see README.md.
#
#   LLM_PROXY_BINARY=build/release/server/llm-proxy tests/comply/run.sh [WORD...]
#
# Installs what judge.txt and needs.txt say when it is not there yet: 4 MB, and
# the only time that needs a network (PyPI). The judge is checked by its hash:
# nobody has changed it, neither us nor anybody on the way. What it needs is
# made for each system, so that there is no one hash of it.
set -euo pipefail
binary=${LLM_PROXY_BINARY-}
if [[ -n $binary ]]; then binary=$(realpath "$binary"); fi
folder=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
python=$folder/.python

install() {
  "$python/bin/python" -m pip install --quiet --no-compile \
    --disable-pip-version-check --only-binary :all: --no-deps "$@"
}

# Two may start at once; the second waits and finds all in place.
exec 9<"$folder/judge.txt"
flock 9
if ! cat "$folder"/{judge,needs}.txt | cmp -s - "$python/.installed"; then
  rm -rf "$python"
  python3 -m venv "$python"
  install --require-hashes -r "$folder/judge.txt"
  install -r "$folder/needs.txt"
  cat "$folder"/{judge,needs}.txt >"$python/.installed"
fi
flock -u 9
exec 9<&-
if [[ ${1-} == --install ]]; then exit 0; fi

# Nothing of the caller's environment may reach the judge: no keys, no proxies.
# The judge uses a part of jsonschema that is to be replaced, and is told so.
exec env -i PATH="$PATH" HOME="$HOME" TMPDIR="${TMPDIR-/tmp}" \
  PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore::DeprecationWarning \
  ${binary:+LLM_PROXY_BINARY="$binary"} \
  "$python/bin/python" "$folder/run.py" "$@"
