package project

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/semver"

	"github.com/fastdrain/fastdrain/internal/tree"
)

// Pin is the upstream version that the project is made for.
type Pin struct {
	Module  string `json:"module"`
	Version string `json:"version"`
	// Sum is the hash of the version's files, as go.sum has it.
	Sum string `json:"sum"`
	// Declarations are the hashes of the declarations that the patches touch,
	// in the pinned version: file and declaration -> "sha256:...". One that
	// is another in a newer version has to be read again, even if the patch
	// still applies.
	Declarations map[string]string `json:"declarations"`
}

func (p *Project) pinFile() string { return filepath.Join(p.Server(), "pin.json") }

// Pin reads the pin.
func (p *Project) Pin() (*Pin, error) {
	data, err := os.ReadFile(p.pinFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no pin (%s): make one with fastdrain pin VERSION", p.pinFile())
	}
	if err != nil {
		return nil, err
	}
	var pin Pin
	if err := json.Unmarshal(data, &pin); err != nil {
		return nil, fmt.Errorf("%s: %w", p.pinFile(), err)
	}
	if pin.Module == "" || pin.Sum == "" || !semver.IsValid(pin.Version) {
		return nil, fmt.Errorf("%s is not complete: it needs module, version and sum", p.pinFile())
	}
	return &pin, nil
}

// SetPin writes the pin.
func (p *Project) SetPin(pin *Pin) error {
	data, err := json.MarshalIndent(pin, "", "  ")
	if err != nil {
		return err
	}
	return tree.WriteFile(p.pinFile(), append(data, '\n'), 0o644)
}
