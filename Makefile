# Everything here works on a machine with Python 3.11+ (with venv) and make.
# `make demo` and `make test` build .venv by themselves; a second call is quick.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

.PHONY: help demo cast test lint unit wheel-check slow matrix picture fuzz bench bench-lock audit lock clean

help:
	@echo 'make demo    run repoledger against a built-in stand-in for GitHub'
	@echo 'make cast    record the demo on a terminal, for docs/demo.svg'
	@echo 'make test    run every check: lint, types, tests, the built wheel'
	@echo "make slow    tests that take minutes: a daemon's thousand runs, a soak, long walks, fuzzing"
	@echo 'make matrix  run the tests of every fault, and write the table in docs/reliability.md'
	@echo 'make fuzz    look for new ways to break the decoder, for TIME=60 seconds (Linux on x86-64)'
	@echo 'make bench   measure CPU, time and memory beside other programs; SIZES="1000" REPEATS=3 PEERS="dlt" is quicker'
	@echo 'make lint    ruff, mypy, import-linter, zizmor'
	@echo 'make unit    pytest alone (ARGS="-k name" narrows it)'
	@echo 'make audit   whether locked versions have known weaknesses; needs a network'
	@echo 'make lock    recompute the hashed constraints from pyproject.toml'
	@echo 'make clean   remove the virtual environment and everything built'

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo 'repoledger needs Python 3.11 or newer with the venv module.' >&2; exit 1; }
	@echo 'Building $(VENV) with '"$$($(PYTHON) --version)"
	@began=$$(date +%s); $(PYTHON) -m venv $(VENV) && echo "  $$(($$(date +%s) - began)) s"
	@touch $@

# What the program needs, nothing else: enough for `make demo` and for use. It names the packages as
# they come, and byte-compiles on all cores, which pip does on one.
$(VENV)/.run: constraints.txt pyproject.toml $(VENV)/.python
	@echo 'Installing what repoledger needs:'
	@began=$$(date +%s); wide=0; log=$(VENV)/install.log; : > $$log; \
	{ $(subst --quiet,,$(PIP)) --progress-bar off --no-compile --require-hashes -r constraints.txt 2>&1; echo "exit $$?"; } | \
	{ while read -r word what rest; do \
		case "$$word" in Collecting|Processing) what="$${what##*/}"; what="$${what%%=*}"; what="$${what%%-[0-9]*}"; \
			wide=$$((wide + $${#what} + 2)); \
			if [ $$wide -gt 76 ]; then echo; wide=$$(($${#what} + 2)); fi; printf '  %s' "$$what";; \
		exit) status=$$what;; *) echo "$$word $$what $$rest" >> $$log;; esac; done; \
	echo; [ "$$status" = 0 ] || { cat $$log >&2; exit 1; }; }; status=$$?; \
	[ $$status = 0 ] && echo "  $$(($$(date +%s) - began)) s"
	@$(PIP) --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib sync migrations || true
	@touch $@

$(VENV)/.dev: constraints-dev.txt $(VENV)/.run
	@echo 'Installing the development tools ...'
	@$(PIP) --require-hashes -r constraints-dev.txt
	@touch $@

demo: $(VENV)/.run
	@$(BIN)/repoledger demo

# What a terminal shows of the demo and of a few commands, as the README shows it.
cast: $(VENV)/.dev
	@$(BIN)/python -m tests.demo_cast

test: lint unit wheel-check

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/zizmor --offline --quiet .github/workflows action.yml

# More than two cores have use for: many tests wait for processes, servers and the clock.
WORKERS := 3

unit: $(VENV)/.dev
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow" --ignore tests/long $(ARGS)

# What shows only after a while, or on every database; `make test` leaves it out.
slow: $(VENV)/.dev
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m slow --ignore tests/long $(ARGS)
	@REPOLEDGER_TEST_LONG=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -rP tests/long $(ARGS)
	@REPOLEDGER_TEST_LONG=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal tests/removals $(ARGS)
	@REPOLEDGER_TEST_LONG=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --timeout 1200 tests/fuzz $(ARGS)

# Finds its way by what it covers; what it found stays in build/fuzz. TARGET is one of
# tests/fuzz/checks.py. Not a part of the other targets: its package has no wheel for many machines.
TIME := 60
TARGET := all
fuzz: $(VENV)/.dev
	@$(PIP) --only-binary :all: --require-hashes -r constraints-fuzz.txt \
		|| { echo 'atheris, which make fuzz needs, has no wheel for this machine or this version of Python.' >&2; exit 1; }
	@$(BIN)/python -m tests.fuzz.decoder $(TARGET) build/fuzz -max_total_time=$(TIME) -print_final_stats=1

# What is written into the documentation is what came out here.
matrix: $(VENV)/.dev
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m matrix --ignore tests/long --matrix=docs/reliability.md tests $(ARGS)

# The folders of sync/ and the imports between them, as docs/design.md shows them.
picture: $(VENV)/.dev
	@$(BIN)/python -m tests.import_picture

# What is measured is written into docs/performance.md. All of it takes hours; narrower, for example:
#   make bench SIZES="1000 10000" LATENCIES=0 DATABASES=sqlite REPEATS=3 PEERS="github-to-sqlite requests"
# and without peers: PEERS=none. What repositories have is measured after it, or alone by
# `python -m benchmarks.resources`, then `python -m benchmarks.report build/bench/resources.json`.
# `python -m benchmarks.growth`, before it, measures a large ledger.
bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.run $(if $(SIZES),--sizes $(SIZES)) $(if $(LATENCIES),--latencies $(LATENCIES)) \
		$(if $(DATABASES),--databases $(DATABASES)) $(if $(REPEATS),--repeats $(REPEATS)) $(if $(PEERS),--peers $(PEERS))
	@$(BIN)/python -m benchmarks.resources $(if $(SIZES),--sizes $(SIZES)) $(if $(LATENCIES),--latencies $(LATENCIES)) \
		$(if $(PEERS),$(if $(findstring tap,$(PEERS)),,--without peers))
	@$(BIN)/python -m benchmarks.report build/bench/results.json build/bench/resources.json $(wildcard build/bench/growth.json)

bench-lock: $(VENV)/.dev
	@for name in $(notdir $(basename $(wildcard benchmarks/peers/requirements/*.in))); do \
		$(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --custom-compile-command 'make bench-lock' \
			benchmarks/peers/requirements/$$name.in --output-file benchmarks/peers/requirements/$$name.txt || exit 1; done

# The wheel as a user gets it: built, installed into a new environment, run from an empty folder.
wheel-check: $(VENV)/.dev
	@$(BIN)/python tests/wheel_check.py

# Says so, and goes on, where it cannot reach what is known.
audit: $(VENV)/.dev
	@$(BIN)/python -m tests.audit

# Each file holds the versions of the one before: what the program needs, what its extras need, and the
# development tools.
LOCKED := --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command 'make lock'
lock: $(VENV)/.dev
	@$(BIN)/uv pip compile $(LOCKED) --no-strip-extras --extra build pyproject.toml --output-file constraints.txt
	@$(BIN)/uv pip compile $(LOCKED) --no-strip-extras --extra build --extra all --constraint constraints.txt pyproject.toml --output-file constraints-all.txt
	@$(BIN)/uv pip compile $(LOCKED) --no-strip-extras --extra build --extra all --extra dev --constraint constraints-all.txt pyproject.toml --output-file constraints-dev.txt
	@$(BIN)/uv pip compile $(LOCKED) --group fuzz --output-file constraints-fuzz.txt

clean:
	@rm -rf $(VENV) dist build
