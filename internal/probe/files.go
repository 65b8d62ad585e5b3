package probe

import (
	"encoding/json"

	"github.com/fastdrain/fastdrain/internal/tree"
)

// WriteJSON writes the results as an array to a file, which is complete or not there.
func WriteJSON(path string, results []*Result) error {
	text, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return tree.WriteFile(path, append(text, '\n'), 0o644)
}
