# What one does with CrediSense. `make help` lists it; `make demo` is where to begin.
# Python 3.12 or later and make are all that a machine needs; PORT and the variables of .env are honoured.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BASE := $(VENV)/.base
DEV := $(VENV)/.dev
SOURCES := apps config tests bench deploy docs examples manage.py
# The database need not run: only the history it would hold is not compared.
MANAGE := DJANGO_SETTINGS_MODULE=config.settings.test $(BIN)/python -W "ignore:Got an error checking" manage.py
REPORT := var/report/tests.html
# How many processes share the suite; each has a database of its own, and one core.
PROCESSES ?= 2
# Every broken link, anchor or picture is an error; the notice of the theme's makers is not ours to repeat.
GUIDE := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --clean
# Variables of .env reach the commands that serve; the shell reads the file, so quoting works as anywhere.
WITH_ENV := set -a; if [ -f .env ]; then . ./.env; fi; set +a; exec

.DEFAULT_GOAL := help
.PHONY: help demo run worker test soak check fmt guide screenshots bench benchapi benchfiles benchpages lock schema messages clean reset

help: ## list these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 13

demo: $(BASE) ## start everything with fictional institutions and log-ins, on PORT (8000)
	@$(WITH_ENV) $(BIN)/python -m config.stack demo

run: $(BASE) ## start the site and one worker without fictional data
	@$(WITH_ENV) $(BIN)/python -m config.stack run

worker: $(BASE) ## start one more worker beside a running site
	@$(WITH_ENV) $(BIN)/python -m config.stack worker

test: $(DEV) ## run the everyday suite; the report goes to var/report/tests.html
	$(BIN)/python -m config.stack catalogues
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not soak" -n $(PROCESSES) --dist loadfile --html=$(REPORT) --self-contained-html

soak: $(DEV) ## run what is long: thousands of cases, crashes, a million rows
	$(BIN)/python -m config.stack catalogues
	$(BIN)/python -m pytest -m soak

check: $(DEV) ## check style, types, import contracts, templates, migrations and the guide, as CI does
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint templates --check --quiet
	$(BIN)/djlint templates --lint --quiet
	$(MANAGE) check --fail-level WARNING
	$(MANAGE) makemigrations --check --dry-run
	$(GUIDE) --quiet --site-dir var/report/guide

fmt: $(DEV) ## write code and templates in the one style
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/djlint templates --reformat --quiet

guide: $(DEV) ## build the users' guide into site/; any web server, or a browser, opens site/index.html
	$(GUIDE)

screenshots: $(DEV) ## take the guide's pictures again from a running `make demo` (same PORT); needs chromium
	$(WITH_ENV) $(BIN)/python docs/screenshots.py

bench: $(DEV) ## measure the model's quality: DATA=folder of NAME/data.csv and NAME/dictionary.json
	@test -n "$(DATA)" || { echo "make bench DATA=folder, with NAME/data.csv and NAME/dictionary.json in it"; exit 2; }
	@for set in $(DATA)/*/; do \
		echo "$$set"; \
		$(BIN)/python bench/quality.py --data $${set}data.csv --dictionary $${set}dictionary.json || exit 1; \
	done

PEER := var/bench-venv/.done
benchapi: $(DEV) $(PEER) ## measure scores beside a peer of FastAPI and pandas, and explanations (P1 to P5)
	$(BIN)/python bench/predict.py
	OMP_NUM_THREADS=1 $(BIN)/python bench/explain.py

benchfiles: $(DEV) $(PEER) ## measure files of up to a million rows beside the peer (P6 to P8)
	$(BIN)/python bench/batch.py

benchpages: $(DEV) ## measure the portfolio's pages at 3,000,000 scores (P9 and P10)
	OMP_NUM_THREADS=1 $(BIN)/python bench/portfolio.py

$(PEER): requirements/bench.txt | $(BIN)/python
	$(PYTHON) -m venv var/bench-venv
	@$(UV) pip install --quiet --python var/bench-venv/bin/python --require-hashes -r requirements/bench.txt || \
		var/bench-venv/bin/python -m pip install --quiet --require-hashes -r requirements/bench.txt
	@touch $@

lock: $(DEV) ## compile requirements/*.in again, with hashes for every platform
	@for name in base dev prod bench; do \
		$(UV) pip compile requirements/$$name.in --output-file requirements/$$name.txt --quiet \
			--universal --python-version 3.12 --generate-hashes --no-header \
			--no-emit-index-url --no-emit-find-links || exit 1; \
	done

schema: $(DEV) ## write the OpenAPI document's snapshot and the collection of requests again
	$(MANAGE) spectacular --lang en --format openapi-json --file tests/api/openapi.json
	$(BIN)/python examples/postman/generate.py

messages: $(DEV) ## bring the catalogues up to date; lists the texts that have no French yet
	$(BIN)/python -m config.extraction

clean: ## remove what can be made again: environment, caches, catalogues, the tests' database
	@for folder in var/test var/test/[0-9]*; do \
		if [ -x $(BIN)/python ] && [ -f $$folder/postgres.json ]; then \
			CREDISENSE_DATA_DIR=$$folder $(BIN)/python -m config.postgres remove; \
		fi \
	done
	rm -rf $(VENV) var/test var/report .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find apps config tests bench docs -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f locale/*/LC_MESSAGES/*.mo

reset: $(BASE) ## delete the local database and files for good, to start again from nothing
	$(BIN)/python -m config.postgres remove
	rm -rf var

# The environment: uv when it can be had, because it is quicker, pip otherwise; both check every hash.
# Like pip, uv trusts the certificates of the machine (a company's proxy may have its own).
export UV_SYSTEM_CERTS ?= 1
UV := $(or $(shell command -v uv 2>/dev/null),$(BIN)/python -m uv)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 12))' || \
		{ echo "Python 3.12 or later is needed: make PYTHON=python3.13 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); uv venv --seed --python $(PYTHON) $(VENV); }

define install
	@$(UV) --version >/dev/null 2>&1 || $(BIN)/python -m pip install --quiet uv || true
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r $(1) || \
		{ echo "uv cannot install here: trying with pip"; \
		$(BIN)/python -m pip install --quiet --require-hashes -r $(1); }
endef

$(BASE): requirements/base.txt | $(BIN)/python
	@echo "Installing requirements/base.txt"
	$(call install,requirements/base.txt)
	@touch $@

$(DEV): requirements/dev.txt | $(BIN)/python
	@echo "Installing requirements/dev.txt"
	$(call install,requirements/dev.txt)
	@touch $(BASE) $@
