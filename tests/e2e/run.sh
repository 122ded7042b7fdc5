#!/usr/bin/env bash
# Runs the end-to-end tests: all, or the files named as arguments.
#
#   LLM_PROXY_BINARY=build/asan/server/llm-proxy tests/e2e/run.sh [FILE...]
#
# Installs what package-lock.json says when it is not there yet (the only
# time that needs a network: the npm registry). The newest SDKs need Node 22,
# which comes with them as a package, so that any Node that can run npm will
# do on the system.
set -euo pipefail
binary=${LLM_PROXY_BINARY-}
if [[ -n $binary ]]; then binary=$(realpath "$binary"); fi
cd "$(dirname "${BASH_SOURCE[0]}")"

# Two builds may start at once; the second waits and finds all in place.
exec 9<package-lock.json
flock 9
if ! cmp -s package-lock.json node_modules/.installed; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/.installed
fi
flock -u 9
exec 9<&-
# For those who only want what is installed here.
if [[ ${1-} == --install ]]; then exit 0; fi

node=node_modules/.bin/node
if [[ ! -x $node ]]; then node=node; fi
if (($# == 0)); then set -- *_test.mjs; fi
# Nothing of the caller's environment may reach an SDK: no keys, no proxies.
# Three files at once: the tests wait more than they work.
exec env -i PATH="$PATH" HOME="$HOME" TMPDIR="${TMPDIR-/tmp}" \
  ${binary:+LLM_PROXY_BINARY="$binary"} \
  "$node" --disable-warning=ExperimentalWarning --test --test-concurrency=3 \
  --test-reporter=./reporter.mjs --test-reporter-destination=stdout "$@"
