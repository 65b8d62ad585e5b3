package metrics

import (
	"strings"
)

//go:generate go test -run ^TestReadmeHasTheTableOfInstruments$ -update

// Table is the table of instruments in Markdown, as README.md has it.
func Table() string {
	var t strings.Builder
	t.WriteString("| Prometheus | OpenTelemetry | type | unit | meaning |\n| --- | --- | --- | --- | --- |\n")
	for _, in := range instruments {
		t.WriteString("| " + strings.Join([]string{
			prometheusCell(in),
			otelCell(in),
			in.Kind.String(),
			"`" + in.Unit + "`",
			in.Help,
		}, " | ") + " |\n")
	}
	return t.String()
}

func prometheusCell(in Instrument) string {
	if in.Prometheus == "" {
		return ""
	}
	if in.Label == "" {
		return "`" + in.Prometheus + "`"
	}
	values := "…"
	if in.Values != nil {
		// A bar divides cells, also in code.
		values = strings.Join(in.Values, `\|`)
	}
	return "`" + in.Prometheus + "{" + in.Label + `="` + values + "\"}`"
}

func otelCell(in Instrument) string {
	switch {
	case in.OTel == "":
		return ""
	case in.Attribute == "":
		return "`" + in.OTel + "`"
	}
	return "`" + in.OTel + "`, `" + in.Attribute + "`"
}
