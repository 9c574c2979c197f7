package actor

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/wire"
)

// newBox is an outbox with its two hooks counted.
type testBox struct {
	*Outbox
	feed                   *Feed
	wakes, refills, stucks int
}

func newBox(o OutboxOptions) *testBox {
	b := &testBox{}
	o.Wake = func() { b.wakes++ }
	b.Outbox = NewOutbox(o)
	b.feed = NewFeed(b.Outbox)
	b.feed.Deliver(&Bindings{Refill: func() { b.refills++ }, Stuck: func() { b.stucks++ }})
	return b
}

func (b *testBox) take(t *testing.T, max int) string {
	t.Helper()
	out, _ := b.Take(nil, max)
	return string(out)
}

func (b *testBox) view(s string) (told uint64) {
	b.feed.Deliver(&View{0, 1, func(lost uint64) []byte { told = lost; return []byte(s) }})
	return told
}

func TestTakeJoinsInOrder(t *testing.T) {
	for _, c := range []struct {
		encoding wire.Encoding
		max      int
		want     []string
	}{
		{wire.JSON, 100, []string{"a\nbb\nccc"}},
		{wire.CBOR, 100, []string{"abbccc"}},
		{wire.JSON, 5, []string{"a\nbb", "ccc"}},
		{wire.JSON, 1, []string{"a", "bb", "ccc"}},
	} {
		b := newBox(OutboxOptions{Encoding: c.encoding})
		push(b.feed, []byte("a"), Keep, 0, 0)
		push(b.feed, []byte("bb"), Drop, 0, 1)
		push(b.feed, []byte("ccc"), Answer, 0, 0)
		for _, want := range c.want {
			if got := b.take(t, c.max); got != want {
				t.Errorf("encoding %d, max %d: took %q, want %q", c.encoding, c.max, got, want)
			}
		}
		if _, n := b.Take(nil, 100); n != 0 {
			t.Errorf("took %d more messages", n)
		}
	}
}

func TestTakeAppends(t *testing.T) {
	b := newBox(OutboxOptions{})
	push(b.feed, []byte("x"), Keep, 0, 0)
	push(b.feed, []byte("y"), Keep, 0, 0)
	out, n := b.Take([]byte("head:"), 100)
	if string(out) != "head:x\ny" || n != 2 {
		t.Errorf("Take = %q, %d", out, n)
	}
}

func TestWakesOnceUntilDrained(t *testing.T) {
	b := newBox(OutboxOptions{})
	for range 3 {
		push(b.feed, []byte("x"), Drop, 0, 0)
	}
	if b.wakes != 1 {
		t.Errorf("%d wakes for three pushes, want 1", b.wakes)
	}
	b.take(t, 100)
	push(b.feed, []byte("x"), Drop, 0, 0)
	if b.wakes != 2 {
		t.Errorf("%d wakes after the queue was drained, want 2", b.wakes)
	}
}

// TestReaderWithoutARoom drains the queue of a slow reader between two feeds: nobody can be asked for a view, and the next
// welcome brings one anyway.
func TestReaderWithoutARoom(t *testing.T) {
	b := newBox(OutboxOptions{MaxBytes: 10})
	push(b.feed, []byte("turn1"), Drop, 1, 0)
	push(b.feed, []byte("a longer turn"), Drop, 2, 0)
	next := NewFeed(b.Outbox)
	if got := b.take(t, 1000); got != "" || b.refills != 0 {
		t.Errorf("took %q and asked %d times", got, b.refills)
	}
	next.Deliver(&Bindings{Refill: func() { b.refills++ }, Stuck: func() {}})
	next.Deliver(&Welcomed{2, 0, 0})
	push(next, []byte("view"), Keep, 2, 0)
	push(next, []byte("turn3"), Drop, 3, 0)
	if got := b.take(t, 1000); got != "view\nturn3" || b.refills != 0 {
		t.Errorf("took %q and asked %d times", got, b.refills)
	}
}

func TestSlowReaderLosesTurnsAndKeepsAnswers(t *testing.T) {
	b := newBox(OutboxOptions{MaxBytes: 10})
	push(b.feed, []byte("welcome"), Keep, 0, 0)
	push(b.feed, []byte("turn1"), Drop, 0, 2)
	push(b.feed, []byte("ack1"), Answer, 0, 0)
	push(b.feed, []byte("turn2"), Drop, 0, 1) // fits exactly
	push(b.feed, []byte("turn3"), Drop, 0, 3) // does not: all three turns are lost
	push(b.feed, []byte("turn4"), Drop, 0, 1)
	push(b.feed, []byte("ack2"), Answer, 0, 0)
	if b.refills != 0 {
		t.Fatal("asked for the whole view before the reader had drained the queue")
	}
	if got := b.take(t, 1000); got != "welcome\nack1\nack2" {
		t.Fatalf("took %q", got)
	}
	push(b.feed, []byte("turn5"), Drop, 0, 1)
	if got := b.take(t, 1000); got != "" || b.refills != 1 {
		t.Fatalf("took %q with %d requests for the view", got, b.refills)
	}
	b.take(t, 1000)
	if b.refills != 1 {
		t.Errorf("asked %d times for one view", b.refills)
	}
	push(b.feed, []byte("turn6"), Drop, 0, 1) // before the view: it patches what the reader does not have
	wakes := b.wakes
	if told := b.view("state"); told != 9 {
		t.Errorf("the view tells of %d lost events, want 9", told)
	}
	if b.wakes != wakes+1 {
		t.Error("the view did not wake the writer")
	}
	push(b.feed, []byte("turn7"), Drop, 0, 1)
	if got := b.take(t, 1000); got != "state\nturn7" {
		t.Errorf("took %q", got)
	}
	if told := b.view("again"); told != 0 {
		t.Errorf("the next view tells of %d lost events, want 0", told)
	}
}

func TestViewBeforeTheReaderHasDrainedIsDropped(t *testing.T) {
	b := newBox(OutboxOptions{MaxBytes: 4})
	push(b.feed, []byte("ack"), Answer, 0, 0)
	push(b.feed, []byte("aaa"), Drop, 0, 1)
	push(b.feed, []byte("bbb"), Drop, 0, 1)
	b.view("early")
	push(b.feed, []byte("ccc"), Drop, 0, 1)
	if got := b.take(t, 100); got != "ack" {
		t.Fatalf("took %q", got)
	}
	b.take(t, 100)
	if told := b.view("late"); told != 3 || b.take(t, 100) != "late" {
		t.Errorf("the view tells of %d lost events, want 3", told)
	}
}

// TestLostEventsOfADroppedView drops a view that tells of lost events: the next view tells of them.
func TestLostEventsOfADroppedView(t *testing.T) {
	b := newBox(OutboxOptions{MaxBytes: 4})
	fall := func() {
		push(b.feed, []byte("turn"), Drop, 0, 2)
		push(b.feed, []byte("turn"), Drop, 0, 3)
	}
	fall()
	b.take(t, 100)
	if told := b.view("view"); told != 5 {
		t.Fatalf("the view tells of %d lost events, want 5", told)
	}
	push(b.feed, []byte("turn"), Drop, 0, 4)
	b.take(t, 100)
	if told := b.view("late"); told != 9 || b.take(t, 100) != "late" {
		t.Errorf("the view after it tells of %d lost events, want 9", told)
	}
	fall()
	b.take(t, 100)
	if told := b.view("view"); told != 5 || b.Stats().Lost != 14 {
		t.Errorf("the last tells of %d lost events, want 5; %d were lost ever, want 14", told, b.Stats().Lost)
	}
}

func TestOneFrameLargerThanTheQueuePasses(t *testing.T) {
	b := newBox(OutboxOptions{MaxBytes: 4})
	big := strings.Repeat("x", 100)
	for range 3 {
		push(b.feed, []byte(big), Drop, 0, 1)
		if got := b.take(t, 10); got != big {
			t.Fatalf("took %d bytes", len(got))
		}
	}
}

func TestViewsAreBoundedToo(t *testing.T) {
	b := newBox(OutboxOptions{MaxBytes: 10})
	for range 100 {
		b.view("sixsix")
	}
	if s := b.feed.Stats(); s.Bytes > 10 {
		t.Errorf("%d bytes of views are queued, the bound is 10", s.Bytes)
	}
}

func TestEndComesAfterWhatIsQueued(t *testing.T) {
	b := newBox(OutboxOptions{})
	push(b.feed, []byte("last"), Keep, 0, 0)
	b.feed.Deliver(&End{closing(wire.CloseForbidden, "kicked"), false})
	b.feed.Deliver(&End{closing(wire.CloseMoved, "later"), true})
	push(b.feed, []byte("late"), Keep, 0, 0)
	if _, over := b.End(); over {
		t.Fatal("the end came before the last message")
	}
	if got := b.take(t, 100); got != "last" {
		t.Fatalf("took %q", got)
	}
	if err, over := b.End(); !over || err.Code != wire.CloseForbidden {
		t.Errorf("End = %v, %v; want the first", err, over)
	}
	if b.wakes < 2 {
		t.Error("the end did not wake the writer")
	}
}

// push is one message said.
func push(to Sink, frame []byte, fate Fate, seq room.Index, events int) {
	to.Deliver(&Say{Frame: frame, Fate: fate, Seq: seq, Events: events})
}

func TestUnansweredCountsUntilTaken(t *testing.T) {
	b := newBox(OutboxOptions{})
	for i := range MaxUnanswered {
		if !b.feed.Credit().Begin() {
			t.Fatalf("act %d was one too many", i)
		}
		push(b.feed, []byte("ack"), Answer, 0, 0)
	}
	if b.feed.Credit().Begin() {
		t.Error("answers nobody has read make room for more acts")
	}
	b.take(t, 1<<20)
	if !b.feed.Credit().Begin() {
		t.Error("answers that were taken make no room")
	}
}

// TestCredit calls Done more often than Begin, as when an act that was sent again has two answers.
func TestCredit(t *testing.T) {
	var c Credit
	c.Begin()
	c.Done()
	c.Done()
	for range MaxUnanswered {
		if !c.Begin() {
			t.Fatal("an act too early is one too many")
		}
	}
	if c.Begin() || c.Open() != MaxUnanswered+1 {
		t.Errorf("%d acts have no answer, and none is too many", c.Open())
	}
}

// TestAnOlderFeedIsDisconnected uses a feed after a newer one of the same outbox was made.
func TestAnOlderFeedIsDisconnected(t *testing.T) {
	b := newBox(OutboxOptions{})
	old := b.feed
	for range MaxUnanswered {
		old.Credit().Begin()
	}
	push(old, []byte("ack"), Answer, 0, 0)
	next := NewFeed(b.Outbox)
	if n := next.Stats().Unanswered; n != 1 {
		t.Errorf("%d acts have no answer, and 1 answer is queued", n)
	}
	next.Credit().Begin()
	for range MaxUnanswered {
		if !old.Credit().Begin() {
			t.Fatal("it says of acts that count for nothing that they are too many")
		}
	}
	old.Credit().Done()
	push(old, []byte("turn"), Keep, 1, 1)
	old.Deliver(&Say{Frame: []byte("ack"), Fate: Answer, Hold: true})
	old.Deliver(&View{0, 1, func(uint64) []byte { return []byte("view") }})
	old.Deliver(&Welcomed{7, 7, 7})
	old.Deliver(&End{CloseStuck(), true})
	if s := next.Stats(); s.Unanswered != 2 || s.Messages != 1 {
		t.Errorf("the newer feed finds %+v", s)
	}
	if got := b.take(t, 100); got != "ack" || b.Resume() != nil {
		t.Errorf("took %q; a reader goes on from %v", got, b.Resume())
	}
}

// TestAnOlderFeedFlushes: nobody waits for an answer because its room has gone.
func TestAnOlderFeedFlushes(t *testing.T) {
	b := newBox(OutboxOptions{})
	b.feed.Deliver(&Say{Frame: []byte("ack"), Fate: Answer, Hold: true})
	NewFeed(b.Outbox)
	b.feed.Deliver(Flush{})
	if got := b.take(t, 100); b.wakes != 1 || got != "ack" {
		t.Errorf("%d wakes, took %q", b.wakes, got)
	}
}

func TestCloseReasonsFit(t *testing.T) {
	err := closing(wire.CloseMoved, strings.Repeat("é", 100))
	if len(err.Reason) > 123 || !strings.HasPrefix(strings.Repeat("é", 100), err.Reason) {
		t.Errorf("a reason of %d bytes: %q", len(err.Reason), err.Reason)
	}
}

// BenchmarkPush measures one encoded turn handed to 50 sessions whose writers keep up, with a Take of everything every
// 16 turns.
func BenchmarkPush(b *testing.B) {
	const sessions = 50
	boxes := make([]*Outbox, sessions)
	sinks := make([]Sink, sessions)
	for i := range boxes {
		boxes[i] = NewOutbox(OutboxOptions{Wake: func() {}})
		sinks[i] = NewFeed(boxes[i])
	}
	turn := &Say{Frame: bytes.Repeat([]byte("x"), 120), Fate: Drop, Seq: 1, Events: 1}
	buf := make([]byte, 0, 64<<10)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for _, sink := range sinks {
			sink.Deliver(turn)
		}
		if n++; n%16 == 0 {
			b.StopTimer()
			for _, box := range boxes {
				buf, _ = box.Take(buf[:0], 64<<10)
			}
			b.StartTimer()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*sessions), "ns/session")
}

func TestPushDoesNotAllocate(t *testing.T) {
	b := newBox(OutboxOptions{})
	frame := fmt.Appendf(nil, "%0120d", 7)
	buf := make([]byte, 0, 1<<12)
	round := func() {
		for range 8 {
			push(b.feed, frame, Drop, 0, 1)
		}
		buf, _ = b.Take(buf[:0], 1<<12)
	}
	round()
	if n := testing.AllocsPerRun(100, round); n > 0 {
		t.Errorf("%v allocations for 8 pushes and a take", n)
	}
}
