# Servers behind software that others wrote, and what they put on the wire.
# Included by Makefile.

.PHONY: test-proxies
test-proxies: server ## Restart servers behind nginx and HAProxy, and under curl, wrk and http.Transport (1 minute)
	$(GO) test -C tests -race -count=1 -v -timeout 10m ./proxies

.PHONY: test-proxies-full
test-proxies-full: server ## The same with 40 rolling restarts of each kind; the table goes to build/proxies.md (5 minutes)
	@mkdir -p build
	$(GO) test -C tests -count=1 -v -timeout 60m ./proxies -restarts 40 -results $(CURDIR)/build/proxies.md

.PHONY: test-wire
test-wire: server ## Count the RST segments of drains, in network namespaces (root; 1 minute)
	$(GO) test -C tests -race -count=1 -v -timeout 10m ./wire

.PHONY: test-window
test-window: server ## Stop servers with pools and pauses over a link of 20 ms, default window (root; 2 minutes)
	$(GO) test -C tests -count=1 -v -timeout 20m ./window

.PHONY: test-window-full
test-window-full: server ## The same with 20,000 connections and at least 20 stops of each kind; the table goes to build/window.md (45 minutes)
	@mkdir -p build
	$(GO) test -C tests -count=1 -v -timeout 120m ./window -stops 20 -pool-stops 80 -results $(CURDIR)/build/window.md

.PHONY: test-wire-full
test-wire-full: server ## The same with 5 stops of each kind and final-read windows of 10 ms to 4 s; the table goes to build/windows.md (4 minutes)
	@mkdir -p build
	$(GO) test -C tests -count=1 -v -timeout 60m ./wire -rounds 5 -windows 10ms,50ms,100ms,250ms,500ms,1s,2s,4s -results $(CURDIR)/build/windows.md
