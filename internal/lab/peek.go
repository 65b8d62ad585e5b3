package lab

// peekState is what a look at a socket without taking anything from it shows.
type peekState int

const (
	peekQuiet peekState = iota // open, nothing received
	peekData                   // bytes are waiting
	peekEnded                  // FIN or RST has been received
)
