// Command gen writes what examples/kubernetes takes from elsewhere in the project.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/fastdrain/fastdrain/tests/kubernetes"
)

func main() {
	const root = "../.."
	text, err := kubernetes.Rule(root)
	if err != nil {
		log.Fatal(err)
	}
	file := filepath.Join(root, kubernetes.RuleFile)
	if err := os.WriteFile(file+".tmp", text, 0o644); err != nil {
		log.Fatal(err)
	}
	if err := os.Rename(file+".tmp", file); err != nil {
		log.Fatal(err)
	}
	fmt.Println(kubernetes.RuleFile)
}
