# The final-read window: the rule and its simulation. Included by Makefile.

# For example WINDOWFLAGS="-rtt 50ms -stops 200"; -h lists the flags.
WINDOWFLAGS ?=

.PHONY: bin/window
bin/window:
	@cd tools/window && $(GO) build -o ../../$@ .

.PHONY: window
window: bin/window ## Simulate stops: requests lost and time taken by the rule for the final read, and by others (80 s)
	@bin/window $(WINDOWFLAGS)

.PHONY: test-rule
test-rule: ## Test the rule and the simulation
	cd server && $(GO) test -race -count=1 ./internal/window
	cd tools/window && $(GO) vet . && $(GO) test -count=1 .
