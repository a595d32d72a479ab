# gridwatch: everything a person or CI does. `make` alone lists the targets.
# Options of a command go in ARGS:  make demo ARGS="--meters 20"

PYTHON ?= python3
ARGS ?=
# Files of tests side by side: each of them waits for its own broker most of the time. 0: one after the other.
WORKERS ?= 3

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
COMPILED := build/compiled

.DEFAULT_GOAL := help
.PHONY: compiled test-compiled help setup demo test browser outside check lint format docs dashboards bench bench-quick bench-windows bench-rows bench-pair bench-scale bench-latency profile bench-dashboards bench-replay bench-simulator bench-merge bench-sink bench-score bench-pages screenshots soak restarts chaos mutants clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-17s %s\n", $$1, $$2}' Makefile

setup: $(READY) ## create .venv and install gridwatch and its pinned packages into it

demo: $(READY) ## Kafka, PostgreSQL, replay with injected faults, score and report; takes ARGS
	@$(BIN)/gridwatch demo $(ARGS)

test: $(READY) ## all tests except `browser` and `outside`: unit, property, real Kafka and PostgreSQL; takes ARGS
	@$(BIN)/python -m pytest --ignore=tests/browser --ignore=tests/outside -n $(WORKERS) --dist loadfile $(ARGS)

browser: $(READY) ## the tests of the pages in Chromium; takes ARGS
	@$(BIN)/python -m pytest tests/browser $(ARGS)

outside: $(READY) ## the tests on TimescaleDB's engine, and against the schemas of Grafana and Compose; takes ARGS
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[outside]'
	@$(BIN)/python -m pytest tests/outside $(ARGS)

check: lint ## ruff and mypy --strict
	@$(BIN)/python -m mypy

lint: $(READY) ## ruff
	@$(BIN)/python -m ruff check .

format: $(READY) ## sort imports and format the code
	@$(BIN)/python -m ruff check --fix-only --quiet .
	@$(BIN)/python -m ruff format .

docs: $(READY) ## regenerate the tables of README.md and docs/ from the code
	@$(BIN)/python -m docs.tables
	@$(BIN)/python -m benchmarks.reporting.figures

dashboards: $(READY) ## write the JSON of the Grafana dashboards from their code (Python 3.11 or later)
	@$(BIN)/python -m dashboards

bench: $(READY) ## speed, compared with Faust, Quix Streams, Bytewax and a plain loop (an hour); takes ARGS
	@$(BIN)/python -m benchmarks $(ARGS)

bench-quick: $(READY) ## regression check: ratios compared with the kept ones, in four minutes; takes ARGS
	@$(BIN)/python -m benchmarks.quick $(ARGS)

bench-windows: $(READY) ## sums by meter and minute, compared with the same others (an hour); takes ARGS
	@$(BIN)/python -m benchmarks.windows $(ARGS)

bench-rows: $(READY) ## from the end of a minute to the rows of its windows; takes ARGS
	@$(BIN)/python -m benchmarks.windows.latency $(ARGS)

bench-pair: $(READY) ## meters without windows, with windows switched on and off; takes ARGS
	@$(BIN)/python -m benchmarks.windows.pair $(ARGS)

bench-scale: $(READY) ## cost, memory and start time from 1,000 to 1,000,000 meters, and by partitions; takes ARGS
	@$(BIN)/python -m benchmarks.scale $(ARGS)

bench-latency: $(READY) ## from a reading sent to its validated record, and to its database row; takes ARGS
	@$(BIN)/python -m benchmarks.latency $(ARGS)

profile: $(READY) ## the worker's CPU profile by stage; takes ARGS
	@$(BIN)/python -m benchmarks.profile $(ARGS)

soak: $(READY) ## constant load and faults, MINUTES=10 after 8 of warm-up: memory and open files must not grow
	@$(BIN)/python -m benchmarks.soak --minutes $(or $(MINUTES),10) $(ARGS)

bench-dashboards: $(READY) ## the duration of the dashboards' queries with 10 million readings; takes ARGS
	@$(BIN)/python -m benchmarks.dashboards $(ARGS)

bench-replay: $(READY) ## the replay from CSV to Kafka, and what each step costs; takes ARGS
	@$(BIN)/python -m benchmarks.replay $(ARGS)

bench-simulator: $(READY) ## how many readings a second the simulator makes on one core; takes ARGS
	@$(BIN)/python -m benchmarks.simulator $(ARGS)

bench-merge: $(READY) ## a 2 GB file sorted by meter in order of time: memory, disk space, time; takes ARGS
	@$(BIN)/python -m benchmarks.merge $(ARGS)

bench-sink: $(READY) ## the database sink, from Kafka to committed rows, and what each step costs; takes ARGS
	@$(BIN)/python -m benchmarks.sink $(ARGS)

bench-score: $(READY) ## precision and recall of gaps on injected faults, over a million slots and 20 seeds; takes ARGS
	@$(BIN)/python -m benchmarks.score $(ARGS)

bench-pages: $(READY) ## the pages with a million meters, and their cost in throughput; takes ARGS
	@$(BIN)/python -m benchmarks.pages $(ARGS)

screenshots: $(READY) ## the screenshots in docs/images/, from a real worker through a headless Chromium
	@$(BIN)/python -m benchmarks.screenshots

restarts: $(READY) ## the worker stopped and started 50 times while a million readings flow; takes ARGS
	@$(BIN)/python -m benchmarks.restarts $(ARGS)

chaos: $(READY) ## random faults compared with a fault-free run; takes ARGS
	@$(BIN)/gridwatch chaos $(ARGS)

mutants: $(READY) ## small changes to the rules that no test notices (hours; a sample: ARGS="--sample 200 --seed 1")
	@$(BIN)/python -m tests.mutation $(ARGS)

compiled: $(COMPILED)/.ready ## gridwatch with its hot path compiled, in build/compiled (needs a C compiler)

test-compiled: $(COMPILED)/.ready ## the tests of the rules, against the compiled hot path; takes ARGS
	@cp -r tests setup.cfg $(COMPILED)/
	@cd $(COMPILED) && $(CURDIR)/$(BIN)/python -c \
	  'import gridwatch.domain.partition.processor as it; assert not it.__file__.endswith(".py"), it.__file__'
	@cd $(COMPILED) && $(CURDIR)/$(BIN)/python -m pytest -p no:cacheprovider \
	  tests/unit/domain tests/unit/tables tests/unit/kafka tests/unit/streaming tests/model \
	  tests/property/test_against_reference.py tests/property/test_domain_processor.py $(ARGS)

clean: ## remove .venv, caches and reports
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis gridwatch-report.html
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last: an interrupted set-up is repeated.
$(READY): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "gridwatch needs Python 3.11 or later as $(PYTHON); name another with: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; \
	  exit 1; }
	@echo "gridwatch: setting up $(VENV): some 70 pinned packages, 590 MB with a Java runtime, PostgreSQL and pyarrow; once only" >&2
	@$(PYTHON) -m venv --clear $(VENV) >$(VENV).log 2>&1 || { \
	  cat $(VENV).log >&2; rm -rf $(VENV) $(VENV).log; \
	  echo "gridwatch: $(PYTHON) cannot create a virtual environment." >&2; \
	  echo "  remedy: apt-get install python3-venv   (Debian, Ubuntu), or name another Python: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; \
	  exit 1; }
	@rm -f $(VENV).log
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded,test,dev]'
	@touch $@

$(COMPILED)/.ready: $(READY) setup.py $(shell find gridwatch sinks replay -name "*.py")
	@echo "gridwatch: compiling the hot path: a minute" >&2
	@rm -rf $(COMPILED)
	@GRIDWATCH_COMPILE=1 $(BIN)/python setup.py --quiet build --build-lib=$(COMPILED) >/dev/null
	@touch $@
