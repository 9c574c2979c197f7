package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/roomring/roomring/internal/slownet"
)

// devClientCookie tells browsers apart at the front of roomring dev, so that each can have a network of its own.
const devClientCookie = "roomring_dev_client"

// maxSlowClients bounds the browsers that are remembered. The one that was heard of least lately is forgotten.
const maxSlowClients = 64

// slowClients are the networks of players at the front.
type slowClients struct {
	listener *slownet.Listener

	mu      sync.Mutex
	clients map[string]*slowClient
}

type slowClient struct {
	agent string // for people
	seen  time.Time
	own   *slownet.Network // nil: that of all
}

func newSlowClients(l *slownet.Listener) *slowClients {
	return &slowClients{listener: l, clients: map[string]*slowClient{}}
}

type connKey struct{}

// withConn lets a request's handler know its connection.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// note gives each browser a cookie, and each connection the network of the browser that uses it.
func (s *slowClients) note(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := ""
		if cookie, err := r.Cookie(devClientCookie); err == nil && len(cookie.Value) <= 32 {
			id = cookie.Value
		} else if strings.Contains(r.Header.Get("Accept"), "text/html") {
			id = rand.Text()
			http.SetCookie(w, &http.Cookie{Name: devClientCookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
		}
		if id != "" {
			s.saw(id, r.UserAgent())
			if c, ok := r.Context().Value(connKey{}).(*slownet.Conn); ok {
				c.Own(func() (slownet.Network, bool) { return s.own(id) })
			}
		}
		next.ServeHTTP(w, r)
	})
}

func (s *slowClients) saw(id, agent string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clients[id]
	if c == nil {
		c = &slowClient{}
		s.clients[id] = c
	}
	c.agent, c.seen = browser(agent), time.Now()
	if len(s.clients) > maxSlowClients {
		oldest := id
		for other, o := range s.clients {
			if o.seen.Before(s.clients[oldest].seen) {
				oldest = other
			}
		}
		delete(s.clients, oldest)
	}
}

// browser is the name of a browser in its User-Agent.
func browser(agent string) string {
	for _, name := range []string{"Firefox", "Edg", "Chrome", "Safari", "curl"} {
		if strings.Contains(agent, name) {
			return map[string]string{"Edg": "Edge"}[name] + strings.TrimPrefix(name, "Edg")
		}
	}
	return "another program"
}

func (s *slowClients) own(id string) (slownet.Network, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.clients[id]; c != nil && c.own != nil {
		return *c.own, true
	}
	return slownet.Network{}, false
}

// slowStatus describes the networks of players to the admin page.
type slowStatus struct {
	All     string             `json:"all"`
	Clients []slowClientStatus `json:"clients"` // who was heard of last comes first
}

type slowClientStatus struct {
	Client  string    `json:"client"`
	Browser string    `json:"browser"`
	Seen    time.Time `json:"seen"` // when it was heard of last
	Network string    `json:"network"`
	Own     bool      `json:"own"` // not that of all
}

func (s *slowClients) status() slowStatus {
	all := s.listener.Usual().String()
	out := slowStatus{All: all, Clients: []slowClientStatus{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, c := range s.clients {
		line := slowClientStatus{Client: id, Browser: c.agent, Seen: c.seen, Network: all}
		if c.own != nil {
			line.Network, line.Own = c.own.String(), true
		}
		out.Clients = append(out.Clients, line)
	}
	slices.SortFunc(out.Clients, func(a, b slowClientStatus) int { return b.Seen.Compare(a.Seen) })
	return out
}

// slowRequest sets the network of all, or of one client. Usual takes a client's own away.
type slowRequest struct {
	Client string `json:"client"`
	Usual  bool   `json:"usual"`
	Lag    string `json:"lag"`
	Loss   string `json:"loss"`
	Slow   string `json:"slow"`
}

func (s *slowClients) set(in slowRequest) error {
	n, err := slownet.Parse(in.Lag, in.Loss, in.Slow)
	if err != nil {
		return err
	}
	if in.Client == "" {
		s.listener.Set(n)
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clients[in.Client]
	if c == nil {
		return fmt.Errorf("there is no client %q any more", in.Client)
	}
	if c.own = &n; in.Usual {
		c.own = nil
	}
	return nil
}

func (c *devCluster) getNetwork(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, c.slow.status())
}

func (c *devCluster) postNetwork(w http.ResponseWriter, r *http.Request) {
	var in slowRequest
	err := json.NewDecoder(io.LimitReader(r.Body, 1<<10)).Decode(&in)
	if err == nil {
		err = c.slow.set(in)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeJSON(w, http.StatusOK, c.slow.status())
}
