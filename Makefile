# `make` lists the targets. A fresh machine needs `make demo` or `make test`, nothing else.

.DEFAULT_GOAL := help
SHELL := /bin/sh

# What `evens demo`, `evens bench` and the planted faults are given, e.g. make demo ARGS=--exit
ARGS ?=
# Which packages `make test` and `make bench` look at.
PKG ?= ./...
# How long each fuzz target runs.
FUZZTIME ?= 20s

GOLANGCI_VERSION := 2.15.0
GOLANGCI := .tools/golangci-lint
GOVULNCHECK_VERSION := 1.1.4
GOVULNCHECK := .tools/govulncheck
CYCLONEDX_VERSION := 1.9.0

# Without git, or where git does not trust the folder's owner, a build is still a build:
# therefore no -buildvcs, which would fail there.
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT := $(shell git rev-parse --quiet --verify HEAD 2>/dev/null || echo unknown)
GO_BUILD := go build -buildvcs=false -trimpath -ldflags "-X main.version=$(VERSION) -X main.commit=$(COMMIT)"
# Runs a command with one PostgreSQL and one Redis for all of its tests.
WITH_SERVERS := bin/withservers

.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install what demo and tests need and is missing
	@scripts/setup.sh test

# Enough to run Evens; its tests need more.
.PHONY: setup-servers
setup-servers:
	@scripts/setup.sh

.PHONY: demo
demo: setup-servers build ## the whole system with simulated providers (ARGS=--exit: end with the audit)
	@exec bin/evens demo $(ARGS)

.PHONY: build
build: ## bin/evens
	@$(GO_BUILD) -o bin/evens ./cmd/evens

# Those that wait the longest come first: the others run beside them.
SLOW := ./cmd/evens ./internal/servers ./demo

.PHONY: test
test: setup $(WITH_SERVERS) ## every test, race detector on
	@$(WITH_SERVERS) go test -race -shuffle=on -timeout 20m $(if $(filter ./...,$(PKG)),$(SLOW)) $(PKG)
	@$(if $(filter ./...,$(PKG)),$(MAKE) --no-print-directory property)

.PHONY: property
property: setup $(WITH_SERVERS) ## 200,000 lives of a player against a plain model
	@exec $(WITH_SERVERS) go test -count=1 -run PlainModel ./wallet -sequences=200000

.PHONY: wrong-machine
wrong-machine: setup $(WITH_SERVERS) ## whole processes on a machine whose clock is wrong (builds Go's library anew)
	@EVENS_TEST_WRONG_MACHINE=1 exec $(WITH_SERVERS) go test -count=1 -run TestAMachineWithAWrongClock -timeout 20m ./cmd/evens

.PHONY: test-short
test-short: setup $(WITH_SERVERS) ## the quick tests, no race detector
	@exec $(WITH_SERVERS) go test -short -timeout 5m $(PKG)

.PHONY: mutants
mutants: setup $(WITH_SERVERS) ## faults in the code that moves money: do tests see them? (ARGS="-only ledger/ -n 40")
	@go build -buildvcs=false -o bin/mutants ./internal/mutants
	@exec $(WITH_SERVERS) bin/mutants $(ARGS)

.PHONY: $(WITH_SERVERS)
$(WITH_SERVERS):
	@go build -buildvcs=false -o $@ ./internal/servers/withservers

.PHONY: fuzz
fuzz: setup $(WITH_SERVERS) ## every fuzz target for FUZZTIME (20s)
	@exec $(WITH_SERVERS) scripts/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: setup-servers build ## the benchmarks beside their baselines (ARGS="--json settle")
	@exec bin/evens bench $(ARGS)

.PHONY: lint
lint: $(GOLANGCI) vulnerabilities ## gofmt, vet, golangci-lint with gosec, govulncheck, go.mod, compose file
	@files=$$(find . -name '*.go' -not -path './.*' -exec gofmt -l {} +); \
	if [ -n "$$files" ]; then echo "gofmt these:"; echo "$$files"; exit 1; fi
	@go vet ./...
	@$(GOLANGCI) run ./...
	@go mod tidy -diff
	@if docker compose version >/dev/null 2>&1; then docker compose config --quiet; \
	elif command -v docker-compose >/dev/null 2>&1; then docker-compose config --quiet; \
	else echo "no docker compose here: docker-compose.yml not checked"; fi

# What is known of the modules and the Go release that the program is made of: only what it calls counts.
.PHONY: vulnerabilities
vulnerabilities: $(GOVULNCHECK)
	@scripts/vulnerabilities.sh $(GOVULNCHECK)

$(GOVULNCHECK):
	@GOBIN="$(CURDIR)/.tools" GOFLAGS= go install golang.org/x/vuln/cmd/govulncheck@v$(GOVULNCHECK_VERSION)

.PHONY: sbom
sbom: build ## bin/evens.cdx.json: what the program is made of (CycloneDX)
	@GOBIN="$(CURDIR)/.tools" GOFLAGS= go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v$(CYCLONEDX_VERSION)
	@.tools/cyclonedx-gomod bin -json -output bin/evens.cdx.json -version "$(VERSION)" bin/evens
	@echo "bin/evens.cdx.json"

# Rebuilt when the version above changes. go.mod is not touched.
.PHONY: $(GOLANGCI)
$(GOLANGCI):
	@$@ version 2>/dev/null | grep -q 'version v\{0,1\}$(GOLANGCI_VERSION) ' || { \
		echo "building golangci-lint v$(GOLANGCI_VERSION), about a minute"; \
		GOBIN="$(CURDIR)/.tools" GOFLAGS= go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(GOLANGCI_VERSION); }

.PHONY: secrets
secrets: ## random secrets for docker compose, in ./secrets
	@scripts/secrets.sh

.PHONY: clean
clean: ## remove what make builds; data folders stay
	@rm -rf bin coverage.out
