package torture

import (
	"slices"
	"testing"
	"time"
)

// TestMeasures checks the figures of one client whose owner is killed and then another drained.
func TestMeasures(t *testing.T) {
	at := func(ms int, n note) note { n.At = time.Duration(ms) * time.Millisecond; return n }
	notes := []note{
		at(0, note{Kind: noteOpening}),
		at(10, note{Kind: noteWelcome, Epoch: 1, Text: "n1"}), at(11, note{Kind: noteState, Seq: 1}),
		at(100, note{Kind: noteSent, CSeq: 1}), at(102, note{Kind: noteTurn, Seq: 2}), at(103, note{Kind: noteAnswered, CSeq: 1, Seq: 2}),
		// n1 is killed at 200; the act that is sent at 250 has no answer until 1000
		at(250, note{Kind: noteSent, CSeq: 2}), at(300, note{Kind: noteLost}), at(310, note{Kind: noteOpening}),
		at(900, note{Kind: noteWelcome, Epoch: 2, Text: "n2", Recovered: true}), at(905, note{Kind: noteSent, CSeq: 2}), at(1000, note{Kind: noteAnswered, CSeq: 2, Seq: 5}),
		// n2 drains at 2000, and the session goes on by itself
		at(2010, note{Kind: noteSent, CSeq: 3}), at(2060, note{Kind: noteWelcome, Epoch: 3, Text: "n3", Recovered: true}),
		at(2061, note{Kind: noteSent, CSeq: 3}), at(2080, note{Kind: noteAnswered, CSeq: 3, Seq: 9}),
		at(3000, note{Kind: noteOver, Seq: 10}),
	}
	ms := func(d time.Duration) int { return int(d / time.Millisecond) }
	var answers, outages []int
	for _, d := range answerTimes(notes) {
		answers = append(answers, ms(d))
	}
	for _, w := range waits(notes) {
		if w.broken {
			outages = append(outages, ms(w.to-w.from))
		}
	}
	if !slices.Equal(answers, []int{3, 750, 70}) || !slices.Equal(outages, []int{650, 50}) {
		t.Errorf("answers %v, outages %v", answers, outages)
	}
	if d, ok := failover(notes, blow{kind: "kill", node: "n1", at: 200 * time.Millisecond}, false); !ok || ms(d) != 700 {
		t.Errorf("failover %v %v", d, ok)
	}
	if _, ok := failover(notes, blow{kind: "kill", node: "n3", at: 200 * time.Millisecond}, false); ok {
		t.Error("a failover of a node that did not have the room")
	}
	if _, ok := failover(notes, blow{kind: "kill", node: "n1", at: 200 * time.Millisecond}, true); ok {
		t.Error("in a room that ticks an ack counts as a turn")
	}
	ticking := []note{
		at(0, note{Kind: noteState}), at(50, note{Kind: noteTurn}), at(100, note{Kind: noteTurn}), // the cable is cut at 110 and healed at 3000
		at(1900, note{Kind: noteTurn}), at(1950, note{Kind: noteTurn}), at(2600, note{Kind: noteTurn}), at(8000, note{Kind: noteTurn}),
	}
	if d, ok := stall(ticking, blow{kind: "cut", at: 110 * time.Millisecond, until: 2500 * time.Millisecond}); !ok || ms(d) != 1790 {
		t.Errorf("stall %v %v", d, ok)
	}
	if d, ok := stall(ticking[:3], blow{kind: "cut", at: 60 * time.Millisecond, until: 95 * time.Millisecond}); ok {
		t.Errorf("a stall of %v though the turns came", d)
	}
	if d, ok := handover(notes, blow{kind: "drain", node: "n2", at: 2 * time.Second}, false); !ok || ms(d) != 50 {
		t.Errorf("handover %v %v", d, ok)
	}
	var c Counts
	if c.count(notes); c.Acts != 3 || c.Resent != 2 || c.Acks != 3 || c.Resumes != 2 {
		t.Errorf("%+v", c)
	}
}

func TestTimes(t *testing.T) {
	var all Times
	for i := range 100 {
		all = append(all, time.Duration(i+1)*time.Millisecond)
	}
	if all.quantile(0.5) != 51*time.Millisecond || all.quantile(0.99) != 100*time.Millisecond || Times(nil).quantile(1) != 0 {
		t.Error(all.quantile(0.5), all.quantile(0.99))
	}
	if b := all.buckets(); len(b) != 8 || b[0].Count != 1 || b[7].Up != 128 || b[7].Count != 36 {
		t.Errorf("%+v", b)
	}
}
