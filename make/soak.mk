# Faults, fuzzing, the model, and the soak. Included by Makefile.

# How long each fuzz target runs in make soak, and what the soak adds up.
FUZZTIME ?= 15m
SOAKFLAGS ?= -for 30m

# How many requests of the probe go to a server that never stops, in make soak.
STEADY ?= 10000000

# The fuzz targets of ours: package directory, name, and how many inputs are about ten
# seconds. In make test they are counted: where a busy machine has nothing to say at the
# end of a time, go test fails (go.dev/issue/75804).
FUZZ_TARGETS := server:FuzzStopInAStream:10000x internal/patch:FuzzApply:100000x

.PHONY: test-faults
test-faults: server ## Make faults happen to both servers while they stop, over real sockets (1 minute)
	$(GO) test -C tests -count=1 -parallel 6 -timeout 10m ./faults

.PHONY: test-model
test-model: ## Check the model of the stop for every interleaving, and that its mutants fail (spin; 2 minutes)
	$(GO) test -C tests -count=1 -v -timeout 20m ./model

.PHONY: test-fuzz
test-fuzz: server ## Fuzz the stop and the patch engine with a number of inputs each (1 minute)
	@$(MAKE) --no-print-directory fuzz FUZZTIME=

.PHONY: fuzz
fuzz: server ## Fuzz the stop and the patch engine, FUZZTIME each (15 minutes)
	@for target in $(FUZZ_TARGETS); do \
		IFS=: read -r dir name count <<< "$$target"; \
		echo "== $$name"; \
		$(GO) test -C $$dir -run '^$$' -fuzz "^$$name\$$" -fuzztime $(or $(FUZZTIME),$$count) -parallel 1 . || exit 1; \
	done

.PHONY: soak
soak: server fuzz ## Fuzz for long, then stop servers under load until 1,000 stops and 100,000 connections add up (build/soak.json; an hour)
	@$(GO) build -C tools -o $(CURDIR)/bin/soak ./soak
	bin/soak $(SOAKFLAGS)
	$(GO) test -C tests -count=1 -v -timeout 24h -run '^TestItsOwnLossIsZero$$' ./probe -args -steady $(STEADY)
