# `make demo` and `make test` need nothing but Python 3.11 or newer; every other target builds on the same environment.
# pip is used with the settings of whoever runs it (indexes, proxies, certificates); nothing here overrides them.

VENV ?= .venv
PORT ?= 8080
JOBS ?= auto
SHARED ?= ../shared
# What the demo's second and third curl line send: two folders of fixtures/scenarios, those of the README.
DEMO_FIRST ?= gc-assessment-due
DEMO_SECOND ?= order-denosumab-low-calcium
# The invented patients stand still in time, so the demo looks at them on their day: its cards are those of the fixtures.
DEMO_AS_OF ?= 2026-06-15
# Measuring which lines the tests reach nearly doubles their time, so `make test` does it only when told to; .ci/run tells it to.
COVERAGE ?= no
MEASURED := $(if $(filter yes,$(COVERAGE)),--cov --cov-report=)
# Each of these must be covered on its own: a well-tested package cannot hide a badly tested one.
COVERED := kernel clinical fhir protocol
COVERED_AT_LEAST := 95
# What `make mutation` mutates: shards of tests/mutation/shards.toml, of these the modules that match, of these every n-th mutant.
SHARDS ?= kernel
PATHS ?= *
EVERY ?= 1
# Which cases `make nightly` tries, and which share of them.
SEED ?= 1
SHARD ?= 1/1
# The second FHIR validator runs on Node. Without npm its tests are skipped, and say so; `required` makes a failed install fatal.
VALIDATORS ?= wanted
# `make audit` fails if it could not look up every package; with `wanted` it says so and goes on. What it finds always fails.
AUDIT ?= required
SERVICE ?= pypi
# The FHIR and OAuth servers that nobody here wrote run on Java (with Maven) and Node (with npm): the same two words for them.
REAL_SERVERS ?= wanted
# Chromium, playwright and axe-core for the tests of the sandbox page: the same two words for them.
BROWSER ?= wanted
# Where `make hapi`, `make medplum` and `make oidc` answer, on 127.0.0.1.
HAPI_PORT ?= 8090
MEDPLUM_PORT ?= 8095
OIDC_PORT ?= 8099

BIN := $(VENV)/bin
PY := $(BIN)/python
# With --no-deps where a lock file is installed, since it is complete: pip 23 looks for the newest `coverage[toml]` although
# `coverage` is locked, and fails on the day a newer one is published.
PIP_INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check
SAY = @printf '\n==> %s\n'

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo first-card test env env-dev lint types layers validators unit coverage real-servers real-servers-install browser browser-install screenshots hapi medplum oidc realdata deck bench golden traceability nightly mutation sbom audit image-rehearsal lock clean distclean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{ printf "  make %-20s %s\n", $$1, $$2 }'

# ---------------------------------------------------------------------------------------------- environment

# bin/pip and not bin/python: a Debian without python3-venv leaves half an environment behind, which has no pip.
$(BIN)/pip:
	$(SAY) "Creating the environment in $(VENV)"
	@set -e; for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    $$python -m venv $(VENV) || { echo "On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }; \
	    exit 0; \
	  fi; \
	done; \
	echo "Python 3.11 or newer was not found. Install it, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/pip
	$(SAY) "Installing what the service needs (about 45 packages, every file checked against its hash)"
	@$(PIP_INSTALL) --no-deps --require-hashes -r requirements.lock
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(SAY) "Installing what the checks need (about 50 packages, every file checked against its hash)"
	@$(PIP_INSTALL) --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

env: $(VENV)/.installed ## create the environment that runs the service

env-dev: $(VENV)/.installed-dev ## create the environment that runs the checks

# ---------------------------------------------------------------------------------------------- demo

define DEMO
url=http://127.0.0.1:$(PORT)
post() {
  echo "  curl -sS -H 'Content-Type: application/json' --data-binary @'$(CURDIR)/fixtures/scenarios/$$1/request.json' $$url/cds-services/bone-health-$$2"
}
for name in '$(DEMO_FIRST)' '$(DEMO_SECOND)'; do
  if [ ! -f "fixtures/scenarios/$$name/request.json" ]; then
    echo "fixtures/scenarios/$$name is not there: is this a complete checkout?" >&2
    exit 1
  fi
done
if ! $(PY) -c 'import socket, sys; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("127.0.0.1", int(sys.argv[1])))' '$(PORT)' 2>/dev/null; then
  next=$$(expr '$(PORT)' + 1 2>/dev/null || echo 8081)
  echo "Port $(PORT) on 127.0.0.1 is taken (or not a port one may use). Choose another: PORT=$$next make demo" >&2
  exit 1
fi
server=
# for the feedback that the page sends; it goes with the demo
kept=$$(mktemp -d)
stop() {
  trap - INT TERM EXIT
  [ -z "$$server" ] || { kill "$$server" 2>/dev/null; wait "$$server" 2>/dev/null; }
  rm -rf "$$kept"
}
trap 'stop; echo; echo "Stopped."; exit 0' INT TERM
trap stop EXIT
BONECDS_SANDBOX=true BONECDS_AS_OF='$(DEMO_AS_OF)' BONECDS_DATABASE_URL="sqlite:///$$kept/demo.sqlite3" $(BIN)/bonecds serve --host 127.0.0.1 --port '$(PORT)' &
server=$$!
tries=0
until $(PY) -c 'import sys, urllib.request as r; r.build_opener(r.ProxyHandler({})).open(sys.argv[1], timeout=2)' "$$url/cds-services" 2>/dev/null; do
  tries=$$((tries + 1))
  if ! kill -0 "$$server" 2>/dev/null || [ "$$tries" -ge 60 ]; then
    echo "The service did not start; the lines above say why." >&2
    exit 1
  fi
  sleep 0.5
done
echo
echo "The sandbox page: $$url/sandbox"
echo
echo "Bone Health CDS answers at $$url/cds-services, and a FHIR server of invented patients at $$url/fhir"
echo "Paste these into another terminal (end a line with '| python3 -m json.tool' to see it indented):"
echo
echo "  curl -sS $$url/cds-services"
echo
post '$(DEMO_FIRST)' patient-view
echo
post '$(DEMO_SECOND)' order-select
echo
echo "The patients are invented and looked at on $(DEMO_AS_OF). Stop with Ctrl-C."
wait "$$server"
endef
export DEMO

demo: $(VENV)/.installed ## start the service with its sandbox page on 127.0.0.1:8080, and show three calls to paste
	@exec sh -c "$$DEMO"

# With what pip has in its cache; the first time it downloads. ARGS="--environment .venv" leaves out the installing.
first-card: | $(BIN)/pip ## seconds from a clone of what is committed to the first card, step by step
	@$(PY) bench/first_card.py $(ARGS)

# ---------------------------------------------------------------------------------------------- checks

test: lint types layers validators unit coverage ## run every check on a fresh machine; COVERAGE=yes: also which lines the tests reach
	$(SAY) "All checks passed"

lint: $(VENV)/.installed-dev ## format, lint and spelling
	$(SAY) "Format, lint, spelling"
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/codespell

types: $(VENV)/.installed-dev ## mypy, strict
	$(SAY) "Types"
	@$(BIN)/mypy
	@$(BIN)/mypy --package bonecds_kit
	@if [ -d qfracture ]; then $(BIN)/mypy --package bonecds_qfracture; \
	else echo "SKIPPED: there is no qfracture/"; fi

layers: $(VENV)/.installed-dev ## imports go one way
	$(SAY) "Layers"
	@$(BIN)/lint-imports

tests/validators/node_modules/.package-lock.json: tests/validators/package-lock.json
	$(SAY) "Installing the second FHIR validator (two packages, every file checked against its hash)"
	@if ! command -v npm >/dev/null; then \
	  echo "SKIPPED: npm was not found, so exported artifacts are checked by fhir.resources alone"; \
	elif ! npm ci --prefix tests/validators --loglevel=error; then \
	  echo "SKIPPED: npm could not install it, so exported artifacts are checked by fhir.resources alone"; \
	  [ '$(VALIDATORS)' != required ]; \
	fi

validators: tests/validators/node_modules/.package-lock.json ## install the second FHIR validator (Node)

# Compiled files are kept, also where PYTHONDONTWRITEBYTECODE is set: each process of the tests, and each `bonecds` they start,
# would compile everything anew. `make clean` removes them.
unit: $(VENV)/.installed-dev ## pytest; choose with ARGS="-k vitamin"
	$(SAY) "Tests"
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --numprocesses=$(JOBS) --dist worksteal $(MEASURED) $(ARGS)

REAL := tests/real_servers
SKIPPED_SERVERS := [ '$(REAL_SERVERS)' != required ]

$(REAL)/node_modules/.package-lock.json: $(REAL)/package-lock.json
	$(SAY) "Installing Medplum, oidc-provider and their Node (about 50 packages, 300 MB, every file checked against its hash)"
	@if ! command -v npm >/dev/null; then echo "SKIPPED: npm was not found"; $(SKIPPED_SERVERS); \
	elif ! npm ci --prefix $(REAL) --loglevel=error; then echo "SKIPPED: npm could not install them"; $(SKIPPED_SERVERS); fi

# Maven keeps what it brings in its own repository, about 320 MB; build/classpath says where each jar lies there.
$(REAL)/hapi/build/classpath: $(REAL)/hapi/pom.xml $(shell find $(REAL)/hapi/src -type f)
	$(SAY) "Installing HAPI FHIR (about 250 packages of pinned versions)"
	@if ! command -v mvn >/dev/null || ! command -v javac >/dev/null; then \
	  echo "SKIPPED: Maven and a Java 17 compiler were not found (Debian: apt install maven openjdk-17-jdk-headless)"; $(SKIPPED_SERVERS); \
	elif ! mvn --quiet --batch-mode --file $(REAL)/hapi/pom.xml process-classes; then \
	  rm -f $@; echo "SKIPPED: Maven could not install it"; $(SKIPPED_SERVERS); \
	else touch $@; fi

real-servers-install: $(REAL)/node_modules/.package-lock.json $(REAL)/hapi/build/classpath ## install the servers of the next target (Maven, npm)

real-servers: $(VENV)/.installed-dev real-servers-install ## the same outcomes from HAPI FHIR, Medplum, prefetch and file
	$(SAY) "Servers that nobody here wrote"
	@REAL_SERVERS=$(REAL_SERVERS) $(BIN)/pytest --numprocesses=0 $(REAL) $(ARGS)

PAGE := tests/browser
SKIPPED_BROWSER := [ '$(BROWSER)' != required ]

$(PAGE)/node_modules/.package-lock.json: $(PAGE)/package-lock.json
	$(SAY) "Installing axe-core (one package, checked against its hash)"
	@if ! command -v npm >/dev/null; then echo "SKIPPED: npm was not found, so nothing looks for barriers"; $(SKIPPED_BROWSER); \
	elif ! npm ci --prefix $(PAGE) --loglevel=error; then echo "SKIPPED: npm could not install it, so nothing looks for barriers"; $(SKIPPED_BROWSER); fi

# Debian's Chromium: playwright would bring one of its own, from a server of its own.
browser-install: $(VENV)/.installed-dev $(PAGE)/node_modules/.package-lock.json ## install what the next target drives (Chromium by apt where one is root, axe-core by npm)
	@if command -v chromium chromium-browser google-chrome >/dev/null; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  printf '\n==> Installing Chromium\n'; \
	  { apt-get update --quiet && apt-get install --quiet --yes --no-install-recommends chromium; } || $(SKIPPED_BROWSER); \
	else echo "SKIPPED: Chromium was not found (Debian: apt install chromium)"; $(SKIPPED_BROWSER); fi

browser: browser-install ## the sandbox page in Chromium: charts, orders, sharing, table H of the threats; choose with ARGS="-k curl"
	$(SAY) "The sandbox page"
	@BROWSER=$(BROWSER) $(BIN)/pytest --numprocesses=0 $(PAGE) $(ARGS)

screenshots: browser-install ## write the pictures of docs/images anew; look at them before committing
	@WRITE_SCREENSHOTS=1 BROWSER=required $(BIN)/pytest --numprocesses=0 $(PAGE)/test_screenshots.py

hapi: $(VENV)/.installed-dev $(REAL)/hapi/build/classpath ## run HAPI FHIR (R4, in memory) in the foreground
	@$(PY) -m tests.real_servers.servers hapi $(HAPI_PORT)

medplum: $(VENV)/.installed-dev $(REAL)/node_modules/.package-lock.json ## run Medplum's FHIR router (R4, in memory) in the foreground
	@$(PY) -m tests.real_servers.servers medplum $(MEDPLUM_PORT)

oidc: $(VENV)/.installed-dev $(REAL)/node_modules/.package-lock.json ## run the OAuth 2 server of the tests in the foreground
	@$(PY) -m tests.real_servers.servers oidc $(OIDC_PORT)

coverage: $(VENV)/.installed-dev ## branch coverage of the clinical core and the readers in the last `make unit COVERAGE=yes`
	$(SAY) "Branch coverage of $(COVERED): at least $(COVERED_AT_LEAST) % each"
ifeq ($(MEASURED),)
	@echo "NOT MEASURED: make test COVERAGE=yes, which takes nearly twice as long"
else
	@for package in $(COVERED); do \
	  $(BIN)/coverage report --include="cds_service/$$package/*" --fail-under=$(COVERED_AT_LEAST) || exit 1; \
	done
endif

realdata: $(VENV)/.installed-dev ## evaluate every patient of the public FHIR data beside the checkout
	$(SAY) "Real data"
	@if [ -d '$(SHARED)/data' ]; then $(PY) tests/realdata/run.py '$(SHARED)/data'; \
	else echo "SKIPPED: there is no $(SHARED)/data (name another place: make realdata SHARED=/path)"; fi

deck: $(VENV)/.installed-dev ## run the acceptance deck beside the checkout
	$(SAY) "Acceptance deck"
	@if [ -f '$(SHARED)/deck/run_deck.py' ]; then \
	  $(PY) '$(SHARED)/deck/run_deck.py' --encoding all --command '$(BIN)/bonecds' $(ARGS); \
	else echo "SKIPPED: there is no $(SHARED)/deck/run_deck.py (name another place: make deck SHARED=/path)"; fi

bench: $(VENV)/.installed-dev ## the service against a null service
	$(SAY) "Bench"
	@$(PY) bench/run.py $(ARGS)

MUTATION_VENV := build/mutation-venv

# mutmut stands in an environment of its own, and sees what the checks need through PYTHONPATH.
$(MUTATION_VENV)/.installed: tests/mutation/requirements.lock $(VENV)/.installed-dev
	$(SAY) "Installing mutmut (about 20 packages, every file checked against its hash)"
	@$(PY) -m venv $(MUTATION_VENV)
	@$(MUTATION_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

# Everything that is compared with a written file. Read the difference before committing it: it is what changes for patients.
golden: env-dev ## write every golden file anew: scenarios, vignettes, facts, pages
	@$(PY) -m tests.support.golden --write
	@$(PY) -m tests.support.bruno --write
	@$(PY) -m tests.support.typed_in --write
	@$(PY) -m tests.vignettes.whole_outcomes
	@$(PY) -m tests.vignettes.poorer_records
	@$(PY) -m tests.unit.review.test_what_is_stated
	@$(PY) -m tests.unit.facts.test_dxa_sentences
	@WRITE_WHAT_IS_READ=1 $(PY) -m pytest -q -n 0 -p no:cacheprovider tests/unit/facts tests/unit/glucocorticoids
	@$(PY) -m tests.dosage_corpus.measure
	@$(BIN)/bonecds docs
	@$(PY) -m tests.safety.traceability --write

# With the JUnit file of a run (pytest --junitxml=...), the page with results goes to build/traceability.md.
traceability: env-dev ## which tests prove which row of the threat tables; REPORT=build/junit.xml adds their results
	@$(PY) -m tests.safety.traceability $(if $(REPORT),--report '$(REPORT)',--write)

# Goes on where it was stopped; other cases with SEED=2; on several machines with SHARD=1/4, SHARD=2/4 ...
nightly: env-dev ## 100,000 cases of the no-false-reassurance property and 500,000 bodies; SEED=1 SHARD=1/1
	@nice -n 10 $(PY) -m tests.generative.nightly reassurance --cases 100000 --seed '$(SEED)' --shard '$(SHARD)'
	@nice -n 10 $(PY) -m tests.generative.nightly bodies --cases 500000 --seed '$(SEED)' --shard '$(SHARD)'

mutation: $(MUTATION_VENV)/.installed ## which mutants no test notices; choose with SHARDS="kernel doses" PATHS='*/dates.py' EVERY=5
	@set -e; export PYTHONPATH="$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"; \
	for shard in $(SHARDS); do \
	  printf '\n==> Mutants of %s\n' "$$shard"; \
	  $(MUTATION_VENV)/bin/python -m tests.mutation.run "$$shard" --only '$(PATHS)' --every '$(EVERY)' $(ARGS); \
	done

# ---------------------------------------------------------------------------------------------- supply chain

SUPPLY_CHAIN_VENV := build/supply-chain-venv

# In an environment of their own: what looks at the service is no part of it.
$(SUPPLY_CHAIN_VENV)/.installed: tests/supply_chain/requirements.lock | $(BIN)/pip
	$(SAY) "Installing cyclonedx-bom and pip-audit (about 50 packages, every file checked against its hash)"
	@$(PY) -m venv $(SUPPLY_CHAIN_VENV)
	@$(SUPPLY_CHAIN_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

sbom: $(SUPPLY_CHAIN_VENV)/.installed ## write build/sbom.cdx.json: what the service is made of, as CycloneDX
	$(SAY) "SBOM"
	@$(SUPPLY_CHAIN_VENV)/bin/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application --output-reproducible \
	  --output-format JSON --output-file build/sbom.cdx.json requirements.lock
	@echo "build/sbom.cdx.json: what requirements.lock pins. Debian's packages in an image are not in it."

audit: $(SUPPLY_CHAIN_VENV)/.installed ## known vulnerabilities of what the service needs (asks PyPI; SERVICE=osv asks OSV)
	$(SAY) "Known vulnerabilities"
	@$(PY) tests/supply_chain/audit.py '$(SUPPLY_CHAIN_VENV)/bin/pip-audit' --look '$(AUDIT)' --service '$(SERVICE)'

image-rehearsal: env-dev ## the environment of the image, made by the lines of the Dockerfile and tried; needs no container engine
	$(SAY) "Rehearsal of the image"
	@REHEARSE_IMAGE=1 $(BIN)/pytest -n 0 --no-header tests/packaging/test_image_rehearsal.py $(ARGS)

# ---------------------------------------------------------------------------------------------- upkeep

LOCK_VENV := build/lock-venv
COMPILE := $(LOCK_VENV)/bin/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-header \
  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options
GROUP := $(PY) -c 'import pathlib, sys, tomllib; print(*tomllib.loads(pathlib.Path("pyproject.toml").read_text())["dependency-groups"][sys.argv[1]], sep="\n")'

lock: | $(BIN)/pip ## write the lock files anew from pyproject.toml; UPGRADE=--upgrade for newer versions
	$(SAY) "Locking"
	@$(PY) -m venv $(LOCK_VENV) && $(LOCK_VENV)/bin/pip install --quiet --disable-pip-version-check pip-tools
	@$(COMPILE) $(UPGRADE) --all-build-deps --extra postgresql --output-file requirements.lock pyproject.toml
	@$(GROUP) dev | $(COMPILE) $(UPGRADE) --constraint requirements.lock --output-file requirements-dev.lock -
	@$(GROUP) mutation | $(COMPILE) $(UPGRADE) --constraint requirements-dev.lock --output-file tests/mutation/requirements.lock -
	@$(GROUP) supply-chain | $(COMPILE) $(UPGRADE) --output-file tests/supply_chain/requirements.lock -

clean: ## remove what the checks and builds leave behind
	@rm -rf build dist htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -path './$(VENV)' -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## clean, and remove the environments
	@rm -rf $(VENV) tests/validators/node_modules $(PAGE)/node_modules $(REAL)/node_modules $(REAL)/hapi/build
