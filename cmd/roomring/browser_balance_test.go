//go:build !race

package main

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// browserBalanced plays chess through a balancer, over TLS.
func browserBalanced(t *testing.T, name string) {
	t.Parallel()
	c := newTeam(t, 3, "--trusted-proxies", "127.0.0.1")
	for _, n := range c.nodes {
		n.env = []string{"ROOMRING_TEST_GAMES="}
	}
	c.start()
	balanced := before(t, name, c)
	b := newBrowser(t, chromedp.Flag("ignore-certificate-errors", true))
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
