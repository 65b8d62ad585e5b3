# The benchmarks: the patched server against upstream's, side by side.

# For example BENCHFLAGS="-quick -json figures.json"; -h lists the flags.
BENCHFLAGS ?=

.PHONY: bin/bench/bench
bin/bench/bench:
	@$(GO) build -C bench -o $(CURDIR)/$@ .

.PHONY: bench
bench: server bin/bench/bench ## Measure the patched server against upstream's (10 minutes; 3 with BENCHFLAGS=-quick)
	bin/bench/bench $(BENCHFLAGS)

.PHONY: test-bench
test-bench: server ## Test the benchmark harness (a minute)
	$(GO) test -C bench -race ./...

.PHONY: bench-gate
bench-gate: server bin/bench/bench ## Fail if a request takes more instructions, allocations or atomics than upstream's
	bin/bench/bench -gate

.PHONY: bench-results
bench-results: server bin/bench/bench ## Measure all of it, and write bench/RESULTS.md, its plots, bench/results.json and README's table (an hour, on a quiet machine)
	bin/bench/bench -results bench $(BENCHFLAGS)
