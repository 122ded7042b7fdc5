# Every common task in one word; `make help` lists them.
# The work itself is in CMakePresets.json, .ci/install and tests/tools/.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
# More arguments for the server: make run ARGS="--port 9000"
ARGS ?=
# Of each fuzz target, and more options: make fuzz FUZZ="--only stream"
FUZZ_SECONDS ?= 60
FUZZ ?=
# How long messages are mixed: make account ACCOUNT_SECONDS=3600
ACCOUNT_SECONDS ?= 60
ACCOUNT ?=
LAWS ?=
# Options of the benchmark: make bench BENCH="--only calls-32"
BENCH ?=
# More arguments of the test on other systems: see test-dist.
DIST ?=
# Length of the soak, and options: make soak SOAK_MINUTES=5 SOAK="--seed 7"
SOAK_MINUTES ?= 30
SOAK ?=
# Words that choose cells: make comply COMPLY=anthropic/gemini
COMPLY ?=

SOURCES = $(shell find include lib server examples tests \
	\( -name node_modules -o -name .python \) -prune -o \( -name '*.cc' -o -name '*.h' \) -print)
# configure-and-build,PRESET,EXTRA ARGUMENTS OF THE BUILD
build-preset = cmake --preset $(1) && cmake --build --preset $(1) -j $(JOBS) $(2)

LIVE := test-openai test-anthropic test-gemini test-groq

.PHONY: help run build install dev test bench test-agents test-clients test-all \
	test-health $(LIVE) env-check clang fuzz deb dist test-dist test-docs interface comply \
	account check fmt fmt-check vet lint docs reference clean version soak

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

fuzz: ## fuzz all targets for FUZZ_SECONDS each (60): tests/fuzz/README.md
	@.ci/install fuzz
	$(call build-preset,fuzz,--target fuzz)
	@python3 tests/fuzz/run.py build/fuzz --seconds $(FUZZ_SECONDS) --jobs $(JOBS) $(FUZZ)

account: ## is all that goes into a translation told: tests/account; ACCOUNT_SECONDS=3600
	@.ci/install test
	$(call build-preset,release,--target account_lines)
	@python3 tests/account/run.py build/release/tests/account/account_lines --mixes 20 $(ACCOUNT)
	@python3 tests/account/run.py build/release/tests/account/account_lines \
		--seconds $(ACCOUNT_SECONDS) --seed $$RANDOM $(ACCOUNT)
	@python3 tests/account/laws.py build/release/tests/account/account_lines --sites 0 --mixes 20 $(LAWS)
	@python3 tests/account/laws.py build/release/tests/account/account_lines \
		--seconds $(ACCOUNT_SECONDS) --seed $$RANDOM $(LAWS)

deb: ## build Debian packages of libraries and server: build/deb/*.deb
	@.ci/install deb
	$(call build-preset,deb-shared,)
	$(call build-preset,deb,)
	@rm -f build/deb/*.deb
	cd build/deb && cpack
	@python3 tests/tools/deb_test.py build/deb

dist: build ## archive, npm and Python package for other systems: build/dist
	@.ci/install dist
	@python3 server/packages/dist.py . build/release build/dist
	@python3 tests/dist/packages_test.py build/dist

# Roots of other systems; DIST="--consumer --make-run" compiles there as well.
test-dist: ## serve from that archive on fresh Debian 12 and 13 (root)
	@.ci/install test-dist
	@python3 tests/dist/roots_test.py . build/dist build/roots $(DIST)

test-docs: ## run every command of README and docs
	@.ci/install test
	$(call build-preset,release,--target llm-proxy mock_upstream bench_load)
	@python3 tests/tools/package_build.py . build/release/package --only static
	@python3 tests/docs/blocks.py . build/release

interface: ## record the public interface anew: tests/interface
	@.ci/install test
	@python3 tests/tools/package_build.py . build/package --only shared
	@python3 tests/tools/interface_test.py . build/package --update

test-all: test test-health $(LIVE) ## all tests, and those below

$(LIVE) test-health: test-%: ## ask a provider whose key is set: test-openai, ...; test-health asks none
	@$(MAKE) --no-print-directory build >/dev/null
	@python3 tests/tools/live_test.py build/llm-proxy $*

test-agents: build ## Claude Code, Codex and Gemini CLI (from npm) through the proxy
	@.ci/install test
	@LLM_PROXY_BINARY=build/llm-proxy tests/agents/run.sh

test-clients: build ## 24 clients from PyPI and npm against the demo: tests/clients
	@LLM_PROXY_BINARY=build/llm-proxy tests/clients/run.sh

comply: build ## an outside judge, llm-comply from PyPI, over each upstream dialect
	@.ci/install test
	@LLM_PROXY_BINARY=build/llm-proxy tests/comply/run.sh $(COMPLY)

env-check: ## say which providers' keys are set
	@python3 tests/tools/live_test.py --env

bench: ## measure the release beside nginx: docs/performance.md; BENCH="--quick"
	@.ci/install bench
	$(call build-preset,release,--target llm-proxy mock_upstream bench_load)
	@python3 tests/bench/run.py --mock build/release/tests/bench/mock_upstream \
		--load build/release/tests/bench/bench_load \
		--proxy build/release/server/llm-proxy $(BENCH)

soak: ## mixed load with faults, 30 minutes: tests/soak; SOAK_MINUTES=5
	@.ci/install test
	$(call build-preset,asan,--target llm-proxy)
	$(call build-preset,release,--target llm-proxy)
	@python3 tests/soak/soak.py --asan build/asan/server/llm-proxy \
		--release build/release/server/llm-proxy \
		--minutes $(SOAK_MINUTES) $(SOAK)

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
