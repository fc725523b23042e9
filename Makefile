# Every task of the house. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# No tool reports home, and numeric libraries leave the cores to the database.
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export GX_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1
export OMP_NUM_THREADS := 1
export PYTHON

BIN := .venv/bin
DATA ?= demo
USERS ?= 2000
DAYS ?= 90
SEED ?= 1
OUT ?= data/simulated
SEEDS ?= 1,2,3
PORT ?= 8000

.PHONY: help build metrics test simulate land check expectations docs serve bench truth lint clean setup setup-dev

help: ## list the tasks and their variables
	@echo "make <task> [VARIABLE=value ...]"
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo "PYTHON=... names the interpreter (3.11 or newer) .venv is made with."

build: setup ## build and test the warehouse (DATA=demo|1m|10m|<lake>, INBOX=<folder>, METRIC=, FORCE=1)
	@$(BIN)/plumbline build --data "$(DATA)" $(if $(INBOX),--inbox "$(INBOX)") $(if $(METRIC),--metric "$(METRIC)") \
		$(if $(FORCE),--force)

metrics: setup ## list the metrics, or say what one means (METRIC=bot_ctr)
	@$(BIN)/plumbline metrics $(METRIC)

test: setup-dev ## run every linter, every test and the demo build (ONLY=lint,pytest,build)
	@$(BIN)/python scripts/test.py $(if $(ONLY),--only "$(ONLY)")

simulate: setup ## write an invented lake with its truth (USERS=, DAYS=, SEED=, EVENTS=, OUT=)
	@$(BIN)/plumbline simulate --users "$(USERS)" --days "$(DAYS)" --seed "$(SEED)" \
		$(if $(EVENTS),--events "$(EVENTS)") --out "$(OUT)"

land: setup ## land new files of an inbox into a lake (INBOX=, LAKE=)
	@$(BIN)/plumbline land $(if $(INBOX),--inbox "$(INBOX)") $(if $(LAKE),--lake "$(LAKE)")

check: setup ## compare lake, landing's records and warehouse from the ground up (DATA=)
	@$(BIN)/plumbline check --data "$(DATA)"

expectations: setup ## judge the landing profile: of LAKE=, else of the sample
	@$(BIN)/plumbline expectations $(if $(LAKE),--lake "$(LAKE)",--sample)

docs: setup ## write the documentation site as one page (DATA=), state/docs/index.html
	@$(BIN)/plumbline docs --data "$(DATA)"

serve: setup-dev ## score creators over HTTP, with pages (PORT=8000)
	@$(BIN)/plumbline serve --port "$(PORT)"

bench: setup ## measure the claims about speed and memory
	@$(BIN)/python benchmarks/run.py

truth: setup-dev ## recover planted truth from simulated warehouses (SEEDS=1,2,3)
	@PLUMBLINE_TRUTH_SEEDS="$(SEEDS)" $(BIN)/python -m pytest -m truth

lint: setup-dev ## run the linters only
	@$(BIN)/python scripts/test.py --only lint

clean: ## remove what the tasks make, except .venv and data
	@rm -rf target logs state .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@rm -f plumbline.duckdb plumbline.duckdb.wal
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
	@echo "clean: done (.venv and data/ are kept)"

setup:
	@scripts/setup.sh core

setup-dev:
	@scripts/setup.sh dev
