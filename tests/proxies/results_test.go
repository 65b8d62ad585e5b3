//go:build linux

package proxies

import (
	"flag"
	"fmt"
	"net/http"
	"strings"

	"github.com/fastdrain/fastdrain/internal/tree"
)

var (
	restartsFlag = flag.Int("restarts", 2, "restart both instances `N` times in turn")
	resultsFlag  = flag.String("results", "", "write the table of the rolling restarts to `FILE`")
)

// row is a line of the table: both variants behind one proxy in one setup.
type row struct {
	proxy        string
	tls, retries bool
	outcomes     map[string]*outcome // by variant
}

func (r row) String() string {
	backend, retries := "plain", "off"
	if r.tls {
		backend = "tls"
	}
	if r.retries {
		retries = "documented"
	}
	return fmt.Sprintf("%s/%s/retries-%s", r.proxy, backend, retries)
}

// writeResults writes the table in Markdown: of how many requests were not
// answered with 200.
func writeResults(path string, rows []row) error {
	var b strings.Builder
	b.WriteString("| proxy | to the service | retries | rolling restarts | upstream: GET | POST | patched: GET | POST |\n" +
		"| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |\n")
	for _, r := range rows {
		words := strings.Split(strings.Replace(r.String(), "retries-", "", 1), "/")
		fmt.Fprintf(&b, "| %s | %d ", strings.Join(words, " | "), *restartsFlag)
		for _, v := range variants {
			o := r.outcomes[v]
			if o == nil {
				return fmt.Errorf("%s was not run in full: leave out -run for -results", r)
			}
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				fmt.Fprintf(&b, "| %d of %d ", o.methods[method].notOK(), o.methods[method].requests)
			}
		}
		b.WriteString("|\n")
	}
	return tree.WriteFile(path, []byte(b.String()), 0o644)
}
