//go:build soak

package survive_test

import (
	"slices"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// TestDeathsAreCountedInTheRow has a game loop until its process is killed, twice. Between the two deaths its room comes to a third node, by
// a handover or through the store. The second death ends the room, and innocent rooms go on.
func TestDeathsAreCountedInTheRow(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeamOn(t, pgtest.URL(t), 3, e2e.DefaultTimeouts...).Start()
	w := newWard(c, e2e.Sized(12, 24, 100))

	b := w.poisoned()
	b.dies()
	b.comesTo(b.standby)
	b.until("the third node is the standby", func(m e2e.Members) bool { return m.Standby == b.third })
	w.stops(b.standby)
	b.comesTo(b.third)
	b.owner.Start()
	b.until("the first node is the standby", func(m e2e.Members) bool { return m.Standby == b.owner })
	b.dies()
	w.aborted("handed over", b.ID, 3)
	w.back()

	b = w.poisoned()
	b.third.Kill()
	b.dies()
	b.comesTo(b.standby)
	w.stops(b.standby)
	if row := w.Members(b.ID).Row; row.State != record.RowReleased || row.Strike.Deaths != 1 {
		t.Errorf("the room was released as %+v", row)
	}
	b.third.Start()
	b.comesTo(b.third)
	b.dies()
	b.third.Start()
	w.aborted("released", b.ID, 3)
	w.back()
	w.recovered()
}

// poisoned is a room whose player sends one fatal act, to whichever node has the room.
type poisoned struct {
	e2e.RoomInfo
	w                     *ward
	owner, standby, third *e2e.Server // at first
	token                 string
	sent                  int
}

// poisoned makes such a room with a standby.
func (w *ward) poisoned() *poisoned {
	w.T.Helper()
	p := &poisoned{w: w, owner: w.Nodes[0], token: w.Nodes[0].Guest("poisoner").Token}
	p.RoomInfo = p.owner.CreateHere("poison", nil)
	p.standby = w.WaitMembers(w.ctx, p.ID, "two members", anyStandby).Standby
	i := slices.IndexFunc(w.Nodes, func(n *e2e.Server) bool { return n != p.owner && n != p.standby })
	p.third = w.Nodes[i]
	return p
}

// dies sends the act to the room's owner, which is killed when it has been in it for a while.
func (p *poisoned) dies() {
	p.w.T.Helper()
	at := p.w.Members(p.ID).Owner
	p.sent++
	s := e2e.Dial(p.w.T, at.Via(p.RoomInfo).URL, wire.JSON)
	s.Hello(wire.Hello{Client: "c", Attempt: uint64(p.sent), Token: p.token})
	s.Act(1, `{"do":"loop"}`)
	time.Sleep(time.Second) // it takes 50 ms to find out, and to tell
	at.Kill()
}

// until waits until the room's row fits.
func (p *poisoned) until(what string, fit func(e2e.Members) bool) {
	p.w.T.Helper()
	p.w.AnyNode().Until(p.w.ctx, what, func() bool { return fit(p.w.Members(p.ID)) })
}

// comesTo waits until a node has the room. Its row must say that one process has died in it.
func (p *poisoned) comesTo(n *e2e.Server) {
	p.w.T.Helper()
	p.until("the room is at "+n.Node, func(m e2e.Members) bool { return m.Owner == n && m.Row.State == record.RowLive })
	if row := p.w.Members(p.ID).Row; row.Strike.Deaths != 1 {
		p.w.T.Fatalf("the row says %+v, not that one process has died", row)
	}
}

// stops stops a node in good order.
func (w *ward) stops(n *e2e.Server) {
	w.T.Helper()
	if code, _ := n.Stop(); code != e2e.ExitOK {
		w.T.Errorf("%s ended with %d", n.Node, code)
	}
}

// back starts the nodes that do not run, and waits until every innocent room has answered again.
func (w *ward) back() {
	w.T.Helper()
	for _, n := range w.Nodes {
		if !n.IsRunning() {
			n.Start()
		}
	}
	w.WaitWhole(len(w.Nodes))
	w.goOn()
}
