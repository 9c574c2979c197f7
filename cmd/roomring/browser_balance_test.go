//go:build !race

package main

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// browserBalanced plays chess through a balancer, over TLS.
func browserBalanced(t *testing.T, name string) {
	t.Parallel()
	s := newServer(t, append(generous, "--node", "n1", "--trusted-proxies", "127.0.0.1")...)
	s.env = []string{"ROOMRING_TEST_GAMES="}
	s.start()
	b := newBrowser(t, chromedp.Flag("ignore-certificate-errors", true))
	balanced := newBalancer(t, name, s.Listen, s.Listen, s.Listen)
	var two sides
	landed(t, []*server{s}, 2, func() { two, _ = b.seatChess(s, balanced.URL) })
	two.play(scholars, 0, len(scholars))
	two[0].reads(testid("ending"), "You won.")
	two[1].reads(testid("ending"), "You lost.")
}
