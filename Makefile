# Needs Python 3.11 or newer and make; everything else goes into $(VENV).
#
#   make demo           the gate on the examples: a clear suite, a lost fill and its repair
#   make picture        the picture of the demo in the README, from its output
#   make quick          lint, types, the tests of the rules: no processes, trials, long tables; a minute
#   make test           lint, types, all tests
#   make soak           the same tests with large counts, 200,000 fuzzed inputs, 400 mutants
#   make fuzz           5,000 fuzzed inputs; FUZZ="--executions 50000 --seed 3" for others
#   make mutants        do the tests notice changed rules: 80 mutants, MUTANTS="--seed 3" for others
#   make trials         the worth of explanations by world, kind and evidence, 3,000 sessions
#   make examination    an independent judge of explanations; EXAMINATION="--seeds 5000:6000" for others
#   make bench          what an item costs, a session, a question to a long audit log, an explanation
#   make bench-report   docs/performance.md and the picture of docs/scale.md from their figures
#   make exchange       the snapshot of an account, by the real ccxt, on a server of this machine
#   make stores         sessions by URL on a real S3 server of this machine
#   make test-engines   the recorders of engines, by the real engines
#   make browser        the HTML report in Chromium: accessible, at three widths; fetches axe-core by npm
#   make lint           ruff, mypy, the layers of the packages, the prose
#   make figures        figures of the structure of the code beside their goals
#   make clean          remove the virtual environment and all caches
#   make test-pythons   the tests on other Pythons that are installed
#   make test-pytests   the tests on the oldest and the newest supported pytest
#   make routes         every route to a green run, those of other plugins too

PYTHON ?= python3
VENV ?= .venv
# One process per core; `make test PYTEST_OPTIONS=` runs them in one.
PYTEST_OPTIONS ?= -n auto
TESTS ?= tests
PYTHONS ?= python3.12 python3.13
FUZZ ?= --executions 5000
MUTANTS ?= --outside 60 --inside 20
TRIALS ?= --count 3120 --jobs 2
EXAMINATION ?= --seeds 0:1000 --jobs 2
# Requirements besides the project's own, such as another pytest.
WITH ?=
EXCHANGE := ccxt==4.* keyring keyrings.alt
# Plugins that run, select, stop or report items in their own way.
ROUTE_PLUGINS := pytest-check pytest-cov pytest-dependency pytest-flakefinder pytest-ignore-flaky \
    pytest-instafail pytest-order pytest-picked pytest-repeat pytest-reportlog \
    pytest-rerunfailures pytest-retry pytest-shard pytest-socket pytest-split pytest-sugar \
    pytest-timeout flaky
SHELL := /bin/sh

BIN := $(VENV)/bin
READY := $(VENV)/.ready
# A test run must not depend on what the caller has set for other runs.
unexport PYTEST_ADDOPTS PYTEST_PLUGINS PYTEST_DISABLE_PLUGIN_AUTOLOAD
# Half of the time of a test that starts a process would be compiling modules again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo picture quick test suite soak fuzz mutants trials examination bench lint figures clean same-python test-pythons
.PHONY: test-pytests test-engines routes browser exchange stores bench-report

help:
	@sed -n 's/^#   //p' Makefile

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "make: $(PYTHON) is no Python 3.11 or newer; name one with: make PYTHON=python3.12" >&2; \
	    exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	    echo "make: $(PYTHON) cannot make a virtual environment; Debian and Ubuntu need the package python3-venv" >&2; \
	    exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[test]" $(WITH)
	@touch $@

# An environment of another Python than the one asked for would test that other one.
same-python: $(READY)
ifneq ($(filter command environment,$(firstword $(origin PYTHON))),)
	@version='import sys; print("%d.%d" % sys.version_info[:2])'; \
	asked=$$($(PYTHON) -c "$$version") || { echo "make: $(PYTHON) does not run" >&2; exit 1; }; \
	made=$$($(BIN)/python -c "$$version") || { echo "make: $(VENV) is broken; run make clean" >&2; exit 1; }; \
	test "$$asked" = "$$made" || { \
	    echo "make: $(VENV) has Python $$made and $(PYTHON) is $$asked; run make clean, or add VENV=another-directory" >&2; \
	    exit 1; }
endif

demo: same-python
	@PYTEST="$(abspath $(BIN))/pytest" RECON="$(abspath $(BIN))/recon" sh examples/demo.sh

picture: same-python
	$(BIN)/python -m tests.docs.picture

quick: lint
	RECON_TEST_SIZE=quick $(BIN)/pytest $(PYTEST_OPTIONS) --durations=5 --durations-min=1 $(TESTS)

test: lint suite

lint: same-python
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m tests.house.prose

figures: same-python
	$(BIN)/python -m tests.house.figures

suite: same-python
	$(BIN)/pytest $(PYTEST_OPTIONS) $(TESTS)

soak: same-python
	RECON_TEST_SIZE=soak $(BIN)/pytest $(PYTEST_OPTIONS) $(TESTS)
	$(MAKE) --no-print-directory fuzz FUZZ="--executions 200000"
	$(MAKE) --no-print-directory mutants MUTANTS="--outside 300 --inside 100"
	$(MAKE) --no-print-directory exchange
	$(MAKE) --no-print-directory stores
	$(MAKE) --no-print-directory test-engines

fuzz: same-python
	PYTHONPATH=tests $(BIN)/python -m fuzz $(FUZZ)

# With the libraries of exchanges, without which the tests of `recon snapshot` are skipped.
mutants: same-python
	@$(MAKE) --no-print-directory same-python VENV=$(VENV)/exchange WITH="$(EXCHANGE)"
	RECON_TEST_SIZE=mutation PYTHONPATH=tests $(VENV)/exchange/bin/python -m mutation $(MUTANTS)

trials: same-python
	$(BIN)/python -m tests.trials --worlds $(TRIALS)

examination: same-python
	$(BIN)/python -m tests.examination $(EXAMINATION)

# A missed target keeps no other one from being measured.
bench: same-python
	@missed=; release=$$($(BIN)/python -c 'import recon_core; print(recon_core.__version__)'); \
	for words in items.py workers.py audit.py explain.py reports.py "reports.py --command" \
	    "sessions.py --cluster" mutate.py curves.py fills.py "fills.py --apart" \
	    "fills.py --kind linear" "fills.py --kind inverse" \
	    "columns.py --fills 1000000 --precision 2" large_explain.py; do \
	    echo "== $$words"; \
	    $(BIN)/python benchmarks/$$words --json benchmarks/figures/$$release \
	        || missed="$$missed $$words,"; \
	done; \
	test -z "$$missed" || { echo "missed a target:$$missed see above" >&2; exit 1; }

bench-report: same-python
	$(BIN)/python benchmarks/report.py

# Each environment is one of its own, inside $(VENV), so that `make clean` takes it along.
test-pythons: same-python
	@for python in $(PYTHONS); do \
	    if $$python -c 'import sys' 2>/dev/null; then \
	        echo "== $$python"; \
	        $(MAKE) --no-print-directory suite PYTHON=$$python VENV=$(VENV)/$$python || exit 1; \
	    else \
	        echo "== $$python: not installed, left out"; \
	    fi; \
	done

test-pytests: same-python
	@for requirements in "pytest==8.2.* pluggy==1.5.*" "--upgrade pytest pluggy"; do \
	    place=$(VENV)/$$(echo "$$requirements" | tr -cd 'a-z0-9.'); \
	    echo "== $$requirements"; \
	    rm -f $$place/.ready; \
	    $(MAKE) --no-print-directory suite VENV=$$place WITH="$$requirements" || exit 1; \
	done

# ccxt is 74 MiB: an environment of its own, which only these tests wait for.
exchange: same-python
	@$(MAKE) --no-print-directory suite VENV=$(VENV)/exchange WITH="$(EXCHANGE)" TESTS=tests/snapshot

# moto and the client of AWS are 100 MiB, and s3fs wants an fsspec of its own version.
stores: same-python
	@$(MAKE) --no-print-directory suite VENV=$(VENV)/stores WITH="moto[server] s3fs" \
	    TESTS="tests/core/test_remote_sessions.py tests/core/test_s3_sessions.py"

# The engines bring 1 GiB: an environment of its own, which only these tests wait for.
test-engines: same-python
	@$(MAKE) --no-print-directory suite VENV=$(VENV)/engines WITH="-r tests/engines/requirements.txt" TESTS=tests/engines

browser: same-python
	npm install --silent --no-audit --no-fund --prefix $(VENV)/axe axe-core@4
	RECON_AXE=$(abspath $(VENV))/axe/node_modules/axe-core/axe.min.js \
	    $(BIN)/pytest $(PYTEST_OPTIONS) tests/reports/test_browser.py

# The plugins get in each other's way: each route loads one of them, and the tests none.
routes: same-python
	$(MAKE) --no-print-directory $(VENV)/routes/.ready VENV=$(VENV)/routes WITH="$(ROUTE_PLUGINS)"
	RECON_TEST_SIZE=soak RECON_ROUTES_PYTHON=$(abspath $(VENV))/routes/bin/python \
	    $(BIN)/pytest $(PYTEST_OPTIONS) tests/plugin/test_routes.py

clean:
	rm -rf $(VENV) dist build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
