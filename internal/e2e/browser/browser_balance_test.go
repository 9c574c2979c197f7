//go:build !race

package browser_test

import (
	"testing"

	"github.com/roomring/roomring/internal/e2e"
)

// newPagesTeam starts three nodes without the games that only tests play.
func newPagesTeam(t *testing.T, args ...string) *e2e.Team {
	t.Helper()
	c := e2e.NewTeam(t, 3, args...)
	for _, n := range c.Nodes {
		n.Env = []string{"ROOMRING_TEST_GAMES="}
	}
	return c.Start()
}

// browserNodes plays chess through two nodes while somebody watches through the third, wherever the room is.
func browserNodes(t *testing.T, shared *browser) {
	t.Parallel()
	c := newPagesTeam(t)
	b := shared.on(t)
	var two sides
	got := landed(t, c.Nodes, 3, func() {
		info := c.AnyNode().Create("chess", map[string]any{"white": "first"})
		for i, name := range []string{"White", "Black"} {
			two[i] = b.person(name).visit(c.Nodes[i].URL + "/play/" + info.ID).live()
		}
		b.person("Eve").visit(c.Nodes[2].URL + "/play/" + info.ID + "?watch").live()
		two.begin()
	})
	for _, n := range c.Nodes {
		if got[n.Node] != 1 {
			t.Errorf("of three pages' sockets, one through each node, landed: %v", got)
			break
		}
	}
	two.play(scholars, 0, len(scholars))
	two[0].reads(testid("ending"), "You won.")
	two[1].reads(testid("ending"), "You lost.")
}

func browserHAProxy(t *testing.T, shared *browser) { browserBalanced(t, shared, "haproxy") }

func browserNginx(t *testing.T, shared *browser) { browserBalanced(t, shared, "nginx") }

// browserBalanced plays chess through a balancer, over TLS.
func browserBalanced(t *testing.T, shared *browser, name string) {
	t.Parallel()
	c := newPagesTeam(t, "--trusted-proxies", "127.0.0.1")
	balanced := before(t, name, c)
	b := shared.on(t)
	var two sides
	var id string
	got := landed(t, c.Nodes, 2, func() { two, id = b.seatChess(c.Nodes[0], balanced.URL) })
	var info e2e.RoomInfo
	if c.Nodes[0].Call("GET", "/v1/rooms/"+id, nil, &info); got[info.Node] != 2 {
		t.Errorf("of two pages' sockets for a room at %s landed: %v", info.Node, got)
	}
	two.play(scholars, 0, len(scholars))
	two[0].reads(testid("ending"), "You won.")
	two[1].reads(testid("ending"), "You lost.")
}
