# Never worse than upstream, whatever the server stands on. Included by Makefile.

.PHONY: test-compat
test-compat: server ## Stop both servers on other modules' listeners and frameworks, and compare them (1 minute, root)
	cd tests/compat && $(GO) vet ./...
	cd tests/compat && $(GO) test -count=1 -parallel 8 -timeout 10m .

.PHONY: compat
compat: server ## Write docs/compat.md from a run
	cd tests/compat && $(GO) test -count=1 -parallel 8 -timeout 10m -run TestNeverWorse . -args -update
