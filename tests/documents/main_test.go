package documents

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/fastdrain/fastdrain/tests/internal/consumer"
)

const root = "../.." // of the repository

// fastdrain is the command.
var fastdrain string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		bin, err := consumer.BuildCommand(root)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(bin)
		fastdrain = filepath.Join(bin, "fastdrain")
		return m.Run()
	}())
}
