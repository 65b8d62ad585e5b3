//go:build linux

package window

import (
	"context"
	"net"
	"net/http"

	"github.com/fastdrain/fastdrain/internal/lab"
	"github.com/fastdrain/fastdrain/tests/internal/proxy"
)

// behind returns the load of clients of a proxy, which is in the clients'
// namespace. Their own connections to it are for nobody to lose.
func behind(program, reuse string) func(*environment, load) lab.Load {
	return func(env *environment, l load) lab.Load {
		return lab.Load{Name: l.name, Work: func(ctx context.Context, site lab.Site) (lab.Counts, error) {
			p, err := proxy.Start(ctx, proxy.Setup{
				Program: program, Servers: []string{site.Addr},
				Workers: 1, Keepalive: kept, Reuse: reuse,
				Start: env.link.Client.Start, Say: env.say,
			})
			if err != nil {
				return lab.Counts{}, err
			}
			defer p.Stop()
			transport := &http.Transport{
				MaxIdleConnsPerHost: behindProxy,
				DialContext: func(context.Context, string, string) (net.Conn, error) {
					return net.Dial("unix", p.Socket)
				},
			}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport, Timeout: patience}
			g := &group{site: site}
			return g.work(ctx, behindProxy, func(name string) error {
				resp, err := post(client, "service", name)
				switch {
				case err == nil:
					return nil
				case resp != nil && (resp.StatusCode == http.StatusServiceUnavailable || resp.Header.Get(proxy.ConnectTime) == "-"):
					return errRefused
				}
				return innermost(err)
			})
		}}
	}
}
