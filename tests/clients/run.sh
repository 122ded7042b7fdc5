#!/usr/bin/env bash
# Runs the clients of run.py against the demo of a proxy: all, or those whose
# name contains one of the arguments.
#
#   LLM_PROXY_BINARY=build/release/server/llm-proxy tests/clients/run.sh [NAME...]
#
# Installs what the pinned lists name when it is not there yet: about 1.5 GB
# from PyPI and npm, and the only time that needs a network. aider pins the
# versions of what it uses, and litellm's want older ones than the newest SDKs,
# so there is more than one folder.
set -euo pipefail
binary=${LLM_PROXY_BINARY-}
if [[ -n $binary ]]; then binary=$(realpath "$binary"); fi
cd "$(dirname "${BASH_SOURCE[0]}")"

# install_python NAME: what NAME.txt says into .python/NAME
install_python() {
  local folder=.python/$1 list=$1.txt
  if cmp -s "$list" "$folder/.installed"; then return; fi
  echo "installing $list" >&2
  # Without a pip of its own, for which Debian has a package more. One step
  # needs the other: errexit is off in a function that may fail.
  rm -rf "$folder" &&
    python3 -m venv --without-pip "$folder" &&
    python3 -m pip --python "$folder/bin/python" install --quiet \
      --no-compile --disable-pip-version-check --only-binary :all: --no-deps \
      -r "$list" &&
    cp "$list" "$folder/.installed"
}

if ! python3 -m pip --version >/dev/null 2>&1; then
  echo "Python has no pip: apt-get install python3-pip" >&2
  exit 2
fi
mkdir -p .python
# Two may start at once; the second waits and finds all in place.
exec 9>.python/.lock
flock 9
install_python sdks
install_python frameworks
# Its pins are of no use to every Python; then its row says so.
install_python aider || rm -rf .python/aider
if ! cmp -s js/package-lock.json js/node_modules/.installed; then
  echo "installing js/package-lock.json" >&2
  (cd js && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
  cp js/package-lock.json js/node_modules/.installed
fi
flock -u 9
exec 9>&-
if [[ ${1-} == --install ]]; then exit 0; fi

exec env -i PATH="$PATH" HOME="$HOME" TMPDIR="${TMPDIR-/tmp}" \
  ${binary:+LLM_PROXY_BINARY="$binary"} python3 run.py "$@"
