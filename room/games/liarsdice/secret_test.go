package liarsdice_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/liarsdice"
	"github.com/roomring/roomring/room/wire"
)

// TestInputsTellNothing plays games, and steps every input again after giving everybody but one player other
// dice. Unless the input is a call, that player and the spectators must get the same bytes.
func TestInputsTellNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	compared := 0
	for range 4 {
		b := wait(t, 4, `{"players": 4, "dice": 3}`)
		for range 60 {
			if b.core.Final() != nil {
				break
			}
			in := b.draw(r)
			if b.view().Status == liarsdice.Bidding && !calls(in) {
				for seat := range 4 {
					compared += b.tellsNothing(r, seat, in)
				}
			}
			b.step(in)
			b.hear()
		}
	}
	if compared < 500 {
		t.Errorf("only %d messages were compared", compared)
	}
}

// draw is a likely next input.
func (b *table) draw(r *rand.Rand) core.Input {
	b.t.Helper()
	v := b.view()
	p := people[max(v.Turn, 0)]
	if v.Status == liarsdice.Bidding && r.IntN(60) == 0 {
		return core.Input{Kind: core.KindLeave, Player: people[r.IntN(4)], Reason: string(room.Left)}
	}
	if v.Status != liarsdice.Bidding || r.IntN(6) == 0 {
		in, ok := b.core.Due(1 << 60)
		if !ok {
			b.t.Fatal("nothing is due")
		}
		b.now = in.At
		return in
	}
	data, err := json.Marshal(propose(r, room.Player{ID: p, Seat: v.Turn}, b.raw(v.Turn)))
	if err != nil {
		b.t.Fatal(err)
	}
	b.cseq[p]++
	return core.Input{Kind: core.KindAct, Player: p, Client: "c", CSeq: b.cseq[p], Data: data}
}

func (b *table) raw(seat int) json.RawMessage {
	raw, err := b.core.WholeView(room.Viewer{Player: people[seat], Seat: seat})
	if err != nil {
		b.t.Fatal(err)
	}
	return raw
}

// calls reports whether an input may show dice to all.
func calls(in core.Input) bool {
	return strings.Contains(string(in.Data), "true")
}

// tellsNothing compares what a player and the spectators hear of an input when all others' dice are different.
func (b *table) tellsNothing(r *rand.Rand, seat int, in core.Input) int {
	b.t.Helper()
	other := b.game()
	for i := range other.Table {
		if h := &other.Table[i]; h.Seat != seat {
			for d := range h.Dice {
				h.Dice[d] = 1 + r.IntN(6)
			}
		}
	}
	as, changed := b.fork(b.game(), in), b.fork(other, in)
	if as.core.Final() != nil || as.view().Status != liarsdice.Bidding {
		return 0 // a turn that ran out with nothing left to bid
	}
	n := 0
	for _, to := range []core.Recipient{{Player: people[seat]}, {Watcher: 1}} {
		a, b2 := as.got[to], changed.got[to]
		if !slices.Equal(a, b2) {
			b.t.Fatalf("after %s, %v learns of dice that are not theirs:\n%s\n%s", in.Data, to, a, b2)
		}
		n += len(a)
	}
	return n
}

// fork is a room of its own that has taken one more input.
type fork struct {
	*table
	got   map[core.Recipient][]string
	class map[core.Recipient]core.ClassID
}

// fork goes on from another state by one input, while everybody listens.
func (b *table) fork(g liarsdice.Game, in core.Input) *fork {
	b.t.Helper()
	f := &fork{
		&table{t: b.t, core: b.core, config: b.config, now: b.now, heard: map[core.ClassID][]string{}},
		map[core.Recipient][]string{}, map[core.Recipient]core.ClassID{},
	}
	f.set(g)
	f.core.Watch(2, nil) // in the class of watcher 1
	for _, s := range f.core.Seats() {
		f.step(core.Input{Kind: core.KindAttach, Player: s.Player, Client: "c", Attempt: 1})
	}
	f.hear()
	f.step(in)
	f.hear()
	return f
}

func (f *fork) hear() {
	for _, o := range f.core.Commit(f.core.Point().Seq) {
		switch o := o.(type) {
		case core.Welcome:
			f.class[f.known(o.To)] = o.Class
			f.tell(f.known(o.To), o.Frames...)
		case core.ClassChanged:
			f.class[f.known(o.To)] = o.Class
			f.tell(f.known(o.To), o.State)
		case core.Turned:
			for to, class := range f.class {
				if frame, private := o.Private[to.Player]; private {
					f.tell(to, frame)
				} else if class == o.Class {
					f.tell(to, o.Frame)
				}
			}
		case core.Answered:
			f.tell(core.Recipient{Player: o.Player}, o.Frame)
		}
	}
}

// known gives all watchers the name of one.
func (f *fork) known(to core.Recipient) core.Recipient {
	if to.Player == "" {
		return core.Recipient{Watcher: 1}
	}
	return to
}

func (f *fork) tell(to core.Recipient, frames ...*core.Frame) {
	for _, frame := range frames {
		if frame != nil {
			f.got[to] = append(f.got[to], string(frame.Bytes(wire.JSON)))
		}
	}
}

// TestEventsHoldNoDice plays whole games, and proves that events hold their documented fields and nothing else.
func TestEventsHoldNoDice(t *testing.T) {
	shapes := []*regexp.Regexp{
		regexp.MustCompile(`^\d+ round\{"round":\d+,"seat":\d\}$`),
		regexp.MustCompile(`^\d+ bid\{"seat":\d,"count":\d+,"face":\d(,"auto":true)?\}$`),
		regexp.MustCompile(`^\d+ call\{"seat":\d,"call":"(liar|spot_on)"\}$`),
		regexp.MustCompile(`^\d+ missed\{"seat":\d\}$`),
		regexp.MustCompile(`^\d+ out\{"seat":\d,"rank":\d(,"left":true)?\}$`),
	}
	r := rand.New(rand.NewPCG(3, 4))
	seen := map[int]int{}
	for range 10 {
		b := wait(t, 4, `{"players": 4, "dice": 3}`)
		for b.core.Final() == nil {
			b.step(b.draw(r))
			b.hear()
		}
		for _, e := range b.events {
			i := slices.IndexFunc(shapes, func(s *regexp.Regexp) bool { return s.MatchString(e) })
			if i < 0 {
				t.Fatalf("an event of no known shape: %s", e)
			}
			seen[i]++
		}
	}
	if len(seen) != len(shapes) {
		t.Errorf("not all events were heard: %v", slices.Sorted(maps.Keys(seen)))
	}
}

// TestViewsOfDice proves that hidden dice are only in their owner's view.
func TestViewsOfDice(t *testing.T) {
	b := play(t, "", "1 2 3", "4 5 6", "2 2 2")
	b.bid("ann", "2x2")
	for seat := range 3 {
		if got, want := b.sees(seat).Mine, b.game().Table[seat].Dice; !slices.Equal(got, want) {
			t.Errorf("seat %d sees %v, not %v", seat, got, want)
		}
	}
	raw, err := b.core.WholeView(room.Spectator)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{`"mine"`, `"reveal"`} {
		if strings.Contains(string(raw), field+":") {
			t.Errorf("spectators see %s: %s", field, raw)
		}
	}
	for class, messages := range b.heard {
		for _, m := range messages {
			if strings.Contains(m, `"dice":{`) {
				t.Errorf("class %d heard of dice: %s", class, m)
			}
		}
	}
}
