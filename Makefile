# The one list of commands. `make` alone prints it.
STACK ?= dev
# Of its workloads these, by their names; all where none is said.
ONLY ?=
PYTHON ?= python3.11
# How many files of tests run at once.
WORKERS ?= 2
BIN := .venv/bin
# What is Node, by its folder: the page, the API, and the browser that the page's tests open it in.
WEB := apps/microservices/web
EXPRESS := apps/express_api/service
BROWSER := tests/browser
.DEFAULT_GOAL := help
.PHONY: help setup rehearse preview test check format unit bench streams workflows schema lock clean

help: ## print this list
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.installed ## make .venv from the pins

%/node_modules/.installed: %/package.json %/package-lock.json
	@command -v npm >/dev/null || { echo "no npm found: install Node 20 or later"; exit 1; }
	@cd $* && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# Python 3.11 by that name, or whatever `python3` is where that is 3.11 too.
.venv/.installed: requirements.txt requirements-dev.txt
	@command -v $(PYTHON) >/dev/null || { echo "no $(PYTHON) found: install Python 3.11, or say make PYTHON=/path/to/it"; exit 1; }
	@echo "installing into .venv, about a minute and 700 MB"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt -r requirements-dev.txt
	@touch $@

rehearse: setup $(WEB)/node_modules/.installed $(EXPRESS)/node_modules/.installed ## deploy a stack to the emulator, run its workloads, send its requests (STACK=prod, ONLY=express-api)
	$(BIN)/python -m rehearsal up --stack $(STACK) $(ONLY:%=--only %)

preview: setup ## evaluate a stack with unknown ids and run the policy packs on it (STACK=prod)
	$(BIN)/python -m rehearsal preview --stack $(STACK) $(ONLY:%=--only %)

test: check unit ## everything: format, lint, types, imports, tests, and the rehearsals of dev and prod

check: setup ## format, lint, types and imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

workflows: setup ## what GitHub would refuse, or somebody would take over, in .github (needs Go)
	$(BIN)/zizmor --offline --no-progress .github
	@# The module's own checksum database pins it.
	go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

format: setup ## write the code as `check` wants it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

unit: setup $(WEB)/node_modules/.installed $(EXPRESS)/node_modules/.installed $(BROWSER)/node_modules/.installed ## all tests, the rehearsals among them
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile

bench: setup ## components beside the same resources by hand: time and memory at 1, 10 and 100
	$(BIN)/python benchmarks/evaluation.py

streams: setup ## 1,000 streams through workflow's gateway while its agents are killed: half a minute
	$(BIN)/python benchmarks/streams.py

schema: setup ## write stack.schema.json, which editors check the stack files with
	@# Through another file: one that fails half-way must not empty the one that is there.
	$(BIN)/python -m apps._schema > stack.schema.json.new && mv stack.schema.json.new stack.schema.json || { rm -f stack.schema.json.new; exit 1; }

lock: setup ## write the pins anew from requirements*.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -o requirements.txt requirements.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -o requirements-dev.txt requirements-dev.in

clean: ## remove what setup and rehearsals made
	rm -rf .venv .rehearsal $(WEB)/node_modules $(EXPRESS)/node_modules $(BROWSER)/node_modules
