package vulncheck

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The first message of what govulncheck extracts. Another version of the protocol
// may say something else by the same words.
const (
	blobName    = "govulncheck-extract"
	blobVersion = "0.1.0"
)

var errBlob = errors.New("what govulncheck has extracted is not understood: this version of fastdrain is not made for it")

// rewrite gives a module of a blob its own name and the given version. All the
// rest stays as it is. It is an error if the blob does not hold the module.
func rewrite(blob []byte, module, version string) ([]byte, error) {
	in := json.NewDecoder(bytes.NewReader(blob))
	in.UseNumber()
	var header struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	var body map[string]any
	if err := in.Decode(&header); err != nil || header.Name != blobName || header.Version != blobVersion {
		return nil, errBlob
	}
	if err := in.Decode(&body); err != nil {
		return nil, errBlob
	}
	if err := in.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errBlob
	}
	modules, ok := body["modules"].([]any)
	if !ok {
		return nil, errBlob
	}
	found := false
	for _, m := range modules {
		entry, ok := m.(map[string]any)
		if !ok || entry["Path"] != module {
			continue
		}
		entry["Version"] = version
		delete(entry, "Replace")
		found = true
	}
	if !found {
		return nil, fmt.Errorf("%w: it names no %s", errBlob, module)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	if err := enc.Encode(header); err != nil {
		return nil, err
	}
	if err := enc.Encode(body); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
