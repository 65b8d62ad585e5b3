# Targets with a "##" comment are listed by make help.

GO ?= go
SHELL := /bin/bash

# The oldest upstream version that the patches are kept applicable to, and the
# pinned one.
OLDEST := v1.76.0
PINNED := $(shell sed -n 's/.*"version": "\(.*\)",/\1/p' server/pin.json)

# Our files are those that git tracks, or would if they were added: what vendor writes
# into server/ is ignored.
ours = $(sort $(wildcard $(shell git ls-files --cached --others --exclude-standard -- $(1))))

# The modules, each with its go.mod, but for the patched copy's.
MODULES = $(patsubst %/,%,$(dir $(filter-out server/%,$(call ours,go.mod '*/go.mod'))))

# Our tests and examples in server/, and the packages that they are in.
OUR_TEST_FILES = $(call ours,'server/*_test.go')
OUR_TESTS = $(shell sed -nE 's/^func ((Test|Example)[A-Za-z0-9_]*).*/\1/p' $(OUR_TEST_FILES) | paste -sd'|' -)
# Those of them that count allocations, or bytes, which the race detector would change.
NO_RACE_TESTS = $(shell grep -l '^//go:build !race' $(OUR_TEST_FILES) /dev/null | xargs sed -nE 's/^func (Test[A-Za-z0-9_]*).*/\1/p' | paste -sd'|' -)
OUR_TEST_DIRS = $(sort $(patsubst server/%,./%,$(dir $(OUR_TEST_FILES))))

PLATFORMS := linux/amd64 linux/arm64 linux/386 darwin/arm64 windows/amd64 aix/ppc64

.DEFAULT_GOAL := server

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z0-9.-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sort | awk -F'\t' '{printf "%-17s %s\n", $$1, $$2}'

# What the command carries of server/. The note in bin/ says when it was made, as git
# gives files any time.
bin/carried: $(call ours,'server/*.go') server/pin.json internal/carried/server.txtar
	@$(GO) generate ./internal/carried && mkdir -p bin && touch $@

.PHONY: bin/fastdrain
bin/fastdrain: bin/carried
	@$(GO) build -o $@ ./cmd/fastdrain

.PHONY: server
server: bin/fastdrain ## Write the patched copy of the pinned upstream into server/ (the default)
	@bin/fastdrain vendor

.PHONY: demo
demo: server ## Stop servers under load, upstream's and the patched one, and show what is lost (2 minutes)
	bin/fastdrain lab -demo

# Two rows of like length. What has clients that wait is in the first, what mostly counts
# in the second.
IN_TURN := fmt-check vet workflows test-engine test-server test-streams \
	test-observe test-faults test-proxies test-wire test-window test-queue test-compat test-probe test-lab
BESIDE := check bench-gate test-model test-fuzz test-bench test-rule test-composer test-documents test-holders test-upstream

.PHONY: test
test: ## Run all checks and tests (10 to 15 minutes; as root, as some need network namespaces)
	+@$(MAKE) --no-print-directory -j 2 test-in-turn test-beside

# What takes its time: other platforms and versions than the pinned one, real services, and clients of npm.
MORE := cross test-versions test-upgrade test-adopt test-doctor test-streams-full test-probe-full

.PHONY: test-more
test-more: server ## Run what make test leaves out: the older versions, the move to a next one, the copy in real services, doctor on others, more clients of streams, the probe on other servers (25 minutes)
	+@$(call each,$(MORE))

.PHONY: test-in-turn
test-in-turn: server
	+@$(call each,$(IN_TURN))

.PHONY: test-beside
test-beside: server
	+@set -o pipefail; { $(call each,$(BESIDE)); } 2>&1 | sed -u 's/^/| /'

# Each is made though one before it has failed: a run of a quarter of an hour says all
# that it has found.
each = trap 'exit 130' INT TERM; failed=; for target in $(1); do \
		echo "== make $$target"; start=$$SECONDS; \
		$(MAKE) --no-print-directory $$target || failed="$$failed $$target"; \
		echo "== $$target: $$((SECONDS - start)) s"; \
	done; \
	[ -z "$$failed" ] || { echo "== failed:$$failed"; exit 1; }

.PHONY: test-engine
test-engine: server ## Test the command, its packages, metrics, examples and tools, with -race
	$(GO) test -race $$($(GO) list ./... | grep -v /internal/project$$)
	@for module in metrics examples tools; do \
		echo "$(GO) test -C $$module -race ./..."; \
		$(GO) test -C $$module -race ./... || exit 1; \
	done

.PHONY: test-server
test-server: server ## Test our part of the server, with -race
	@test -n '$(OUR_TESTS)' || { echo 'no tests of ours in server/'; exit 1; }
	@echo '$(GO) test -race (our tests in server/)'
	@cd server && $(GO) test -race -run '^($(OUR_TESTS))$$' $(OUR_TEST_DIRS)
	@test -n '$(NO_RACE_TESTS)' || { echo 'no tests without -race in server/'; exit 1; }
	cd server && $(GO) test -run '^($(NO_RACE_TESTS))$$' .

.PHONY: test-upstream
test-upstream: server ## Run upstream's whole suite on the patched copy, without and with -race
	$(GO) test -C tests -count=1 -v -timeout 30m ./upstream
	$(GO) test -C tests -count=1 -v -timeout 30m ./upstream -args -with-race

.PHONY: test-pristine
test-pristine: server ## Run upstream's suite on the pristine upstream: what fails here fails without us
	$(GO) test -C tests -count=1 -v -timeout 30m ./upstream -args -pristine

# The versions before the pinned one that we support, as the module proxy lists them.
OLDER = $(shell GOFLAGS=-mod=mod $(GO) list -m -versions github.com/valyala/fasthttp | tr ' ' '\n' | sed -n '/^$(OLDEST)$$/,/^$(PINNED)$$/p' | grep -vx '$(PINNED)')

.PHONY: test-versions
test-versions: bin/fastdrain ## Patch the older versions that we support, and run our tests and their own suites on them (5 minutes)
	@test -n '$(OLDER)' || { echo 'the module proxy lists no version from $(OLDEST) to $(PINNED)'; exit 1; }
	@for version in $(OLDER); do \
		echo "== $$version"; \
		bin/fastdrain vendor -tests -upstream $$version -o build/$$version && \
		(cd build/$$version && $(GO) build ./... && $(GO) test -race -run '^($(OUR_TESTS))$$' $(OUR_TEST_DIRS)) && \
		$(GO) test -C tests -count=1 -v -timeout 30m ./upstream -args -dir ../../build/$$version || exit 1; \
	done

.PHONY: test-upgrade
test-upgrade: ## Rehearse a next version of upstream, and upgrade a clone, killed and to its end (5 minutes)
	$(GO) test -count=1 -timeout 20m ./internal/project
	$(GO) test -C tests -count=1 -timeout 20m ./upgrade

.PHONY: mutation
mutation: server ## Take the effect of each patch away in turn: a test that the patch names has to fail (10 minutes)
	$(GO) run -C tools ./mutation

.PHONY: test-documents
test-documents: server ## Are the documents true: their code, links, commands, targets and names?
	$(GO) test -C tests -count=1 ./documents

.PHONY: test-holders
test-holders: server ## Does Server.Holders name what hangs, under frameworks and without symbols?
	cd tests/holders && $(GO) vet . && $(GO) test -count=1 .

.PHONY: test-lab
test-lab: server ## Run a short lab
	bin/fastdrain lab -rounds 2

.PHONY: check
check: bin/fastdrain ## Do the patches apply to all versions that we support?
	bin/fastdrain check -upstream $(OLDEST)..$(PINNED)

.PHONY: check-newest
check-newest: bin/fastdrain ## Do the patches apply to the newest version that the module proxy has?
	bin/fastdrain check -upstream newest

.PHONY: anchors
anchors: bin/fastdrain ## Find the place of each block in all upstream versions back to v1.60.0, and write docs/anchors.md
	$(GO) run -C tools ./anchors -from v1.60.0 -o $(CURDIR)/docs/anchors.md

.PHONY: cross
cross: server ## Compile the server for all platforms, its tests included
	@cd server && for platform in $(PLATFORMS); do \
		echo "GOOS=$${platform%/*} GOARCH=$${platform#*/} $(GO) vet ./..."; \
		CGO_ENABLED=0 GOOS=$${platform%/*} GOARCH=$${platform#*/} $(GO) vet ./... || exit 1; \
	done
	@echo 'GOOS=plan9 GOARCH=amd64 $(GO) build' # some of upstream's packages and tests do not compile there
	@cd server && GOOS=plan9 GOARCH=amd64 $(GO) build . ./drainhandler ./drainrun

# Without files gofmt reads what is typed, and finds nothing wrong with it.
OUR_GO_FILES = $(or $(call ours,'*.go'),$(error git lists no Go files: is this a clone?))

.PHONY: fmt
fmt: ## Format our Go files
	gofmt -w $(OUR_GO_FILES)

.PHONY: fmt-check
fmt-check:
	@out=$$(gofmt -l $(OUR_GO_FILES)); \
	test -z "$$out" || { echo "not formatted (make fmt):"; echo "$$out"; exit 1; }

# These run go vet before their own tests.
VETTED := examples/fiber examples/websocket tests/compat tests/holders tests/kubernetes tools/window

# These are tested with -race only, which is half of what compiling takes.
RACED := . metrics examples tools bench

.PHONY: vet
vet: server ## Run go vet on the modules that do not before their tests, and on the patched server
	@test -n '$(MODULES)' || { echo 'git lists no go.mod: is this a clone?'; exit 1; }
	@for module in $(filter-out $(VETTED),$(MODULES)) server; do \
		flags=$$(case ' $(RACED) ' in *" $$module "*) echo -race;; esac); \
		echo "$(GO) vet -C $$module $$flags ./..."; \
		$(GO) vet -C $$module $$flags ./... || exit 1; \
	done

.PHONY: workflows
workflows: ## Check the workflows of .github, and the one that a service may take
	GOFLAGS=-mod=mod $(GO) run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 .github/workflows/*.yml examples/pipeline/fastdrain.yml

.PHONY: pinned
pinned: ## Print the pinned version of upstream
	@echo '$(PINNED)'

.PHONY: clean
clean: ## Remove what the build made (but for upstream's files in server/)
	rm -rf bin build

include $(addprefix make/,metrics.mk bench.mk proxies.mk adopt.mk queue.mk compat.mk soak.mk window.mk probe.mk)
