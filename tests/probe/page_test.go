//go:build linux

package probe

import (
	"context"
	"flag"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/fastdrain/fastdrain/internal/lab"
	"github.com/fastdrain/fastdrain/internal/probe"
)

var screenshot = flag.String("screenshot", "", "write a picture of the page to this `file`, from the root of the repository")

// browse runs the browser on a page. The sandbox needs rights that a container does not
// have, and the page is our own.
func browse(t *testing.T, url string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	cmd := exec.CommandContext(ctx, find(t, "chromium", "chromium"), append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--hide-scrollbars", "--user-data-dir=" + t.TempDir(),
	}, append(args, url)...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	return string(out)
}

// TestThePageInABrowser looks at the page of a comparison in Chromium, with no network:
// the page names no other resource.
func TestThePageInABrowser(t *testing.T) {
	onlyFull(t)
	o := options()
	o.Rounds = 5
	o.Profile.Connections, o.Profile.Rate = 200, 5000
	for _, variant := range []string{lab.Upstream, lab.Patched} {
		s, _ := example(t, variant)
		o.Subjects = append(o.Subjects, s)
	}
	results, err := probe.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(t.TempDir(), "probe.html")
	if err := probe.WritePage(page, results); err != nil {
		t.Fatal(err)
	}
	dom := browse(t, "file://"+page, "--dump-dom")
	for _, r := range results {
		for _, want := range []string{r.Name, strconv.Itoa(r.Lost) + " of " + strconv.Itoa(r.Requests) + " requests lost"} {
			if !strings.Contains(dom, want) {
				t.Errorf("the page does not show %q", want)
			}
		}
		for _, d := range r.Diagnoses {
			if !strings.Contains(dom, d.Link) {
				t.Errorf("the page has no link to %s", d.Link)
			}
		}
	}
	slices := 0
	for _, r := range results {
		for _, s := range r.Timeline {
			for _, n := range []int{s.Answered, s.Lost, s.Failed, s.Refused} {
				if n > 0 {
					slices++
				}
			}
		}
	}
	if n := strings.Count(dom, "<rect "); n != slices {
		t.Errorf("the picture has %d bars, and the timelines %d counts", n, slices)
	}
	for _, no := range []string{"src=", "<script", "<link", "@import", "url("} {
		if strings.Contains(dom, no) {
			t.Errorf("the page has %q in it", no)
		}
	}
	if *screenshot != "" {
		path, err := filepath.Abs(filepath.Join("../..", *screenshot))
		if err != nil {
			t.Fatal(err)
		}
		browse(t, "file://"+page, "--window-size=1000,1500", "--screenshot="+path)
	}
}
