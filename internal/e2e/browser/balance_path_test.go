//go:build !race

package browser_test

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/wire"
)

// sitePath is the path under which the shipped files put Roomring on a site.
const sitePath = "/games/ring"

// underPath is a proxy that puts a server under a path. It removes the path from requests or keeps it. The server gets the public address
// and any further flags.
type underPath struct {
	name string
	file string
	edit []string // pairs of old and new text
}

var underPaths = []underPath{
	{"nginx-off", "nginx/roomring-path.conf", nil},
	{"nginx-on", "nginx/roomring-path.conf", []string{"proxy_pass http://roomring/;", "proxy_pass http://roomring;"}},
	{"haproxy-off", "haproxy/haproxy.cfg", []string{"  default_backend nodes\n", `  http-request redirect location /games/ring/ code 308 if { path /games/ring }
  http-request replace-path /games/ring/(.*) /\1
  default_backend nodes
`}},
}

// start starts the proxy, whose URL becomes the public one, and a server behind it.
func (u underPath) start(t *testing.T) (*e2e.Balancer, *e2e.Server) {
	t.Helper()
	node := e2e.FreePort(t)
	b := newBalancerOf(t, u.file, u.edit, node)
	b.URL += sitePath
	s := e2e.NewServer(t, append(e2e.GenerousLimits, "--node", "n1", "--listen", node, "--trusted-proxies", "127.0.0.1", "--public-url", b.URL)...)
	s.Env = []string{"ROOMRING_TEST_GAMES="}
	return b, s.Start()
}

// TestUnderAPath makes, finds and plays a room through real proxies that put the server under a path.
func TestUnderAPath(t *testing.T) {
	for _, u := range underPaths {
		t.Run(u.name, func(t *testing.T) {
			t.Parallel()
			b, _ := u.start(t)
			c := clientAt(b, "127.0.0.1")
			c.Jar, _ = cookiejar.New(nil)
			do := func(method, url, body string, want int) *http.Response {
				t.Helper()
				req, err := http.NewRequest(method, url, strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Content-Type", "application/json")
				var res *http.Response
				testwait.Until(t, method+" "+url, func() bool { // the balancer may not have checked the node yet
					if res, err = c.Do(req); err != nil {
						t.Fatal(err)
					}
					req.Body, _ = req.GetBody()
					return res.StatusCode != http.StatusServiceUnavailable && res.StatusCode != http.StatusBadGateway
				})
				t.Cleanup(func() { _ = res.Body.Close() })
				if res.StatusCode != want {
					t.Fatalf("%s %s: %s", method, url, res.Status)
				}
				return res
			}
			if to, err := do("GET", b.URL, "", http.StatusPermanentRedirect).Location(); err != nil || to.Path != sitePath+"/" {
				t.Errorf("without the slash a browser is sent to %v, %v", to, err)
			}
			for _, path := range []string{"/", "/sdk/roomring.js", "/assets/style.css", "/readyz", "/v1/games"} {
				do("GET", b.URL+path, "", http.StatusOK)
			}
			made := do("POST", b.URL+"/v1/rooms", `{"game":"chess"}`, http.StatusCreated)
			at, err := made.Location()
			if err != nil || !strings.HasPrefix(at.Path, sitePath+"/v1/rooms/") {
				t.Fatalf("Location %v, %v", at, err)
			}
			var info e2e.RoomInfo
			if err := json.NewDecoder(do("GET", at.String(), "", http.StatusOK).Body).Decode(&info); err != nil {
				t.Fatal(err)
			}
			if want := "wss" + strings.TrimPrefix(b.URL, "https") + "/v1/rooms/" + info.ID + "/ws?node=n1"; info.URL != want {
				t.Errorf("ws_url %s, not %s", info.URL, want)
			}
			site, _ := url.Parse(b.URL + "/v1/rooms/")
			if sent := c.Jar.Cookies(site); len(sent) != 1 || sent[0].Name != "roomring_node" {
				t.Errorf("cookies below the path: %v", sent)
			}
			if site.Path = "/games/ringing"; len(c.Jar.Cookies(site)) != 0 {
				t.Error("the cookie is sent to a neighbour of the path")
			}
			ws, err := b.Open(c, info.URL, http.Header{"Origin": {strings.TrimSuffix(b.URL, sitePath)}})
			if err != nil {
				t.Fatal(err)
			}
			if err := ws.TryHello(wire.Hello{Client: "c"}); err != nil {
				t.Error(err)
			}
		})
	}
}

// browserPath plays chess on pages under a path that a proxy removes, from the lobby to the leaderboard.
func browserPath(t *testing.T, shared *browser) {
	t.Parallel()
	site, _ := underPaths[0].start(t)
	b := shared.on(t)
	ada, bob := b.person("Ada"), b.person("Bob")
	ada.visit(site.URL + "/")
	ada.click(testid("game-card", `[data-game="chess"] `, testid("quick-match")))
	id := ada.room()
	ada.sees(testid("invite-link"))
	var link string
	ada.value(`document.querySelector("#invite-link").value`, &link)
	if want := site.URL + "/play/" + id; link != want {
		t.Errorf("the link to send is %q, not %q", link, want)
	}
	bob.visit(link).live()
	ada.live()
	ada.until(`document.querySelectorAll("[data-testid=seat]").length === 2 && document.querySelector("[data-testid=chess-board]").dataset.bottom`)
	two := sides{ada, bob}
	if ada.attribute(testid("chess-board"), "data-bottom") == "black" {
		two = sides{bob, ada}
	}
	two.begin()
	two.play(scholars, 0, len(scholars))
	winner := two[0].player()
	for i, words := range []string{"You won.", "You lost."} {
		two[i].reads(testid("ending"), words)
	}
	two[0].click(testid("replay-link"))
	two[0].until("location.pathname === " + quote(sitePath+"/results/"+id))
	two[0].click(testid("player-row") + ` a`)
	two[0].until("location.pathname.startsWith(" + quote(sitePath+"/players/") + ")")
	two[1].visit(site.URL + "/leaderboards/chess")
	two[1].sees(`[href$="/players/` + winner + `"]`)
	two[1].click(".brand")
	two[1].until("location.pathname === " + quote(sitePath+"/"))
	two[1].mayLose().visit(site.URL + "/no/such/page")
	two[1].click("main a.button")
	two[1].until("location.pathname === " + quote(sitePath+"/"))
}
