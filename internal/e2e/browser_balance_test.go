//go:build !race

package e2e

import (
	"testing"
)

// newPagesTeam starts three nodes as people meet them: without the games that are there for tests.
func newPagesTeam(t *testing.T, args ...string) *team {
	t.Helper()
	c := newTeam(t, 3, args...)
	for _, n := range c.nodes {
		n.env = []string{"ROOMRING_TEST_GAMES="}
	}
	return c.start()
}

// browserNodes plays chess through two nodes while somebody watches through the third, wherever the room is.
func browserNodes(t *testing.T, shared *browser) {
	t.Parallel()
	c := newPagesTeam(t)
	b := shared.on(t)
	var two sides
	got := landed(t, c.nodes, 3, func() {
		info := c.any().create("chess", map[string]any{"white": "first"})
		for i, name := range []string{"White", "Black"} {
			two[i] = b.person(name).visit(c.nodes[i].URL + "/play/" + info.ID).live()
		}
		b.person("Eve").visit(c.nodes[2].URL + "/play/" + info.ID + "?watch").live()
		two.begin()
	})
	for _, n := range c.nodes {
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
	got := landed(t, c.nodes, 2, func() { two, id = b.seatChess(c.nodes[0], balanced.URL) })
	var info roomInfo
	if c.nodes[0].call("GET", "/v1/rooms/"+id, nil, &info); got[info.Node] != 2 {
		t.Errorf("of two pages' sockets for a room at %s landed: %v", info.Node, got)
	}
	two.play(scholars, 0, len(scholars))
	two[0].reads(testid("ending"), "You won.")
	two[1].reads(testid("ending"), "You lost.")
}
