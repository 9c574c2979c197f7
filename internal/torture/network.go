package torture

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/internal/child"
)

// network is the way to the nodes: on this machine's loopback, in namespaces of its own, or to somebody else's.
type network struct {
	o     *Options
	wires *wires // nil: there are no namespaces
	token string // of the admin API
	way   *http.Transport
}

func newNetwork(o *Options, w *wires) *network {
	n := &network{o: o, wires: w, token: o.AdminToken}
	n.way = http.DefaultTransport.(*http.Transport).Clone()
	n.way.ResponseHeaderTimeout = 3 * time.Second // a frozen node accepts connections and does not answer
	n.way.IdleConnTimeout = 2 * time.Second
	n.way.MaxIdleConnsPerHost = 8
	if w != nil {
		n.way.DialContext = w.dial
	}
	return n
}

// place gives a node its addresses.
func (n *network) place(s *server) (err error) {
	if n.wires != nil {
		return n.wires.place(s)
	}
	for _, addr := range []*string{&s.listen, &s.admin, &s.peer, &s.gossip} {
		if *addr, err = child.FreePort("127.0.0.1"); err != nil {
			return err
		}
	}
	return nil
}

// listens returns the flags of the addresses at which a node listens for players and its operator.
func (n *network) listens(s *server) []string {
	if n.wires != nil {
		return []string{"--listen", "127.0.0.1:7777", "--admin-listen", "127.0.0.1:7778"}
	}
	return []string{"--listen", s.listen, "--admin-listen", s.admin}
}

// enter returns what puts a thread into a host's network; nil for this process's own.
func (n *network) enter(host int) func() error {
	if n.wires == nil || host == 0 {
		return nil
	}
	return func() error { return n.wires.enter(host) }
}

// base returns the address of a node for a path.
func (s *server) base(path string) string {
	at := s.listen
	if strings.HasPrefix(path, "/admin/") {
		at = s.admin
	}
	if strings.Contains(at, "://") {
		return at
	}
	return "http://" + at
}

// request is one question to a node's API. A path under /admin/ goes to its admin API.
type request struct {
	method, path string
	body         any // as JSON; nil: none
	into         any // gets the JSON of an answer of 2xx, or its bytes if it is a *[]byte
	token        string
}

// ask asks one node.
func (n *network) ask(ctx context.Context, s *server, r request) (code int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var body io.Reader
	if r.body != nil {
		raw, err := json.Marshal(r.body)
		if err != nil {
			return 0, err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, s.base(r.path)+r.path, body)
	if err != nil {
		return 0, err
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	} else if n.token != "" && strings.HasPrefix(r.path, "/admin/") {
		req.Header.Set("Authorization", "Bearer "+n.token)
	}
	res, err := n.way.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<30))
	if err != nil || r.into == nil || res.StatusCode/100 != 2 {
		return res.StatusCode, err
	}
	if b, ok := r.into.(*[]byte); ok {
		*b = raw
		return res.StatusCode, nil
	}
	return res.StatusCode, json.Unmarshal(raw, r.into)
}

// askAny asks the nodes in a random order until one gives an answer that is not 5xx.
func (c *cluster) askAny(ctx context.Context, r request) (code int, err error) {
	all := c.all()
	for _, i := range rand.Perm(len(all)) {
		if code, err = c.net.ask(ctx, all[i], r); err == nil && code < http.StatusInternalServerError {
			return code, nil
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
	}
	return code, err
}

// errAway says that no node has taken a socket.
var errAway = errors.New("no node takes sockets")

// edge carries the sockets of one client to a random node, and to another one if that node is away or is stopping.
type edge struct {
	c  *cluster
	at atomic.Pointer[server] // of the newest socket
}

// RoundTrip implements http.RoundTripper. Requests with a body do not come this way.
func (e *edge) RoundTrip(r *http.Request) (*http.Response, error) {
	err := errAway
	all := e.c.all()
	for _, i := range rand.Perm(len(all)) {
		s := all[i]
		base, bad := url.Parse(s.base("/"))
		if bad != nil {
			return nil, bad
		}
		try := r.Clone(r.Context())
		try.URL.Scheme, try.URL.Host, try.Host = base.Scheme, base.Host, base.Host
		res, failed := e.c.net.way.RoundTrip(try)
		switch {
		case failed != nil:
			err = failed
		case res.StatusCode == http.StatusServiceUnavailable || res.StatusCode == http.StatusBadGateway:
			_ = res.Body.Close()
			err = fmt.Errorf("%s answers %s", s.name, res.Status)
		default:
			e.at.Store(s)
			return res, nil
		}
		if r.Context().Err() != nil {
			break
		}
	}
	return nil, err
}

// socketURL is the address of a room's socket, of which edge changes the host.
func socketURL(id string) string { return "ws://any.invalid/v1/rooms/" + id + "/ws" }
