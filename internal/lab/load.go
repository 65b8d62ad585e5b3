package lab

import "context"

// Load is clients that the lab has not, such as those of other libraries, or a
// proxy with its own clients. What they have to count is what the lab's clients
// count: see the package.
type Load struct {
	Name string
	// Work lets them work on a server until ctx ends, which is when the server's
	// process has exited, and returns what they have counted when the last of them
	// has ended. An error makes the counts doubtful, and so must a loss before
	// Site.Stopping.
	Work func(ctx context.Context, s Site) (Counts, error)
}

// Site is the server that a [Load] works on.
type Site struct {
	Addr string
	// UnderWay is to be called when all clients have got an answer, and not before.
	UnderWay func()
	// Stopping is closed directly before SIGTERM.
	Stopping <-chan struct{}
}

// Counts is what the clients of a [Load] have counted in a round.
type Counts struct {
	// Connections that they opened to the server, 0 if that is not known, and
	// Requests that they wrote.
	Connections, Requests int
	// Answered is the number of complete responses, Lost of requests that were
	// written on an established connection and got none, Refused of attempts to
	// connect that were refused.
	Answered, Lost, Refused int
	// Losses is what the losses looked like, with how often.
	Losses map[string]int
}

// scenario is the load as one of the lab's, with one client.
func (l *Load) scenario() *scenario {
	return &scenario{
		name: l.Name, clients: 1, stop: span{ms(300), ms(1500)},
		run: func(c *client, _ *scenario) {
			counts, err := l.Work(c.yard.over, Site{Addr: c.yard.addr, UnderWay: c.underWay, Stopping: c.yard.stopping})
			if err != nil {
				c.faults.count(err.Error(), 1)
			}
			c.tally.add(&tally{
				connections: counts.Connections, requests: counts.Requests,
				answered: counts.Answered, lost: counts.Lost, refused: counts.Refused, losses: counts.Losses,
			})
		},
	}
}
