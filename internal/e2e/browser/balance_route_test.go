//go:build !race

package browser_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/wire"
)

// trio is a cluster of three nodes, n1 to n3, that trust a balancer on 127.0.0.1.
func trio(t *testing.T, args ...string) *e2e.Team {
	t.Helper()
	return e2e.NewTeam(t, 3, append([]string{"--trusted-proxies", "127.0.0.1"}, args...)...).Start()
}

// before starts a balancer in front of the cluster.
func before(t *testing.T, name string, c *e2e.Team) *e2e.Balancer {
	t.Helper()
	var at []string
	for _, n := range c.Nodes {
		at = append(at, n.Listen)
	}
	return newBalancer(t, name, at...)
}

// taken returns how many sockets a node has opened so far.
func taken(s *e2e.Server) int {
	s.T.Helper()
	n, err := tryTaken(s)
	if err != nil {
		s.T.Fatal(err)
	}
	return n
}

func tryTaken(s *e2e.Server) (int, error) {
	var text []byte
	if code, err := s.TryCallAt(s.AdminAt, "GET", "/metrics", "", nil, &text); err != nil || code != http.StatusOK {
		return 0, fmt.Errorf("GET /metrics: %d %w", code, err)
	}
	found := socketsOpened.FindSubmatch(text)
	if found == nil {
		return 0, errors.New("GET /metrics: no sockets are counted")
	}
	return strconv.Atoi(string(found[1]))
}

var socketsOpened = regexp.MustCompile(`(?m)^roomring_sockets_opened_total (\d+)$`)

// landed returns how many sockets each running node gets while f opens this many of them.
func landed(t *testing.T, nodes []*e2e.Server, opened int, f func()) map[string]int {
	t.Helper()
	start := map[*e2e.Server]int{}
	for _, n := range nodes {
		if n.IsRunning() {
			start[n] = taken(n)
		}
	}
	f()
	var got map[string]int
	testwait.Until(t, fmt.Sprintf("the nodes count %d sockets more", opened), func() bool { // a node counts a socket after it answers
		got = map[string]int{}
		total := 0
		for n, before := range start {
			got[n.Node] = taken(n) - before
			total += got[n.Node]
		}
		return total == opened
	})
	return got
}

// owner returns the node that a room's address names.
func owner(info e2e.RoomInfo) string {
	u, err := url.Parse(info.URL)
	if err != nil {
		return ""
	}
	return u.Query().Get("node")
}

// hinted returns a room's address with another hint, or with none.
func hinted(info e2e.RoomInfo, node string) string {
	address, _, _ := strings.Cut(info.URL, "?")
	if node != "" {
		address += "?node=" + node
	}
	return address
}

// TestBalancers checks that players reach their rooms' nodes where possible, whatever they ask for.
func TestBalancers(t *testing.T) {
	for _, name := range balancers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := trio(t)
			b := before(t, name, c)
			rooms := make([]e2e.RoomInfo, 30)
			for i := range rooms {
				rooms[i] = front(b).Create("chess", nil)
			}
			for _, test := range []struct {
				name string
				run  func(*testing.T, *e2e.Balancer, *e2e.Team, []e2e.RoomInfo)
			}{
				{"hint", leadsByHint}, {"cookie", leadsByCookie}, {"hash", meetsByHash}, {"wrong", survivesWrongHints},
				{"tls", speaksTLS}, {"dead", passesTheDead}, {"drain", sparesTheDraining}, {"play", playsAnyway},
			} {
				t.Run(test.name, func(t *testing.T) { test.run(t, in(b, t), c, rooms) })
			}
		})
	}
}

// in returns the same balancer, which reports to another test.
func in(b *e2e.Balancer, t *testing.T) *e2e.Balancer {
	c := *b
	c.T = t
	return &c
}

// leadsByHint counts the sockets that reach their room's own node by ?node= alone.
func leadsByHint(t *testing.T, b *e2e.Balancer, c *e2e.Team, rooms []e2e.RoomInfo) {
	const sockets = 5
	own, direct := map[string]int{}, 0
	got := landed(t, c.Nodes, len(rooms)*sockets, func() {
		e2e.ForEach(len(rooms)*sockets, 16, func(i int) {
			info := rooms[i%len(rooms)]
			s, err := b.Open(clientAt(b, "127.0.0.1"), info.URL, nil)
			if err == nil {
				err = s.TryHello(e2e.SpectatorHello(fmt.Sprint("w", i)))
			}
			if err != nil {
				t.Errorf("watching %s: %v", info.URL, err)
			}
		})
	})
	for _, info := range rooms {
		own[owner(info)] += sockets
	}
	for node, n := range got {
		direct += min(n, own[node])
	}
	t.Logf("%d sockets of %d landed on their room's node: %v", direct, len(rooms)*sockets, got)
	if len(own) != len(c.Nodes) {
		t.Errorf("rooms were made at %d nodes only", len(own))
	}
	if 100*direct < 99*len(rooms)*sockets {
		t.Errorf("of %d sockets with a hint %d landed on their room's node: %v, not %v", len(rooms)*sockets, direct, got, own)
	}
}

// jarred keeps cookies as a browser does. It works below the transport that compares requests with the API's description.
type jarred struct {
	http.CookieJar
	next http.RoundTripper
}

func (j jarred) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for _, c := range j.Cookies(r.URL) {
		r.AddCookie(c)
	}
	res, err := j.next.RoundTrip(r)
	if err == nil {
		j.SetCookies(r.URL, res.Cookies())
	}
	return res, err
}

// leadsByCookie follows the cookie that the creation of a room sets, without a hint.
func leadsByCookie(t *testing.T, b *e2e.Balancer, c *e2e.Team, _ []e2e.RoomInfo) {
	for range 10 {
		jar, _ := cookiejar.New(nil) // it never fails
		front := front(b)
		front.Transport = jarred{jar, front.Transport}
		info := front.Create("chess", nil)
		site, _ := url.Parse(b.URL)
		if set := jar.Cookies(site); len(set) != 1 || set[0].Value != owner(info) {
			t.Fatalf("create through %s sets the cookies %v", b.Name, set)
		}
		got := landed(t, c.Nodes, 1, func() {
			if _, err := b.Open(&http.Client{Transport: front.Transport}, hinted(info, ""), nil); err != nil {
				t.Fatal(err)
			}
		})
		if got[owner(info)] != 1 {
			t.Errorf("by cookie alone a socket for a room at %s landed: %v", owner(info), got)
		}
	}
}

// meetsByHash connects without hint or cookie. All sockets of a room reach one node, and different rooms reach different nodes.
func meetsByHash(t *testing.T, b *e2e.Balancer, c *e2e.Team, rooms []e2e.RoomInfo) {
	used := map[string]bool{}
	for _, info := range rooms[:10] {
		got := landed(t, c.Nodes, 3, func() {
			for range 3 {
				if _, err := b.Open(clientAt(b, "127.0.0.1"), hinted(info, ""), nil); err != nil {
					t.Fatal(err)
				}
			}
		})
		for node, n := range got {
			if n != 0 && n != 3 {
				t.Errorf("sockets for one room landed on several nodes: %v", got)
			}
			used[node] = used[node] || n > 0
		}
	}
	if len(used) < 2 {
		t.Errorf("sockets without a hint use only %v", used)
	}
}

// survivesWrongHints sends hints that name no node, in the address and in the cookie. Every socket opens, and nothing connects to what
// the hints say.
func survivesWrongHints(t *testing.T, b *e2e.Balancer, c *e2e.Team, rooms []e2e.RoomInfo) {
	trap, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	var caught atomic.Int32
	go func() {
		for c, err := trap.Accept(); err == nil; c, err = trap.Accept() {
			caught.Add(1)
			_ = c.Close()
		}
	}()
	wrong := []string{
		"nowhere", "N1X", "n1n2", "n1;n2", "nodes", "roomring", "-", "0", "1", "n1%00", "n1%0d%0aX-Evil:%201", "../n1", "nodes/n1",
		"evil.example:80", trap.Addr().String(), "http://" + trap.Addr().String() + "/", "@" + trap.Addr().String(), "unix:/run/x",
		"%[src]", "$host", "${host}", strings.Repeat("n1", 2000),
	}
	kinds := []string{"hint", "cookie", "both"}
	landed(t, c.Nodes, len(wrong)*len(kinds), func() {
		for i, word := range wrong {
			for _, kind := range kinds {
				address, header := hinted(rooms[i], ""), http.Header{}
				if kind != "cookie" {
					address = hinted(rooms[i], word)
				}
				if kind != "hint" {
					header.Set("Cookie", "roomring_node="+word)
				}
				if _, err := b.Open(clientAt(b, "127.0.0.1"), address, header); err != nil {
					t.Fatalf("%s %.60q: %v", kind, word, err)
				}
			}
		}
	})
	if n := caught.Load(); n > 0 {
		t.Errorf("%s connected %d times to where a hint pointed", b.Name, n)
	}
}

// speaksTLS checks the addresses that players are told.
func speaksTLS(t *testing.T, b *e2e.Balancer, _ *e2e.Team, rooms []e2e.RoomInfo) {
	want := strings.Replace(b.URL, "https", "wss", 1) + "/v1/rooms/"
	if !strings.HasPrefix(rooms[0].URL, want) {
		t.Errorf("the room's address is %s, not under %s", rooms[0].URL, want)
	}
	c := clientAt(b, "127.0.0.1")
	req, err := http.NewRequest("POST", b.URL+"/v1/rooms", strings.NewReader(`{"game":"chess"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Forwarded-Proto", "http") // a client's claim
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusCreated || !strings.Contains(string(body), want) {
		t.Errorf("create with X-Forwarded-Proto of the client's own: %d %s %v", res.StatusCode, body, err)
	}
	if cookies := res.Cookies(); len(cookies) != 1 || !cookies[0].Secure || !cookies[0].HttpOnly || cookies[0].Name != "roomring_node" {
		t.Errorf("create sets the cookies %v", cookies)
	}
	if res.Header.Get("Strict-Transport-Security") == "" {
		t.Error("nothing tells browsers to stay with TLS")
	}

	redirect, err := c.Get(b.Plain + "/play/x?watch")
	if err != nil {
		t.Fatal(err)
	}
	defer redirect.Body.Close()
	if to := redirect.Header.Get("Location"); redirect.StatusCode != http.StatusPermanentRedirect || !strings.HasPrefix(to, "https://") || !strings.HasSuffix(to, "/play/x?watch") {
		t.Errorf("without TLS: %d to %q", redirect.StatusCode, to)
	}
}

// passesTheDead kills a node. Sockets that ask for it reach another node at once, and reach it again when it is back.
func passesTheDead(t *testing.T, b *e2e.Balancer, c *e2e.Team, rooms []e2e.RoomInfo) {
	dead := c.Nodes[2]
	dead.Kill()
	way := clientAt(b, "127.0.0.1")
	landed(t, c.Nodes, len(rooms), func() {
		for i, info := range rooms {
			header := http.Header{}
			if i%2 == 0 {
				header.Set("Cookie", "roomring_node="+dead.Node)
			}
			if _, err := b.Open(way, hinted(info, []string{"", dead.Node}[i%2]), header); err != nil {
				t.Fatalf("sent to a node that is dead: %v", err)
			}
		}
	})
	if res, err := way.Get(b.URL + "/v1/games"); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("asking for the games with a node dead: %v %v", res, err)
	} else {
		res.Body.Close()
	}
	dead.Start()
	c.WaitWhole(3)
	testwait.Until(t, b.Name+" uses a node that is back", func() bool {
		got := landed(t, c.Nodes, 1, func() {
			if _, err := b.Open(way, hinted(rooms[0], dead.Node), nil); err != nil {
				t.Fatal(err)
			}
		})
		return got[dead.Node] == 1
	})
}

// drained is a node that answers new sockets with 503.
type drained struct {
	*httptest.Server
	asked   atomic.Int32 // how often it was asked for a socket
	noticed atomic.Bool  // /readyz says so too
}

func newDrained(t *testing.T) *drained {
	d := &drained{}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch ws := strings.HasSuffix(r.URL.Path, "/ws"); {
		case ws || d.noticed.Load():
			if ws {
				d.asked.Add(1)
			}
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path != "/readyz":
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(d.Close)
	return d
}

func (d *drained) addr() string { return d.Listener.Addr().String() }

// TestBalancersPassDrainingNodes has one of three nodes answer sockets with 503, first while its /readyz still says that it is ready. No
// client is turned away.
func TestBalancersPassDrainingNodes(t *testing.T) {
	for _, name := range balancers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nodes := trio(t).Nodes[:2]
			d := newDrained(t)
			b := newBalancer(t, name, nodes[0].Listen, nodes[1].Listen, d.addr())
			var rooms []e2e.RoomInfo
			for range 40 {
				rooms = append(rooms, nodes[len(rooms)%2].Create("chess", nil))
			}
			way := clientAt(b, "127.0.0.1")
			through := func() {
				landed(t, nodes, len(rooms), func() {
					for i, info := range rooms {
						info.URL = strings.Replace(b.URL, "http", "ws", 1) + "/v1/rooms/" + info.ID + "/ws"
						if _, err := b.Open(way, hinted(info, []string{"n3", ""}[i%2]), nil); err != nil {
							t.Fatalf("with a node draining: %v", err)
						}
					}
				})
			}
			through()
			if d.asked.Load() == 0 {
				t.Error("the draining node was never asked")
			}
			if name != "haproxy" {
				return // Debian's nginx checks no node on its own
			}
			d.noticed.Store(true)
			testwait.Until(t, "the draining node gets no more sockets", func() bool {
				asked := d.asked.Load()
				through()
				return d.asked.Load() == asked
			})
		})
	}
}

// TestBalancersTellTheClient limits sockets by the client's own address, not by the balancer's and not by one that the client claims.
func TestBalancersTellTheClient(t *testing.T) {
	for _, name := range balancers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := before(t, name, trio(t, "--max-sockets-per-address", "2"))
			info := front(b).Create("chess", nil)
			join := func(from string, forged ...string) error {
				s, err := b.Open(clientAt(b, from), info.URL, http.Header{"X-Forwarded-For": forged})
				if err == nil {
					err = s.TryHello(e2e.SpectatorHello(from))
				}
				return err
			}
			for range 2 {
				if err := join("127.0.0.2"); err != nil {
					t.Fatal(err)
				}
			}
			for _, forged := range [][]string{nil, {"127.0.0.9"}, {"127.0.0.9, 127.0.0.1"}, {"127.0.0.8", "127.0.0.1"}, {"x"}, {""}} {
				if err := join("127.0.0.2", forged...); websocket.CloseStatus(err) != websocket.StatusCode(wire.CloseTooMany) {
					t.Errorf("a third socket with X-Forwarded-For %q: %v", forged, err)
				}
			}
			forged, err := b.Open(clientAt(b, "127.0.0.2"), info.URL, http.Header{"Forwarded": {"for=127.0.0.9"}})
			if err == nil {
				err = forged.TryHello(e2e.SpectatorHello("forged"))
			}
			if websocket.CloseStatus(err) != websocket.StatusCode(wire.CloseTooMany) {
				t.Errorf("a third socket with Forwarded: %v", err)
			}
			if err := join("127.0.0.3"); err != nil {
				t.Errorf("another address: %v", err)
			}
		})
	}
}

// TestUntrustedForwarded sends the headers of a balancer to a node that trusts no balancer.
func TestUntrustedForwarded(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, "--max-sockets-per-address", "1").Start()
	info := s.Create("chess", nil)
	b := &e2e.Balancer{T: t, URL: s.URL}
	first, err := b.Open(http.DefaultClient, info.URL, http.Header{"X-Forwarded-For": {"198.51.100.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Ws.CloseNow() // the garbage collector closes unreferenced sockets
	if err := first.TryHello(e2e.SpectatorHello("first")); err != nil {
		t.Fatal(err) // a socket is counted after its upgrade is answered
	}
	second, err := b.Open(http.DefaultClient, info.URL, http.Header{"X-Forwarded-For": {"198.51.100.2"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.TryHello(e2e.SpectatorHello("second")); websocket.CloseStatus(err) != websocket.StatusCode(wire.CloseTooMany) {
		t.Errorf("a second socket with another X-Forwarded-For: %v", err)
	}
	if u, cookie := toldBy(s, map[string]string{"X-Forwarded-Proto": "https"}); !strings.HasPrefix(u, "ws://") || cookie.Secure {
		t.Errorf("a client's X-Forwarded-Proto is believed: %s, %v", u, cookie)
	}
}

// TestPublicURL checks that the server gives out the address that the operator names, whatever host was asked for.
func TestPublicURL(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, "--public-url", "https://play.example.com", "--node", "n1").Start()
	u, cookie := toldBy(s, map[string]string{"X-Forwarded-Proto": "http"})
	if !strings.HasPrefix(u, "wss://play.example.com/v1/rooms/") || !strings.HasSuffix(u, "/ws?node=n1") || !cookie.Secure {
		t.Errorf("the room's address is %s, its cookie %v", u, cookie)
	}
	// The balancer does not forward the Host. Pages still come from the public address.
	b := &e2e.Balancer{T: t, URL: s.URL}
	address := strings.Replace(strings.Replace(u, "wss", "ws", 1), "play.example.com", s.Listen, 1)
	if _, err := b.Open(http.DefaultClient, address, http.Header{"Origin": {"https://play.example.com"}}); err != nil {
		t.Errorf("a page of the public address: %v", err)
	}
	if _, err := b.Open(http.DefaultClient, address, http.Header{"Origin": {"https://other.example.com"}}); err == nil {
		t.Error("a page of another address may connect")
	}
}

// toldBy returns the address and the cookie in the answer to a new room.
func toldBy(s *e2e.Server, headers map[string]string) (address string, cookie *http.Cookie) {
	s.T.Helper()
	req, err := http.NewRequest("POST", s.URL+"/v1/rooms", strings.NewReader(`{"game":"chess"}`))
	if err != nil {
		s.T.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.T.Fatal(err)
	}
	defer res.Body.Close()
	var info e2e.RoomInfo
	if err := json.NewDecoder(res.Body).Decode(&info); err != nil || len(res.Cookies()) != 1 {
		s.T.Fatalf("creating a room: %s, cookies %v: %v", res.Status, res.Cookies(), err)
	}
	return info.URL, res.Cookies()[0]
}
