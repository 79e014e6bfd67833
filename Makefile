# hunter: what there is to do. `make help` lists it; .ci/run does all of it in order.
#
# GOFLAGS of the environment stay as they are. Every command needs the build tag of go-sqlite3's virtual tables.

GO     ?= go
TAGS   := sqlite_vtable
PKG    ?= ./...
RUN    ?= .
LINT   := $(GO) tool -modfile=tools/golangci-lint/go.mod golangci-lint

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
LDFLAGS := $(if $(VERSION),-X main.version=$(VERSION))
BUILD   := -tags $(TAGS) -trimpath -buildvcs=false -ldflags "$(LDFLAGS)"

MINGW     ?= x86_64-w64-mingw32-gcc
FUZZTIME  ?= 20s
JOBS      ?=
BENCH     ?= .
BENCHTIME ?= 1s
DIR       ?=

# What make bench-fleet measures; docs/benchmarks.md has the sizes of its table.
IDLE      ?= -hosts 100,1000 -agents 100 -rounds 2 -last 1s
CAMPAIGN  ?= -agents 100 -hashes 50 -quick

.DEFAULT_GOAL := help
.PHONY: help build man demo test test-short vet lint vuln test-vuln fmt fuzz bench bench-fleet cover schema golden cross test-osquery-go clean test-windows

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## bin/hunter
	$(GO) build $(BUILD) -o bin/hunter ./cmd/hunter

man: build ## bin/man: a man page for each command
	bin/hunter man bin/man

demo: build ## the main job on the examples, in a fresh folder; fails unless it finds what it should
	@scripts/demo.sh bin/hunter

test: ## all tests with the race detector, those of third_party too
	$(GO) test -race -shuffle=on -timeout 15m -tags $(TAGS) $(PKG)
	$(GO) -C third_party/osquery-go test -race -timeout 5m ./...

test-short: ## the quick tests, without the race detector: make test-short PKG=./hunts/... RUN=TestBad
	$(GO) test -short -tags $(TAGS) -run '$(RUN)' $(PKG)

vet: ## go vet
	$(GO) vet -tags $(TAGS) $(PKG)
	$(GO) -C third_party/osquery-go vet ./...

lint: ## golangci-lint with .golangci.yml, and make vuln; make lint FIX=1 mends what it can
	$(LINT) run $(if $(FIX),--fix) $(PKG)
	@GO='$(GO)' TAGS='$(TAGS)' scripts/vuln.sh $(PKG)

vuln: ## known vulnerabilities in what hunter calls; GOVULNDB=https://… or file:///… is another database than vuln.go.dev
	@GO='$(GO)' TAGS='$(TAGS)' scripts/vuln.sh $(PKG)

test-vuln: ## show that make vuln fails when something is found, and says so when it could not look
	@GO='$(GO)' TAGS='$(TAGS)' scripts/test-vuln.sh

fmt: ## format our Go files
	$(LINT) fmt

fuzz: ## every fuzz target for FUZZTIME (20s), side by side: make fuzz FUZZTIME=5m PKG=./hunts JOBS=1
	@GO='$(GO)' TAGS='$(TAGS)' JOBS='$(JOBS)' scripts/fuzz.sh $(FUZZTIME) $(filter-out ./...,$(PKG))

bench: ## every benchmark: make bench PKG=./internal/app BENCH=Walk BENCHTIME=9x; HUNTER_BENCH=full for the sizes of docs/benchmarks.md
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem -tags $(TAGS) $(PKG)

bench-fleet: build ## agents that poll and answer, against hunter serve and a bare TLS handler: make bench-fleet IDLE='-hosts 2000' CAMPAIGN='-agents 1000'
	$(GO) build -tags $(TAGS) -o bin/fleet ./bench/fleet
	bin/fleet idle -hunter bin/hunter $(IDLE)
	bin/fleet campaign -hunter bin/hunter $(CAMPAIGN)

cover: ## bin/cover.html: what the tests run through
	@mkdir -p bin
	$(GO) test -tags $(TAGS) -coverpkg=./... -coverprofile=bin/cover.out $(PKG)
	$(GO) tool cover -html=bin/cover.out -o bin/cover.html
	@$(GO) tool cover -func=bin/cover.out | tail -n 1

schema: ## write hunts/schema.json and its like anew
	@GO='$(GO)' TAGS='$(TAGS)' scripts/update.sh Schema

golden: ## write every golden file anew; look at the difference before you commit it
	@GO='$(GO)' TAGS='$(TAGS)' scripts/update.sh .

cross: ## bin/hunter.exe for Windows; needs mingw-w64
	@command -v $(MINGW) >/dev/null || { echo 'make cross needs $(MINGW): install gcc-mingw-w64-x86-64' >&2; exit 2; }
	GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC=$(MINGW) $(GO) build $(BUILD) -o bin/hunter.exe ./cmd/hunter

test-windows: cross ## build the tests of what looks at a machine for Windows; run them and hunter.exe under wine where it is there
	@GO='$(GO)' TAGS='$(TAGS)' MINGW='$(MINGW)' scripts/test-windows.sh bin/hunter.exe

test-osquery-go: ## hunter with the real osquery-go: make test-osquery-go DIR=path/of/its/clone
	@test -n '$(DIR)' || { echo 'say where osquery-go is: make test-osquery-go DIR=path/of/its/clone' >&2; exit 2; }
	@GO='$(GO)' TAGS='$(TAGS)' scripts/test-osquery-go.sh '$(DIR)'

clean: ## remove what was built
	rm -rf bin
