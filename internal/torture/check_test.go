package torture

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/view"
	"github.com/roomring/roomring/room/wire"
)

// sum is a game in which each player sees the sum and a secret of their own.
type sum struct {
	Sum    int
	Secret map[room.PlayerID]int
}

func (g *sum) Act(t *room.Turn, p room.Player, n int) error {
	if n > 9 {
		return room.Refuse("too_many", "at most 9")
	}
	if g.Secret == nil {
		g.Secret = map[room.PlayerID]int{}
	}
	g.Sum += n
	g.Secret[p.ID] = n
	if t.Broadcast("added", n); n == 0 {
		r := room.Result{Summary: "done", IdleCounts: true}
		for _, p := range t.Players() {
			r.Outcomes = append(r.Outcomes, room.Outcome{Player: p.ID, Name: p.Name, Seat: p.Seat, Rank: 1})
		}
		t.Finish(r)
	}
	return nil
}

func (g *sum) View(v room.Viewer) map[string]int {
	return map[string]int{"sum": g.Sum, "secret": g.Secret[v.Player]}
}

// table is a room in this process with honest clients, which write logs as those over sockets do.
type table struct {
	t       *testing.T
	machine *core.Core
	now     time.Duration
	clients map[room.PlayerID]*seated
	node    string
}

type seated struct {
	log  *clientLog
	view any
	cseq uint64
}

func newTable(t *testing.T, players ...room.PlayerID) *table {
	t.Helper()
	machine, _, err := core.Open(core.Config{
		Header: record.Header{ID: "0123456789abcdef", Game: "sum", Version: 1, Runtime: core.RuntimeVersion},
		Rules:  room.MustDefine(room.Spec{Name: "sum", Version: 1, MaxPlayers: 4}, func() *sum { return new(sum) }),
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	tb := &table{t: t, machine: machine, clients: map[room.PlayerID]*seated{}, node: "n1"}
	for _, p := range players {
		tb.clients[p] = &seated{log: &clientLog{Name: string(p), Player: p, since: func() time.Duration { return tb.now }}}
		tb.step(core.Input{Kind: core.KindJoin, Player: p, Name: string(p)})
		tb.step(core.Input{Kind: core.KindAttach, Player: p, Client: record.ClientID(p), Attempt: 1})
	}
	return tb
}

// step steps an input and gives every client what it is sent.
func (tb *table) step(in core.Input) {
	tb.t.Helper()
	tb.now += time.Second
	in.At = tb.now
	if _, err := tb.machine.Step(in); err != nil {
		tb.t.Fatal(err)
	}
	for _, o := range tb.machine.Commit(tb.machine.Point().Seq) {
		switch o := o.(type) {
		case core.Welcome:
			c := tb.clients[o.To.Player]
			c.log.received(wire.Welcome{Player: string(o.To.Player), Seat: o.Seat, Epoch: uint64(o.Point.Epoch), Seq: uint64(o.Point.Seq), CSeq: uint64(o.CSeq), Recovered: o.Recovered, Node: tb.node})
			for _, f := range o.Frames {
				c.take(f)
			}
		case core.Turned:
			for p, c := range tb.clients {
				f := o.Frame
				if private, has := o.Private[p]; has {
					f = private
				}
				if f != nil && tb.class(p) == o.Class {
					c.take(f)
				}
			}
		case core.Answered:
			tb.clients[o.Player].take(o.Frame)
		case core.Ended:
			for _, c := range tb.clients {
				c.take(o.Frame)
			}
		}
	}
}

// class is the class of a player: each has one of their own, in the order in which they came.
func (tb *table) class(p room.PlayerID) core.ClassID {
	for _, seat := range tb.machine.Seats() {
		if seat.Player == p {
			return core.ClassID(seat.Seat + 1)
		}
	}
	return 0
}

func (c *seated) take(f *core.Frame) {
	for m := range wire.DecodeServer(wire.JSON, f.Bytes(wire.JSON)) {
		c.log.received(m)
		switch m := m.(type) {
		case wire.State:
			c.view = decoded(m.View)
			c.log.viewed(c.view, m.Seq)
		case wire.Turn:
			if len(m.Patch) > 0 {
				c.view = view.Patch(c.view, decoded(m.Patch))
			}
			c.log.viewed(c.view, m.Seq)
		}
	}
}

func decoded(raw []byte) (v any) {
	_ = json.Unmarshal(raw, &v) // what the core encodes can be decoded
	return v
}

func (tb *table) act(p room.PlayerID, n int) {
	tb.t.Helper()
	c := tb.clients[p]
	c.cseq++
	data := json.RawMessage(fmt.Sprint(n))
	c.log.add(note{Kind: noteSent, CSeq: c.cseq, Data: data})
	tb.step(core.Input{Kind: core.KindAct, Player: p, Client: record.ClientID(p), CSeq: record.CSeq(c.cseq), Data: data})
}

// evidence is what would be known of the room after its end.
func (tb *table) evidence() *evidence {
	tb.t.Helper()
	final, err := tb.machine.Seal()
	if err != nil {
		tb.t.Fatal(err)
	}
	replay, err := core.ReadReplay(final.Replay.Reader())
	if err != nil {
		tb.t.Fatal(err)
	}
	result, _ := json.Marshal(final.Result) // the game gave it as JSON
	e := &evidence{
		ID: final.Room, Rules: tb.machine.Rules(), Replay: &replay, Counted: map[room.PlayerID]int{},
		Ending: &ending{End: string(final.End), Hash: hex.EncodeToString(final.Hash[:]), Seq: uint64(final.Point.Seq), Result: result},
		Owners: []owner{{1, "n1"}},
	}
	for p, c := range tb.clients {
		e.Clients = append(e.Clients, c.log)
		e.Counted[p] = 1
	}
	slices.SortFunc(e.Clients, func(a, b *clientLog) int { return strings.Compare(a.Name, b.Name) })
	return e
}

// played is a room that two have played to its end, with a change of owner in its middle.
func played(t *testing.T) *evidence {
	tb := newTable(t, "ann", "ben")
	tb.act("ann", 1)
	tb.act("ben", 2)
	tb.act("ann", 77) // refused
	tb.node = "n2"
	tb.step(core.Input{Kind: core.KindEpoch, Epoch: 2})
	for _, p := range []room.PlayerID{"ann", "ben"} {
		tb.step(core.Input{Kind: core.KindDetach, Player: p})
		c := tb.clients[p]
		c.log.add(note{Kind: noteLost})
		c.log.add(note{Kind: noteOpening, Recovered: true, Epoch: 1})
		seen := record.Point{Epoch: 1, Seq: room.Index(lastSeen(c.log))}
		tb.step(core.Input{Kind: core.KindAttach, Player: p, Client: record.ClientID(p), Attempt: 2, Resume: &seen})
	}
	tb.act("ben", 3)
	tb.act("ann", 4)
	tb.act("ben", 0)
	return tb.evidence()
}

func lastSeen(l *clientLog) (seq uint64) {
	for _, n := range l.notes {
		if n.Kind == noteState || n.Kind == noteTurn {
			seq = n.Seq
		}
	}
	return seq
}

func TestAnHonestRoomIsFine(t *testing.T) {
	e := played(t)
	for _, v := range check(e) {
		t.Error(v)
	}
	turns, recovered := 0, 0
	for _, c := range e.Clients {
		for _, n := range c.notes {
			if n.Kind == noteTurn {
				turns++
			}
			if n.Kind == noteWelcome && n.Recovered {
				recovered++
			}
		}
	}
	if turns < 8 || recovered != 2 {
		t.Errorf("the clients have %d turns and have resumed %d times: this room proves little", turns, recovered)
	}
}

// TestAnEndToldAloneIsFine has a client's edge find the room again when it is gone.
func TestAnEndToldAloneIsFine(t *testing.T) {
	e := played(t)
	l := e.Clients[0]
	i := find(t, l, noteTurn, -1)
	l.notes = slices.Delete(l.notes, i, i+1)
	l.notes[find(t, l, noteOver, 0)].Alone = true
	for _, v := range check(e) {
		t.Error(v)
	}
}

// find returns the n-th note of a kind, from 0; negative counts from the last.
func find(t *testing.T, l *clientLog, kind noteKind, n int) int {
	t.Helper()
	var all []int
	for i := range l.notes {
		if l.notes[i].Kind == kind {
			all = append(all, i)
		}
	}
	if n < 0 {
		n += len(all)
	}
	if n < 0 || n >= len(all) {
		t.Fatalf("%s has %d notes of kind %d", l.Name, len(all), kind)
	}
	return all[n]
}

// TestEveryViolationIsFound falsifies what is known of an honest room in one way after another.
func TestEveryViolationIsFound(t *testing.T) {
	ann := func(e *evidence) *clientLog { return e.Clients[0] }
	cut := func(e *evidence, drop func(core.Entry) bool) {
		e.Replay.Entries = slices.DeleteFunc(e.Replay.Entries, drop)
		for i := range e.Replay.Entries {
			e.Replay.Entries[i].Index = room.Index(i + 1)
		}
	}
	for name, tt := range map[string]struct {
		rule    Rule
		words   string
		falsify func(t *testing.T, e *evidence)
	}{
		"an acknowledged act is not in the log": {RuleActs, "not in the log there", func(t *testing.T, e *evidence) {
			l := ann(e)
			l.notes = append(l.notes, note{Kind: noteSent, CSeq: 4, Data: []byte("5")}, note{Kind: noteAnswered, CSeq: 4, Seq: 5})
		}},
		"the log lost an act": {RuleResults, "replay does not run", func(t *testing.T, e *evidence) {
			cut(e, func(x core.Entry) bool { return x.Kind == core.KindAct && x.Player == "ann" && x.CSeq == 1 })
		}},
		"an act has another effect": {RuleActs, "the log has act 1 as", func(t *testing.T, e *evidence) {
			l := ann(e)
			l.notes[find(t, l, noteSent, 0)].Data = []byte("2")
		}},
		"an act was answered twice, differently": {RuleActs, "and then accepted at", func(t *testing.T, e *evidence) {
			l := ann(e)
			again := l.notes[find(t, l, noteAnswered, 0)]
			again.Seq += 2
			l.notes = append(l.notes, again)
		}},
		"an accepted act is refused in the log": {RuleActs, "the log refuses it", func(t *testing.T, e *evidence) {
			l := ann(e)
			l.notes[find(t, l, noteAnswered, 1)].Text = ""
		}},
		"a refused act is accepted in the log": {RuleActs, "the log has another answer", func(t *testing.T, e *evidence) {
			l := ann(e)
			l.notes[find(t, l, noteAnswered, 0)].Text = "too_many"
		}},
		"an act that nobody sent": {RuleActs, "it sent", func(t *testing.T, e *evidence) {
			l := ann(e)
			i := find(t, l, noteSent, -1)
			j := find(t, l, noteAnswered, -1)
			l.notes = slices.Delete(slices.Delete(l.notes, j, j+1), i, i+1)
		}},
		"the room forgot what it has answered": {RuleActs, "has answered", func(t *testing.T, e *evidence) {
			l := ann(e)
			l.notes[find(t, l, noteWelcome, 1)].CSeq = 0
		}},
		"a turn is missing": {RuleTurns, "for it between them", func(t *testing.T, e *evidence) {
			l := ann(e)
			i := find(t, l, noteTurn, 1)
			l.notes = slices.Delete(l.notes, i, i+1)
		}},
		"the last turn is missing": {RuleTurns, "more for it", func(t *testing.T, e *evidence) {
			l := ann(e)
			i := find(t, l, noteTurn, -1)
			l.notes = slices.Delete(l.notes, i, i+1)
		}},
		"a turn of the session before": {RuleTurns, "before a welcome", func(t *testing.T, e *evidence) {
			l := ann(e)
			l.notes = slices.Insert(l.notes, find(t, l, noteTurn, -1), note{Kind: noteOpening})
		}},
		"a turn comes twice": {RuleTurns, "after", func(t *testing.T, e *evidence) {
			l := ann(e)
			i := find(t, l, noteTurn, 1)
			l.notes = slices.Insert(l.notes, i, l.notes[i])
		}},
		"a turn that the log does not have": {RuleTurns, "none in the log", func(t *testing.T, e *evidence) {
			l := ann(e)
			i := find(t, l, noteAnswered, 1) // a refused act shows nothing
			l.notes = slices.Insert(l.notes, i, note{Kind: noteTurn, Seq: l.notes[i].Seq})
		}},
		"a view goes back": {RuleTurns, "the whole view of", func(t *testing.T, e *evidence) {
			l := ann(e)
			old := l.notes[find(t, l, noteState, 0)]
			l.notes = slices.Insert(l.notes, find(t, l, noteTurn, -1), old)
		}},
		"a wrong patch": {RuleViews, "in the replay", func(t *testing.T, e *evidence) {
			l := ann(e)
			l.notes[find(t, l, noteTurn, 2)].Check++
		}},
		"a wrong whole view": {RuleViews, "the whole view of", func(t *testing.T, e *evidence) {
			l := ann(e)
			l.notes[find(t, l, noteState, 0)].Check++
		}},
		"another's view": {RuleViews, "in the replay", func(t *testing.T, e *evidence) {
			e.Clients[0].notes[find(t, e.Clients[0], noteTurn, -1)].Check = e.Clients[1].notes[find(t, e.Clients[1], noteTurn, -1)].Check
		}},
		"a wrong event": {RuleViews, "events", func(t *testing.T, e *evidence) {
			l := ann(e)
			l.notes[find(t, l, noteTurn, 2)].Events++
		}},
		"two nodes in one epoch": {RuleEpochs, "epoch 2 is of", func(t *testing.T, e *evidence) {
			l := ann(e)
			l.notes[find(t, l, noteWelcome, 1)].Text = "n3"
		}},
		"two nodes in one epoch, as the admin API says": {RuleEpochs, "as the admin API says", func(t *testing.T, e *evidence) {
			e.Owners = append(e.Owners, owner{2, "n3"})
		}},
		"a turn of an epoch that the log does not know": {RuleEpochs, "of another in the log", func(t *testing.T, e *evidence) {
			l := ann(e)
			l.notes[find(t, l, noteTurn, -1)].Epoch = 7
		}},
		"an epoch that the log does not know": {RuleEpochs, "in the log", func(t *testing.T, e *evidence) {
			l := ann(e)
			l.notes[find(t, l, noteWelcome, 1)].Epoch = 3
		}},
		"epochs go back": {RuleEpochs, "after epoch", func(t *testing.T, e *evidence) {
			l := ann(e)
			l.notes[find(t, l, noteWelcome, 0)].Epoch = 9
		}},
		"no result": {RuleRooms, "no result", func(t *testing.T, e *evidence) {
			e.Ending, e.Replay, e.Missing = nil, nil, "404"
		}},
		"the room was set aside": {RuleRooms, "it was lost", func(t *testing.T, e *evidence) { e.Ending.Failed = true }},
		"another result": {RuleResults, "the stored result", func(t *testing.T, e *evidence) {
			e.Ending.Result = []byte(`{"summary":"another"}`)
		}},
		"another result by its checksum": {RuleResults, "the stored result", func(t *testing.T, e *evidence) {
			e.Ending.Hash = strings.Repeat("0", 64)
		}},
		"another end than players were told": {RuleResults, "it was told", func(t *testing.T, e *evidence) {
			l := ann(e)
			l.notes[find(t, l, noteOver, 0)].Seq--
		}},
		"a doubled result":        {RuleResults, "counts 2 games", func(t *testing.T, e *evidence) { e.Counted["ann"] = 2 }},
		"a result without effect": {RuleResults, "counts 0 games", func(t *testing.T, e *evidence) { e.Counted["ann"] = 0 }},
		"the recorded end is not the replay's": {RuleResults, "another result than it says", func(t *testing.T, e *evidence) {
			e.Replay.Final.Hash[0]++
		}},
	} {
		t.Run(name, func(t *testing.T) {
			e := played(t)
			tt.falsify(t, e)
			found := check(e)
			if !slices.ContainsFunc(found, func(v Violation) bool { return v.Rule == tt.rule && strings.Contains(v.Text, tt.words) }) {
				t.Errorf("found %v, and nothing of %s that says %q", found, tt.rule, tt.words)
			}
		})
	}
}

// TestADoubledActIsFound checks acts in a log that holds one twice, which no core would step.
func TestADoubledActIsFound(t *testing.T) {
	e := played(t)
	c := &checker{evidence: e, owners: map[uint64]string{}}
	for _, l := range e.Clients {
		c.clients = append(c.clients, c.checkClient(l))
	}
	h := &history{first: 1, last: 99, acts: map[actKey][]core.Entry{}}
	for _, entry := range e.Replay.Entries {
		if entry.Kind == core.KindAct {
			key := actKey{entry.Player, uint64(entry.CSeq)}
			h.acts[key] = append(h.acts[key], entry)
		}
	}
	if c.checkActs(h); len(c.found) > 0 {
		t.Fatalf("an honest log: %v", c.found)
	}
	key := actKey{"ben", 1}
	h.acts[key] = append(h.acts[key], h.acts[key][0])
	delete(h.acts, actKey{"ann", 2})
	h.acts[actKey{"ben", 3}][0].Index = 1
	c.checkActs(h)
	for _, words := range []string{"in the log 2 times", "and not act 2", "and the one before at"} {
		if !slices.ContainsFunc(c.found, func(v Violation) bool { return v.Rule == RuleActs && strings.Contains(v.Text, words) }) {
			t.Errorf("found %v, and nothing that says %q", c.found, words)
		}
	}
}
