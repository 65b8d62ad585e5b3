# Never worse than upstream, whatever the server stands on. Included by Makefile.

.PHONY: test-compat
test-compat: server ## Stop both servers on other modules, and compare them (20 s, root)
	cd tests/compat && $(GO) vet ./...
	cd tests/compat && $(GO) test -count=1 -parallel 16 -timeout 10m -skip '^TestComposer$$' .

# Most of it is waiting, so in make test it runs beside the others.
.PHONY: test-composer
test-composer: server ## Compose stops at random for a minute, and fail where the copy is worse
	cd tests/compat && nice $(GO) test -count=1 -parallel 8 -timeout 10m -run '^TestComposer$$' . -args -workers=8 -for=55s -rapid.shrinktime=10s

# How long the composer runs in make soak-compat.
COMPOSE ?= 30m

.PHONY: soak-compat
soak-compat: server ## Compose stops for COMPOSE, and list all findings (30 minutes)
	cd tests/compat && $(GO) test -count=1 -v -parallel 16 -timeout 24h -run TestComposer . -args -for=$(COMPOSE) -collect

.PHONY: mutants-compat
mutants-compat: server ## Take each mended fault's fix away: the suite has to find it (15 minutes)
	cd tests/compat && $(GO) test -count=1 -v -timeout 3h -run TestMutants . -args -mutants

.PHONY: compat
compat: server ## Write docs/compat.md from a run
	cd tests/compat && $(GO) test -count=1 -parallel 8 -timeout 10m -run TestNeverWorse . -args -update
