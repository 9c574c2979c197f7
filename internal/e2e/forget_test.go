package e2e

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room/wire"
)

// silence makes the store believe that it has not heard of a node for so long that it may be given up.
func (c *team) silence(node string) {
	c.t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(c.store, "sqlite:")+"?_pragma=busy_timeout(30000)")
	if err != nil {
		c.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(c.t.Context(), `UPDATE boots SET heartbeat = heartbeat - ? WHERE node = ?`, persist.FreshFor.Microseconds(), node); err != nil {
		c.t.Fatal(err)
	}
}

// TestALostNodeIsForgotten kills a node and has the operator give it up. Players of its rooms hear that these are over, and
// the node serves none of them when it comes back after all.
func TestALostNodeIsForgotten(t *testing.T) {
	t.Parallel()
	c := newTeam(t, 3).start()
	ctx := patience(t)
	asked, lost := c.nodes[0], c.nodes[2]
	var theirs, others []roomInfo
	for len(theirs) < 3 || len(others) < 3 {
		if info := c.any().create("chess", nil); info.Node == lost.Node {
			theirs = append(theirs, info)
		} else {
			others = append(others, info)
		}
	}
	refused := func(words ...string) {
		t.Helper()
		if code, _, errs := asked.operate("forget", lost.Node); code != exitFailed || !mentions(errs, words...) {
			t.Errorf("forgetting %s: exit %d, %s", lost.Node, code, errs)
		}
	}
	refused("409", lost.Node+" is there")
	lost.kill()
	asked.until(ctx, "its death is noticed", func() bool { return len(asked.onRing()) == 2 })
	refused("409", "try again in")
	c.silence(lost.Node)
	if code, out, errs := asked.operate("forget", lost.Node); code != exitOK || !mentions(out, lost.Node+" is forgotten", "1 processes") {
		t.Fatalf("forgetting it: exit %d, %s%s", code, out, errs)
	}
	asked.says("action=forget", "target="+lost.Node, "outcome=done")
	if code, _, errs := asked.operate("forget", "nobody"); code != exitFailed || !mentions(errs, "knows no node") {
		t.Errorf("forgetting nobody: exit %d, %s", code, errs)
	}
	for _, info := range theirs {
		var now roomInfo
		if code := c.nodes[1].call("GET", "/v1/rooms/"+info.ID, nil, &now); code != http.StatusOK || now.Phase != "over" {
			t.Errorf("its room %s: %d %+v", info.ID, code, now)
		}
		if code := c.nodes[1].call("GET", "/v1/replays/"+info.ID, nil, nil); code != http.StatusOK {
			t.Errorf("the replay of its room: %d", code)
		}
		if r := asked.result(info.ID); r.End != "aborted" {
			t.Errorf("the result of its room: %+v", r)
		}
		sock := dial(t, asked.at(info).URL, wire.JSON)
		sock.write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "late"}))
		sock.closesWith(wire.CloseOver, "over")
	}
	for _, n := range c.nodes[:2] {
		n.until(ctx, "lists are whole again", func() bool {
			var list struct{ Partial bool }
			return n.call("GET", "/v1/rooms", nil, &list) == http.StatusOK && !list.Partial
		})
	}
	lost.start()
	c.whole(3)
	lost.says("rooms brought back", "rooms=0", "over=3")
	for _, info := range append(theirs, others...) {
		var now roomInfo
		if code := lost.call("GET", "/v1/rooms/"+info.ID, nil, &now); code != http.StatusOK || (now.Phase == "over") != (info.Node == lost.Node) {
			t.Errorf("room %s of %s, seen from the node that is back: %d %+v", info.ID, info.Node, code, now)
		}
	}
}
