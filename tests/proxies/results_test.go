package proxies

import (
	"flag"
	"fmt"
	"net/http"
	"strings"

	"github.com/fastdrain/fastdrain/internal/lab"
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

// writeResults writes the table in Markdown.
func writeResults(path string, rows []row) error {
	var b strings.Builder
	b.WriteString("| proxy | to the service | retries | method | upstream: rolling restarts | requests | not 200 | patched: rolling restarts | requests | not 200 |\n" +
		"| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, r := range rows {
		up, our := r.outcomes[lab.Upstream], r.outcomes[lab.Patched]
		if up == nil || our == nil {
			return fmt.Errorf("%s was not run in full: leave out -run for -results", r)
		}
		words := strings.Split(r.String(), "/")
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			u, o := up.methods[method], our.methods[method]
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %d | %d | %d | %d | %d | %d |\n",
				words[0], words[1], strings.TrimPrefix(words[2], "retries-"), method, up.restarts, u.requests, u.notOK(), our.restarts, o.requests, o.notOK())
		}
	}
	return tree.WriteFile(path, []byte(b.String()), 0o644)
}
