package e2e

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/open"
	"github.com/roomring/roomring/persist/postgres"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Members says who has a room, by the rows of a team's store.
type Members struct {
	Row            record.Row
	Owner, Standby *Server // nil: none, or a folder that no node has any more
}

// Folder returns the id of the node's data folder; "": it has none.
func (s *Server) Folder() string {
	var identity struct{ ID string }
	text, err := os.ReadFile(filepath.Join(s.Dir, "identity.json"))
	if err != nil || json.Unmarshal(text, &identity) != nil {
		return ""
	}
	return identity.ID
}

// rows opens the team's store as one more process would, which ends with the test.
func (c *Team) rows() persist.Store {
	c.T.Helper()
	if c.opened == nil {
		store, err := open.Store(c.T.Context(), c.Store, postgres.Options{})
		if err != nil {
			c.T.Fatalf("opening the team's store: %v", err)
		}
		c.T.Cleanup(func() { _ = store.Close() })
		c.opened = store
	}
	return c.opened
}

// Members reads who has a room.
func (c *Team) Members(id string) (m Members) {
	c.T.Helper()
	row, err := c.rows().Row(c.T.Context(), room.ID(id))
	if err != nil {
		c.T.Fatalf("the row of room %s: %v", id, err)
	}
	m.Row = row
	for _, n := range c.Nodes {
		switch folder := n.Folder(); {
		case folder == "":
		case folder == row.Folder:
			m.Owner = n
		case folder == row.Standby:
			m.Standby = n
		}
	}
	return m
}

// WaitMembers waits until a room has an owner and a standby that fit.
func (c *Team) WaitMembers(ctx context.Context, id, what string, fit func(Members) bool) (m Members) {
	c.T.Helper()
	c.Nodes[0].Until(ctx, "room "+id+" has "+what, func() bool {
		m = c.Members(id)
		return m.Owner != nil && m.Standby != nil && fit(m)
	})
	return m
}

// Naming returns the live rows that name a data folder.
func (c *Team) Naming(folder string) []record.Row {
	c.T.Helper()
	rows, err := c.rows().RowsNaming(c.T.Context(), []string{folder}, "", 0)
	if err != nil {
		c.T.Fatalf("the rows that name %s: %v", folder, err)
	}
	return rows
}
