package kubernetes

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// RuleFile is where [Rule] belongs, from the project's root.
const RuleFile = "examples/kubernetes/prometheusrule.yaml"

const ruleHead = `# Made of metrics/alerts.yml by make kubernetes: do not edit.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: fastdrain
spec:
`

// Rule is the alerts of the project in root as a PrometheusRule.
func Rule(root string) ([]byte, error) {
	// Indented text is all that it takes, and it keeps the comments.
	text, err := os.ReadFile(filepath.Join(root, "metrics", "alerts.yml"))
	if err != nil {
		return nil, err
	}
	begin := slices.IndexFunc(bytes.Split(text, []byte("\n")), func(line []byte) bool { return string(line) == "groups:" })
	if begin < 0 {
		return nil, fmt.Errorf("metrics/alerts.yml has no line \"groups:\"")
	}
	out := bytes.NewBufferString(ruleHead)
	for _, line := range bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))[begin:] {
		if len(line) > 0 {
			out.WriteString("  ")
		}
		out.Write(line)
		out.WriteByte('\n')
	}
	return out.Bytes(), nil
}
