# Every target does its own set-up; a machine needs cargo and python3.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
VENV := .venv
PYTHON := $(VENV)/bin/python
TOOLS := $(VENV)/tools.stamp
ENDPOINTS := $(VENV)/endpoints.stamp
SAM := $(VENV)/sam.stamp
CHECKOV := $(VENV)/checkov.stamp
SAM_CLI := SAM_CLI_TELEMETRY=0 $(CURDIR)/$(VENV)/sam/bin/sam
TARGET := $(or $(CARGO_TARGET_DIR),target)
WITH_ENDPOINTS := $(PYTHON) tests/endpoints/run.py
STACK := $(PYTHON) tests/infra/stack.py
ARCH ?= x86_64
# What is built to be tried is for this machine; what is deployed is for Graviton unless ARCH is given.
DEPLOYED := $(if $(filter file default undefined,$(origin ARCH)),arm64,$(ARCH))
EVENT ?= events/manual.json
SECONDS ?= 600

PLAY := $(abspath $(TARGET))/play

.PHONY: help demo play test unit corpus fuzz soak mutants lint build cli package deploy delete validate invoke bench clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(ENDPOINTS) ## Deploy the template to emulators on this machine; an abuse report contains an instance
	cargo build --workspace --all-targets
	@$(WITH_ENDPOINTS) $(STACK) --mail $(TARGET)/debug/bootstrap $(TARGET)/debug/demo

play: $(ENDPOINTS) ## Keep an emulated account with the stack deployed until Ctrl-C, to try things on
	cargo build --workspace --all-targets
	@rm -rf $(PLAY) && mkdir -p $(PLAY)
	@MAIL_FOLDER=$(PLAY)/mail $(WITH_ENDPOINTS) $(STACK) --mail $(TARGET)/debug/bootstrap $(TARGET)/debug/play $(PLAY) || [ $$? -eq 130 ]

test: $(ENDPOINTS) ## Run every test, end to end included
	cargo build --workspace --all-targets
	$(PYTHON) tests/endpoints/check_corrections.py
	$(WITH_ENDPOINTS) $(STACK) --everything $(TARGET)/debug/bootstrap sh -c '$(PYTHON) -W ignore -m unittest discover -s tests/infra && cargo test --workspace'

unit: ## Run the tests that need no endpoint
	cargo test --workspace --lib --bins

corpus: ## Run other people's events in DIR through the parser and print what it reads
	BRIG_CORPUS=$(abspath $(DIR)) cargo test --workspace --lib other_peoples_events -- --ignored --nocapture

fuzz: ## Fuzz the parser for SECONDS=600 (needs rustup's nightly and cargo-fuzz)
	mkdir -p $(TARGET)/fuzz/corpus && cp events/*.json $(TARGET)/fuzz/corpus
	CARGO_TARGET_DIR=$(abspath $(TARGET))/fuzz cargo +nightly fuzz run --fuzz-dir crates/core/fuzz parse $(TARGET)/fuzz/corpus \
		-- -max_total_time=$(SECONDS) -max_len=65536 -artifact_prefix=$(TARGET)/fuzz/

soak: ## Simulate races with new seeds for SECONDS=600
	cargo test --workspace --test holds --no-run
	BRIG_SOAK_SECONDS=$(SECONDS) cargo test --workspace --test holds interleaving -- --nocapture

mutants: ## Take one promise away at a time and check that its test fails (about a minute each)
	python3 tests/mutants.py $(TARGET)

lint: ## Check formatting, clippy, docs, and that core stays pure
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items
	python3 tests/rooms.py
	! cargo tree --package brig-core --edges normal | grep -E 'tokio|aws-sdk|aws-config|futures'
	! grep -lE '^aws-(sdk|config|smithy)' crates/{core,engine,lambda,sim,trace,evidence,investigate}/Cargo.toml
	! grep -oE '^aws-sdk-[a-z0-9]+' crates/cli/Cargo.toml | grep -vE '^aws-sdk-(lambda|sts|s3)$$'
	! grep -E '^brig-[a-z]+\.' crates/cli/Cargo.toml | grep -vE '^brig-(core|trace|evidence)\.'
	! cargo tree --package brig-lambda --edges normal | grep -E 'clap|comfy-table|brig-(trace|evidence|investigate)|aws-sdk-(lambda|sso|s3|kms)'

build: $(TOOLS) ## Build the release zips for Lambda (ARCH=x86_64 or arm64)
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cargo lambda build --release --package brig-lambda --bin bootstrap \
		--package brig-investigate --bin investigate --output-format zip $(if $(filter arm64,$(ARCH)),--arm64,--x86-64)
	@ls -l $(TARGET)/lambda/{bootstrap,investigate}/bootstrap.zip

cli: ## Build `brig`, the command for people, for this machine
	cargo build --release --package brig-cli
	@ls -l $(TARGET)/release/brig

package: build ## Build the zip and print its size and start time
	cargo build --workspace --all-targets
	@mkdir -p $(TARGET)/package && unzip -qo $(TARGET)/lambda/bootstrap/bootstrap.zip -d $(TARGET)/package
	@$(if $(filter x86_64,$(ARCH)),$(TARGET)/debug/start $(TARGET)/package/bootstrap,echo "start time: measured for x86_64 only")

deploy: $(TOOLS) $(SAM) ## Deploy to AWS, guided (needs credentials and a Region; ARCH=arm64 or x86_64)
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(SAM_CLI) build --beta-features --template infra/template.yaml \
		--parameter-overrides Architecture=$(DEPLOYED)
	$(SAM_CLI) deploy --guided --stack-name brig --capabilities CAPABILITY_NAMED_IAM --resolve-s3 --parameter-overrides Architecture=$(DEPLOYED)
	@echo 'Next: cargo install --path crates/cli, then "brig ready" ("brig --stack NAME ready" if the stack is not called brig).'

delete: $(SAM) ## Delete the stack; ledger, key and log stay (release and note the outputs first)
	$(SAM_CLI) delete

validate: $(SAM) $(CHECKOV) ## Lint the templates: sam validate, cfn-lint, checkov
	$(SAM_CLI) validate --lint --region us-east-1 --template infra/template.yaml
	$(VENV)/sam/bin/cfn-lint infra/*.yaml
	$(VENV)/checkov/bin/checkov --skip-download --compact --quiet $(foreach file,$(wildcard infra/*.yaml),--file $(file))

invoke: $(TOOLS) $(ENDPOINTS) ## Invoke the function locally with EVENT=events/x.json; JSON=1 prints the answer
	@test -f "$(EVENT)" || { echo "There is no file $(EVENT): make invoke EVENT=events/manual.json"; exit 2; }
	cargo build --workspace --all-targets
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(WITH_ENDPOINTS) $(TARGET)/debug/invoke $(if $(JSON),--json) "$(EVENT)"

bench: $(ENDPOINTS) ## Measure round trips, start time, memory and size; asserts nothing
	cargo build --workspace --all-targets
	cargo build --release --package brig-lambda --package brig-tests --bin bootstrap --bin empty
	@$(WITH_ENDPOINTS) $(TARGET)/debug/bench $(TARGET)/release

clean: ## Remove what the targets made
	rm -rf $(VENV) $(TARGET)

$(PYTHON):
	python3 -m venv $(VENV)

$(ENDPOINTS): tests/endpoints/requirements.txt | $(PYTHON)
	$(PYTHON) -m pip install --quiet --requirement $<
	@touch $@

$(TOOLS): | $(PYTHON)
	$(PYTHON) -m pip install --quiet cargo-lambda==1.9.2
	@touch $@

# Each has libraries of its own that the others must not share.
$(SAM): | $(PYTHON)
	python3 -m venv $(VENV)/sam
	$(VENV)/sam/bin/python -m pip install --quiet aws-sam-cli==1.170.0 cfn-lint==1.58.0
	@touch $@

$(CHECKOV): | $(PYTHON)
	python3 -m venv $(VENV)/checkov
	$(VENV)/checkov/bin/python -m pip install --quiet checkov==3.3.30
	@touch $@
