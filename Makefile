# Needs make and Python 3.11 or newer (PYTHON=python3.13 chooses one). No AWS account, no Docker.

PYTHON ?= python3
VENV   := .venv
SAM    := .venv-sam
SITE   := .venv-site
BIN    := $(VENV)/bin
UV     := uv==0.13.9

# Each environment carries the checksum of the lock file it was made from: setting up again does nothing,
# and a changed lock file makes the environment anew.
checksum  = $(firstword $(shell cksum < $(1)))
VENV_DONE := $(VENV)/.made-from-$(call checksum,requirements/dev.lock)
SAM_DONE  := $(SAM)/.made-from-$(call checksum,requirements/sam.lock)
SITE_DONE := $(SITE)/.made-from-$(call checksum,requirements/site.lock)

# The lock files are complete, so pip resolves nothing (--no-deps); byte code is compiled when it is first needed.
INSTALL := -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --require-hashes

# A file of tests is one process's. Of those that deploy a cloud, a directory is (tests/conftest.py): they mostly wait.
ON_EVERY_CORE := --numprocesses auto --dist loadfile
TWO_CLOUDS    := --numprocesses 2 --dist loadscope
CORES         := $(shell nproc)
SEARCHES      := tests/exploration tests/interleavings tests/stateful tests/fuzz

export PYTHONPATH := src:.
export SAM_CLI_TELEMETRY := 0

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo demo-picture pictures up down test test-chaos faults races explore fuzz test-docker sam-local check lint types imports template docs site format bench lock audit upgrade soak clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV_DONE) $(SAM_DONE) ## Make the two Python environments (.venv, .venv-sam); once

$(VENV_DONE):
	$(call make-environment,$(VENV),requirements/dev.lock)
	@touch $@

$(SAM_DONE):
	$(call make-environment,$(SAM),requirements/sam.lock)
	@touch $@

$(SITE_DONE):
	$(call make-environment,$(SITE),requirements/site.lock)
	@touch $@

define make-environment
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "$(PYTHON) is missing or older than 3.11. Name another one: make setup PYTHON=python3.13" >&2; exit 1; }
@echo "Making $(1) from $(2) ..."
@rm -rf $(1)
@$(PYTHON) -m venv $(1) || { \
	echo "This Python cannot make environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
@$(1)/bin/python $(INSTALL) -r $(2)
endef

demo: setup ## Start containers on the local cloud, find their agents, run a command in one (ARGS="--runtime docker")
	@$(BIN)/python -m local demo $(ARGS)

demo-picture: setup ## Run the demo and write what it shows to docs/demo.svg
	@$(BIN)/python -m local demo --runtime process --picture docs/demo.svg $(ARGS)

pictures: setup ## Draw what `reach` shows: the pictures of docs/, but for the demo's
	@$(BIN)/python -m docs.pictures

up: setup ## Start the local cloud with the deployed stack and leave it running (ARGS=--help)
	@$(BIN)/python -m local up $(ARGS)

down: setup ## Stop what `make up` started (ARGS="--directory DIR")
	@$(BIN)/python -m local down $(ARGS)

test: setup lint types imports template ## Run every check and every test: unit, integration, contract, end to end
	$(BIN)/pytest $(ON_EVERY_CORE) --cov --cov-report= tests/unit $(SEARCHES)
	$(BIN)/pytest $(TWO_CLOUDS) --cov --cov-report= --cov-append tests/e2e tests/faults tests/contract tests/integration
	$(BIN)/coverage report --include='src/core/*' --fail-under=100

CHAOS = $(if $(CONTAINERS),--containers=$(CONTAINERS)) $(if $(WINDOW),--window=$(WINDOW)) $(if $(SEED),--seed=$(SEED))

test-chaos: setup ## Lose, double and reorder events of 500 containers (CONTAINERS=50 SEED=7)
	$(BIN)/pytest tests/chaos/test_faulty_delivery.py $(CHAOS)

upgrade: setup ## Update the stack in the middle of 500 starts, and roll it back (CONTAINERS=50 WINDOW=10)
	$(BIN)/pytest tests/chaos/test_upgrade.py $(CHAOS)

soak: setup ## Let lives come and go for 20 minutes with faults, and look for leaks of memory and descriptors (MINUTES=5)
	$(BIN)/pytest tests/chaos/test_soak.py $(if $(MINUTES),--minutes=$(MINUTES)) $(CHAOS)

faults: setup ## Let each AWS call of each function of the deployed stack fail in each way: half an hour
	$(BIN)/pytest tests/faults --matrix=full

races: setup ## Many writers at once: of one item, and 10,000 events of 1,000 containers (CONTAINERS=1000)
	RACING_FACTS=100 $(BIN)/pytest tests/contract/test_races.py
	RACING_CONTAINERS=$(or $(CONTAINERS),1000) $(BIN)/pytest tests/e2e/test_delivery_orders.py -k crowd

explore: setup ## Search interleavings further, without each safeguard too, and draw 10,000 lives (STATES=30000 LIVES=10000)
	$(BIN)/python -m tests.interleavings --jobs=$(CORES) $(if $(STATES),--states=$(STATES))
	$(BIN)/python -m tests.interleavings --jobs=$(CORES) --mutations
	STATEFUL_LIVES=$(or $(LIVES),10000) $(BIN)/pytest --numprocesses auto tests/stateful

fuzz: setup ## Give odd input to everything that parses (FUZZ=60 seconds)
	$(BIN)/python -m tests.fuzz --seconds=$(or $(FUZZ),60)

# What these look at is the same in both modes: the account, the documents, the rule, and what becomes of events, messages
# and functions that are lost or odd, whoever runs the container.
SAME_IN_BOTH  := doctor documents event_pattern bad_input delivery_orders faulty_delivery nothing_is_lost leaks replay \
                 prober_without_table capacity
NOT_OF_DOCKER := $(SAME_IN_BOTH:%=tests/e2e/test_%.py)

test-docker: setup ## Run the end-to-end tests and more with real containers: needs a Docker engine and its base image
	$(BIN)/pytest tests/docker tests/e2e --runtime=docker $(NOT_OF_DOCKER:%=--ignore=%)

sam-local: setup ## Run every function with `sam local invoke` and its file of events/: needs the same
	$(BIN)/pytest tests/docker/test_sam_local.py

check: setup lint types imports ## Run the fast checks: lint, types, import rules, unit tests
	$(BIN)/pytest --quiet $(ON_EVERY_CORE) tests/unit

lint: setup ## Lint, and check the format
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --quiet --check

types: setup ## Check the types
	$(BIN)/mypy

imports: setup ## Check the dependency rule between the layers
	$(BIN)/lint-imports --no-logo

template: setup ## Check template.yaml and foundation.yaml
	$(BIN)/cfn-lint template.yaml foundation.yaml
	$(SAM)/bin/sam validate --lint --region us-east-1

docs: setup ## Write the generated parts of the documents
	$(BIN)/python -m docs.generate

site: $(SITE_DONE) ## Make the documents a website, in .local/site; a link that leads nowhere is an error
	@NO_MKDOCS_2_WARNING=1 $(SITE)/bin/mkdocs build --strict

format: setup ## Format the code, and fix what lint can fix
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup ## Run the benchmarks
	$(BIN)/python -m bench

LOCK := --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet

lock: setup ## Bring the lock files to the newest versions pyproject.toml allows
	$(BIN)/python -m pip install --quiet --disable-pip-version-check '$(UV)'
	$(BIN)/uv pip compile pyproject.toml $(LOCK) --upgrade --group dev --output-file requirements/dev.lock
	$(BIN)/uv pip compile $(LOCK) --upgrade --constraint requirements/dev.lock --group functions --output-file src/requirements.txt
	$(BIN)/uv pip compile $(LOCK) --upgrade --group sam --output-file requirements/sam.lock
	$(BIN)/uv pip compile $(LOCK) --upgrade --group site --output-file requirements/site.lock
	$(BIN)/uv pip compile $(LOCK) --upgrade --constraint requirements/dev.lock --group lambda --output-file requirements/lambda.lock

audit: ## Ask whether a locked release has a known vulnerability; says when it cannot
	@PYTHON=$(PYTHON) .ci/audit

clean: ## Stop the local cloud and remove environments, state, logs and caches
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m local down; fi
	rm -rf $(VENV) $(SAM) $(SITE) .venv-audit .local .aws-sam .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
