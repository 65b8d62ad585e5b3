# The probe, against servers whose ways of a stop are known. Included by Makefile.

.PHONY: test-probe
test-probe: server ## Probe servers with faults, which count them, and the copy (15 s)
	$(GO) test -C tests -count=1 -parallel 16 -timeout 10m ./probe

.PHONY: test-probe-full
test-probe-full: server ## The same with net/http, Node, Python, nginx, HAProxy, Chromium, and 100,000 requests (5 minutes)
	$(GO) test -C tests -count=1 -v -parallel 8 -timeout 60m ./probe -args -full -steady 100000

.PHONY: probe-picture
probe-picture: server ## Probe upstream and the copy, and make docs/probe.png of it (Chromium)
	$(GO) test -C tests -count=1 -timeout 10m -run '^TestThePageInABrowser$$' ./probe -args -full -screenshot docs/probe.png
