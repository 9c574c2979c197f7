package actor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

func TestPlay(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	id := n.create(actor.Create{Game: "counter", Name: "first"})
	a, b := n.player(id, "a"), n.player(id, "b")
	w := n.attach(id, actor.Hello{Client: "w", Spectate: true})

	hi := a.next("welcome")
	if hi["room"] != string(id) || hi["player"] != "a" || hi["node"] != "n1" || hi["recovered"] != false {
		t.Errorf("welcome %v", hi)
	}
	if seat := w.next("welcome").num("seat"); seat != -1 {
		t.Errorf("a spectator sits on %d", seat)
	}
	ack := a.act(`{"add":5}`)
	for _, c := range []*client{b, w} {
		turn := c.next("turn")
		for turn.num("seq") < ack.num("seq") {
			turn = c.next("turn")
		}
		if sum := turn["patch"].(map[string]any)["sum"]; sum != 5.0 {
			t.Errorf("turn %v", turn)
		}
	}
	b.send(`{"add":-1}`)
	if no := b.next("reject"); no["code"] != "negative" {
		t.Errorf("reject %v", no)
	}
	w.send(`{"add":1}`)
	if no := w.next("reject"); no["code"] != "not_seated" {
		t.Errorf("a spectator's act: %v", no)
	}
	info, err := n.Info(id)
	if err != nil || info.Name != "first" || info.Open || len(info.Seats) != 2 || info.Phase != core.PhasePlaying {
		t.Errorf("info %+v, %v", info, err)
	}
}

func TestExactlyOnceAcrossSockets(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	first := a.act(`{"add":1}`)
	a.resend(1, `{"add":1}`)
	if again := a.next("ack"); again.num("seq") != first.num("seq") {
		t.Errorf("the second answer is %v, the first was %v", again, first)
	}
	a.Detach()

	h := hello("a")
	h.Attempt = 1
	h.Resume = &record.Point{Epoch: 1, Seq: room.Index(first.num("seq"))}
	a = n.attach(id, h)
	if hi := a.next("welcome"); hi["recovered"] != true || hi.num("cseq") != 1 {
		t.Errorf("welcome back: %v", hi)
	}
	a.resend(1, `{"add":1}`)
	if again := a.next("ack"); again.num("seq") != first.num("seq") {
		t.Errorf("the third answer is %v", again)
	}
	a.cseq = 1
	a.act(`{"add":1}`)
	look, err := n.Inspect(context.Background(), id, actor.Look{View: &room.Spectator})
	if err != nil || !strings.Contains(string(look.View), `"sum":2`) {
		t.Errorf("after one act sent three times and another: %s, %v", look.View, err)
	}
}

func TestGapCloses(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	a.act(`{"add":1}`)
	before, err := n.Info(id)
	if err != nil {
		t.Fatal(err)
	}
	a.resend(3, `{"add":1}`)
	if err := a.Act(t.Context(), wire.Act{CSeq: 2, Data: []byte(`{"add":1}`)}); err != nil && !errors.Is(err, actor.ErrEnded) {
		t.Fatal(err) // it waits behind the other, or comes after the session's end
	}
	if code := a.closed(); code != wire.CloseGap {
		t.Errorf("closed %d, want 4104", code)
	}
	for online := true; online; time.Sleep(time.Millisecond) {
		now, err := n.Info(id)
		online = err == nil && now.Seats[0].Online
	}
	if now, err := n.Info(id); err != nil || now.Index != before.Index+1 {
		t.Errorf("the gap took the room from index %d to %d (%v), should be one further, by the detach", before.Index, now.Index, err)
	}
}

func TestNewerClientReplacesAnOlder(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	old := n.player(id, "a")
	old.next("welcome")
	h := hello("a")
	h.Client = "other tab"
	young := n.attach(id, h)
	young.next("welcome")
	if code := old.closed(); code != wire.CloseReplaced {
		t.Errorf("the older client was closed with %d", code)
	}
	old.Detach()
	young.act(`{"add":1}`)
	if info, _ := n.Info(id); !info.Seats[0].Online {
		t.Error("the old socket's close took the newer one's seat offline")
	}
}

func TestAttempts(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	h := hello("a")
	h.Attempt = 5
	five := n.attach(id, h)
	five.next("welcome")
	h.Attempt = 4
	if err := attachError(t, n, id, h); err.Code != wire.CloseReplaced {
		t.Errorf("an older attempt: %d %s", err.Code, err.Reason)
	}
	h.Attempt = 6
	six := n.attach(id, h)
	six.next("welcome")
	if code := five.closed(); code != wire.CloseReplaced {
		t.Errorf("attempt 5 was closed with %d", code)
	}
	five.Detach()
	six.act(`{"add":1}`)
}

func TestTooManyUnanswered(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	a.next("welcome")
	n.journal.hold(true)
	for range actor.MaxUnanswered {
		a.send(`{"add":1}`)
	}
	if err := a.Act(t.Context(), wire.Act{CSeq: 33, Data: json.RawMessage(`{}`)}); err != actor.ErrEnded {
		t.Errorf("act 33: %v", err)
	}
	if code := a.closed(); code != wire.CloseTooMany {
		t.Errorf("closed %d, want 4429", code)
	}
	n.journal.hold(false)
}

func TestSeatsAndDoors(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	full := n.create(actor.Create{Game: "counter"})
	n.player(full, "a")
	n.player(full, "b")
	if err := attachError(t, n, full, hello("c")); err.Code != wire.CloseForbidden || !strings.Contains(err.Reason, "full") {
		t.Errorf("a full room: %d %s", err.Code, err.Reason)
	}

	locked := n.create(actor.Create{Game: "counter"})
	n.player(locked, "a").act(`{"lock":true}`)
	if err := attachError(t, n, locked, hello("b")); err.Code != wire.CloseForbidden || strings.Contains(err.Reason, "full") {
		t.Errorf("a locked room: %d %s", err.Code, err.Reason)
	}

	info, err := n.Create(t.Context(), actor.Create{Game: "counter", Private: true})
	if err != nil || info.Code == "" {
		t.Fatalf("a private room: %+v, %v", info, err)
	}
	for _, h := range []actor.Hello{hello("a"), {Client: "w", Spectate: true}} {
		if err := attachError(t, n, info.ID, h); err.Code != wire.CloseForbidden {
			t.Errorf("without a code: %d %s", err.Code, err.Reason)
		}
		h.Code = info.Code
		n.attach(info.ID, h).next("welcome")
	}
	if found, err := n.Find(t.Context(), info.Code); err != nil || found.ID != info.ID || found.Code != "" {
		t.Errorf("found %+v, %v", found, err)
	}
	n.attach(info.ID, hello("a")) // who sits needs no code
	if _, err := n.Attach(t.Context(), "0000000000000000", hello("a"), actor.NewOutbox(actor.OutboxOptions{})); err != actor.ErrNotFound {
		t.Errorf("no room: %v", err)
	}
}

func TestHiddenHands(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	id := n.create(actor.Create{Game: "hand"})
	a, b := n.player(id, "a"), n.player(id, "b")
	w := n.attach(id, actor.Hello{Client: "w", Spectate: true})
	w.next("welcome")
	b.next("welcome")
	a.act(`4242`)
	b.act(`1717`)
	w.next("turn")
	for name, c := range map[string]*client{"b": b, "w": w} {
		c.read()
		if all := fmt.Sprint(c.got); strings.Contains(all, "4242") {
			t.Errorf("%s was shown the hidden card: %s", name, all)
		}
	}
}

func TestPanicClosesOneRoom(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	bad, good := n.create(actor.Create{Game: "counter"}), n.create(actor.Create{Game: "counter"})
	a, b := n.player(bad, "a"), n.player(good, "b")
	a.send(`{"panic":true}`)
	if over := a.next("over"); over["end"] != "aborted" {
		t.Errorf("over %v", over)
	}
	if code := a.closed(); code != wire.CloseOver {
		t.Errorf("closed %d, want 4410", code)
	}
	b.act(`{"add":1}`)
	testwait.Until(t, "the aborted room's end is stored and the room is gone", func() bool {
		f, ok := n.results.get(bad)
		_, err := n.Info(bad)
		return ok && f.End == record.Aborted && len(f.Replay) > 0 && err == actor.ErrNotFound && !n.journal.has(bad)
	})
}

func TestNothingLeavesBeforeItsCommit(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	a.next("state")
	before, _ := n.Info(id)
	n.journal.hold(true)
	a.send(`{"add":1}`)
	b := n.player(id, "b")
	// Inspecting goes through the room's goroutine: what was sent before has been stepped.
	look, err := n.Inspect(t.Context(), id, actor.Look{})
	if err != nil {
		t.Fatal(err)
	}
	if look.Point.Seq <= look.Committed || look.Held == 0 {
		t.Fatalf("nothing is held back: %+v", look)
	}
	a.read()
	b.read()
	if len(a.got)+len(b.got) > 0 {
		t.Errorf("before the commit came %v and %v", a.got, b.got)
	}
	if info, _ := n.Info(id); info.Index != before.Index || len(info.Seats) != 1 {
		t.Errorf("the public facts are ahead of the commit: %+v", info)
	}
	n.journal.hold(false)
	a.next("ack")
	b.next("welcome")
	if info, _ := n.Info(id); len(info.Seats) != 2 {
		t.Errorf("after the commit: %+v", info)
	}
}

func TestGroupCommit(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	a.next("welcome")
	n.journal.hold(true)
	before := n.journal.appends
	for range 20 {
		a.send(`{"add":1}`)
	}
	if _, err := n.Inspect(t.Context(), id, actor.Look{}); err != nil {
		t.Fatal(err)
	}
	n.journal.hold(false)
	for range 20 {
		a.next("ack")
	}
	if made := n.journal.appends - before; made > 6 { // 1, 1, 4, and the rest; one or two may have been snapshots
		t.Errorf("20 acts during one slow commit took %d appends", made)
	}
}

// hasty is a sink whose client detaches as soon as it hears the end.
type hasty struct {
	*actor.Feed
	goes func()
}

func (h *hasty) Deliver(e actor.Event) {
	h.Feed.Deliver(e)
	if _, over := e.(*actor.End); over {
		h.goes()
	}
}

// TestAClosedSessionIsCounted, even if the client detaches while the room ends the session.
func TestAClosedSessionIsCounted(t *testing.T) {
	var codes []wire.CloseCode
	n := newNode(t, func(o *setup) {
		o.Metrics.Closed = func(_ string, code wire.CloseCode) { codes = append(codes, code) }
	})
	id := n.create(actor.Create{Game: "counter"})
	sink := &hasty{Feed: actor.NewFeed(actor.NewOutbox(actor.OutboxOptions{}))}
	s, err := n.AttachSink(t.Context(), id, hello("a"), sink)
	if err != nil {
		t.Fatal(err)
	}
	gone := false
	sink.goes = func() {
		if !gone {
			gone = true
			s.Detach()
		}
	}
	if err := n.Close(t.Context(), id, "enough"); err != nil {
		t.Fatal(err)
	}
	n.stop()
	if !slices.Equal(codes, []wire.CloseCode{wire.CloseOver}) {
		t.Errorf("closes were counted: %v", codes)
	}
}

func TestFullOfUncommittedStopsReading(t *testing.T) {
	n := newNode(t, func(o *setup) { o.Uncommitted, o.Mailbox = 8, 4 })
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	a.next("welcome")
	n.journal.hold(true)
	ctx, cancel := context.WithCancel(t.Context())
	sent := 0
	for sent < 30 {
		short, stop := context.WithTimeout(ctx, 300*time.Millisecond)
		err := a.Act(short, wire.Act{CSeq: uint64(sent + 1), Data: json.RawMessage(`{"add":1}`)})
		stop()
		if errors.Is(err, context.DeadlineExceeded) {
			break
		}
		sent++
	}
	cancel()
	if sent == 30 {
		t.Fatal("a full room took all acts")
	}
	look, err := n.Inspect(t.Context(), id, actor.Look{}) // control is served all the same
	if err != nil || look.Still == "" || int(look.Point.Seq-look.Committed) > 8 {
		t.Errorf("the room: %+v, %v", look, err)
	}
	n.journal.hold(false)
	for i := range sent {
		if ack := a.next("ack"); ack.num("cseq") != i+1 {
			t.Fatalf("ack %v, want cseq %d", ack, i+1)
		}
	}
}

func TestOperator(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	a, b := n.player(id, "a"), n.player(id, "b")
	a.act(`{"add":7}`)
	if err := n.Signal(t.Context(), id, "reset", nil); err != nil {
		t.Errorf("signal: %v", err)
	}
	if _, ok := errors.AsType[*room.Refusal](n.Signal(t.Context(), id, "other", nil)); !ok {
		t.Error("the game's no to a signal was not passed on")
	}
	if err := n.Signal(t.Context(), id, core.RematchSignal, []byte(`{"room":"x"}`)); err == nil {
		t.Error("the runtime's own signal was taken from outside")
	}
	if err := n.Kick(t.Context(), id, "b"); err != nil {
		t.Errorf("kick: %v", err)
	}
	if code := b.closed(); code != wire.CloseForbidden {
		t.Errorf("the kicked player was closed with %d", code)
	}
	if err := n.Kick(t.Context(), id, "b"); err != actor.ErrNotSeated {
		t.Errorf("kick again: %v", err)
	}
	if err := attachError(t, n, id, hello("b")); err.Code != wire.CloseForbidden {
		t.Errorf("the kicked player came back: %d", err.Code)
	}
	if err := n.Close(t.Context(), id, "tidying up"); err != nil {
		t.Errorf("close: %v", err)
	}
	if over := a.next("over"); over["end"] != "closed" || over["reason"] != "tidying up" {
		t.Errorf("over %v", over)
	}
	if code := a.closed(); code != wire.CloseOver {
		t.Errorf("closed %d", code)
	}
}

func TestLeave(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	a, b := n.player(id, "a"), n.player(id, "b")
	a.next("welcome")
	if err := a.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code := a.closed(); code != wire.CloseNormal {
		t.Errorf("closed %d, want 1000", code)
	}
	b.act(`{"add":1}`)
	if info, _ := n.Info(id); len(info.Seats) != 1 || !info.Open {
		t.Errorf("after the leave: %+v", info)
	}
}

func TestCreateRefuses(t *testing.T) {
	n := newNode(t, func(o *setup) { o.MaxRooms = 1 })
	defer n.stop()
	for want, c := range map[string]actor.Create{
		"name":       {Game: "counter", Name: strings.Repeat("x", 65)},
		"options":    {Game: "counter", Options: json.RawMessage(`{"limt":3}`)},
		"durability": {Game: "counter", Durability: "eternal"},
	} {
		_, err := n.Create(t.Context(), c)
		if bad, ok := errors.AsType[*actor.OptionsError](err); !ok || bad.Field != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := n.Create(t.Context(), actor.Create{Game: "golf"}); err != actor.ErrUnknownGame {
		t.Errorf("unknown game: %v", err)
	}
	n.player(n.create(actor.Create{Game: "counter", Durability: room.Memory}), "a").next("welcome")
	if _, err := n.Create(t.Context(), actor.Create{Game: "counter"}); err != actor.ErrTooMany {
		t.Errorf("one room too many: %v", err)
	}
}

func TestList(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	for range 5 {
		n.create(actor.Create{Game: "counter"})
	}
	n.create(actor.Create{Game: "counter", Private: true})
	n.create(actor.Create{Game: "hand"})
	var seen []room.ID
	for after := room.ID(""); ; {
		page := n.List(actor.Filter{Game: "counter", Open: true, After: after, Limit: 2})
		if len(page) == 0 {
			break
		}
		for _, info := range page {
			if info.ID <= after {
				t.Errorf("%s comes after %s", info.ID, after)
			}
			after = info.ID
			seen = append(seen, info.ID)
		}
	}
	if len(seen) != 5 {
		t.Errorf("listed %d rooms, want the 5 public ones", len(seen))
	}
	if all := n.List(actor.Filter{Private: true}); len(all) != 7 {
		t.Errorf("the operator sees %d rooms, want 7", len(all))
	}
}

// BenchmarkTurn measures one act in a room with 50 spectators, from the mailbox to 50 outboxes, without a journal.
func BenchmarkTurn(b *testing.B) {
	n := newNode(b)
	defer n.stop()
	id := n.create(actor.Create{Game: "counter", Durability: room.Memory})
	const sessions = 50
	watchers := make([]*client, sessions)
	for i := range watchers {
		watchers[i] = n.attach(id, actor.Hello{Client: "w", Spectate: true})
	}
	a := n.player(id, "a")
	a.next("welcome")
	buf := make([]byte, 0, 64<<10)
	b.ReportAllocs()
	for b.Loop() {
		a.cseq++
		if err := a.Act(context.Background(), wire.Act{CSeq: a.cseq, Data: json.RawMessage(`{"add":1}`)}); err != nil {
			b.Fatal(err)
		}
		for took := 0; took == 0; {
			<-a.wake
			buf, took = a.box.Take(buf[:0], 64<<10)
		}
		for _, w := range watchers {
			buf, _ = w.box.Take(buf[:0], 64<<10)
		}
	}
}
