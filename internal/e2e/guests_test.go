package e2e

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/roomring/roomring/persist/open"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/persist/postgres"
	"github.com/roomring/roomring/room/wire"
)

// TestGuestsOfAClusterWithoutASecret starts two nodes that share nothing but their store. A guest made at one is the same
// player at the other, also after both were started again, and the key that makes it so is seen nowhere.
func TestGuestsOfAClusterWithoutASecret(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "store.db") },
		"postgres": func(t *testing.T) string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newTeamWithoutSecret(t, store(t), 2)
			each(2, 2, func(i int) { c.nodes[i].start() })
			c.whole(2)
			var made []guest
			for _, n := range c.nodes {
				made = append(made, n.guest("Ann"))
			}
			c.takesEverywhere(made)
			each(2, 2, func(i int) { c.nodes[i].stopsWell() })
			each(2, 2, func(i int) { c.nodes[i].start() })
			c.whole(2)
			c.takesEverywhere(made)
			c.keepsTheKeySecret()
		})
	}
}

// newTeamWithoutSecret prepares a cluster of nodes that take whoever reaches them for one of them.
func newTeamWithoutSecret(t *testing.T, store string, nodes int) *team {
	t.Helper()
	c := newTeamOn(t, store, nodes)
	for _, n := range c.nodes {
		i := slices.Index(n.args, "--cluster-secret-file")
		n.args = append(slices.Delete(n.args, i, i+2), "--insecure-cluster")
	}
	return c
}

// takesEverywhere has guests say hello at every node, in a room of every node.
func (c *team) takesEverywhere(guests []guest) {
	c.t.Helper()
	for _, n := range c.nodes {
		for i, g := range guests {
			w := dial(c.t, n.create("chess", nil).URL, wire.JSON).hello(wire.Hello{Token: g.Token, Client: fmt.Sprint("c", i)})
			if w.Player != g.Player {
				c.t.Errorf("guest %s is %s at %s", g.Player, w.Player, n.Node)
			}
		}
	}
}

// keepsTheKeySecret looks for the key in all that the nodes have said, and for the warning that it asks for.
func (c *team) keepsTheKeySecret() {
	c.t.Helper()
	store, err := open.Store(c.t.Context(), c.store, postgres.Options{})
	if err != nil {
		c.t.Fatal(err)
	}
	defer store.Close()
	key, err := store.SharedKey(c.t.Context(), "guests")
	if err != nil {
		c.t.Fatal(err)
	}
	for _, n := range c.nodes {
		n.says("insecure-cluster", "can forge guests")
		if text := n.log.String(); strings.Contains(text, string(key[:])) || strings.Contains(text, hex.EncodeToString(key[:])) {
			c.t.Errorf("%s logs the key of guests", n.Node)
		}
	}
}
