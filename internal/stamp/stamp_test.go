package stamp

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"
)

func TestStampIsFoundWhereverItIs(t *testing.T) {
	want := Stamp{Upstream: "example.com/up@v1.2.3", Sum: "0123", Patches: []string{"one", "two"}}
	text := regexp.MustCompile(`"(.*)"`).FindSubmatch(want.Source("up"))
	if text == nil {
		t.Fatalf("no string in %s", want.Source("up"))
	}
	stamp := append(text[1], "name\x00"...)
	// Before, across and behind the end of what is read at once.
	for _, at := range []int{0, chunk - len(stamp), chunk - len(stamp)/2, chunk, 2*chunk - maxLength - 3} {
		file := filepath.Join(t.TempDir(), "binary")
		data := append(append(bytes.Repeat([]byte{'x'}, at), stamp...), bytes.Repeat([]byte{'y'}, 100)...)
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		got, has, err := Scan(file, "name", "nam")
		if err != nil {
			t.Fatal(err)
		}
		if got == nil || !reflect.DeepEqual(*got, want) {
			t.Errorf("at %d: found %v, want %v", at, got, want)
		}
		if !has["name"] || has["nam"] {
			t.Errorf("at %d: the words found are %v", at, has)
		}
	}
}

func TestFileWithoutAStamp(t *testing.T) {
	file := filepath.Join(t.TempDir(), "binary")
	if err := os.WriteFile(file, []byte("fastdrain-stamp{half of one"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, _, err := Scan(file); got != nil || err != nil {
		t.Errorf("found %v (%v)", got, err)
	}
}
