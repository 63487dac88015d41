# keyturn: `make help` lists all targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= $(shell for v in python3.13 python3.12 python3.11 python3; do command -v $$v >/dev/null 2>&1 && $$v -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$v && break; done)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
RUNNABLE := $(VENV)/.runnable
SEEDS ?= 1000
NAME ?=
FIRST ?= 0
ARGS ?=
# Kept bytecode saves every process that starts a second of compiling.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# Makes .venv and installs into it what a file of requirements lists, with a line for each package.
define install_into_venv
	@test -n "$(PYTHON)" || { echo "keyturn needs Python 3.11 or newer with venv on PATH" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@echo "Installing $$(grep -c '^[A-Za-z0-9]' $(1)) packages into $(VENV); this is done once"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --require-hashes --requirement $(1) \
		| awk '/^Collecting/ { print "  " ++n, $$2; fflush() } /^Installing/ { print "  unpacking all of them"; fflush() }'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
endef

$(INSTALLED): constraints.txt pyproject.toml
	$(call install_into_venv,constraints.txt)
	@touch $@ $(RUNNABLE)

$(RUNNABLE): deploy/requirements-local.txt pyproject.toml
	$(call install_into_venv,deploy/requirements-local.txt)
	@touch $@

.PHONY: install
install: $(INSTALLED) ## Create .venv with everything needed to run, test and develop

.PHONY: run
run: $(RUNNABLE) ## Start the local stack with the demo on http://127.0.0.1:8080
	exec $(BIN)/keyturn up --demo $(ARGS)

.PHONY: lint
lint: install ## Check style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

.PHONY: test
test: install ## Run lint and every test: unit, conformance, integration, browser, end to end
	@# Collecting compiles every test, once and beside mypy, which every process would otherwise do for itself.
	@$(BIN)/python -m pytest --collect-only -q >/dev/null 2>&1 & $(MAKE) --no-print-directory lint && wait
	$(BIN)/python -m pytest -n 4 $(ARGS)

.PHONY: simulate
simulate: install ## Explore the fleet protocol: make simulate SEEDS=10000 FIRST=0
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --first $(FIRST) $(ARGS)

.PHONY: rotations
rotations: install ## Clients and what people do to their rotations of secrets and keys, in 10,000 random histories each
	ROTATION_EXAMPLES=10000 $(BIN)/python -m pytest -q --timeout 0 -k "TestRotations or TestKeyRotations" tests/unit/credentials/domain

.PHONY: rotation-kills
rotation-kills: install ## Rotations by policy for two minutes, while every kind of process is killed
	$(BIN)/python -m tests.rotation_kills $(ARGS)

.PHONY: storm
storm: install ## One minute of faults at every edge of 20 real nodes, judged from outside
	$(BIN)/python -m tests.storm $(ARGS)

.PHONY: revocation
revocation: install ## Every revocation at every place that grants access, under three conditions; ten minutes
	$(BIN)/python -m pytest tests/integration/revocation/test_revocation_matrix.py --every-cell $(ARGS)

.PHONY: durability
durability: install ## One minute of 20 writers while instances of the credentials service are killed
	$(BIN)/python -m tests.durability --kill-database $(ARGS)
	$(BIN)/python -m tests.durability --database sqlite $(ARGS)

.PHONY: engines
engines: install ## Failures of PostgreSQL, Redis Cluster and Sentinel under load through nginx; four minutes
	$(BIN)/python -m tests.engines $(ARGS)

.PHONY: topology
topology: install ## Every process of compose.yaml restarted, killed and upgraded under load through nginx; ten minutes
	$(BIN)/python -m tests.topology $(ARGS)

.PHONY: soak
soak: install ## An hour of 200 requests a second on every process of compose.yaml; what grows is a fault
	$(BIN)/python -m tests.topology.soak $(ARGS)

.PHONY: validators
validators: install ## Token validators of Java, Go, Python and Node.js, unmodified, on a migrated and a new realm
	$(BIN)/python -m pytest tests/validators/test_validators.py tests/validators/every_library.py $(ARGS)

.PHONY: admin-tools
admin-tools: install ## Keycloak's Java admin client and Ansible's modules, unmodified
	$(BIN)/python -m pytest tests/admin_tools/every_tool.py $(ARGS)

.PHONY: fuzz-admin
fuzz-admin: install ## Fuzz the admin API with valid and invalid requests, and 1,000 damaged archives
	$(BIN)/python -m tests.fuzz_admin $(ARGS)

.PHONY: fuzz
fuzz: install ## Ten minutes of fuzzing the readers, endpoints and connections of a verifier
	$(BIN)/python -m tests.fuzz $(ARGS)

.PHONY: fuzz-http
fuzz-http: install ## Ten minutes of octets that HTTP parsers disagree about, at every process and three other servers
	$(BIN)/python -m tests.fuzz_http $(ARGS)

.PHONY: migrate-proof
migrate-proof: install ## Move 1,000 clients of a real Keycloak, compare both sides, and use the tokens; needs a JDK and Maven
	$(BIN)/python -m tests.migration $(ARGS)

.PHONY: keycloak-diff
keycloak-diff: install ## The same requests to a real Keycloak and to keyturn, with the answers compared; needs a JDK and Maven
	$(BIN)/python -m tests.keycloak $(ARGS)

.PHONY: keycloak-kcadm
keycloak-kcadm: install ## Keycloak's own kcadm.sh, unmodified, against keyturn; needs a JDK and Maven
	$(BIN)/python -m tests.keycloak.kcadm $(ARGS)

.PHONY: mutants
mutants: install ## Deliberate faults in the code behind the guarantee, which the tests must detect
	$(BIN)/python -m tests.mutants $(ARGS)

.PHONY: bench
bench: install ## Measure, and write the results, tables and charts of docs/performance.md; 25 minutes on a quiet machine
	$(BIN)/python -m benchmarks.report $(ARGS)

.PHONY: bench-guard
bench-guard: install ## Measure again briefly, and fail if a ratio is worse than the committed one
	$(BIN)/python -m benchmarks.report.guard $(ARGS)

.PHONY: drip
drip: install ## Latency of a node and of the credentials service while one connection drips or floods them
	$(BIN)/python -m benchmarks.drip $(ARGS)

.PHONY: screenshots
screenshots: install ## Take screenshots of every page of the console into docs/images
	$(BIN)/python -m tests.browser.screenshots $(ARGS)

.PHONY: dashboards
dashboards: install ## Draw every dashboard with the data of a real Prometheus into dashboards; ten minutes
	$(BIN)/python -m tests.topology.dashboards $(ARGS)

.PHONY: constraints
constraints: install ## Pin all dependencies again, with hashes
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --all-extras pyproject.toml --output-file constraints.txt
	@# The image's part of the same versions.
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --extra credentials --extra verifier --constraints <(sed -E 's/ \\$$//; /--hash/d' constraints.txt) pyproject.toml deploy/requirements.in --output-file deploy/requirements.txt
	@# The same with traces.
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --extra credentials --extra verifier --extra tracing --constraints <(sed -E 's/ \\$$//; /--hash/d' constraints.txt) pyproject.toml deploy/requirements.in --output-file deploy/requirements-tracing.txt
	@# The same with what unwraps keys by a device.
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --extra credentials --extra verifier --extra pkcs11 --constraints <(sed -E 's/ \\$$//; /--hash/d' constraints.txt) pyproject.toml deploy/requirements.in --output-file deploy/requirements-pkcs11.txt
	@# The local stack's part of them.
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --extra local --constraints <(sed -E 's/ \\$$//; /--hash/d' constraints.txt) pyproject.toml deploy/requirements.in --output-file deploy/requirements-local.txt

.PHONY: migration
migration: install ## Create the next migration of the database: make migration NAME=what_changes
	$(BIN)/python -m keyturn_credentials.store.migrations $(NAME)

.PHONY: release-check
release-check: install ## Build the wheel and the source archive, and check that they can be released
	$(BIN)/python -m tests.release $(ARGS)

.PHONY: sbom
sbom: install ## Write the SBOM (CycloneDX) of what is shipped to dist
	$(BIN)/python -m tests.release.sbom $(ARGS)

.PHONY: licences
licences: install ## Write docs/licences.md, unless a licence is unknown or not accepted
	$(BIN)/python -m tests.release.licences_page > docs/licences.new || { rm -f docs/licences.new; exit 1; }
	mv docs/licences.new docs/licences.md

.PHONY: audit
audit: install ## Look up known vulnerabilities of all pinned packages; needs the network
	$(BIN)/python -m tests.release.audit $(ARGS)

.PHONY: format
format: install ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: clean
clean: ## Remove .venv and tool caches; data directories stay
	rm -rf $(VENV) .mutants .tools .pytest_cache .mypy_cache .ruff_cache .hypothesis
