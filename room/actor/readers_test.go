package actor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/wire"
)

// doubtful are logs of rooms that another node may have taken: whether they are the present ones is answered when the test says so.
type doubtful struct {
	actor.Logs

	mu    sync.Mutex
	sure  bool // answers at once
	asked []func()
	count int
}

type doubtfulStore struct {
	actor.LogStore
	logs *doubtful
}

func (d *doubtful) Open(id room.ID, p actor.Progress) actor.LogStore {
	return doubtfulStore{d.Logs.Open(id, p), d}
}

func (s doubtfulStore) Current(done func()) {
	s.logs.mu.Lock()
	s.logs.count++
	sure := s.logs.sure
	if !sure {
		s.logs.asked = append(s.logs.asked, done)
	}
	s.logs.mu.Unlock()
	if sure {
		done()
	}
}

// answer answers what has been asked.
func (d *doubtful) answer() {
	d.mu.Lock()
	asked := d.asked
	d.asked = nil
	d.mu.Unlock()
	for _, done := range asked {
		done()
		done() // once more, which does nothing
	}
}

func (d *doubtful) be(sure bool) {
	d.mu.Lock()
	d.sure = sure
	d.mu.Unlock()
	if sure {
		d.answer()
	}
}

func (d *doubtful) underway() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.asked)
}

func newDoubtfulNode(t testing.TB) (*node, *doubtful) {
	d := &doubtful{sure: true}
	return newNode(t, func(o *setup) {
		o.MaxSpectators = 2
		o.Through = func(l actor.Logs) actor.Logs { d.Logs = l; return d }
	}), d
}

// TestNothingWithoutAnIndexLeavesARoomInDoubt asks a room that may have been replaced for everything that takes no index. Nothing
// of it comes before the others have said that it is the present one; meanwhile players play.
func TestNothingWithoutAnIndexLeavesARoomInDoubt(t *testing.T) {
	n, d := newDoubtfulNode(t)
	defer n.stop()
	defer d.be(true)
	id := n.create(actor.Create{Game: "counter", Private: true, Reserve: []room.PlayerID{"a", "b"}})
	a := n.player(id, "a")
	a.next("state")
	watching := hello("w")
	watching.Spectate = true
	info, err := n.Read(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	look, err := n.Inspect(t.Context(), id, actor.Look{})
	if err != nil {
		t.Fatal(err)
	}
	watching.Code = look.Info.Code
	w := n.attach(id, watching)
	w.next("state")
	d.be(false)

	type answer struct {
		what string
		err  error
	}
	came := make(chan answer, 10)
	ask := func(what string, f func() error) {
		go func() { came <- answer{what, f()} }()
	}
	box := func() *actor.Outbox { return actor.NewOutbox(actor.OutboxOptions{}) }
	ask("a refusal", func() error { _, err := n.Attach(t.Context(), id, hello("stranger"), box()); return err })
	ask("a spectator's attach", func() error {
		h := watching
		h.Client = "other"
		_, err := n.Attach(t.Context(), id, h, box())
		return err
	})
	ask("the room's page", func() error { _, err := n.Read(t.Context(), id); return err })
	ask("the room of a code", func() error { _, err := n.Find(t.Context(), watching.Code); return err })
	ask("a kick of nobody", func() error { return n.Kick(t.Context(), id, "nobody") })
	ask("a refused signal", func() error { return n.Signal(t.Context(), id, "refused", nil) })
	if err := errors.Join(a.Resync(t.Context()), w.Resync(t.Context()), w.Act(t.Context(), wire.Act{CSeq: 1})); err != nil {
		t.Fatal(err)
	}
	testwait.Until(t, "a question is under way", func() bool { return d.underway() == 1 })
	for range 20 {
		a.act(`{"add":1}`)
	}
	select {
	case early := <-came:
		t.Errorf("%s was answered in doubt: %v", early.what, early.err)
	case <-time.After(50 * time.Millisecond):
	}
	a.read()
	w.read()
	for _, c := range []*client{a, w} {
		if slices.ContainsFunc(c.got, func(m message) bool { return m.kind() == "state" || m.kind() == "reject" }) {
			t.Errorf("in doubt came %v", c.got)
		}
	}
	if last, err := n.Inspect(t.Context(), id, actor.Look{}); err != nil || last.Point.Seq < info.Index+20 {
		t.Errorf("the operator sees %v, %v", last.Point, err)
	}
	if d.underway() != 1 {
		t.Errorf("%d questions are under way", d.underway())
	}
	d.answer() // those that came while it was under way wait for the next
	testwait.Until(t, "the next question is under way", func() bool { return d.underway() == 1 })
	d.be(true)

	got := map[string]error{}
	for range 6 {
		c := <-came
		got[c.what] = c.err
	}
	for what, ok := range map[string]func(error) bool{
		"a refusal":            func(err error) bool { return closeCode(err) == wire.CloseForbidden },
		"a spectator's attach": func(err error) bool { return err == nil },
		"the room's page":      func(err error) bool { return err == nil },
		"the room of a code":   func(err error) bool { return err == nil },
		"a kick of nobody":     func(err error) bool { return err == actor.ErrNotSeated },
		"a refused signal":     func(err error) bool { var no *room.Refusal; return errors.As(err, &no) },
	} {
		if err, is := got[what]; !is || !ok(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if at := a.next("state").num("seq"); at < int(info.Index)+20 {
		t.Errorf("the view that was asked for is of %d", at)
	}
	testwait.Until(t, "the spectator has its view and its answer", func() bool {
		w.read()
		has := func(kind string) bool {
			return slices.ContainsFunc(w.got, func(m message) bool { return m.kind() == kind })
		}
		return has("state") && has("reject")
	})
}

func closeCode(err error) wire.CloseCode {
	if why, ok := errors.AsType[*actor.CloseError](err); ok {
		return why.Code
	}
	return 0
}

// TestARoomInDoubtThatGoes stops a room for which nobody answers: who asked is told to come again, and is told nothing else.
func TestARoomInDoubtThatGoes(t *testing.T) {
	n, d := newDoubtfulNode(t)
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	a.next("state")
	d.be(false)
	came := make(chan error, 3)
	go func() {
		h := hello("w")
		h.Spectate = true
		_, err := n.Attach(context.Background(), id, h, actor.NewOutbox(actor.OutboxOptions{}))
		came <- err
	}()
	go func() {
		_, err := n.Read(context.Background(), id)
		if !errors.Is(err, actor.ErrUnreachable) {
			err = fmt.Errorf("its page: %w", err)
		} else {
			err = &actor.CloseError{Code: wire.CloseMoved}
		}
		came <- err
	}()
	go func() {
		err := n.Kick(context.Background(), id, "nobody")
		if errors.Is(err, actor.ErrUnreachable) {
			err = &actor.CloseError{Code: wire.CloseMoved}
		}
		came <- err
	}()
	testwait.Until(t, "they are held back", func() bool { return d.underway() == 1 })
	testwait.Until(t, "the room has heard of the kick", func() bool {
		look, err := n.Inspect(t.Context(), id, actor.Look{})
		return err == nil && look.Mailbox == 0
	})
	if err := a.Resync(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.act(`{"add":1}`)
	stopped := make(chan actor.Stopped, 1)
	n.Stop(id, func(s actor.Stopped) { stopped <- s })
	<-stopped
	for range 3 {
		if err := <-came; closeCode(err) != wire.CloseMoved {
			t.Errorf("who waited is told %v", err)
		}
	}
	if code := a.closed(); code != wire.CloseMoved || slices.ContainsFunc(a.got, func(m message) bool { return m.kind() == "state" }) {
		t.Errorf("the player is closed with %d after %v", code, a.got)
	}
	d.answer() // too late
}
