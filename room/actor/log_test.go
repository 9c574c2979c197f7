package actor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// slowJournal writes nothing until it is told to, or fails instead.
type slowJournal struct {
	*journal
	t testing.TB

	mu      sync.Mutex
	slow    bool
	waiting []handed
	end     room.Index // of what was handed over and has not failed
	durable room.Index
	refuse  error // what Append says
	kept    []record.Batch
}

type handed struct {
	batch record.Batch
	snap  *record.Snapshot
	done  func(error)
}

func (j *slowJournal) Append(b record.Batch, snap *record.Snapshot, done func(error)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.refuse != nil:
		return j.refuse
	case b.Last > 0 && b.First != j.end+1:
		j.t.Errorf("the batch %d to %d is handed in behind %d", b.First, b.Last, j.end)
		return errors.New("a gap")
	case snap != nil && snap.Index > j.end:
		j.t.Errorf("the snapshot of %d is handed in behind %d", snap.Index, j.end)
	}
	j.end = max(j.end, b.Last)
	j.waiting = append(j.waiting, handed{b, snap, done})
	if !j.slow {
		j.land(len(j.waiting))
	}
	return nil
}

// land writes the oldest n that wait.
func (j *slowJournal) land(n int) {
	for _, h := range j.waiting[:n] {
		if h.batch.Last > 0 {
			j.durable, j.kept = h.batch.Last, append(j.kept, h.batch)
		}
		if err := j.journal.Append(h.batch, h.snap, h.done); err != nil {
			j.t.Error(err)
		}
	}
	j.waiting = slices.Delete(j.waiting, 0, n)
}

func (j *slowJournal) write(n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.land(n)
}

// flow writes what waits and what comes from now on, or lets what comes wait.
func (j *slowJournal) flow(on bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.slow = !on; on {
		j.land(len(j.waiting))
	}
}

// lose fails everything that waits.
func (j *slowJournal) lose(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, h := range j.waiting {
		h.done(err)
	}
	j.waiting, j.end = nil, j.durable
}

func (j *slowJournal) refuses(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.refuse = err
}

// underway are the sizes of the batches that wait.
func (j *slowJournal) underway() []int {
	j.mu.Lock()
	defer j.mu.Unlock()
	sizes := []int{}
	for _, h := range j.waiting {
		if h.batch.Last > 0 {
			sizes = append(sizes, int(h.batch.Last-h.batch.First)+1)
		}
	}
	return sizes
}

func newSlowNode(t testing.TB, change ...func(o *setup)) (*node, *slowJournal) {
	j := &slowJournal{t: t}
	n := newNode(t, append(change, func(o *setup) {
		j.journal = o.Journal.(*journal)
		o.Journal = j
		o.Check = time.Millisecond
	})...)
	return n, j
}

// stepped sends so many acts, and waits until the room has stepped them.
func (n *node) stepped(c *client, id room.ID, acts int) room.Index {
	n.t.Helper()
	want := n.point(id) + room.Index(acts)
	for range acts {
		c.send(`{"add":1}`)
	}
	testwait.Until(n.t, "the acts are stepped", func() bool { return n.point(id) == want })
	return want
}

// acks are the acts whose answers have come.
func (c *client) acks() (got []int) {
	c.read()
	for _, m := range c.got {
		if m.kind() == "ack" {
			got = append(got, m.num("cseq"))
		}
	}
	return got
}

func upTo(n int) (all []int) {
	for i := range n {
		all = append(all, i+1)
	}
	return all
}

// TestABusyRoomGroups: a slow journal gets a bounded number of batches at a time, and larger ones the further it is behind.
func TestABusyRoomGroups(t *testing.T) {
	n, j := newSlowNode(t, func(o *setup) { o.Window, o.Uncommitted = 4, 64 })
	defer n.stop()
	defer j.flow(true)
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	a.next("state")
	j.flow(false)
	for range 2 {
		n.stepped(a, id, 1)
	}
	if got := j.underway(); !slices.Equal(got, []int{1, 1}) {
		t.Errorf("two acts one after the other are batches of %v", got)
	}
	for range 28 {
		n.stepped(a, id, 1)
	}
	got := j.underway()
	if len(got) != 4 || got[2] < 4 || got[3] < got[2] {
		t.Errorf("30 acts one after the other are batches of %v: the third and fourth were to be groups", got)
	}
	j.flow(true)
	testwait.Until(t, "all is acknowledged", func() bool { return len(a.acks()) == 30 })
	if got := a.acks(); !slices.Equal(got, upTo(30)) {
		t.Errorf("the acks come as %v", got)
	}
}

// TestABatchIsBounded: large acts that wait for a journal are handed over in parts.
func TestABatchIsBounded(t *testing.T) {
	n, j := newSlowNode(t, func(o *setup) { o.Window = 1 })
	defer n.stop()
	defer j.flow(true)
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	a.next("state")
	j.flow(false)
	n.stepped(a, id, 1)
	before := n.point(id)
	for range 7 {
		a.send(`{"pad":"` + strings.Repeat("x", 300<<10) + `"}`)
	}
	testwait.Until(t, "the acts are stepped", func() bool { return n.point(id) == before+7 })
	for _, want := range []int{4, 3} {
		j.write(1)
		testwait.Until(t, "the next batch comes", func() bool { return len(j.underway()) == 1 })
		if got := j.underway(); got[0] != want {
			t.Errorf("a batch has %d acts of 300 KiB, want %d", got[0], want)
		}
	}
	j.flow(true)
	testwait.Until(t, "all is acknowledged", func() bool { return len(a.acks()) == 8 })
}

// TestTheMailboxStops: a journal that writes nothing stops the room's players, with no more batches under way than allowed.
func TestTheMailboxStops(t *testing.T) {
	n, j := newSlowNode(t, func(o *setup) { o.Window, o.Uncommitted, o.Mailbox = 2, 8, 1 })
	defer n.stop()
	defer j.flow(true)
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	a.next("state")
	j.flow(false)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for range 20 {
			a.send(`{"add":1}`)
		}
	}()
	before := n.point(id)
	testwait.Until(t, "the room stands still", func() bool {
		look, err := n.Inspect(t.Context(), id, actor.Look{})
		return err == nil && look.Still != "" && look.Mailbox > 0
	})
	select {
	case <-sent:
		t.Error("20 acts went into a room that takes 8, with a mailbox for one")
	default:
	}
	if got := n.point(id); got > before+8 || len(j.underway()) > 2 {
		t.Errorf("%d inputs are stepped and %v under way", got-before, j.underway())
	}
	j.flow(true)
	<-sent
	testwait.Until(t, "all is acknowledged", func() bool { return len(a.acks()) == 20 })
}

// TestOneCommitForSeveralBatches commits several batches at once, old ones again, and a part of a batch.
func TestOneCommitForSeveralBatches(t *testing.T) {
	n, j := newSlowNode(t)
	defer n.stop()
	defer j.flow(true)
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	a.next("state")
	j.flow(false)
	first := n.stepped(a, id, 1)
	second := n.stepped(a, id, 1)
	n.stepped(a, id, 8)
	n.Committed(id, record.Point{Epoch: 1, Seq: second})
	testwait.Until(t, "two acts are acknowledged", func() bool { return slices.Equal(a.acks(), upTo(2)) })
	n.Committed(id, record.Point{Epoch: 1, Seq: first}) // late, and old
	j.write(2)                                          // and here it is told of once more
	last := n.stepped(a, id, 1)
	n.Committed(id, record.Point{Epoch: 1, Seq: last - 4}) // not a batch's end
	testwait.Until(t, "so many are acknowledged", func() bool { return slices.Equal(a.acks(), upTo(7)) })
	j.flow(true)
	testwait.Until(t, "all is acknowledged", func() bool { return slices.Equal(a.acks(), upTo(11)) })
}

// TestACommitOfAnotherEpochIsRefused commits what is not of the room's present log.
func TestACommitOfAnotherEpochIsRefused(t *testing.T) {
	var log testwait.Log
	n, j := newSlowNode(t, func(o *setup) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	defer n.stop()
	defer j.flow(true)
	id := n.create(actor.Create{Game: "counter"})
	n.player(id, "a").act(`{"add":1}`)
	n.stop()
	n.boot()
	if _, err := n.owner.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := hello("a")
	h.Attempt = 2
	a := n.attach(id, h)
	if at := a.next("welcome"); at.num("epoch") != 2 {
		t.Fatalf("after the restart: %v", at)
	}
	a.next("state")
	a.cseq = 1
	j.flow(false)
	at := n.stepped(a, id, 1)
	for _, p := range []record.Point{{Epoch: 1, Seq: at}, {Epoch: 3, Seq: at}, {Epoch: 2, Seq: at + 1}} {
		n.Committed(id, p)
		if look, err := n.Inspect(t.Context(), id, actor.Look{}); err != nil || look.Committed >= at {
			t.Errorf("%v counts: %d is committed, %v", p, look.Committed, err)
		}
	}
	if got := a.acks(); len(got) > 0 {
		t.Errorf("it acknowledges %v", got)
	}
	n.Committed(id, record.Point{Epoch: 2, Seq: at})
	a.next("ack")
	if lines := strings.Count(log.String(), "a commit is refused"); lines != 1 {
		t.Errorf("it is told of %d times:\n%s", lines, log.String())
	}
}

// TestAFailureInTheMiddleOfAWindow fails some batches after one that is durable: those come again, and nothing twice.
func TestAFailureInTheMiddleOfAWindow(t *testing.T) {
	n, j := newSlowNode(t)
	defer n.stop()
	defer j.flow(true)
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	a.next("state")
	j.flow(false)
	for range 10 {
		n.stepped(a, id, 1)
	}
	want := j.underway()
	if len(want) < 3 {
		t.Fatalf("under way are %v", want)
	}
	j.write(1)
	trouble := errors.New("no space left on device")
	j.refuses(trouble)
	j.journal.fail(trouble)
	j.lose(trouble)
	a.closed()
	if got := a.acks(); !slices.Equal(got, upTo(1)) {
		t.Errorf("acknowledged are %v, and one act is durable", got)
	}
	before := n.point(id)
	j.refuses(nil)
	j.journal.fail(nil)
	testwait.Until(t, "what failed comes again", func() bool { return len(j.underway()) >= len(want)-1 })
	if got := j.underway(); !slices.Equal(got[:len(want)-1], want[1:]) {
		t.Errorf("again come %v of %v", got, want)
	}
	j.lose(trouble) // all of them once more
	testwait.Until(t, "and again", func() bool { return len(j.underway()) >= len(want)-1 })
	j.flow(true)
	h := hello("a")
	h.Attempt = 2
	a = n.attach(id, h)
	if hi := a.next("welcome"); hi.num("cseq") != 10 {
		t.Errorf("the room has applied %v", hi)
	}
	n.wantSum(id, 10)
	if before < n.point(id)-2 {
		t.Errorf("the log grew from %d to %d", before, n.point(id))
	}
	j.isWhole()
}

// isWhole checks that what was written is one log.
func (j *slowJournal) isWhole() {
	j.mu.Lock()
	defer j.mu.Unlock()
	last := room.Index(0)
	for _, b := range j.kept {
		for e, err := range core.DecodeEntries(b.Entries) {
			if err != nil || e.Index != last+1 {
				j.t.Errorf("entry %d follows %d, %v", e.Index, last, err)
			}
			last = e.Index
		}
	}
}

// TestARoomStopsWithItsLogSafe stops a room with much under way: it leaves memory when all of that and its snapshot are durable.
func TestARoomStopsWithItsLogSafe(t *testing.T) {
	for _, game := range []string{"counter", "ticker"} {
		n, j := newSlowNode(t)
		id := n.create(actor.Create{Game: game})
		a := n.player(id, "a")
		a.next("state")
		j.flow(false)
		at := n.point(id)
		for range 10 {
			a.send(`{}`)
		}
		testwait.Until(t, "the acts are stepped", func() bool { return n.point(id) >= at+10 })
		stopped := make(chan error, 1)
		go func() { stopped <- n.Shutdown(context.Background()) }()
		for safe := false; !safe; {
			j.mu.Lock()
			n := len(j.waiting)
			safe = n == 1 && j.waiting[0].snap != nil
			if !safe && n > 0 {
				j.land(1)
			}
			j.mu.Unlock()
			time.Sleep(time.Millisecond)
		}
		select {
		case err := <-stopped:
			t.Errorf("%s: it left with its snapshot on the way: %v", game, err)
		case <-time.After(10 * time.Millisecond):
		}
		j.flow(true)
		if err := testwait.Receive(t, "the end of Shutdown", stopped); err != nil {
			t.Error(err)
		}
		kept, err := j.Load(t.Context(), id)
		if err != nil || len(kept.Snapshots) == 0 || kept.Snapshots[len(kept.Snapshots)-1].Index != kept.Last() {
			t.Errorf("%s: its log ends at %d, without a snapshot there: %v", game, kept.Last(), err)
		}
		if got := a.acks(); !slices.Equal(got, upTo(10)) {
			t.Errorf("%s: acknowledged are %v", game, got)
		}
		j.isWhole()
	}
}

// TestASnapshotThatFails: it is handed over again until it is saved.
func TestASnapshotThatFails(t *testing.T) {
	n, j := newSlowNode(t, func(o *setup) { o.Core.SnapshotTurns = 4 })
	defer func() { j.flow(true); n.stop() }()
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	a.next("state")
	j.flow(false)
	for range 10 {
		n.stepped(a, id, 1)
		j.mu.Lock()
		due := len(j.waiting) > 0 && j.waiting[len(j.waiting)-1].snap != nil
		if due {
			j.land(len(j.waiting) - 1)
		}
		j.mu.Unlock()
		if due {
			break
		}
		j.write(len(j.underway()))
	}
	for try := range 3 {
		j.lose(fmt.Errorf("try %d", try))
		testwait.Until(t, "it comes again", func() bool {
			j.mu.Lock()
			defer j.mu.Unlock()
			return slices.ContainsFunc(j.waiting, func(h handed) bool { return h.snap != nil })
		})
	}
	j.flow(true)
	kept, err := j.Load(t.Context(), id)
	if err != nil || len(kept.Snapshots) == 0 {
		t.Errorf("no snapshot is kept: %v", err)
	}
}
