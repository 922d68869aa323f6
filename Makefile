# Everything runs in .venv, made from the locked wheels. `make help` lists the targets.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
OUT ?= out
export HNL_REAL_NANOAOD ?= $(abspath ../shared/data/nanoaod)

# A file stays in one worker, which makes its fixtures once; tests of a file may use what others of it have left.
PARALLEL := -n 2 --dist loadfile

.PHONY: help demo samples test test-quick test-faults test-images-update coverage lint docs docs-serve gallery formats lock clean
help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/'

$(READY): requirements.lock pyproject.toml
	@echo "making .venv from requirements.lock, which takes some minutes"
	@$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), f"hnl needs Python 3.11 or newer, this is {sys.version}"'
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

demo: $(READY)  ## run the search on the shipped samples, ending in a report
	@$(BIN)/hnl run datasets/demo/demo.yaml -o $(OUT)/demo

samples: $(READY)  ## make larger samples in $(OUT)/samples: hours on all cores; it can be interrupted and goes on
	$(BIN)/python datasets/demo/make.py $(OUT)/samples

test: $(READY)  ## run the tests
	$(BIN)/python -m pytest $(PARALLEL) --ignore tests/faults

test-quick: $(READY)  ## run the tests that take seconds, for use while working
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow"

test-faults: $(READY)  ## kill, interrupt and break runs, and see what comes out of it
	$(BIN)/python -m pytest tests/faults

test-images-update: $(READY)  ## accept the figures as they are drawn now: look at tests/plots/baseline before a commit
	$(BIN)/python -m pytest -q tests/plots --update-images
	git status --short tests/plots/baseline

coverage: $(READY)  ## run the tests and write which lines they reach to $(OUT)/coverage
	$(BIN)/python -m pytest $(PARALLEL) --ignore tests/faults --cov --cov-report html:$(OUT)/coverage

lint: $(READY)  ## check style, spelling and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy -p hnl

docs: $(READY)  ## build the documentation site in $(OUT)/site; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir $(abspath $(OUT))/site

docs-serve: $(READY)  ## show the documentation at http://127.0.0.1:8000, and again after each change
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

FIGURES := cutflow m_l1_sv_SR classifier_scores abcd_regions abcd_CR_low_data fit_impacts_hnl10_mixed limits_mu_majorana
gallery: demo  ## take the figures of docs/gallery.md from a run of the demo
	cp $(FIGURES:%=$(OUT)/demo/plots/%.png) docs/figures

formats: $(READY)  ## write docs/formats.md and the table of docs/settings.md from the types in the code
	$(BIN)/python -m hnl.report.formats docs/formats.md
	$(BIN)/python -m hnl.report.settings docs/settings.md

# Without NCCL, 0.5 GB for training on several GPUs, which XGBoost loads only there; so pip is told to add nothing.
lock:  ## write requirements.lock anew: exact versions with hashes
	$(BIN)/uv pip compile pyproject.toml --all-extras --generate-hashes --universal --fork-strategy fewest \
	  --python-version 3.11 --only-binary :all: --no-header --upgrade --quiet \
	  --no-emit-package nvidia-nccl-cu12 --no-emit-package nvidia-nccl-cu13 -o requirements.lock

clean:  ## remove the environment and outputs
	rm -rf .venv $(OUT)
