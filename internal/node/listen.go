package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/roomring/roomring/web/httpd"
)

// saveTimeout bounds the time to save rooms and journal after a signal. Saving takes milliseconds unless a game or the disk
// is stuck.
const saveTimeout = 5 * time.Second

// stopTimeout is how long running requests may go on after a signal. The node promises to be gone within a second.
const stopTimeout = 500 * time.Millisecond

// listeners are the node's open listeners. They are bound before anything else starts. So a process reports a taken
// port at once, and the first log line can name the ports.
type listeners struct {
	public, admin net.Listener // nil if the program around the node listens itself
	peer          net.Listener // nil outside a cluster
	gossip        string       // an address that is not bound yet; "" outside a cluster
}

// listen binds all addresses except that of gossip. For gossip with port 0 it finds a free port. The error names the flag
// at fault.
func listen(ctx context.Context, opts Options) (_ *listeners, err error) {
	e, cfg := &listeners{}, opts.Config
	defer func() {
		if err != nil {
			e.Close()
		}
	}()
	if !opts.NoListener {
		if e.public, err = bindWith(ctx, net.ListenConfig{KeepAlive: -1}, "listen", cfg.Listen); err != nil { // httpd.Connections enables keep-alive on those that it lets in
			return nil, err
		}
	}
	if !opts.NoAdminListener {
		if e.admin, err = Bind(ctx, "admin-listen", cfg.AdminListen); err != nil {
			return nil, err
		}
	}
	if !cfg.Clustered() {
		return e, nil
	}
	if e.peer, err = Bind(ctx, "peer-listen", cfg.PeerListen); err != nil {
		return nil, err
	}
	e.gossip, err = freeGossip(ctx, cfg.GossipListen)
	return e, err
}

// freeGossip replaces port 0 with a port that is free for TCP and UDP. Gossip binds both itself.
func freeGossip(ctx context.Context, addr string) (string, error) {
	if _, port, _ := net.SplitHostPort(addr); port != "0" { // Validate has parsed it
		return addr, nil
	}
	for try := 0; ; try++ {
		if both, err := FreeForBoth(ctx, "gossip-listen", addr); err == nil || try == 20 {
			return both, err
		}
	}
}

// FreeForBoth returns addr if its port is free for TCP and UDP. It replaces port 0 with a free port.
func FreeForBoth(ctx context.Context, flag, addr string) (string, error) {
	l, err := Bind(ctx, flag, addr)
	if err != nil {
		return "", err
	}
	defer l.Close()
	host, _, _ := net.SplitHostPort(addr)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	both := net.JoinHostPort(host, port)
	udp, err := new(net.ListenConfig).ListenPacket(ctx, "udp", both)
	if err != nil {
		return "", fmt.Errorf("--%s %s: the port is free for TCP but not for UDP: %w", flag, both, err)
	}
	return both, udp.Close()
}

// Bind opens a TCP listener. The error names the flag at fault and says what to do.
func Bind(ctx context.Context, flag, addr string) (net.Listener, error) {
	return bindWith(ctx, net.ListenConfig{}, flag, addr)
}

func bindWith(ctx context.Context, how net.ListenConfig, flag, addr string) (net.Listener, error) {
	l, err := how.Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("--%s %s: another process has this port; stop it, or choose another (port 0 picks a free one)", flag, addr)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("--%s %s: this user may not use this port; choose one above 1023", flag, addr)
	case err != nil:
		return nil, fmt.Errorf("--%s %s: %w", flag, addr, err)
	}
	return l, nil
}

// Close releases the listeners; closing again does nothing.
func (e *listeners) Close() {
	for _, l := range []net.Listener{e.public, e.admin, e.peer} {
		if l != nil {
			_ = l.Close()
		}
	}
}

// serve answers on the listeners until ctx ends, then gives running requests stopTimeout to finish. It leaves hijacked
// connections alone: whoever took them closes them. An error means that a listener failed before ctx ended.
func (e *listeners) serve(ctx context.Context, n *Node) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	wg.Go(func() { <-ctx.Done() }) // without listeners it waits as well
	web := n.web.Load()
	for l, handler := range map[net.Listener]http.Handler{e.public: web.Players, e.admin: web.Admin} {
		if l == nil {
			continue
		}
		server := httpd.NewServer(handler, n.cfg.RequestTimeout, n.log)
		serve := server.Serve
		switch {
		case l == e.public:
			web.Connections.Attend(server)
			l = web.Connections.Listen(l)
		case n.adminCert != nil:
			server.TLSConfig = n.adminTLS()
			serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
		}
		wg.Go(func() {
			if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
				cancel(err)
			}
		})
		wg.Go(func() { stop(ctx, server) })
	}
	wg.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// stop waits for ctx to end and then shuts server down. After stopTimeout it closes the remaining connections.
func stop(ctx context.Context, server *http.Server) {
	<-ctx.Done()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if server.Shutdown(grace) != nil {
		_ = server.Close()
	}
}

// Dialable returns an address at which a program on this machine can connect to a listener at addr.
func Dialable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
