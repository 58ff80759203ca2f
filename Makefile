# What people and CI do with this checkout; `make help` lists it.

VENV ?= .venv
PYTHON ?=
ARGS ?=
UV ?= uv

SET_UP := $(VENV)/.set-up
RUN := $(VENV)/bin/python -m

# The environment alone decides what is imported.
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: conformance test lint typecheck docs lock upgrade clean distclean help always

conformance: $(SET_UP) ## judge numpy_tf by live TensorFlow on every case; reports in reports/latest
	$(RUN) gradparity run cases --report reports/latest $(ARGS)

test: $(SET_UP) ## the test suite: tests/, and the cases through the pytest plugin
	$(RUN) pytest $(ARGS)

lint: $(SET_UP) ## ruff: rules and format
	$(RUN) ruff check .
	$(RUN) ruff format --check .

typecheck: $(SET_UP) ## mypy, strict for gradparity
	$(RUN) mypy

docs: $(SET_UP) ## the documentation site, in site/; a link that leads nowhere is an error
	$(RUN) sphinx --quiet --fresh-env --fail-on-warning --keep-going docs site $(ARGS)

lock: ## remake the pins in requirements/ after a change in pyproject.toml (needs uv)
	sh requirements/lock.sh $(UV)

upgrade: ## remake the pins in requirements/ with the newest releases that fit (needs uv)
	sh requirements/lock.sh $(UV) --upgrade

clean: ## remove what runs leave behind, but not the environment
	rm -rf reports/latest dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis .gradparity_cache
	find oracle impl tests cases -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## remove the environment, too
	rm -rf $(VENV) $(VENV).lock

help: ## this list
	@echo 'make TARGET [ARGS="..."] [PYTHON=python3.12] [VENV=.venv]'
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'ARGS goes to the command that the target runs: make test ARGS="-k tutorial -x".'
	@echo 'PYTHON is the interpreter of a new environment, VENV the place of the environment.'

# A copied or moved checkout must not run the code of the place that it came from.
ifneq ($(shell cat $(SET_UP) 2>/dev/null),$(CURDIR))
$(SET_UP): always
endif

$(SET_UP): pyproject.toml requirements/constraints.txt
	@sh requirements/set_up.sh $(VENV) $(if $(PYTHON),'$(PYTHON)')
