// Package acceptqueue stops servers over a link with a round trip, while clients
// open a connection for each request, and counts the connections that were
// established and then reset.
//
// Each strategy for the accept queue is run by a process of its own, and beside
// it two controls that have to lose some: upstream's server, which closes its
// listener at once, and the patched one kept to polling the queue.
package acceptqueue
