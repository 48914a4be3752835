# The targets a person uses; `make` alone lists them.
SHELL := /bin/sh
PYTHON := $(shell infra/stack/env.sh --path)
export PYTHONPATH := $(CURDIR)
PYTEST := $(PYTHON) -m pytest
STACK := $(PYTHON) -m infra.stack
# Test files run side by side, each worker with a stack of its own (3 GB) and one thread for its mathematics; WORKERS=0: in turn, in this process.
WORKERS := 2
# In a terminal the sign-ins and the progress are for a person; CI sets its own.
COMPILE = $(dir $(PYTHON))uv pip compile pyproject.toml --extra dev --quiet --no-annotate --no-emit-index-url \
	--python-version 3.12 --python-platform x86_64-unknown-linux-gnu --custom-compile-command "make lock"
LOCK_CHECK := $(shell mktemp -u)
.DEFAULT_GOAL := help
.PHONY: help env jars minio up down status logs reset demo retail screenshot test test-fast prove bench scorecard check lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: ## the Python environment of requirements.txt, made once in ~/.cache/marketing-lakehouse
	@infra/stack/env.sh

jars: env ## the Spark server's jars, fetched once
	@$(STACK) jars

minio: env ## the MinIO server, built once
	@$(STACK) minio

up: env ## start the stack, repair what is broken (FREE_PORTS=1: on free ports, LIGHT=1: without Airflow)
	@$(STACK) up $(if $(FREE_PORTS),--free-ports) $(if $(LIGHT),--light)

down: env ## stop the stack, leaving no process
	@$(STACK) down

status: env ## what runs, memory, addresses and sign-ins
	@$(STACK) status

logs: env ## the end of the logs (PROGRAM=spark: of one)
	@$(STACK) logs $(PROGRAM)

reset: env ## stop the stack and forget its data
	@$(STACK) reset

demo: up ## everything: stack, simulated company, an hourly and a nightly run, a summary
	@$(PYTHON) -m infra.demo

retail: up ## the pipeline on a file of the columns of online_retail: make retail FILE=…
	@test -n "$(FILE)" || { echo "Name the file: make retail FILE=path/to/online_retail.csv" >&2; exit 2; }
	@$(PYTHON) -m infra.demo.retail "$(FILE)"

screenshot: env ## the README's picture, taken from the running demo
	@$(PYTHON) -m infra.demo.screenshot

test: env jars minio ## all tests, those on a stack on one of their own (ARGS=…: more for pytest)
	@OMP_NUM_THREADS=1 $(PYTEST) -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-fast: env ## the tests that need no stack, within two minutes
	@OMP_NUM_THREADS=1 $(PYTEST) -n $(WORKERS) --dist loadfile -m "not integration and not airflow and not prove" $(ARGS)

prove: env jars minio ## the long proofs at full size, going on where they were stopped
	@LAKEHOUSE_PROVE=full $(PYTEST) -m prove -s --timeout=0 $(ARGS)

bench: env jars minio ## goals and figures, side by side (ARGS="machinery memory": only those)
	@$(PYTHON) -m tests.bench $(ARGS)

scorecard: env ## how near to a known truth, beside others; goes on where stopped (ARGS="--minutes 60")
	@$(PYTHON) -m tests.scorecard $(ARGS)

check: env ## style, types, import contracts, lock up to date
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m mypy
	@$(dir $(PYTHON))lint-imports --no-cache
	@cp requirements.txt $(LOCK_CHECK) && $(COMPILE) --output-file $(LOCK_CHECK) && diff requirements.txt $(LOCK_CHECK) >&2 \
		&& rm -f $(LOCK_CHECK) || { rm -f $(LOCK_CHECK); echo "requirements.txt is not what pyproject.toml asks for: make lock" >&2; exit 1; }

lock: env ## requirements.txt anew from pyproject.toml, keeping versions where possible
	@$(COMPILE) --output-file requirements.txt
