# Everything a developer or a newcomer runs. `make help` explains it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
TRAINING := $(VENV)/.training
# These fork the process that runs them, which so must not hold what other tests have loaded: threads, gigabytes.
FORKING := tests/integration/mutating
# uv installs in parallel and keeps what it has fetched; where it cannot, pip takes longer to the same end.
INSTALL := sh -c '$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $$0 \
	|| $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $$0'

.DEFAULT_GOAL := help
.PHONY: help install training models demo test unit check lint format controlplane e2e bench docs clean

help: ## Show this list
	@echo "Usage: make TARGET"
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "Needs Python 3.11 or newer, Go (or the extra 'go'), and make. Everything is installed into $(VENV);"
	@echo "the control plane's programs are built once into your cache folder."

install: $(INSTALLED) ## Install HYDATIS and its tools into .venv

$(INSTALLED): pyproject.toml requirements/uv.txt requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "HYDATIS needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	$(INSTALL) requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

training: $(TRAINING) ## Install also PyTorch and what else training needs: several GB

$(TRAINING): $(INSTALLED) requirements/training.txt
	$(INSTALL) requirements/training.txt
	@touch $@

models: $(TRAINING) ## Train the models that ship and write models/: an hour or more (TRAIN_ARGS="--version 2" adds arguments)
	$(BIN)/hydatis train all --seed 1 --output models $(TRAIN_ARGS)

demo: $(INSTALLED) ## Schedule real pods on a real control plane, and say why (DEMO_ARGS="--json FILE" adds arguments)
	$(BIN)/hydatis demo $(DEMO_ARGS)

# Three workers: most of a test's time goes into waiting for servers. A file stays with one worker, which keeps its servers.
test: $(INSTALLED) ## Run every test; the first run builds the control plane (TEST_ARGS="-k queue" adds arguments)
	$(BIN)/hydatis sandbox build
	$(BIN)/pytest --numprocesses 3 --dist loadfile $(or $(TEST_ARGS),--ignore $(FORKING))
	$(if $(TEST_ARGS),,$(BIN)/pytest $(FORKING))

unit: $(INSTALLED) ## Run the tests that need no cluster, in seconds
	$(BIN)/pytest tests/unit $(TEST_ARGS)

lint: $(INSTALLED) ## Check style, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test ## Run everything a reviewer would: lint and test

format: $(INSTALLED) ## Rewrite the code in the project's style
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

controlplane: $(INSTALLED) ## Build every program of the control plane into the cache folder
	$(BIN)/hydatis sandbox build

e2e: $(INSTALLED) ## Run Kubernetes' own scheduling tests (E2E_ARGS="--scheduler kube-scheduler --nodes 8" adds arguments)
	$(BIN)/hydatis sandbox e2e $(E2E_ARGS)

bench: $(INSTALLED) ## Measure HYDATIS beside kube-scheduler (BENCH_ARGS="--nodes 1000 --repeat 3" adds arguments)
	$(BIN)/hydatis bench models --load models/load.yaml --placement models/placement.yaml --anomaly models/anomaly.yaml
	$(BIN)/hydatis bench $(BENCH_ARGS)

docs: $(INSTALLED) ## Write docs/commands.md anew from the commands' own help
	$(BIN)/python -m hydatis.operator.command_reference > docs/commands.md

clean: ## Remove the virtual environment and the tools' caches; built control-plane programs stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
