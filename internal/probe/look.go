package probe

// Received is what a look at a socket, without taking anything from it, shows.
type Received int

const (
	Nothing Received = iota // open, and nothing has been received
	Data                    // bytes are waiting
	End                     // FIN or RST has been received
)
