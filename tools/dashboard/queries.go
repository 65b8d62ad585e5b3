package dashboard

import (
	"fmt"
	"regexp"
	"strings"
)

// Query is a query that the dashboard asks, wherever it stands in it.
type Query struct {
	// Where names the panel, annotation or variable, and RefID the query in it.
	Where, RefID string

	// Expr is PromQL with Grafana's variables, see [Fill].
	Expr string

	// Instant asks for one value, at the end of the range. Otherwise the query
	// goes over the range.
	Instant bool
}

// Name is the query's place in one word or more.
func (q Query) Name() string { return q.Where + " " + q.RefID }

// Queries lists the queries of the panels and of the annotations.
func (d Dashboard) Queries() []Query {
	var all []Query
	for _, p := range d.Panels {
		for _, t := range p.Targets {
			all = append(all, Query{p.Title, t.RefID, t.Expr, t.Instant})
		}
	}
	for _, a := range d.Annotations.List {
		if a.Target != nil {
			all = append(all, Query{"annotation " + a.Name, a.Target.RefID, a.Target.Expr, a.Target.Instant})
		}
	}
	return all
}

// LabelValues is what a variable asks for: the values of a label of the series
// that match.
type LabelValues struct {
	Variable, Match, Label string
}

var labelValues = regexp.MustCompile(`^label_values\((.*), (\w+)\)$`)

// LabelQueries lists the questions of the variables. It fails on a variable
// whose query is not of the form label_values(series, label).
func (d Dashboard) LabelQueries() ([]LabelValues, error) {
	var all []LabelValues
	for _, v := range d.Templating.List {
		q, ok := v.Query.(VariableQuery)
		if !ok {
			continue
		}
		m := labelValues.FindStringSubmatch(q.Query)
		if m == nil {
			return nil, fmt.Errorf("variable %s: %q is not of the form label_values(series, label)", v.Name, q.Query)
		}
		all = append(all, LabelValues{v.Name, m[1], m[2]})
	}
	return all, nil
}

// Fill puts values in the place of Grafana's variables, as Grafana does before it
// asks Prometheus. It fails if a variable is left over.
func Fill(expr string, values map[string]string) (string, error) {
	var unknown []string
	expr = variable.ReplaceAllStringFunc(expr, func(name string) string {
		value, ok := values[strings.Trim(name, "${}")]
		if !ok {
			unknown = append(unknown, name)
		}
		return value
	})
	if unknown != nil {
		return "", fmt.Errorf("no value for %s in %s", strings.Join(unknown, ", "), expr)
	}
	return expr, nil
}

var variable = regexp.MustCompile(`\$\w+|\$\{\w+\}`)
