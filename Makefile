# `make run` and `make test` need Rust, Python 3 and Node on Debian 12 or macOS; what else is missing
# is fetched into .deps by tests/setup. `make help` lists the rest.

CARGO ?= cargo
# Nothing here changes the versions in Cargo.lock.
LOCKED = --locked
# Arguments for the program: make run ARGS='doctor'
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test test-deps chaos compose check fmt clippy docs deny bench fleet clean-deps

help:
	@echo 'make run         build and start PhoneWork here: web page, router, host and broker in one'
	@echo '                 (ARGS="..." gives it arguments; settings are in keyring.yaml)'
	@echo 'make test        fetch what the tests need, then run every test'
	@echo 'make test-deps   only fetch it, into .deps'
	@echo 'make chaos       the long storm: kills and cuts at random, and counts what became of every message'
	@echo '                 (SEED= MESSAGES= KILLS= USERS=; a short one is part of make test)'
	@echo 'make compose     docker-compose.yml with an engine of its own, as root on Debian: up, a message, every'
	@echo '                 part restarted, down and up, down -v'
	@echo 'make check       formatting, lints, documentation, licences and sources of the crates'
	@echo 'make bench       run the benchmarks'
	@echo 'make fleet       what a hub carries: FLEET=100,1000,5000 nodes (FLEET_USERS= FLEET_RATES= FLEET_SECONDS=);'
	@echo '                 a small one is part of make bench'
	@echo 'make clean-deps  remove .deps'

# The dev profile: a first build takes about a minute, a release build with its link-time optimisation
# several, and what PhoneWork does is waiting for people, models and networks.
run: keyring.yaml
	@tests/setup nats
	PHONEWORK_NATS_SERVER="$${PHONEWORK_NATS_SERVER:-$$(tests/setup --path nats)}" \
		$(CARGO) run $(LOCKED) --bin phonework -- $(ARGS)

# Made once and never overwritten; it will hold secrets, so only its owner may read it.
keyring.yaml:
	@umask 077 && cp keyring.example.yaml $@
	@echo 'made keyring.yaml from keyring.example.yaml; your settings go there'

test-deps:
	@tests/setup

# cargo-nextest where it is installed: it runs the tests of all crates side by side, two for each core, as most of
# them wait for something. It knows nothing of the examples in the documentation, so those run by themselves.
test: test-deps
	@if grep -rn --include='*.rs' '^ *#\[ignore' common gateway router host src tests benches; then \
		echo 'test: a test is switched off (above); every test has to run' >&2; exit 1; fi
	@if $(CARGO) nextest --version >/dev/null 2>&1; then set -ex; \
		NEXTEST_TEST_THREADS=$${NEXTEST_TEST_THREADS:-$$(($$(getconf _NPROCESSORS_ONLN) * 2))} \
			$(CARGO) nextest run --workspace $(LOCKED); \
		$(CARGO) test --workspace $(LOCKED) --doc; \
	else set -ex; \
		$(CARGO) test --workspace $(LOCKED) --no-fail-fast; \
	fi

# Without a seed it takes one and prints it; a kill for every twelve messages, if not said otherwise.
# PHONEWORK_CHAOS_BIN is a program to be stormed in place of the one built here.
chaos: test-deps
	PHONEWORK_CHAOS_SEED='$(SEED)' PHONEWORK_CHAOS_MESSAGES='$(or $(MESSAGES),10000)' \
	PHONEWORK_CHAOS_KILLS='$(KILLS)' PHONEWORK_CHAOS_USERS='$(USERS)' \
		$(CARGO) test $(LOCKED) -p phonework --test chaos -- --nocapture --exact short_run

# Two minutes, and some more the first time. An engine that runs here is left alone.
compose:
	CARGO='$(CARGO)' tests/compose/run

check: fmt clippy docs deny

fmt:
	$(CARGO) fmt --all --check

clippy:
	$(CARGO) clippy --workspace --all-targets $(LOCKED) -- -D warnings

docs:
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps $(LOCKED)

deny:
	@tests/setup deny
	PATH="$$PATH:$(CURDIR)/.deps/cargo/bin" $(CARGO) deny $(LOCKED) check --hide-inclusion-graph licenses bans sources

# A turn through PhoneWork beside the same turn of the CLI alone; a release build, PROFILE=dev for the
# other one.
bench: test-deps
	$(CARGO) bench $(LOCKED) --profile $(or $(PROFILE),bench) --bench turn --bench path --bench fleet

# Fleets one after the other; docs/scale.md says what the numbers mean. FLEET_BIN is a program to be
# measured in place of the one built here.
fleet: test-deps
	$(CARGO) bench $(LOCKED) --profile $(or $(PROFILE),bench) --bench fleet

clean-deps:
	rm -rf .deps
