package observe

import (
	"context"
	"fmt"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/fastdrain/fastdrain/tools/dashboard"
)

// alignment is how far Prometheus may move a sample's time from that of its
// scrape, to make the times regular.
const alignment = 10 * time.Millisecond

// Scraped waits for a scrape of the series that selector selects which begins
// after the call, and returns its time. Asked for that time, Prometheus answers
// with the numbers of that scrape. The selector is to select one series.
func (p *Prometheus) Scraped(ctx context.Context, selector string) (time.Time, error) {
	after := time.Now().Add(alignment)
	var at time.Time
	err := poll(ctx, 20*time.Millisecond, "a scrape of "+selector, func() (bool, error) {
		v, err := p.query(ctx, "timestamp("+selector+")", time.Now())
		if err != nil {
			return false, err
		}
		if len(v) != 1 {
			return false, nil
		}
		at = time.UnixMilli(int64(v[0].Value*1000 + 0.5))
		return at.After(after), nil
	})
	return at, err
}

// At returns the values that an expression has at a time, by the value of a
// label; an empty label is for an expression with a single value.
func (p *Prometheus) At(ctx context.Context, expr, label string, at time.Time) (map[string]float64, error) {
	v, err := p.query(ctx, expr, at)
	if err != nil {
		return nil, err
	}
	values := map[string]float64{}
	for _, s := range v {
		key := string(s.Metric[model.LabelName(label)])
		if _, twice := values[key]; twice {
			return nil, fmt.Errorf("%s: more than one value with %s=%q", expr, label, key)
		}
		values[key] = float64(s.Value)
	}
	return values, nil
}

func (p *Prometheus) query(ctx context.Context, expr string, at time.Time) (model.Vector, error) {
	value, _, _, err := p.API.Query(ctx, expr, at)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", expr, err)
	}
	vector, ok := value.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("%s: the answer is a %s and not a vector", expr, value.Type())
	}
	return vector, nil
}

// Range is what a dashboard is opened with.
type Range struct {
	From, To time.Time

	// Step is the time between two points of an answer.
	Step time.Duration

	// RateInterval is what Grafana makes of the scrape interval for rate: four
	// of them.
	RateInterval time.Duration

	// Job and Instance are regular expressions; empty means all.
	Job, Instance string
}

// Answer is what Prometheus answered to a query of the dashboard.
type Answer struct {
	// Query is the query, and Asked what Prometheus was asked.
	Query dashboard.Query `json:"query"`
	Asked string          `json:"asked"`

	// Series are the answer, those of an instant query with one point.
	Series model.Matrix `json:"series"`
}

// Ask asks all queries of a dashboard, panels and annotations.
func (p *Prometheus) Ask(ctx context.Context, d dashboard.Dashboard, r Range) ([]Answer, error) {
	var answers []Answer
	for _, q := range d.Queries() {
		series, asked, err := p.ask(ctx, q.Expr, q.Instant, r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.Name(), err)
		}
		answers = append(answers, Answer{q, asked, series})
	}
	return answers, nil
}

// AskVariables returns the values that each variable of the dashboard offers.
func (p *Prometheus) AskVariables(ctx context.Context, d dashboard.Dashboard, r Range) (map[string][]string, error) {
	queries, err := d.LabelQueries()
	if err != nil {
		return nil, err
	}
	offered := map[string][]string{}
	for _, q := range queries {
		match, err := dashboard.Fill(q.Match, r.values())
		if err != nil {
			return nil, err
		}
		values, _, _, err := p.API.LabelValues(ctx, q.Label, []string{match}, r.From, r.To)
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", q.Variable, err)
		}
		for _, v := range values {
			offered[q.Variable] = append(offered[q.Variable], string(v))
		}
	}
	return offered, nil
}

// AskOver asks one expression over the range.
func (p *Prometheus) AskOver(ctx context.Context, expr string, r Range) (model.Matrix, error) {
	m, _, err := p.ask(ctx, expr, false, r)
	return m, err
}

func (p *Prometheus) ask(ctx context.Context, expr string, instant bool, r Range) (m model.Matrix, asked string, err error) {
	asked, err = dashboard.Fill(expr, r.values())
	if err != nil {
		return nil, "", err
	}
	if instant {
		vector, err := p.query(ctx, asked, r.To)
		if err != nil {
			return nil, asked, err
		}
		for _, s := range vector {
			m = append(m, &model.SampleStream{Metric: s.Metric, Values: []model.SamplePair{{Timestamp: s.Timestamp, Value: s.Value}}})
		}
		return m, asked, nil
	}
	value, _, _, err := p.API.QueryRange(ctx, asked, v1.Range{Start: r.From, End: r.To, Step: r.Step})
	if err != nil {
		return nil, asked, fmt.Errorf("%s: %w", asked, err)
	}
	m, ok := value.(model.Matrix)
	if !ok {
		return nil, asked, fmt.Errorf("%s: the answer is a %s and not a matrix", asked, value.Type())
	}
	return m, asked, nil
}

// values are those of Grafana's variables.
func (r Range) values() map[string]string {
	all := func(s string) string {
		if s == "" {
			return ".+"
		}
		return s
	}
	return map[string]string{
		"job":             all(r.Job),
		"instance":        all(r.Instance),
		"__range":         model.Duration(r.To.Sub(r.From).Round(time.Millisecond)).String(),
		"__rate_interval": model.Duration(r.RateInterval).String(),
		"__interval":      model.Duration(r.Step).String(),
	}
}

// Samples returns the samples of the one series that a selector selects, as they
// were scraped in the window before a time.
func (p *Prometheus) Samples(ctx context.Context, selector string, window time.Duration, at time.Time) ([]model.SamplePair, error) {
	expr := fmt.Sprintf("%s[%s]", selector, model.Duration(window))
	value, _, _, err := p.API.Query(ctx, expr, at)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", expr, err)
	}
	m, ok := value.(model.Matrix)
	if !ok || len(m) != 1 {
		return nil, fmt.Errorf("%s: the answer is not one series: %v", expr, value)
	}
	return m[0].Values, nil
}
