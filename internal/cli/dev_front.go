package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"syscall"

	"github.com/roomring/roomring/internal/child"
	"github.com/roomring/roomring/web/admin"
)

// front passes each player on to a node, as a load balancer would; see deploy/. It chooses the node that the request names, by
// ?node= or by the cookie that create and matchmake set, or else the next in turn. If that node does not answer, it tries
// another.
func (c *devCluster) front() http.Handler {
	return Balance(func(r *http.Request) []string {
		c.up.wait(r.Context())
		hint := r.URL.Query().Get("node")
		if cookie, err := r.Cookie("roomring_node"); hint == "" && err == nil {
			hint = cookie.Value
		}
		return urls(c.inTurn(hint), (*devNode).url)
	})
}

func urls(nodes []*devNode, of func(*devNode) string) []string {
	out := make([]string, len(nodes))
	for i, n := range nodes {
		out[i] = of(n)
	}
	return out
}

// inTurn returns the running nodes: the named one first, then the others in turn.
func (c *devCluster) inTurn(first string) []*devNode {
	c.mu.Lock()
	nodes := slices.Clone(c.nodes)
	c.next++
	turn := c.next % max(len(nodes), 1)
	c.mu.Unlock()
	nodes = slices.Concat(nodes[turn:], nodes[:turn])
	slices.SortStableFunc(nodes, func(a, b *devNode) int { return named(b, first) - named(a, first) })
	return slices.DeleteFunc(nodes, func(n *devNode) bool { return n.state() != devRunning })
}

func named(n *devNode, name string) int {
	if n.name == name {
		return 1
	}
	return 0
}

// Balance passes each request to the first of the chosen addresses that answers it.
func Balance(choose func(*http.Request) []string) http.Handler {
	return &httputil.ReverseProxy{
		Transport: failover(choose),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetXForwarded()
			r.Out.Host = r.In.Host
			r.Out.URL.Scheme, r.Out.URL.Host = "http", "node.invalid" // failover replaces it
		},
		FlushInterval: -1, // for event streams
		ErrorLog:      log.New(io.Discard, "", 0),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
				http.Error(w, fmt.Sprintf("the body is longer than %d bytes", large.Limit), http.StatusRequestEntityTooLarge)
				return
			}
			http.Error(w, "no node answers: "+err.Error(), http.StatusServiceUnavailable)
		},
	}
}

// failover is a transport that tries the next address if one is away or draining.
type failover func(*http.Request) []string

// repeatable reports whether a failed request may be sent to another node. A request that the first node may have carried out
// must not be.
func repeatable(r *http.Request, err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return r.Method == http.MethodGet || r.Method == http.MethodHead || ok && op.Op == "dial"
}

// maxDevBody bounds the body of a request, in bytes. The front keeps the body to send it again.
const maxDevBody = 1 << 20

func (choose failover) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(http.MaxBytesReader(nil, r.Body, maxDevBody)); err != nil {
			return nil, err
		}
	}
	err := errors.New("none is running")
	all := choose(r)
	for i, at := range all {
		to, bad := url.Parse(at)
		if bad != nil {
			return nil, bad
		}
		try := r.Clone(r.Context())
		try.URL.Host = to.Host
		if try.Body = http.NoBody; len(body) > 0 {
			try.Body = io.NopCloser(bytes.NewReader(body))
		}
		var res *http.Response
		if res, err = http.DefaultTransport.RoundTrip(try); err != nil {
			if !repeatable(r, err) {
				return nil, err
			}
			continue
		}
		if res.StatusCode == http.StatusServiceUnavailable && i < len(all)-1 {
			_ = res.Body.Close()
			continue
		}
		return res, nil
	}
	return nil, err
}

// admin serves the admin page of any node, and routes that control the nodes' processes.
func (c *devCluster) admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /admin/v1/dev", c.getNodes)
	mux.HandleFunc("POST /admin/v1/dev/add", c.postAdd)
	mux.HandleFunc("POST /admin/v1/dev/{node}/{act}", c.postAct)
	mux.HandleFunc("GET /admin/v1/dev/rules", c.getRules)
	mux.HandleFunc("POST /admin/v1/dev/rules", c.postRules)
	mux.HandleFunc("GET /admin/v1/dev/network", c.getNetwork)
	mux.HandleFunc("POST /admin/v1/dev/network", c.postNetwork)
	mux.Handle("/", Balance(func(r *http.Request) []string {
		c.up.wait(r.Context())
		return urls(c.inTurn(""), (*devNode).adminURL)
	}))
	guarded := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !admin.LocalHost(r.Host) { // a page whose host name points here (DNS rebinding) must reach nothing
			http.Error(w, "this server answers only to localhost and IP addresses", http.StatusMisdirectedRequest)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// devStatus describes one node's process to the admin page.
type devStatus struct {
	Node  string   `json:"node"`
	PID   int      `json:"pid"`
	State devState `json:"state"`
	URL   string   `json:"url"`
	Admin string   `json:"admin"`
}

func (c *devCluster) getNodes(w http.ResponseWriter, _ *http.Request) {
	list := []devStatus{}
	for _, n := range c.all() {
		list = append(list, n.status())
	}
	writeJSON(w, http.StatusOK, list)
}

func (n *devNode) status() devStatus {
	return devStatus{n.name, n.pid(), n.state(), n.url(), n.adminURL()}
}

func (c *devCluster) postAdd(w http.ResponseWriter, _ *http.Request) {
	n, err := c.add()
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	writeJSON(w, http.StatusCreated, n.status())
}

func (c *devCluster) postAct(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(c.all(), func(n *devNode) bool { return n.name == r.PathValue("node") })
	if i < 0 {
		http.Error(w, "there is no such node", http.StatusNotFound)
		return
	}
	n := c.all()[i]
	if err := c.act(n, r.PathValue("act")); err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	writeJSON(w, http.StatusOK, n.status())
}

func (c *devCluster) act(n *devNode, act string) error {
	switch act {
	case "kill":
		return n.signal(syscall.SIGKILL)
	case "pause":
		return n.signal(child.Pause)
	case "resume":
		return n.signal(child.Resume)
	case "drain":
		return n.terminate()
	case "start":
		c.mu.Lock()
		join, ended := c.gossip(), c.ended
		c.mu.Unlock()
		if ended {
			return errors.New("the cluster is stopping")
		}
		return n.start(join)
	}
	return fmt.Errorf("%q is not an action on a node: give kill, pause, resume, drain or start", act)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the page may have been closed
}
