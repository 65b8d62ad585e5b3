// Command gen writes the dashboard: to standard output, or with -o to a file.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"

	"github.com/fastdrain/fastdrain/tools/dashboard"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("gen: ")
	out := flag.String("o", "", "write to this `file` and not to standard output")
	flag.Parse()

	text, err := dashboard.New().JSON()
	if err != nil {
		log.Fatal(err)
	}
	if *out == "" {
		if _, err := os.Stdout.Write(text); err != nil {
			log.Fatal(err)
		}
		return
	}
	// Written beside its place and renamed, so that nobody ever reads half of it.
	tmp, err := os.CreateTemp(filepath.Dir(*out), ".dashboard-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(text)
	if err == nil {
		err = tmp.Chmod(0o644)
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), *out)
	}
	if err != nil {
		log.Fatal(err)
	}
}
