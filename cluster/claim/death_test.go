package claim

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/persist/sqlite"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

var errDeath = errors.New("the process died here")

func sqliteStore(t *testing.T) persist.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// released makes a room with one act in it, which node a has given away.
func released(t *testing.T, w *town) (room.ID, *socket) {
	t.Helper()
	a := w.node("a")
	id, s := a.create("adder"), newSocket(t, "p")
	s.add(id, `{"add":1}`, a)
	if err := a.drain(bounded(t)); err != nil {
		t.Fatal(err)
	}
	return id, s
}

// TestARoomOnItsWayIsNotFull asks for a seat in a room that is being given away: who asks must come again, not go elsewhere.
func TestARoomOnItsWayIsNotFull(t *testing.T) {
	w := newTown(t, sqliteStore(t))
	a := w.node("a")
	id := a.create("adder")
	a.store.release = func(write func() (record.RowResult, error)) (record.RowResult, error) {
		if _, err := a.Seat(t.Context(), id, "q", netip.Addr{}); !errors.Is(err, actor.ErrUnreachable) {
			t.Errorf("on its way: %v", err)
		}
		return write()
	}
	if err := a.owner.Drain(bounded(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Seat(t.Context(), id, "q", netip.Addr{}); !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("given away: %v", err)
	}
}

// TestDeathOfTheGiver ends a node between the release of a room and the journal's forgetting it.
func TestDeathOfTheGiver(t *testing.T) {
	w := newTown(t, sqliteStore(t))
	dir := t.TempDir()
	a := w.nodeIn("a", dir)
	id, s := a.create("adder"), newSocket(t, "p")
	s.add(id, `{"add":1}`, a)
	ctx, cancel := context.WithCancelCause(t.Context())
	a.store.release = func(write func() (record.RowResult, error)) (record.RowResult, error) {
		defer cancel(errDeath)
		result, err := write()
		return result, errors.Join(err, errDeath)
	}
	err := a.owner.Drain(ctx)
	if !errors.Is(err, errDeath) || a.journal.Stats().Rooms != 1 {
		t.Fatalf("%v, %d rooms in the journal", err, a.journal.Stats().Rooms)
	}
	if row, err := a.store.Row(t.Context(), id); err != nil || row.State != record.RowReleased {
		t.Fatalf("its row: %+v, %v", row, err)
	}
	a.end()
	a = w.nodeIn("a", dir)
	if _, err := a.Info(id); !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("a room that may be anybody's: %v", err)
	}
	if err := a.Claim(bounded(t), id); err != nil { // over the copy that was set aside
		t.Fatal(err)
	}
	s.add(id, `{"add":1}`, a)
	if v := a.view(id); v["sum"] != 2 {
		t.Errorf("the sum is %d", v["sum"])
	}
}

// TestDeathOfTheTaker ends a node at each step of its taking a room on.
func TestDeathOfTheTaker(t *testing.T) {
	for _, c := range []struct {
		name    string
		claimed bool
		epoch   record.Epoch // at the end
	}{
		{"before the claim", false, 3},
		{"after the claim", true, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTown(t, sqliteStore(t))
			id, s := released(t, w)
			dir := t.TempDir()
			b := w.nodeIn("b", dir)
			ctx, cancel := context.WithCancel(t.Context())
			b.store.claim = func(write func() (record.RowResult, error)) (record.RowResult, error) {
				defer cancel()
				if c.claimed {
					if _, err := write(); err != nil {
						t.Error(err)
					}
				}
				return record.RowResult{}, errDeath
			}
			if err := b.owner.Want(ctx, id); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			b.end()
			b = w.nodeIn("b", dir)
			if !c.claimed {
				other := w.node("c") // whoever is first has it; the copy at b is worth nothing
				if err := other.Claim(bounded(t), id); err != nil {
					t.Fatal(err)
				}
				b = other
			}
			s.add(id, `{"add":1}`, b)
			if v := b.view(id); v["sum"] != 2 {
				t.Errorf("the sum is %d", v["sum"])
			}
			if info, err := b.Info(id); err != nil || info.Epoch != c.epoch {
				t.Errorf("epoch %d, %v; want %d", info.Epoch, err, c.epoch)
			}
		})
	}
}

// TestClaimInDoubt takes a room on again, in one process, whose claim had come to the store without an answer.
func TestClaimInDoubt(t *testing.T) {
	w := newTown(t, sqliteStore(t))
	id, s := released(t, w)
	b := w.node("b")
	var tries atomic.Int32
	b.store.claim = func(write func() (record.RowResult, error)) (record.RowResult, error) {
		result, err := write()
		if tries.Add(1) < 3 {
			err = errors.Join(err, errDeath)
		}
		return result, err
	}
	if err := b.Claim(bounded(t), id); err != nil {
		t.Fatal(err)
	}
	s.add(id, `{"add":1}`, b)
	if v := b.view(id); v["sum"] != 2 {
		t.Errorf("the sum is %d", v["sum"])
	}
}

// TestLostClaimLeavesNothing is beaten to a room.
func TestLostClaimLeavesNothing(t *testing.T) {
	w := newTown(t, sqliteStore(t))
	id, _ := released(t, w)
	b, c := w.node("b"), w.node("c")
	b.store.claim = func(write func() (record.RowResult, error)) (record.RowResult, error) {
		if err := c.Claim(t.Context(), id); err != nil {
			t.Error(err)
		}
		return write()
	}
	err := b.owner.Want(t.Context(), id)
	if !errors.Is(err, record.ErrMovedOn) {
		t.Errorf("the claim that came second: %v", err)
	}
	testwait.Until(t, "nothing of the room is at b", func() bool {
		_, err := b.Info(id)
		return errors.Is(err, actor.ErrNotFound) && b.journal.Stats().Rooms == 0
	})
}

// TestAdoptionsOfOneRoomAreOne asks for one room many times while it is on its way, and attaches meanwhile.
func TestAdoptionsOfOneRoomAreOne(t *testing.T) {
	w := newTown(t, sqliteStore(t))
	id, s := released(t, w)
	b := w.node("b")
	hold := make(chan struct{})
	claims := 0
	b.store.claim = func(write func() (record.RowResult, error)) (record.RowResult, error) {
		claims++
		<-hold
		return write()
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := b.owner.Want(bounded(t), id); err != nil {
				t.Error(err)
			}
		})
	}
	testwait.Until(t, "the room is on its way", func() bool { _, err := b.Info(id); return errors.Is(err, actor.ErrUnreachable) })
	time.AfterFunc(50*time.Millisecond, func() { close(hold) })
	s.hello.Attempt++
	if _, err := b.Attach(bounded(t), id, s.hello, actor.NewOutbox(actor.OutboxOptions{})); err != nil {
		t.Errorf("attach while it comes: %v", err)
	}
	wg.Wait()
	if claims != 1 {
		t.Errorf("%d claims", claims)
	}
}

// TestOtherVersionStaysReleased offers a room to a program that cannot run it.
func TestOtherVersionStaysReleased(t *testing.T) {
	w := newTown(t, sqliteStore(t))
	id, s := released(t, w)
	newer, err := core.NewGames(room.MustDefine(room.Spec{Name: "adder", Version: 2, MaxPlayers: 2, SharedView: true}, func() *adder { return &adder{} }))
	if err != nil {
		t.Fatal(err)
	}
	b := w.node("b", func(o *placeOptions) { o.Games = newer })
	w.name("b")
	b.Start()
	testwait.Until(t, "b holds the room", func() bool { return len(b.owner.Held()) == 1 })
	if h := b.owner.Held()[0]; !h.Released || !strings.Contains(h.Why, "version 1 of game adder") {
		t.Errorf("held: %+v", h)
	}
	if _, err := b.Info(id); !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("b answers for a room that it does not have: %v", err)
	}
	if err := b.Claim(bounded(t), id); !errors.Is(err, actor.ErrUnreachable) {
		t.Errorf("a claim at b: %v", err)
	}
	c := w.node("c")
	if err := c.Claim(bounded(t), id); err != nil { // the ring names b, which refuses
		t.Fatal(err)
	}
	s.add(id, `{"add":1}`, c)
	testwait.Until(t, "b hears that the room is somewhere", func() bool { return len(b.owner.Held()) == 0 })
}

// TestARoomGoesToWhoCanRunIt gives the ring's word to a program that cannot run a room: the next in order is asked to.
func TestARoomGoesToWhoCanRunIt(t *testing.T) {
	w := newTown(t, sqliteStore(t))
	id, s := released(t, w)
	none, err := core.NewGames(room.MustDefine(room.Spec{Name: "other", Version: 1, MaxPlayers: 2}, func() *adder { return &adder{} }))
	if err != nil {
		t.Fatal(err)
	}
	b := w.node("b", func(o *placeOptions) { o.Games = none })
	c := w.node("c")
	w.name("b", "gone", "c")
	b.Start() // its sweep finds the room, unasked
	testwait.Until(t, "c has the room", func() bool { _, err := c.Info(id); return err == nil })
	s.add(id, `{"add":1}`, c)
	testwait.Until(t, "b holds nothing", func() bool { return len(b.owner.Held()) == 0 })
}

// TestImportThatFails leaves the room released.
func TestImportThatFails(t *testing.T) {
	w := newTown(t, sqliteStore(t))
	id, s := released(t, w)
	b := w.node("b", func(o *placeOptions) { o.owner.Journal = &fullJournal{o.owner.Journal.(*journal.Journal)} })
	if err := b.Claim(bounded(t), id); !errors.Is(err, errDeath) {
		t.Errorf("a claim into a journal that is full: %v", err)
	}
	if row, err := b.store.Row(t.Context(), id); err != nil || row.State != record.RowReleased {
		t.Errorf("its row: %+v, %v", row, err)
	}
	c := w.node("c")
	if err := c.Claim(bounded(t), id); err != nil {
		t.Fatal(err)
	}
	s.add(id, `{"add":1}`, c)
}

type fullJournal struct{ *journal.Journal }

func (*fullJournal) Import(context.Context, record.Kept) error { return errDeath }

// miser is the adder by rules that have changed without a new version.
type miser struct{ adder }

func (a *miser) Act(*room.Turn, room.Player, addition) error {
	return room.Refuse("no_more", "nothing is added any more")
}

// TestOtherRulesGiveARoomBack has the ring name a program whose rules are not those that the room was played by: it finds
// that out when the room is its own, and gives it back as it was, to one who can go on with it.
func TestOtherRulesGiveARoomBack(t *testing.T) {
	w := newTown(t, sqliteStore(t))
	id, s := released(t, w)
	rules, _ := testGames(t).Lookup("adder")
	others, err := core.NewGames(room.MustDefine(rules.Spec(), func() *miser { return &miser{} }))
	if err != nil {
		t.Fatal(err)
	}
	b := w.node("b", func(o *placeOptions) { o.Games = others })
	w.name("b")
	if err := b.Claim(bounded(t), id); !errors.Is(err, actor.ErrUnreachable) {
		t.Errorf("a claim at b: %v", err)
	}
	if held := b.owner.Held(); len(held) != 1 || !held[0].Released || !strings.Contains(held[0].Why, "these rules refuse it (no_more)") {
		t.Errorf("b holds %+v", held)
	}
	row, err := b.store.Row(t.Context(), id)
	if err != nil || row.State != record.RowReleased || b.journal.Stats().Rooms != 0 {
		t.Errorf("its row: %+v, %v; %d rooms in b's journal", row, err, b.journal.Stats().Rooms)
	}
	if err := b.Claim(bounded(t), id); !errors.Is(err, actor.ErrUnreachable) {
		t.Errorf("another claim at b: %v", err)
	}
	if again, err := b.store.Row(t.Context(), id); err != nil || again.Epoch != row.Epoch {
		t.Errorf("it is claimed to be held once more: %+v, %v", again, err)
	}
	c := w.node("c")
	if err := c.Claim(bounded(t), id); err != nil {
		t.Fatal(err)
	}
	s.add(id, `{"add":1}`, c)
	if v := c.view(id); v["sum"] != 2 {
		t.Errorf("the sum is %d", v["sum"])
	}
}
