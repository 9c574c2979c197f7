package play_test

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/persist/open"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/persist/postgres"
	"github.com/roomring/roomring/room/wire"
)

// TestGuestsOfAClusterWithoutASecret starts two nodes that share only their store. A guest made at one node is the same player at the
// other, also after both restart. The key that signs guests' tokens appears nowhere.
func TestGuestsOfAClusterWithoutASecret(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "store.db") },
		"postgres": func(t *testing.T) string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newTeamWithoutSecret(t, store(t), 2)
			e2e.ForEach(2, 2, func(i int) { c.Nodes[i].Start() })
			c.WaitWhole(2)
			var made []e2e.Guest
			for _, n := range c.Nodes {
				made = append(made, n.Guest("Ann"))
			}
			takesEverywhere(c, made)
			e2e.ForEach(2, 2, func(i int) { c.Nodes[i].StopCleanly() })
			e2e.ForEach(2, 2, func(i int) { c.Nodes[i].Start() })
			c.WaitWhole(2)
			takesEverywhere(c, made)
			keepsTheKeySecret(c)
		})
	}
}

// newTeamWithoutSecret prepares a cluster without a secret: its nodes accept any node that reaches them.
func newTeamWithoutSecret(t *testing.T, store string, nodes int) *e2e.Team {
	t.Helper()
	c := e2e.NewTeamOn(t, store, nodes)
	for _, n := range c.Nodes {
		i := slices.Index(n.Args, "--cluster-secret-file")
		n.Args = append(slices.Delete(n.Args, i, i+2), "--insecure-cluster")
	}
	return c
}

// takesEverywhere says hello as each guest at every node, in a room of every node.
func takesEverywhere(c *e2e.Team, guests []e2e.Guest) {
	c.T.Helper()
	for _, n := range c.Nodes {
		for i, g := range guests {
			w := e2e.Dial(c.T, n.Create("chess", nil).URL, wire.JSON).Hello(wire.Hello{Token: g.Token, Client: fmt.Sprint("c", i)})
			if w.Player != g.Player {
				c.T.Errorf("guest %s is %s at %s", g.Player, w.Player, n.Node)
			}
		}
	}
}

// keepsTheKeySecret checks that the key is in no log, and that each node warns that guests can be forged.
func keepsTheKeySecret(c *e2e.Team) {
	c.T.Helper()
	store, err := open.Store(c.T.Context(), c.Store, postgres.Options{})
	if err != nil {
		c.T.Fatal(err)
	}
	defer store.Close()
	key, err := store.SharedKey(c.T.Context(), "guests")
	if err != nil {
		c.T.Fatal(err)
	}
	for _, n := range c.Nodes {
		n.WaitForLog("insecure-cluster", "can forge guests")
		if text := n.Log.String(); strings.Contains(text, string(key[:])) || strings.Contains(text, hex.EncodeToString(key[:])) {
			c.T.Errorf("%s logs the key of guests", n.Node)
		}
	}
}
