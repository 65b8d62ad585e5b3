package probe

import (
	"context"
	"fmt"
)

// Run probes the subjects, and returns what was seen on each. If there is an error it
// returns what was seen until then; a result without stops has seen nothing. When ctx
// ends, the services are ended.
func Run(ctx context.Context, o Options) (results []*Result, err error) {
	if err := o.valid(); err != nil {
		return nil, err
	}
	var places []*place
	for _, s := range o.Subjects {
		p, err := newPlace(ctx, s, &o)
		if err != nil {
			return nil, err
		}
		places = append(places, p)
	}
	pr := newProgress(o.Progress, o.Terminal)
	defer func() {
		for _, p := range places {
			p.end()
			if p.result.Stops > 0 {
				p.result.complete()
			}
			results = append(results, p.result)
		}
	}()
	for n := range o.Rounds {
		for i, p := range places {
			pr.round(n+1, o.Rounds, i+1, len(places), p.result)
			var err error
			switch p.result.Mode {
			case ModeSignal:
				// Two services may want the same port.
				err = p.stopRound(ctx, &o, len(places) == 1 && n+1 < o.Rounds, pr)
			case ModeCommand:
				err = p.commandRound(ctx, &o, pr)
			default:
				err = p.timeRound(ctx, &o, pr)
			}
			if err != nil {
				return nil, err
			}
			pr.done(p.result)
		}
	}
	for _, p := range places {
		for what, n := range p.result.Faults {
			return nil, fmt.Errorf("the counts of %s are not to be trusted: %d x %s", p.result.Name, n, what)
		}
	}
	return nil, nil
}
