# What a developer or an organiser types. `make` alone lists it. Nothing needs to be installed by hand.

# The first Python that is new enough; name another one with `make PYTHON=…`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && exit; done; echo python3)
BIN := .venv/bin
OR_SAY = || { command -v $(PYTHON) >/dev/null || \
	echo "There is no $(PYTHON) here: install Python 3.11 or newer, or name one with make PYTHON=…"; exit 1; }
UV := UV_SYSTEM_CERTS=1 .venv/bootstrap/bin/uv
COMPILE := $(UV) pip compile -q --no-header --universal --generate-hashes --python-version 3.11
# How many tests run at the same time, and what else pytest gets: make test ARGS="-k ring -x"
JOBS ?= 3
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install install-dev packages demo run check test test-deploy bench capacity cluster lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null \
	|| sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1: \2/p' Makefile

# The script compares the locks with what is installed: 0.05 s when nothing changed.
install: ## .venv with what the server needs, from requirements/prod.txt
	@$(PYTHON) tools/install.py $(OR_SAY)

install-dev: ## the same with the tools of the tests, from requirements/dev.txt
	@$(PYTHON) tools/install.py dev $(OR_SAY)

packages: ## the Debian programs of the tests (as root or with sudo; else says what is missing)
	@sh tools/packages.sh

demo: install ## a throw-away game of 100 invented players on HOST:PORT (127.0.0.1:8080)
	@$(BIN)/killer demo

run: install ## the server, with the settings of the environment and .env
	@$(BIN)/killer serve

check: install-dev ## what must hold before a commit: format, rules, types, the house tests
	@$(BIN)/ruff format --check --quiet . || { echo "Not formatted: run .venv/bin/ruff format"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/pytest tests/house
	@echo "make check: all is well."

test: install-dev packages ## every test; those whose program is missing are named at the end
	@$(BIN)/pytest -n $(JOBS) --dist worksteal --durations 15 $(ARGS)

# Its base system is made once (two minutes) and kept in ~/.cache/killer-tests.
test-deploy: install-dev ## `killer deploy` on real throw-away servers, about eight minutes (as root)
	@sh tools/packages.sh deploy
	@$(BIN)/pytest -n 0 -m deploy tests/deploy --durations 15 $(ARGS)

bench: install-dev ## a look at the most important figures, 3 minutes; ARGS=sheet: the Google Sheet, about 20
	@$(BIN)/python -m benchmarks $(ARGS)

# A run that was interrupted goes on where it stopped. ARGS="--part streams" measures one part again.
capacity: install-dev packages ## measure everything for docs/capacite.md, about 25 minutes; ARGS=--quick: a look
	@$(BIN)/python -m benchmarks capacity $(ARGS)

# In network namespaces, as root; each part is bounded in time. ARGS="--part bells" measures one again.
cluster: install-dev packages ## measure several nodes for docs/grappe.md, about 30 minutes; ARGS=--quick: a look
	@$(BIN)/python -m benchmarks cluster $(ARGS)

# The locks name no registry; dev keeps the versions of prod. make lock ARGS=--upgrade takes the newest.
lock: install-dev ## compile requirements/*.txt after a change of pyproject.toml
	@$(COMPILE) $(ARGS) -o requirements/uv.txt requirements/uv.in
	@$(COMPILE) $(ARGS) -o requirements/build.txt requirements/build.in
	@$(COMPILE) $(ARGS) -o requirements/prod.txt pyproject.toml
	@$(COMPILE) $(ARGS) -o requirements/dev.txt --group dev -c requirements/prod.txt pyproject.toml
	@echo "The locks are fresh; run make check test, then commit them."

clean: ## forget .venv and everything that was built or cached
	rm -rf .venv .venv.lock build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} + ; rm -rf src/*.egg-info
