# Each target makes its virtual environment, .venv, where it is missing or out of date.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt

# Hundreds of short programs read the same sources, which each would compile again.
unexport PYTHONDONTWRITEBYTECODE

TYPED = $(shell find neus snakemake_logger_plugin_neus scripts tests benchmarks docs -name '*.py')

.PHONY: always demo test test-quick test-long test-faults test-page test-gltf test-slurm docs check bench quality

# A sculpture from known cameras and from bare photos, and the table of figures.
demo: .venv/installed
	$(BIN)/snakemake --cores all --logger neus

# Format, lint, types and all tests that need no target of their own, side by side: pyright keeps one core busy.
test: .venv/installed-for-tests
	@$(MAKE) --no-print-directory --jobs 2 check test-quick

# The tests without those below, a module on each core at a time.
test-quick: .venv/installed-for-tests
	$(BIN)/pytest -m "not long and not fault and not browser and not slurm" --numprocesses auto --dist loadscope --no-loadscope-reorder \
		--cov --cov-fail-under=96

# Whole yardsticks, several processes, real photos: what takes ten seconds and more.
test-long: .venv/installed-for-tests
	$(BIN)/pytest -m long

# A program is killed while it works: what follows must equal what nobody disturbed.
test-faults: .venv/installed-for-tests
	$(BIN)/pytest -m fault

# The page and the live view in a real browser: Debian's Chromium, or the one that NEUS_CHROMIUM names.
test-page: .venv/installed-for-tests
	$(INSTALL) --editable '.[browser,live]'
	$(BIN)/pytest -m browser tests/page tests/viewer

# Meshes to hand over, by Khronos's validator, which npm installs.
test-gltf: .venv/installed-for-tests .tools/gltf/node_modules
	$(BIN)/pytest tests/mesh/test_validator.py

# The profile of Slurm on a real one, started for it: as root, after apt-get install slurm-wlm munge.
test-slurm: .venv/installed-for-tests
	$(INSTALL) --editable '.[slurm]'
	$(BIN)/pytest -m slurm tests/profiles

# The documentation site, docs/_site/index.html; a warning is an error. A minute.
docs: .venv/installed-for-tests
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going \
		--conf-dir docs --doctree-dir docs/_site/.doctrees . docs/_site

# How fast everything is beside eager torch and the machine's limits: the last line sums up.
bench: .venv/installed
	$(BIN)/python benchmarks/dtu_protocol.py
	$(BIN)/python benchmarks/tanks_protocol.py
	$(BIN)/python -m benchmarks.training_step

# How right surfaces are, on scans whose surface is known: OPTIONS="--subset --steps 4000", say.
quality: .venv/installed
	$(BIN)/python -m benchmarks.quality --output results/quality/table.md $(OPTIONS)

# Format, lint and types; types again where a file, their list or a package has changed since.
check: .venv/installed-for-tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@$(MAKE) --no-print-directory .venv/types-are-right

.venv/types-are-right: .venv/installed-for-tests .venv/typed-files $(TYPED)
	$(BIN)/pyright
	@touch $@

.venv/typed-files: always
	@echo $(TYPED) | cmp --silent - $@ || echo $(TYPED) > $@

# The stamps are younger than the files that say what to install.
.venv/installed: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing into .venv: a minute or two."
	$(INSTALL) --editable .
	@touch $@

.venv/installed-for-tests: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing into .venv: a minute or two."
	$(INSTALL) --editable '.[docs,test]'
	@touch $@ .venv/installed

.tools/gltf/node_modules: tests/helpers/gltf/package-lock.json
	@mkdir -p .tools/gltf && cp tests/helpers/gltf/package*.json .tools/gltf
	npm ci --silent --prefix .tools/gltf
	@touch $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: neus needs Python 3.11 or later: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || \
		{ echo "error: $(PYTHON) has no venv: apt install python3-venv (Debian)" >&2; exit 1; }
