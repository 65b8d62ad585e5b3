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

// transport is Go's http.Transport, which is a pool of connections that reuses the
// last used one first.
func transport(env *environment, l load) lab.Load {
	return lab.Load{Name: l.name, Work: func(ctx context.Context, site lab.Site) (lab.Counts, error) {
		g := &group{site: site}
		pool := &http.Transport{
			MaxIdleConnsPerHost: poolSize,
			DialContext: func(_ context.Context, network, addr string) (net.Conn, error) {
				conn, err := env.link.Client.Dial(&net.Dialer{Timeout: patience}, network, addr)
				if err == nil {
					g.connected()
				}
				return conn, err
			},
		}
		defer pool.CloseIdleConnections()
		client := &http.Client{Transport: pool, Timeout: patience}
		return g.work(ctx, poolSize, func(name string) error {
			_, err := post(client, site.Addr, name)
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
