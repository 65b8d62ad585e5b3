//go:build linux

package window

import (
	"context"
	"errors"
	"net"
	"net/http"
	"syscall"

	"github.com/fastdrain/fastdrain/internal/lab"
)

// transports are Go's http.Transports, each a pool of connections.
func transports(env *environment, l load) lab.Load {
	return lab.Load{Name: l.name, Work: func(ctx context.Context, site lab.Site) (lab.Counts, error) {
		g := &group{site: site}
		var clients [pools]http.Client
		for i := range clients {
			transport := &http.Transport{
				MaxIdleConnsPerHost: poolSize,
				DialContext: func(_ context.Context, network, addr string) (net.Conn, error) {
					conn, err := env.link.Client.Dial(&net.Dialer{Timeout: patience}, network, addr)
					if err == nil {
						g.connected()
					}
					return conn, err
				},
			}
			defer transport.CloseIdleConnections()
			clients[i] = http.Client{Transport: transport, Timeout: patience}
		}
		return g.work(ctx, pools*poolSize, func(client int, name string) error {
			_, err := post(&clients[client%pools], site.Addr, name)
			switch {
			case errors.Is(err, syscall.ECONNREFUSED):
				return errRefused
			case err != nil:
				return innermost(err)
			}
			return nil
		})
	}}
}
