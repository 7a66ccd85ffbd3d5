# Needs python3 (3.11 or later, with venv and pip) and make; everything else is installed into $(VENV).
# Another interpreter: make check PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= python3
VENV ?= .venv
CORE ?= $(VENV)-core
OLDEST ?= $(VENV)-oldest
WHEEL := .venv-wheel
BIN := $(VENV)/bin
# An environment of another Python is made anew: its mark has another name.
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
VENV_DONE := $(VENV)/python$(VERSION).done
CORE_DONE := $(CORE)/python$(VERSION).done
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
# Not editable: that hook costs 10 ms at every start of Python, and what is tested should be what is installed.
# All environments have the same wheel, which is built but once. pip installs none whose version it finds installed.
INSTALL := $(PIP_INSTALL) --constraint constraints.txt
FORGET := -m pip uninstall --yes -qq infer-bench
PACKAGE = $$(ls $(WHEEL)/infer_bench-*.whl)
INPUTS = constraints.txt $(WHEEL)/wheel.done
SOURCES := $(shell find infer_bench -type f ! -name '*.pyc')
# Loaded by name: for a plug-in that is loaded by itself, pytest rewrites the asserts of every module of its distribution,
# which are a thousand here, in every process of a clean clone.
PLUGINS := --disable-plugin-autoload -p hypothesispytest -p infer_bench.pytest_plugin
REPORTS := $(abspath $(wildcard tests/saved/*.json))

.PHONY: help demo install check lint test check-core check-oldest wheel dist samples constraints clean

help:
	@echo "make demo         bench a sample model on several engines"
	@echo "make check        every check: format, lint, types, layers, tests"
	@echo "make check-core   install without any engine and run what must work then"
	@echo "make dist         build wheel and sdist into dist, and check what a package index would say"
	@echo "make check-oldest install the oldest versions that are allowed, on Python 3.11, and run each engine's contract"
	@echo "make samples      make the files of sample_models again"
	@echo "make constraints  choose the newest versions of everything again"
	@echo "make clean        remove what make installed and built"

demo: $(VENV)/cpu.done
	$(BIN)/infer-bench bench sample_models/credit.txt --data sample_models/credit.parquet

# What the checks need, and no check.
install: $(VENV)/dev.done

check: lint test

lint: $(VENV)/dev.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# One process a core; one that has no tests left takes over half of another's, so that none waits for the last ones. No
# test asserts a time, so that they may disturb each other. What is skipped must be known.
test: $(VENV)/dev.done
	$(BIN)/python -m pytest $(PLUGINS) -p xdist --numprocesses=auto --dist=worksteal --known-skips-only

# Run away from the sources, so that what was installed is what answers.
check-core: $(CORE)/core.done
	cd $(CORE) && bin/python $(abspath tools/check_core.py) $(REPORTS)

# What every environment installs.
wheel: $(WHEEL)/wheel.done

# Each in a folder that was empty before, so that nothing old is uploaded.
dist: $(VENV)-dist/python$(VERSION).done
	@rm -rf build dist
	$(VENV)-dist/bin/python -m build --outdir dist .
	$(VENV)-dist/bin/python -m twine check --strict dist/*

# Python 3.11, for which all of these have wheels. The warnings of old libraries are no errors.
check-oldest: $(OLDEST)/oldest.done
	$(OLDEST)/bin/python -m pytest $(PLUGINS) -W default tests/engines/test_contract.py tests/cli/test_usage.py tests/cli/test_help.py tests/cli/test_plain.py \
		tests/serving/test_server.py tests/serving/test_endpoints.py tests/serving/test_direct_requests.py tests/reporters/charts \
		tests/workers/profiling/test_profilers.py tests/measure/shards/test_schedulers.py

samples: $(VENV)/dev.done
	$(BIN)/python sample_models/make.py

constraints: $(VENV_DONE)
	$(BIN)/python $(PIP_INSTALL) uv
	$(BIN)/python tools/constraints.py

clean:
	rm -rf $(VENV) $(CORE) .venv-* build dist infer_bench.egg-info

# An old pip writes slower console scripts, so it is replaced before anything is installed.
$(VENV_DONE):
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("infer-bench needs Python 3.11 or later: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python $(PIP_INSTALL) --upgrade pip
	touch $@

# build/ may hold modules that were since removed, and setuptools would package them again.
$(WHEEL)/wheel.done: pyproject.toml $(SOURCES)
	@rm -rf build
	$(PYTHON) -m venv --clear $(WHEEL)
	$(WHEEL)/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $(WHEEL) .
	@rm -rf build
	touch $@

$(VENV)/cpu.done: $(VENV_DONE) $(INPUTS)
	@echo "Installing infer-bench and the engines into $(VENV): a minute or more the first time."
	@$(BIN)/python $(FORGET)
	$(BIN)/python $(INSTALL) "$(PACKAGE)[cpu]"
	touch $@

$(VENV)/dev.done: $(VENV_DONE) $(INPUTS)
	@echo "Installing infer-bench, the engines and the checkers into $(VENV): a minute or more the first time."
	@$(BIN)/python $(FORGET)
	$(BIN)/python $(INSTALL) "$(PACKAGE)[dev]"
	touch $@

$(VENV)-dist/python$(VERSION).done: constraints.txt
	$(PYTHON) -m venv --clear $(VENV)-dist
	$(VENV)-dist/bin/python $(INSTALL) build twine
	touch $@

$(CORE_DONE):
	$(PYTHON) -m venv --clear $(CORE)
	$(CORE)/bin/python $(PIP_INSTALL) --upgrade pip
	touch $@

$(CORE)/core.done: $(CORE_DONE) $(INPUTS)
	@$(CORE)/bin/python $(FORGET)
	$(CORE)/bin/python $(INSTALL) "$(PACKAGE)"
	touch $@

$(OLDEST)/oldest.done: constraints-oldest.txt $(WHEEL)/wheel.done
	$(PYTHON) -c 'import sys; sys.version_info[:2] == (3, 11) or sys.exit("the oldest versions need Python 3.11: make check-oldest PYTHON=python3.11")'
	$(PYTHON) -m venv --clear $(OLDEST)
	$(OLDEST)/bin/python $(PIP_INSTALL) --upgrade pip
	$(OLDEST)/bin/python $(PIP_INSTALL) --constraint constraints-oldest.txt \
		"$(PACKAGE)[lightgbm,xgboost,sklearn,onnxruntime,catboost,profile,html,charts,load,serve,dask]" \
		onnxmltools skl2onnx pytest hypothesis httpx jsonschema
	touch $@
