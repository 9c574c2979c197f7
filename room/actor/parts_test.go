package actor

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock/clocktest"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// listStore is a LogStore that lists what it is given.
type listStore struct {
	got     []room.Index // the first indexes of batches, and 1000 more than those of snapshots
	refuses error
}

func (s *listStore) Append(b record.Batch) error {
	if s.refuses == nil {
		s.got = append(s.got, b.First)
	}
	return s.refuses
}

func (s *listStore) Save(snap record.Snapshot) error {
	if s.refuses == nil {
		s.got = append(s.got, 1000+snap.Index)
	}
	return s.refuses
}

func (*listStore) SetClock(time.Duration) error { return nil }
func (*listStore) Current(done func())          { done() }
func (*listStore) Close()                       {}

// newLog is a log at index 0 of epoch 1 that tells how far it is handed over.
func newLog(most int) (l *roomLog, s *listStore, expected *record.Point) {
	s, expected = &listStore{}, &record.Point{}
	return &roomLog{
		store: s, most: most, epoch: 1, expect: func(p record.Point) { *expected = p },
		logger: func() *slog.Logger { return slog.New(slog.DiscardHandler) },
	}, s, expected
}

// act adds the entries of acts up to an index.
func (l *roomLog) act(t *testing.T, from, to room.Index) {
	t.Helper()
	for i := from; i <= to; i++ {
		l.add(core.Entry{Index: i, Input: core.Input{Kind: core.KindAct, Epoch: l.epoch}}, time.Duration(i))
	}
	if err := l.write(); err != nil {
		t.Fatal(err)
	}
}

func TestALogGroupsBehindASlowStore(t *testing.T) {
	l, s, expected := newLog(3)
	for i := room.Index(1); i <= 20; i++ {
		l.act(t, i, i)
	}
	if want := []room.Index{1, 2, 3}; !slices.Equal(s.got, want) {
		t.Errorf("twenty acts one by one are handed over from %v, want %v", s.got, want)
	}
	if got := l.window[2].batch; got.Last != 6 || expected.Seq != 6 {
		t.Errorf("the third batch goes to %d and commits are expected up to %d, want 6", got.Last, expected.Seq)
	}
	var delays []time.Duration
	l.committed(2, 100, func(d time.Duration) { delays = append(delays, d) })
	if !slices.Equal(delays, []time.Duration{99, 98}) {
		t.Errorf("two batches took %v", delays)
	}
	if l.act(t, 21, 21); !slices.Equal(s.got, []room.Index{1, 2, 3, 7}) || l.end() != 21 {
		t.Errorf("after a commit of two batches are handed over from %v up to %d", s.got, l.end())
	}
}

func TestALogIsHandedOverAgain(t *testing.T) {
	l, s, expected := newLog(4)
	l.act(t, 1, 1)
	l.act(t, 2, 2)
	l.snapshot = &record.Snapshot{Index: 2}
	if err := l.write(); err != nil || !slices.Equal(s.got, []room.Index{1, 2, 1002}) {
		t.Fatalf("handed over are %v, %v", s.got, err)
	}
	l.committed(1, 0, func(time.Duration) {})
	l.lost()
	s.refuses = errors.New("no space left on device")
	if err := l.resume(); err != s.refuses || expected.Seq != 1 {
		t.Errorf("a store that refuses: %v, and commits are expected up to %d", err, expected.Seq)
	}
	s.refuses, s.got = nil, nil
	if err := l.resume(); err != nil || !slices.Equal(s.got, []room.Index{2, 1002}) || expected.Seq != 2 {
		t.Errorf("again come %v, %v", s.got, err)
	}
	if l.saved(2); l.empty() {
		t.Error("the log is empty with a batch under way")
	}
	if l.committed(2, 0, func(time.Duration) {}); !l.empty() {
		t.Error("the log is not empty when all is durable")
	}
}

func TestALogGoesOnWithoutASnapshotThatCannotBeSaved(t *testing.T) {
	l, s, _ := newLog(1)
	l.snapshot, s.refuses = &record.Snapshot{}, record.Permanent(errors.New("too large"))
	if err := l.write(); err != nil || !l.empty() {
		t.Errorf("%v, and it is empty: %v", err, l.empty())
	}
}

func TestRoomTimeStandsStill(t *testing.T) {
	c := clocktest.New()
	c.Advance(time.Hour)
	rings := 0
	rt := startTime(c, 5*time.Second, func() { rings++ })
	c.Advance(time.Second)
	if got := rt.now(); got != 6*time.Second {
		t.Errorf("it is %v", got)
	}
	rt.arm(8 * time.Second)
	rt.stop(rt.now())
	rt.disarm()
	if c.Advance(time.Minute); rings != 0 || rt.now() != 6*time.Second {
		t.Errorf("while it stands still it is %v, and the timer rang %d times", rt.now(), rings)
	}
	rt.resume()
	rt.arm(8 * time.Second)
	if c.Advance(2*time.Second - 1); rings != 0 {
		t.Error("the timer rings before its deadline")
	}
	if c.Advance(1); rings != 1 || rt.now() != 8*time.Second {
		t.Errorf("at its deadline it is %v, and the timer rang %d times", rt.now(), rings)
	}
	rt.rang()
	rt.arm(9 * time.Second)
	if rt.end(); c.Pending() != 0 {
		t.Error("it leaves a timer")
	}
}

// TestClassesHoldTheirMembers joins, moves and removes sessions at random.
func TestClassesHoldTheirMembers(t *testing.T) {
	all := newSessions()
	r := rand.New(rand.NewPCG(1, 2))
	in := map[*session]core.ClassID{}
	for range 2000 {
		s := &session{}
		if len(in) > 0 && r.IntN(3) > 0 {
			for s = range in {
				break
			}
		} else {
			all.addSpectator(s)
		}
		if r.IntN(4) == 0 {
			all.remove(s)
			delete(in, s)
			continue
		}
		in[s] = core.ClassID(r.IntN(4) + 1)
		all.joinClass(s, in[s])
	}
	members := 0
	for class, list := range all.classes {
		members += len(list)
		for i, s := range list {
			if in[s] != class || s.slot != i || s.class != class {
				t.Errorf("class %d has at %d a session of class %d that is at %d", class, i, in[s], s.slot)
			}
		}
	}
	if members != len(in) || len(all.spectators) != len(in) {
		t.Errorf("%d members and %d spectators, want %d", members, len(all.spectators), len(in))
	}
}

// brokenJournal fails as it is told.
type brokenJournal struct {
	failing error
	done    []func(error)
}

func (j *brokenJournal) Append(_ record.Batch, _ *record.Snapshot, done func(error)) error {
	if j.failing == nil {
		j.done = append(j.done, done)
	}
	return j.failing
}
func (*brokenJournal) SetClock(room.ID, time.Duration) error { return nil }
func (j *brokenJournal) Failing() error                      { return j.failing }

// heard lists what a room is told of its log.
type heard []string

func (h *heard) Committed(record.Point) { *h = append(*h, "committed") }
func (h *heard) Saved(room.Index)       { *h = append(*h, "saved") }
func (h *heard) Failed(error)           { *h = append(*h, "failed") }
func (h *heard) Unavailable(error)      { *h = append(*h, "unavailable") }
func (h *heard) Available()             { *h = append(*h, "available") }

func TestJournalLogsTellOfAJournalThatFails(t *testing.T) {
	j := &brokenJournal{}
	logs := NewJournalLogs(j, JournalOptions{Clock: clocktest.New()})
	defer logs.Close()
	var a, b heard
	first, second := logs.Open("a", &a), logs.Open("b", &b)
	appendOne := func(s LogStore, i room.Index) error { return s.Append(record.Batch{First: i, Last: i}) }
	for i := range room.Index(2) {
		if err := appendOne(first, i+1); err != nil {
			t.Fatal(err)
		}
	}
	trouble := errors.New("no space left on device")
	j.done[0](trouble)
	j.done[1](trouble) // of the same try
	j.failing = trouble
	logs.check()
	logs.check()
	if err := appendOne(second, 1); err != trouble {
		t.Errorf("the journal's refusal is answered %v", err)
	}
	j.failing = nil
	logs.check()
	logs.check()
	if err := appendOne(first, 1); err != nil {
		t.Fatal(err)
	}
	j.done[1](trouble) // of the try before: told already
	j.done[2](nil)
	if want := (heard{"failed", "unavailable", "available", "committed"}); !slices.Equal(a, want) {
		t.Errorf("the room whose batches failed heard %v, want %v", a, want)
	}
	second.Close()
	j.failing = trouble
	logs.check()
	if want := (heard{"unavailable", "available"}); !slices.Equal(b, want) {
		t.Errorf("the other heard %v, want %v", b, want)
	}
}
