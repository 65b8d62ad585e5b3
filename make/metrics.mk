# What operators see: metrics, dashboard, alerts. Included by Makefile.

# One at a time, also beside internal/tool: apt-get waits for one of its locks only.
APT_GET := DEBIAN_FRONTEND=noninteractive flock -F "$${TMPDIR:-/tmp}/fastdrain-apt.lock" apt-get -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 -qq

.PHONY: tools
tools:
	@command -v prometheus >/dev/null && command -v promtool >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo 'installing prometheus (Debian package)'; \
		$(APT_GET) update && $(APT_GET) install -y --no-install-recommends prometheus >/dev/null; \
	else \
		echo 'prometheus and promtool are needed, and I cannot install them: as root, apt-get install prometheus'; exit 1; \
	fi

.PHONY: test-observe
test-observe: server tools ## Let a real Prometheus watch drains, and ask it what the dashboard and the alerts ask
	$(GO) test -C tests -race -count=1 -timeout 10m ./observe
	$(GO) test -C tests -count=1 -v ./observe/debugpage

.PHONY: watch
watch: server tools ## Start servers, Prometheus and a load, restart the servers in turn, and say where to look
	@$(GO) build -C tools -o $(CURDIR)/bin/watch ./observe/watch
	@bin/watch $(WATCH)

.PHONY: dashboard
dashboard: server ## Write metrics/dashboards/fastdrain.json from tools/dashboard
	$(GO) generate -C tools ./dashboard

GRAFANA := tools/grafana

$(GRAFANA)/node_modules/.package-lock.json: $(GRAFANA)/package.json $(GRAFANA)/package-lock.json
	@command -v npm >/dev/null || { echo 'npm (Node.js 20 or newer) is needed'; exit 1; }
	cd $(GRAFANA) && npm ci --no-audit --no-fund
	@touch $@

.PHONY: dashboard-check
dashboard-check: $(GRAFANA)/node_modules/.package-lock.json ## Type-check the dashboard against @grafana/schema (npm, 500 MB)
	node $(GRAFANA)/check.mjs

.PHONY: dashboard-picture
dashboard-picture: server tools $(GRAFANA)/node_modules/.package-lock.json ## Draw docs/dashboard.png: real answers, Grafana's npm components, Chromium
	@command -v chromium >/dev/null || { echo 'chromium is needed: apt-get install chromium fonts-dejavu-core'; exit 1; }
	$(GO) run -C tools ./observe/record -o $(CURDIR)/build/recording.json
	node $(GRAFANA)/picture.mjs build/recording.json docs/dashboard.png
