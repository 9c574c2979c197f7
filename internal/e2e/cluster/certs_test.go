//go:build !race

package cluster_test

import (
	"path/filepath"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
)

// TestLinksByCertificates plays across nodes that authenticate each other by the operator's certificates. A node with the cluster's
// secret and another certificate can gossip with them, but gets no link.
func TestLinksByCertificates(t *testing.T) {
	t.Parallel()
	by := func(cert e2e.Certificate) []string {
		at := func(end string) string { return filepath.Join(cert.Dir, "roomring"+end) }
		return []string{"--peer-cert-file", at(".crt"), "--peer-key-file", at(".key"), "--peer-ca-file", at(".crt")}
	}
	c := e2e.NewTeam(t, 2, by(e2e.NewCert(t))...).Start()
	ctx := e2e.WaitContext(t)
	e2e.ForEachGame(t, e2e.SteadyGames(t, 4), 4, func(g e2e.RecordedGame) error {
		m, err := c.Nodes[g.Row%2].Seat(ctx, g, c.Nodes[0], c.Nodes[1])
		if err != nil {
			return err
		}
		if err := m.PlayAndCheck(ctx); err != nil {
			return err
		}
		return m.CheckStored()
	})
	stranger := c.Add()
	stranger.Args = append(stranger.Args, by(e2e.NewCert(t))...)
	stranger.Start()
	stranger.WaitForLog("no link to a node", "certificate")
	c.Nodes[0].WaitForLog("somebody was refused at the peer port", "certificate")
}
