# Taking the copy into a service, and a newer upstream into the copy. Included
# by Makefile.

.PHONY: try
try: server ## Stop upstream's server and the patched one a few times under load (20 seconds)
	@bin/fastdrain lab -scenario keepalive,pipeline -variant upstream,patched -rounds 3

.PHONY: test-adopt
test-adopt: server ## Take the copy into services on real modules, and follow the README
	$(GO) test -C tests -count=1 -timeout 20m ./adopt
	cd tests/kubernetes && $(GO) vet ./... && $(GO) test -count=1 -timeout 5m ./...
	cd examples/fiber && $(GO) vet ./...

.PHONY: test-doctor
test-doctor: server ## Ask doctor, verify and vulncheck about real services that drain and that never do (2 minutes)
	$(GO) test -C tests -count=1 -timeout 20m ./doctor

.PHONY: test-streams
test-streams: server ## Restart servers of WebSockets and event streams under their clients (10 s)
	cd examples/websocket && $(GO) vet ./...
	$(GO) test -C tests -count=1 -parallel 8 -timeout 5m ./streams

.PHONY: test-streams-full
test-streams-full: server ## The same with 500 clients, also of npm and curl, and ten restarts (Node.js 20; 2 minutes)
	$(GO) test -C tests -count=1 -v -timeout 10m ./streams -args -full

.PHONY: test-fiber
test-fiber: server ## Run Fiber's own tests with upstream and with the copy, and compare them one by one (5 minutes)
	$(GO) test -C tests -count=1 -v -timeout 40m -tags fiber -run TestFiberSuite ./upstream

.PHONY: upgrade
upgrade: bin/fastdrain ## Take the upstream version VERSION, all or nothing: pin, patch, documents, suites (20 minutes)
	@test -n '$(VERSION)' || { echo 'which version? make upgrade VERSION=$(PINNED)'; exit 1; }
	bin/fastdrain upgrade $(VERSION)
	@$(MAKE) --no-print-directory server

.PHONY: release
release: server ## Write the copy as VERSION into the git repository GIT, or else into build/proxy for a module proxy
	@test -n '$(VERSION)' || { echo 'which version? make release VERSION=$(PINNED)-fastdrain.1'; exit 1; }
	bin/fastdrain release $(if $(GIT),-git '$(GIT)') $(VERSION)

.PHONY: picture
picture: server ## Draw docs/lost.svg from a run of its own (a minute, on a quiet machine)
	@$(GO) build -C tools -o $(CURDIR)/bin/picture ./picture
	bin/picture

.PHONY: kubernetes
kubernetes: ## Write what examples/kubernetes takes from elsewhere: the alerts as a PrometheusRule
	cd tests/kubernetes && $(GO) run ./gen
