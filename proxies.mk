# Servers behind software that others wrote, and what they put on the wire.
# Included by Makefile.

.PHONY: test-proxies
test-proxies: server ## Restart servers behind nginx and HAProxy, and under curl, wrk and http.Transport (1 minute)
	$(GO) test -race -count=1 -v -timeout 10m ./tests/proxies

.PHONY: test-proxies-full
test-proxies-full: server ## The same with 40 rolling restarts of each kind; the table goes to build/proxies.md (15 minutes)
	$(GO) test -count=1 -v -timeout 60m ./tests/proxies -args -restarts 40 -results $(CURDIR)/build/proxies.md
