package actor

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

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
	b.feed.Bind(Bindings{Refill: func() { b.refills++ }, Stuck: func() { b.stucks++ }})
	return b
}

func (b *testBox) take(t *testing.T, max int) string {
	t.Helper()
	out, _ := b.Take(nil, max)
	return string(out)
}

func (b *testBox) view(s string) (told uint64) {
	b.feed.View(1, func(lost uint64) []byte { told = lost; return []byte(s) })
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
		b.feed.Push([]byte("a"), Keep, 0, 0)
		b.feed.Push([]byte("bb"), Drop, 0, 1)
		b.feed.Push([]byte("ccc"), Answer, 0, 0)
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
	b.feed.Push([]byte("x"), Keep, 0, 0)
	b.feed.Push([]byte("y"), Keep, 0, 0)
	out, n := b.Take([]byte("head:"), 100)
	if string(out) != "head:x\ny" || n != 2 {
		t.Errorf("Take = %q, %d", out, n)
	}
}

func TestWakesOnceUntilDrained(t *testing.T) {
	b := newBox(OutboxOptions{})
	for range 3 {
		b.feed.Push([]byte("x"), Drop, 0, 0)
	}
	if b.wakes != 1 {
		t.Errorf("%d wakes for three pushes, want 1", b.wakes)
	}
	b.take(t, 100)
	b.feed.Push([]byte("x"), Drop, 0, 0)
	if b.wakes != 2 {
		t.Errorf("%d wakes after the queue was drained, want 2", b.wakes)
	}
}

// TestReaderWithoutARoom has a slow reader drain its queue while it is between two rooms' feeds: nobody can be asked for a
// view, and the next welcome brings one anyway.
func TestReaderWithoutARoom(t *testing.T) {
	b := newBox(OutboxOptions{MaxBytes: 10})
	b.feed.Push([]byte("turn1"), Drop, 1, 0)
	b.feed.Push([]byte("a longer turn"), Drop, 2, 0)
	next := NewFeed(b.Outbox)
	if got := b.take(t, 1000); got != "" || b.refills != 0 {
		t.Errorf("took %q and asked %d times", got, b.refills)
	}
	next.Bind(Bindings{Refill: func() { b.refills++ }, Stuck: func() {}})
	next.Welcomed(2, 0, 0)
	next.Push([]byte("view"), Keep, 2, 0)
	next.Push([]byte("turn3"), Drop, 3, 0)
	if got := b.take(t, 1000); got != "view\nturn3" || b.refills != 0 {
		t.Errorf("took %q and asked %d times", got, b.refills)
	}
}

func TestSlowReaderLosesTurnsAndKeepsAnswers(t *testing.T) {
	b := newBox(OutboxOptions{MaxBytes: 10})
	b.feed.Push([]byte("welcome"), Keep, 0, 0)
	b.feed.Push([]byte("turn1"), Drop, 0, 2)
	b.feed.Push([]byte("ack1"), Answer, 0, 0)
	b.feed.Push([]byte("turn2"), Drop, 0, 1) // fits exactly
	b.feed.Push([]byte("turn3"), Drop, 0, 3) // does not: all three turns are lost
	b.feed.Push([]byte("turn4"), Drop, 0, 1)
	b.feed.Push([]byte("ack2"), Answer, 0, 0)
	if b.refills != 0 {
		t.Fatal("asked for the whole view before the reader had drained the queue")
	}
	if got := b.take(t, 1000); got != "welcome\nack1\nack2" {
		t.Fatalf("took %q", got)
	}
	b.feed.Push([]byte("turn5"), Drop, 0, 1)
	if got := b.take(t, 1000); got != "" || b.refills != 1 {
		t.Fatalf("took %q with %d requests for the view", got, b.refills)
	}
	b.take(t, 1000)
	if b.refills != 1 {
		t.Errorf("asked %d times for one view", b.refills)
	}
	b.feed.Push([]byte("turn6"), Drop, 0, 1) // before the view: it patches what the reader does not have
	wakes := b.wakes
	if told := b.view("state"); told != 9 {
		t.Errorf("the view tells of %d lost events, want 9", told)
	}
	if b.wakes != wakes+1 {
		t.Error("the view did not wake the writer")
	}
	b.feed.Push([]byte("turn7"), Drop, 0, 1)
	if got := b.take(t, 1000); got != "state\nturn7" {
		t.Errorf("took %q", got)
	}
	if told := b.view("again"); told != 0 {
		t.Errorf("the next view tells of %d lost events, want 0", told)
	}
}

func TestViewBeforeTheReaderHasDrainedIsDropped(t *testing.T) {
	b := newBox(OutboxOptions{MaxBytes: 4})
	b.feed.Push([]byte("ack"), Answer, 0, 0)
	b.feed.Push([]byte("aaa"), Drop, 0, 1)
	b.feed.Push([]byte("bbb"), Drop, 0, 1)
	b.view("early")
	b.feed.Push([]byte("ccc"), Drop, 0, 1)
	if got := b.take(t, 100); got != "ack" {
		t.Fatalf("took %q", got)
	}
	b.take(t, 100)
	if told := b.view("late"); told != 3 || b.take(t, 100) != "late" {
		t.Errorf("the view tells of %d lost events, want 3", told)
	}
}

// TestLostEventsOfADroppedView has a view that tells of lost events be lost itself: the next one tells of them.
func TestLostEventsOfADroppedView(t *testing.T) {
	b := newBox(OutboxOptions{MaxBytes: 4})
	fall := func() {
		b.feed.Push([]byte("turn"), Drop, 0, 2)
		b.feed.Push([]byte("turn"), Drop, 0, 3)
	}
	fall()
	b.take(t, 100)
	if told := b.view("view"); told != 5 {
		t.Fatalf("the view tells of %d lost events, want 5", told)
	}
	b.feed.Push([]byte("turn"), Drop, 0, 4)
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
		b.feed.Push([]byte(big), Drop, 0, 1)
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
	b.feed.Push([]byte("last"), Keep, 0, 0)
	b.feed.End(closing(wire.CloseForbidden, "kicked"), false)
	b.feed.End(closing(wire.CloseMoved, "later"), true)
	b.feed.Push([]byte("late"), Keep, 0, 0)
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

func TestUnansweredCountsUntilTaken(t *testing.T) {
	b := newBox(OutboxOptions{})
	for i := range MaxUnanswered {
		if !b.feed.Begin() {
			t.Fatalf("act %d was one too many", i)
		}
		b.feed.Push([]byte("ack"), Answer, 0, 0)
	}
	if b.feed.Begin() {
		t.Error("answers nobody has read make room for more acts")
	}
	b.take(t, 1<<20)
	if !b.feed.Begin() {
		t.Error("answers that were taken make no room")
	}
}

// TestAnOlderFeedIsDeaf tells an outbox things by a feed that a newer one has followed.
func TestAnOlderFeedIsDeaf(t *testing.T) {
	b := newBox(OutboxOptions{})
	old := b.feed
	for range MaxUnanswered {
		old.Begin()
	}
	old.Push([]byte("ack"), Answer, 0, 0)
	next := NewFeed(b.Outbox)
	if n := next.Stats().Unanswered; n != 1 {
		t.Errorf("%d acts have no answer, and 1 answer is queued", n)
	}
	next.Begin()
	for range MaxUnanswered {
		if !old.Begin() {
			t.Fatal("it says of acts that count for nothing that they are too many")
		}
	}
	old.Settle()
	old.Push([]byte("turn"), Keep, 1, 1)
	if old.Hush([]byte("ack")) {
		t.Error("it has hushed an answer")
	}
	old.View(1, func(uint64) []byte { return []byte("view") })
	old.Welcomed(7, 7, 7)
	old.End(CloseStuck(), true)
	if s := next.Stats(); s.Unanswered != 2 || s.Messages != 1 {
		t.Errorf("the newer feed finds %+v", s)
	}
	if got := b.take(t, 100); got != "ack" || b.Resume() != nil || !old.Ended() || next.Ended() {
		t.Errorf("took %q; a reader goes on from %v", got, b.Resume())
	}
}

// TestAnOlderFeedRousesWhatItHushed has nobody wait for an answer because its room has gone.
func TestAnOlderFeedRousesWhatItHushed(t *testing.T) {
	b := newBox(OutboxOptions{})
	b.feed.Hush([]byte("ack"))
	NewFeed(b.Outbox)
	b.feed.Rouse()
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

// BenchmarkPush is one encoded turn handed to 50 sessions whose writers keep up, a writer's Take of all
// of them included every 16 turns.
func BenchmarkPush(b *testing.B) {
	const sessions = 50
	boxes := make([]*Outbox, sessions)
	sinks := make([]Sink, sessions)
	for i := range boxes {
		boxes[i] = NewOutbox(OutboxOptions{Wake: func() {}})
		sinks[i] = NewFeed(boxes[i])
	}
	frame := bytes.Repeat([]byte("x"), 120)
	buf := make([]byte, 0, 64<<10)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for _, sink := range sinks {
			sink.Push(frame, Drop, 1, 1)
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
			b.feed.Push(frame, Drop, 0, 1)
		}
		buf, _ = b.Take(buf[:0], 1<<12)
	}
	round()
	if n := testing.AllocsPerRun(100, round); n > 0 {
		t.Errorf("%v allocations for 8 pushes and a take", n)
	}
}
