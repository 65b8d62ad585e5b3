// Package dashboard makes the Grafana dashboard in metrics/dashboards from Go,
// so that it cannot name a metric, a phase or an outcome that does not exist:
// what the queries ask for comes from the constants of this package and of
// fasthttp, and a test compares them with what the collector of package metrics
// exports.
//
// It guarantees that
//
//   - the file in the repository is what [New] makes (a test compares them, make
//     dashboard writes it);
//   - every panel has a unit and a description;
//   - [Queries] lists every query that the dashboard asks, panels, annotations
//     and variables alike, in a form that Prometheus itself can answer, so that
//     a test can ask all of them.
package dashboard

//go:generate go run ./gen -o ../../metrics/dashboards/fastdrain.json
