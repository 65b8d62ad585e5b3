package fasthttp

// brokenByPeer cannot say here why a connection is broken.
func brokenByPeer(error) bool { return false }
