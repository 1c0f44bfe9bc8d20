# These commands are the manual; each sets up what it needs first.
.PHONY: help setup demo up test unit check sequences fmt bench bench-tracking bench-drift docs lock clean
BIN := .venv/bin
UNIT := not acceptance and not browser and not slow
SLOW := slow and not acceptance and not browser
# Tests start many processes: compiled modules are kept between them.
unexport PYTHONDONTWRITEBYTECODE
# Two processes test side by side: each gets one of two cores, not two threads on both.
test unit: export OPENBLAS_NUM_THREADS := 1

help:            ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 16

setup:           ## create .venv from the lock (once)
	@scripts/setup

demo: setup      ## play the whole loop on the flights of 2013 (make demo ARGS=--fast)
	@$(BIN)/kedge demo $(ARGS)

up: setup        ## start Kedge on http://127.0.0.1:5000
	@$(BIN)/kedge up $(ARGS)

test: setup      ## all tests, real processes and a real browser included
	@scripts/system-packages chromium libatomic1 postgresql ceph-common ceph-mon ceph-osd radosgw
	$(BIN)/python -m pytest -n 2 -m "$(UNIT)" $(ARGS)
	$(BIN)/python -m pytest -n 2 -m "$(SLOW)" $(ARGS)
	$(BIN)/python -m pytest -m "acceptance or browser" $(ARGS)

unit: setup      ## the tests that start no process
	$(BIN)/python -m pytest -n 2 -m "$(UNIT)" $(ARGS)

check: setup     ## style, types, import contract, house rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

sequences: setup ## requests that hypothesis makes up, to MLflow and Kedge (make sequences ARGS=--sequences=2000)
	$(BIN)/python -m pytest tests/tracking/test_sequences.py --sequences=500 $(ARGS)

fmt: setup       ## format and mend what can be mended
	$(BIN)/ruff check --fix-only -q .
	$(BIN)/ruff format -q .

bench: setup     ## measurements, written to benchmarks/results/
	$(BIN)/python -m benchmarks $(ARGS)

bench-tracking: setup  ## tracking under load beside mlflow server (make bench-tracking ARGS=--quick)
	$(BIN)/python -m benchmarks.tracking $(ARGS)

bench-drift: setup  ## the drift library: speed beside other libraries, delays, power (make bench-drift ARGS=--quick)
	$(BIN)/python -m benchmarks.drift --peers $(ARGS)

docs: setup      ## take the screenshots in docs/screens again
	@scripts/system-packages chromium libatomic1 postgresql
	$(BIN)/python -m pytest tests/browser --screens $(ARGS)

lock: setup      ## resolve the dependencies anew
	$(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--extra demo --group dev pyproject.toml requirements/build.in -o requirements/dev.lock

clean:           ## remove the environment and caches
	rm -rf .venv .mypy_cache .ruff_cache .import_linter_cache
