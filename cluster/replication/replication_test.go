package replication

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// logOf makes a history of entries, given by their epochs.
func logOf(epochs ...record.Epoch) (h History) {
	for i, e := range epochs {
		h.Add(e, room.Index(i+1), room.Index(i+1))
	}
	return h
}

func (h *History) epochs() (all []record.Epoch) {
	for i := room.Index(1); i <= h.Last; i++ {
		all = append(all, h.At(i))
	}
	return all
}

func TestHistory(t *testing.T) {
	h := logOf(1, 1, 3, 3, 3, 7)
	for i, want := range []record.Epoch{0, 1, 1, 3, 3, 3, 7, 0} {
		if got := h.At(room.Index(i)); got != want && i > 0 {
			t.Errorf("the entry at %d is of epoch %d, not %d", i, got, want)
		}
	}
	shared := h.Clone()
	h.Cut(4)
	h.Add(9, 5, 5)
	if got := h.epochs(); !slices.Equal(got, []record.Epoch{1, 1, 3, 3, 9}) {
		t.Errorf("cut and continued: %v", got)
	}
	if got := shared.epochs(); !slices.Equal(got, []record.Epoch{1, 1, 3, 3, 3, 7}) {
		t.Errorf("the clone has changed: %v", got)
	}
	if got := Common(&h, &shared); got != 4 {
		t.Errorf("they agree up to %d, not 4", got)
	}
	h.Trim(4)
	if h.Begin() != 4 || h.At(4) != 3 || h.End() != (record.Point{Epoch: 9, Seq: 5}) {
		t.Errorf("trimmed: %+v", h)
	}
	h.Cut(0)
	if h.Last != 0 || len(h.Runs) != 0 {
		t.Errorf("cut to nothing: %+v", h)
	}
}

// TestTake cuts copies as owners' logs say.
func TestTake(t *testing.T) {
	for _, c := range []struct {
		name     string
		copy     Copy
		at       record.Epoch
		before   record.Point
		spans    []Span
		full     bool
		err      error
		want     []record.Epoch
		from     room.Index
		cut, all bool // it cuts, and begins anew
		doubt    record.Doubt
	}{
		{name: "it follows on", copy: Copy{History: logOf(1, 1), Promised: 1}, at: 1, before: record.Point{Epoch: 1, Seq: 2}, spans: []Span{{1, 3, 4}},
			want: []record.Epoch{1, 1, 1, 1}, from: 3},
		{name: "what agrees stays", copy: Copy{History: logOf(1, 1, 2), Promised: 2}, at: 3, before: record.Point{Epoch: 1, Seq: 1},
			spans: []Span{{1, 2, 2}, {2, 3, 3}, {3, 4, 4}}, want: []record.Epoch{1, 1, 2, 3}, from: 4},
		{name: "what differs goes", copy: Copy{History: logOf(1, 1, 1, 1), Promised: 1}, at: 2, before: record.Point{Epoch: 1, Seq: 2}, spans: []Span{{2, 3, 3}},
			want: []record.Epoch{1, 1, 2}, from: 3, cut: true},
		{name: "a longer copy stays as long as nothing differs", copy: Copy{History: logOf(1, 1, 1), Promised: 1}, at: 1, before: record.Point{Epoch: 1, Seq: 1},
			spans: []Span{{1, 2, 2}}, want: []record.Epoch{1, 1, 1}, from: 3},
		{name: "an earlier owner", copy: Copy{History: logOf(1, 2), Promised: 3}, at: 2, before: record.Point{Epoch: 2, Seq: 2}, spans: []Span{{2, 3, 3}}, err: ErrOld,
			want: []record.Epoch{1, 2}},
		{name: "another entry before", copy: Copy{History: logOf(1, 1), Promised: 1}, at: 3, before: record.Point{Epoch: 2, Seq: 2}, spans: []Span{{3, 3, 3}},
			err: ErrMismatch, want: []record.Epoch{1, 1}},
		{name: "no entry before", copy: Copy{History: logOf(1), Promised: 1}, at: 3, before: record.Point{Epoch: 1, Seq: 2}, spans: []Span{{3, 3, 3}},
			err: ErrMismatch, want: []record.Epoch{1}},
		{name: "filled", copy: Copy{History: logOf(1), Promised: 1, Doubt: record.Unsure}, at: 2, before: record.Point{Epoch: 1, Seq: 1}, spans: []Span{{2, 2, 2}},
			full: true, want: []record.Epoch{1, 2}, from: 2},
		{name: "filled in part", copy: Copy{History: logOf(1), Promised: 1, Doubt: record.Unsure}, at: 2, before: record.Point{Epoch: 1, Seq: 1}, spans: []Span{{2, 2, 2}},
			want: []record.Epoch{1, 2}, from: 2, doubt: record.Partial},
		{name: "the owner's log begins later", copy: Copy{History: logOf(1, 1), Promised: 1}, at: 2, spans: []Span{{2, 5, 6}}, full: true,
			want: []record.Epoch{0, 0, 0, 0, 2, 2}, from: 5, all: true},
	} {
		got, err := c.copy.Take(c.at, c.before, c.spans, c.full)
		if !errors.Is(err, c.err) || err == nil && (got.From != c.from || got.Cuts != c.cut || got.Reset != c.all) || c.copy.Doubt != c.doubt {
			t.Errorf("%s: %+v, %v, %s", c.name, got, err, c.copy.Doubt)
		}
		if is := c.copy.epochs(); !slices.Equal(is, c.want) {
			t.Errorf("%s: the copy has %v, not %v", c.name, is, c.want)
		}
		if err == nil && c.copy.Promised != c.at {
			t.Errorf("%s: it has promised %d", c.name, c.copy.Promised)
		}
	}
}

func TestLeader(t *testing.T) {
	var l Leader
	expect := func(what string, commit room.Index, ready bool) {
		t.Helper()
		if got := l.Commit(); got != commit {
			t.Errorf("%s: %d is committed, not %d", what, got, commit)
		}
		if got := l.Ready("c"); got != ready {
			t.Errorf("%s: the learner is ready: %v", what, got)
		}
	}
	l.Begin(2, "b", logOf(1, 1, 1))
	expect("nothing that was restored is committed", 0, false)
	l.Appended(2, 4, 4, false)
	l.Stable(4)
	l.Offer("b")
	l.Confirm("b", 2, 3, true)
	expect("the standby has not confirmed the epoch", 0, false)
	l.Offer("c")
	l.Confirm("c", 2, 3, true)
	expect("the learner has not confirmed the epoch", 0, false)
	l.Confirm("c", 2, 4, false)
	expect("the learner is not whole", 0, false)
	l.Confirm("b", 1, 4, true)
	expect("a confirmation of another epoch", 0, false)
	l.Confirm("b", 2, 4, true)
	expect("the standby has confirmed it", 4, false)
	l.Confirm("c", 2, 4, true)
	expect("the learner is whole", 4, true)
	l.Join("c")
	l.Appended(2, 5, 6, false)
	l.Stable(6)
	l.Confirm("b", 2, 6, true)
	expect("while it joins, both count", 4, true)
	l.Confirm("c", 2, 5, true)
	expect("as far as both are", 5, true)
	first := l.Ask()
	l.Said("b", 2, first)
	if l.Current() >= first {
		t.Error("a question is answered without the one who joins")
	}
	l.Said("c", 2, first)
	if l.Current() != first {
		t.Error("a question is not answered though all have said that they know no later epoch")
	}
	l.Enter(3, "c")
	l.Appended(3, 7, 7, false)
	l.Stable(7)
	expect("the new epoch", 5, false)
	l.Confirm("c", 2, 7, true)
	expect("a confirmation of the old epoch", 5, false)
	l.Confirm("c", 3, 7, true)
	expect("the new standby has it", 7, false)
	l.Enter(4, "")
	l.Appended(4, 8, 8, false)
	l.Stable(8)
	expect("alone", 8, false)
	if n := l.Ask(); l.Current() != n {
		t.Error("an owner that is alone does not answer at once")
	}
}

// TestFillAnything fills copies with whatever in them from owners with whatever logs, in parts of any size.
func TestFillAnything(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	some := func(from record.Epoch) (all []record.Epoch) {
		for e := from; len(all) < 12; all = append(all, e) {
			e += record.Epoch(rng.IntN(4) / 3)
		}
		return all[:rng.IntN(len(all)+1)]
	}
	for range 20_000 {
		common := some(1)
		own := append(slices.Clone(common), some(20)...)
		has := append(slices.Clone(common), some(10)...)
		var l Leader
		l.Begin(50, "", logOf(own...))
		next := l.Log().Last + 1
		l.Appended(50, next, next, false)
		c := Copy{History: logOf(has...), Doubt: record.Unsure}
		l.Offer("c")
		at, ok := l.Have("c", c.History)
		if !ok || int(at) != len(common)+1 {
			t.Fatalf("%v and %v: it sends from %d on", own, has, at)
		}
		for at := at; at <= next; {
			last := at + room.Index(rng.IntN(int(next-at)+1))
			var spans []Span
			for i := at; i <= last; i++ {
				spans = append(spans, Span{l.Log().At(i), i, i})
			}
			before := record.Point{Epoch: l.Log().At(at - 1), Seq: at - 1}
			if _, err := c.Take(50, before, spans, l.Sent("c", last)); err != nil {
				t.Fatalf("%v and %v: %v", own, has, err)
			}
			at = last + 1
		}
		if c.Doubt != record.Whole || !slices.Equal(c.epochs(), l.Log().epochs()) {
			t.Fatalf("%v and %v: the copy has %v, %s", own, has, c.epochs(), c.Doubt)
		}
	}
}
