# Every common task in one word; `make help` lists them.
# The work itself is in CMakePresets.json, .ci/install and tests/tools/.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
# More arguments for the server: make run ARGS="--port 9000"
ARGS ?=
# Options of the benchmark: make bench BENCH="--only calls-32"
BENCH ?=

SOURCES = $(shell find include lib server examples tests \
	\( -name node_modules -o -name .python \) -prune -o \( -name '*.cc' -o -name '*.h' \) -print)
# configure-and-build,PRESET,EXTRA ARGUMENTS OF THE BUILD
build-preset = cmake --preset $(1) && cmake --build --preset $(1) -j $(JOBS) $(2)

LIVE := test-openai test-anthropic test-gemini test-groq

.PHONY: help run build install dev test bench test-agents test-all test-health \
	$(LIVE) env-check clang deb interface check fmt fmt-check vet lint docs \
	reference clean version

help: ## list these targets
	@awk -F ':.*## ' '/^[^\t#]*:.*## / {sub(/.*LIVE.*/, "test-NAME", $$1); printf "make %-10s %s\n", $$1, $$2}' \
		$(MAKEFILE_LIST)

run: build ## install what is missing, build a release, serve on 127.0.0.1:8080
	exec build/llm-proxy serve $(ARGS)

build: ## build the release: build/llm-proxy
	@.ci/install run
	$(call build-preset,release,--target llm-proxy)
	@ln -sfn release/server/llm-proxy build/llm-proxy

install: build ## install binary, libraries and headers under PREFIX (/usr/local)
	cmake --install build/release --prefix $(PREFIX)

dev: ## build with debug information and warnings as errors: build/dev
	@.ci/install test
	$(call build-preset,dev,)

test: ## build with ASan and UBSan, run all tests
	@.ci/install test
	$(call build-preset,asan,)
	@python3 tests/tools/run_tests.py build/asan --jobs $(JOBS)

clang: ## as dev, by clang 16: build/clang
	@.ci/install clang
	$(call build-preset,clang,)

deb: ## build Debian packages of libraries and server: build/deb/*.deb
	@.ci/install deb
	$(call build-preset,deb-shared,)
	$(call build-preset,deb,)
	@rm -f build/deb/*.deb
	cd build/deb && cpack
	@python3 tests/tools/deb_test.py build/deb

interface: ## record the public interface anew: tests/interface
	@.ci/install test
	@python3 tests/tools/package_build.py . build/package --only shared
	@python3 tests/tools/interface_test.py . build/package --update

test-all: test test-health $(LIVE) ## all tests, and those below

$(LIVE) test-health: test-%: ## ask a real provider, if its key is set: test-openai, ...
	@$(MAKE) --no-print-directory build >/dev/null
	@python3 tests/tools/live_test.py build/llm-proxy $*

test-agents: build ## Claude Code, Codex and Gemini CLI (from npm) through the proxy
	@.ci/install test
	@LLM_PROXY_BINARY=build/llm-proxy tests/agents/run.sh

env-check: ## say which providers' keys are set
	@python3 tests/tools/live_test.py --env

bench: ## measure the release beside nginx: docs/performance.md; BENCH="--quick"
	@.ci/install bench
	$(call build-preset,release,--target llm-proxy mock_upstream bench_load)
	@python3 tests/bench/run.py --mock build/release/tests/bench/mock_upstream \
		--load build/release/tests/bench/bench_load \
		--proxy build/release/server/llm-proxy $(BENCH)

check: ## what CI runs: formatting, clang-tidy, warnings as errors, all tests
	@.ci/install check
	@$(MAKE) --no-print-directory fmt-check vet test

fmt: ## format all C++ files in place
	@.ci/install check
	@clang-format -i $(SOURCES)

fmt-check:
	@clang-format --dry-run -Werror $(SOURCES)
	@echo "formatting: ok"

vet: ## run clang-tidy over our own sources
	@.ci/install check
	@cmake --preset asan >/dev/null
	@python3 tests/tools/vet.py build/asan --jobs $(JOBS)

lint: vet ## the same as vet

docs: dev ## write the tables of docs/dialects.md anew
	@build/dev/tests/matrix/dialect_matrix docs/dialects.md

reference: ## make the reference of the public headers: build/reference/index.html
	@.ci/install docs
	@python3 tests/tools/reference_test.py . build/reference

clean: ## remove everything that was built
	rm -rf build

version: build ## print version, commit, compiler and libraries
	@build/llm-proxy version
