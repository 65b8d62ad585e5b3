# The accept queue, over a link with a round trip. Included by Makefile.

.PHONY: test-queue
test-queue: server ## Stop servers over a link with a round trip, and hand a port over (1 minute, root)
	$(GO) test -C tests -count=1 -v -timeout 10m ./internal/link ./acceptqueue

.PHONY: test-queue-full
test-queue-full: server ## The same with 60 stops, 200 over loopback and 20 restarts (15 minutes, root)
	$(GO) test -C tests -count=1 -v -timeout 60m ./acceptqueue -args -stops=60 -loopback-stops=200 -restarts=20
