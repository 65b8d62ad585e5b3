package documents

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// document is a Markdown page of the project.
type document struct {
	name  string // in the root of the repository
	lines []string
}

// codeBlock is a fenced block of a document.
type codeBlock struct {
	language string
	line     int // of its first line of code, from 1
	text     string
}

func readDocument(t *testing.T, name string) *document {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return &document{name, strings.Split(string(data), "\n")}
}

// codeBlocks are the fenced blocks in their order.
func (d *document) codeBlocks(t *testing.T) []codeBlock {
	t.Helper()
	var blocks []codeBlock
	inside := false
	for i, line := range d.lines {
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && !inside:
			inside = true
			blocks = append(blocks, codeBlock{language: fence, line: i + 2})
		case isFence:
			inside = false
		case inside:
			blocks[len(blocks)-1].text += line + "\n"
		}
	}
	if inside {
		t.Fatalf("%s: the block at line %d does not end", d.name, blocks[len(blocks)-1].line)
	}
	return blocks
}
