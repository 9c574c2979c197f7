# `make` lists what there is to make; each target's comment is its line in that list.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

FUZZTIME ?= 20s
BENCH ?= .
COUNT ?= 1
SOAK ?= 10m
CHAOS ?= 5m
HOSTILE ?= 5s
TORTURE ?= 5m
LOADTEST ?= 10s

# What is tested under the race detector alone: all packages with goroutines but for the binary, whose every part is in one
# of these. The other packages, which start none, are tested without. make soak runs all of them with it.
RACE := ./room/actor ./room/timeline ./web/... ./persist ./persist/journal ./cluster/...

# Tests of whole servers are run without it, but for these, in which the most goes on at once.
RACE_SERVERS := TestChaos|TestABurstOfJoins|TestHostileSockets|TestTranscriptsOfTheProtocolPage|TestAdminCommandOnACluster|TestOperator|TestMatchmaking|TestSlowReaderCatchesUp

# Lint has vetted everything once.
TEST := -timeout 40m -vet=off

# Suites in virtual time (testing/synctest) carry the tag !race, for the two do not go together before Go 1.27.
VIRTUAL := grep -l '^//go:build !race' -r --include=*_test.go room web persist cluster

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'
	@echo "  variables  FUZZTIME=$(FUZZTIME) BENCH=$(BENCH) COUNT=$(COUNT) SOAK=$(SOAK) CHAOS=$(CHAOS) HOSTILE=$(HOSTILE) TORTURE=$(TORTURE)"

.PHONY: build
build: ## build bin/roomring
	@go build -o bin/roomring ./cmd/roomring

.PHONY: run
run: ## run a server on http://localhost:7777
	@go run ./cmd/roomring serve

.PHONY: check
check: format ## the inner loop, under two minutes: gofmt, go vet, short unit tests
	@go vet ./...
	@go run ./scripts/testsum -short ./...

# Tests of whole servers run one after another, and their folders take turns: on two processors those that watch what happens in seconds
# are surer so. -p 7: one runs, five may wait for their turn, and tests of other packages go on.
# -count 1 for the manifests: their test reads docs/CONFIG.md, which is outside of its module, so the cache would miss a change.
.PHONY: test
test: ## everything that must hold before a change lands; ends with what it cost and a line that counts tests
	@go run ./scripts/testsum cpu run $(MAKE) --no-print-directory setup lint \
	  + run go -C bench/loadgen test -vet=off . + run go -C deploy/kubernetes test -vet=off -count 1 . \
	  + $(TEST) -p 7 -parallel 1 -skip '^($(RACE_SERVERS))$$' $$(go list ./... | grep -vxFf <(go list $(RACE))) \
	  + $(TEST) -run "^($$($(VIRTUAL) | xargs sed -n 's/^func \(Test[A-Za-z0-9]*\).*/\1/p' | paste -sd '|'))\$$" \
	    $$($(VIRTUAL) | xargs -n1 dirname | sort -u | sed 's|^|./|') \
	  + $(TEST) -tags mutation -run TestMutations ./cluster/clustertest \
	  + $(TEST) -race -short $(RACE) \
	  + $(TEST) -race -short -run '^($(RACE_SERVERS))$$' ./internal/e2e/cluster ./internal/e2e/hostile ./internal/e2e/play \
	  + tap scripts/sdktest + tap scripts/pagestest

.PHONY: setup
setup: ## install what the tests need beside Go (PostgreSQL, PgBouncer, Chromium, HAProxy, nginx, Mono, npm packages), or say what to install
	@scripts/setup

.PHONY: lint
lint: format ## staticcheck, vet, go fix, generated files, go.mod; changes nothing but stale generated files
	@echo "== lint";           go build -o bin/lint ./scripts/lint && bin/lint -tags bench,soak ./...
	@for dir in bench/loadgen bench/hub deploy/kubernetes; do (cd $$dir && $(CURDIR)/bin/lint .); done
	@echo "== generated";      scripts/generated
	@echo "== go mod tidy";    go mod tidy -diff && go -C deploy/kubernetes mod tidy -diff

.PHONY: format
format:
	@echo "== gofmt"; files=$$(gofmt -l .); [ -z "$$files" ] || { echo "run gofmt -w on: $$files"; exit 1; }

.PHONY: generate
generate: ## write generated files and generated parts of pages anew
	@go generate ./...
	@go test ./internal/cli -run TestConfigPage -update
	@go test ./internal/node -run TestMetricsPage -update
	@scripts/sdk && scripts/pages

.PHONY: cross
cross: ## vet for macOS and build for Windows, where all but servers with a data folder works
	@GOOS=darwin go vet ./... && GOOS=windows go build ./...

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME; what it finds goes to testdata/fuzz and is kept
	@scripts/fuzz $(FUZZTIME)

.PHONY: bench
bench: ## run the benchmarks that match BENCH, COUNT times
	@go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./...

.PHONY: loadtest
loadtest: ## play the rooms of bench/, chess and snakes on a server of this machine, for LOADTEST each, and print how it answers
	@scripts/loadtest $(LOADTEST)

# Tests with the tag soak run here alone. An hour of torture, unless TORTURE is given.
.PHONY: soak
soak: TORTURE = 1h
soak: ## 200,000 simulated clusters, an upgrade, an hour of torture, then every test in its longest form over and over for SOAK; the first failure ends it
	@scripts/soak $(TORTURE) $(SOAK) ./room/... ./web/... ./persist/... ./cluster/... ./internal/... ./cmd/... .

.PHONY: chaos
chaos: ## torment three nodes under play for CHAOS, on both stores at once; a run that fails names its seed
	@ROOMRING_CHAOS=$(CHAOS) go test -count 1 -timeout 0 -run TestChaos -v ./internal/e2e/cluster

.PHONY: torture
torture: build ## break a cluster under play for TORTURE and prove that nothing was lost; as root with cables to cut (docs/RELIABILITY.md)
	@bin/roomring torture --store postgres $$([ "$$(id -u)" != 0 ] || echo --namespaces) --for $(TORTURE)

.PHONY: figures
figures: ## measure deaths, cuts, drains and deploys (docs/RELIABILITY.md), an hour; as root, ROWS="kill drain" for only these
	@python3 bench/figures.py $(ROWS)

.PHONY: hostile
hostile: ## attack servers with default limits, three times for HOSTILE each, and print what honest players and the server's memory come to
	@ROOMRING_STRANGERS=$(HOSTILE) go test -count 1 -timeout 0 -run 'TestStrangers$$' -v ./internal/e2e/hostile

.PHONY: audit
audit: ## look for known holes in Go modules and npm packages; says so where their databases are out of reach
	@scripts/audit

.PHONY: site
site: ## write the documentation as a web site into site
	@go run ./scripts/site site

.PHONY: release
release: ## write binaries for every platform, the npm package and their checksums into artifacts/VERSION
	@scripts/release $(VERSION)

.PHONY: image-test
image-test: ## build the container image and run it, as root and without a registry; two minutes the first time, seconds after
	@scripts/imagetest

.PHONY: clean
clean: ## remove what was built
	@rm -rf bin artifacts
