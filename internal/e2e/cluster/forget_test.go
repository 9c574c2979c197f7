package cluster_test

import (
	"database/sql"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room/wire"
)

// silence makes the store believe that a node has been silent for long enough to be given up.
func silence(c *e2e.Team, node string) {
	c.T.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(c.Store, "sqlite:")+"?_pragma=busy_timeout(30000)")
	if err != nil {
		c.T.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(c.T.Context(), `UPDATE boots SET heartbeat = heartbeat - ? WHERE node = ?`, persist.FreshFor.Microseconds(), node); err != nil {
		c.T.Fatal(err)
	}
}

// TestALostNodeIsForgotten kills a node whose rooms have no standbys, and the operator gives it up. Players of its rooms hear that the rooms are over. If the node
// comes back after all, it serves none of them.
func TestALostNodeIsForgotten(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3, e2e.OneJournal...).Start()
	ctx := e2e.WaitContext(t)
	asked, lost := c.Nodes[0], c.Nodes[2]
	var theirs, others []e2e.RoomInfo
	for len(theirs) < 3 || len(others) < 3 {
		if info := c.AnyNode().Create("chess", nil); info.Node == lost.Node {
			theirs = append(theirs, info)
		} else {
			others = append(others, info)
		}
	}
	refused := func(words ...string) {
		t.Helper()
		if code, _, errs := asked.RunAdmin("forget", lost.Node); code != e2e.ExitFailed || !e2e.Mentions(errs, words...) {
			t.Errorf("forgetting %s: exit %d, %s", lost.Node, code, errs)
		}
	}
	refused("409", lost.Node+" is there")
	lost.Kill()
	asked.Until(ctx, "its death is noticed", func() bool { return len(asked.RingNames()) == 2 })
	refused("409", "try again in")
	silence(c, lost.Node)
	if code, out, errs := asked.RunAdmin("forget", lost.Node); code != e2e.ExitOK || !e2e.Mentions(out, lost.Node+" is forgotten", "1 processes") {
		t.Fatalf("forgetting it: exit %d, %s%s", code, out, errs)
	}
	asked.WaitForLog("action=forget", "target="+lost.Node, "outcome=done")
	if code, _, errs := asked.RunAdmin("forget", "nobody"); code != e2e.ExitFailed || !e2e.Mentions(errs, "knows no node") {
		t.Errorf("forgetting nobody: exit %d, %s", code, errs)
	}
	for _, info := range theirs {
		var now e2e.RoomInfo
		if code := c.Nodes[1].Call("GET", "/v1/rooms/"+info.ID, nil, &now); code != http.StatusOK || now.Phase != "over" {
			t.Errorf("its room %s: %d %+v", info.ID, code, now)
		}
		if code := c.Nodes[1].Call("GET", "/v1/replays/"+info.ID, nil, nil); code != http.StatusOK {
			t.Errorf("the replay of its room: %d", code)
		}
		if r := asked.Result(info.ID); r.End != "aborted" {
			t.Errorf("the result of its room: %+v", r)
		}
		sock := e2e.Dial(t, asked.Via(info).URL, wire.JSON)
		sock.Write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "late"}))
		sock.ClosesWith(wire.CloseOver, "over")
	}
	for _, n := range c.Nodes[:2] {
		n.Until(ctx, "lists are whole again", func() bool {
			var list struct{ Partial bool }
			return n.Call("GET", "/v1/rooms", nil, &list) == http.StatusOK && !list.Partial
		})
	}
	lost.Start()
	c.WaitWhole(3)
	lost.WaitForLog("rooms brought back", "rooms=0", "over=3")
	for _, info := range append(theirs, others...) {
		var now e2e.RoomInfo
		if code := lost.Call("GET", "/v1/rooms/"+info.ID, nil, &now); code != http.StatusOK || (now.Phase == "over") != (info.Node == lost.Node) {
			t.Errorf("room %s of %s, seen from the node that is back: %d %+v", info.ID, info.Node, code, now)
		}
	}
}

// TestRoomsOfAForgottenNodeGoOn forgets a node whose rooms have gone on at their standbys. It ends none of them, and the node is let in
// again with an empty folder.
func TestRoomsOfAForgottenNodeGoOn(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3).Start()
	ctx := e2e.WaitContext(t)
	asked, lost := c.Nodes[0], c.Nodes[2]
	var rooms []e2e.RoomInfo
	for range 3 {
		info := lost.CreateHere("chess", nil)
		c.WaitMembers(ctx, info.ID, "a standby", func(m e2e.Members) bool { return m.Owner == lost })
		rooms = append(rooms, info)
	}
	lost.Kill()
	for _, info := range rooms {
		c.WaitMembers(ctx, info.ID, "two members without the node that is lost", func(m e2e.Members) bool { return m.Owner != lost && m.Standby != lost })
	}
	asked.Until(ctx, "its death is noticed", func() bool { return len(asked.RingNames()) == 2 })
	silence(c, lost.Node)
	if code, out, errs := asked.RunAdmin("forget", lost.Node); code != e2e.ExitOK || !e2e.Mentions(out, lost.Node+" is forgotten") {
		t.Fatalf("forgetting it: exit %d, %s%s", code, out, errs)
	}
	if err := os.RemoveAll(lost.Dir); err != nil {
		t.Fatal(err)
	}
	lost.Start()
	c.WaitWhole(3)
	for _, info := range rooms {
		for _, n := range c.Nodes {
			var now e2e.RoomInfo
			if code := n.Call("GET", "/v1/rooms/"+info.ID, nil, &now); code != http.StatusOK || now.Phase == "over" || now.Node == lost.Node {
				t.Errorf("%s says of room %s: %d %+v", n.Node, info.ID, code, now)
			}
		}
	}
}
