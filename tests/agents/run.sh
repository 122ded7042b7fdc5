#!/usr/bin/env bash
# Runs the agents against the proxy: all, or those whose name matches $1.
#
#   LLM_PROXY_BINARY=build/release/server/llm-proxy tests/agents/run.sh [NAME]
#
# Installs what package-lock.json says when it is not there yet: about 900 MB,
# and the only time that needs a network (the npm registry). Node 22 and the
# scriptable upstream are those of tests/e2e. Transcripts of the run are left
# in tests/agents/transcripts.
set -euo pipefail
binary=${LLM_PROXY_BINARY-}
if [[ -n $binary ]]; then binary=$(realpath "$binary"); fi
cd "$(dirname "${BASH_SOURCE[0]}")"

env -u LLM_PROXY_BINARY ../e2e/run.sh --install
if ! cmp -s package-lock.json node_modules/.installed; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/.installed
fi
node=../e2e/node_modules/.bin/node
if [[ ! -x $node ]]; then node=node; fi
# Nothing of the caller's environment may reach an agent: no keys, no proxies.
exec env -i PATH="$PATH" HOME="$HOME" TMPDIR="${TMPDIR-/tmp}" \
  ${binary:+LLM_PROXY_BINARY="$binary"} \
  "$node" --disable-warning=ExperimentalWarning --test --test-concurrency=1 \
  --test-reporter=../e2e/reporter.mjs --test-reporter-destination=stdout \
  ${1:+--test-name-pattern="$1"} agents_test.mjs
