//go:build !race

package e2e

import (
	"path/filepath"
	"testing"
)

// TestLinksByCertificates plays across nodes that know each other by certificates of the operator's. One with the cluster's
// secret and another certificate gossips with them, and gets no link.
func TestLinksByCertificates(t *testing.T) {
	t.Parallel()
	by := func(cert certificate) []string {
		at := func(end string) string { return filepath.Join(cert.dir, "roomring"+end) }
		return []string{"--peer-cert-file", at(".crt"), "--peer-key-file", at(".key"), "--peer-ca-file", at(".crt")}
	}
	c := newTeam(t, 2, by(newCert(t))...).start()
	ctx := patience(t)
	crowd(t, steadyGames(t, 4), 4, func(g recorded) error {
		m, err := c.nodes[g.row%2].seat(ctx, g, c.nodes[0], c.nodes[1])
		if err != nil {
			return err
		}
		if err := m.toTheEnd(ctx); err != nil {
			return err
		}
		return m.checkStored()
	})
	stranger := c.add()
	stranger.args = append(stranger.args, by(newCert(t))...)
	stranger.start()
	stranger.says("no link to a node", "certificate")
	c.nodes[0].says("somebody was refused at the peer port", "certificate")
}
