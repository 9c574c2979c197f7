package core_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// match ranks its players by seat when a player asks for it or when its timer ends.
type match struct {
	Players []room.Player
	Idle    bool // players who never acted count
	Bots    int
}

type matchAct struct {
	End   bool `json:"end"`
	Abort bool `json:"abort"`
	Idle  bool `json:"idle"`
	Keep  int  `json:"keep"` // hours
	Bad   bool `json:"bad"`
	Bots  int  `json:"bots"`
}

func (g *match) Join(t *room.Turn, p room.Player) error {
	g.Players = append(g.Players, p)
	t.StartTimer("end", time.Hour)
	return nil
}

func (g *match) Act(t *room.Turn, by room.Player, a matchAct) error {
	if a.Bad {
		return room.Refuse("bad", "this is refused")
	}
	if !t.Acted(by.ID) {
		return room.Refuse("odd", "who acts has acted")
	}
	g.Idle, g.Bots = g.Idle || a.Idle, g.Bots+a.Bots
	if keep := time.Duration(a.Keep) * time.Hour; a.Keep != 0 {
		if a.Keep > 1000 {
			keep = room.Forever
		}
		t.Grace(keep)
		t.Empty(keep)
		t.StopTimer("end")
	}
	if a.Abort {
		t.Abort(room.Result{Summary: "we stop here", Outcomes: g.outcomes()})
	}
	if a.End {
		g.finish(t)
	}
	return nil
}

func (g *match) Timer(t *room.Turn, _ string) { g.finish(t) }

func (g *match) finish(t *room.Turn) {
	t.Finish(room.Result{Reason: "time", Summary: "time is up", Outcomes: g.outcomes(), IdleCounts: g.Idle})
}

func (g *match) outcomes() (out []room.Outcome) {
	for i, p := range g.Players {
		out = append(out, room.Outcome{Player: p.ID, Name: p.Name, Seat: p.Seat, Rank: i + 1})
	}
	for i := range g.Bots {
		out = append(out, room.Outcome{Player: room.PlayerID(fmt.Sprint("bot", i)), Seat: 4 + i, Rank: 1, Bot: true})
	}
	return out
}

func (g *match) View(room.Viewer) match { return *g }

var matchRules = room.MustDefine(
	room.Spec{Name: "match", Version: 1, MinPlayers: 2, MaxPlayers: 4, SharedView: true, Rated: true},
	func() *match { return new(match) },
)

// A result names only players who have acted.
func TestAPlayerWhoNeverActedHasNoPartInAResult(t *testing.T) {
	const counted = "time is up"
	for _, c := range []struct {
		seats int
		acts  string // "0 2": players 0 and 2 act; "0:{…}": player 0 acts with that data
		ranks string // of each player
		why   string
		rated bool
	}{
		{2, "0 1", "p0:1 p1:2", counted, true},
		{2, "0", "", "P1 never played, so the game does not count", false},
		{2, "1", "", "P0 never played, so the game does not count", false},
		{2, "", "", "Nobody played, so the game does not count", false},
		{2, `0 1:{"bad":true}`, "", "P1 never played, so the game does not count", false},
		{2, `0:{"idle":true}`, "p0:1 p1:2", counted, true},
		{3, "0 1 2", "p0:1 p1:2 p2:3", counted, true},
		{3, "1 2", "p1:1 p2:2", counted, true},
		{3, "0 2", "p0:1 p2:2", counted, true},
		{3, "2", "", "Only P2 played, so the game does not count", false},
		{4, "", "", "Nobody played, so the game does not count", false},
		{4, "3 1", "p1:1 p3:2", counted, true},
		{2, `0:{"bots":1}`, "p0:1 bot0:1", counted, false},
		{1, `0:{"bots":1}`, "p0:1 bot0:1", counted, false},
		{1, "", "p0:1", counted, false},
		{2, `0 1:{"abort":true}`, "", "we stop here", false},
	} {
		for _, from := range []string{"memory", "log", "snapshot"} {
			name := fmt.Sprintf("of %d, %q, from %s", c.seats, c.acts, from)
			b := newBench(t, matchRules, "")
			var players []*mirror
			for i := range c.seats {
				id := fmt.Sprint("p", i)
				b.step(core.Input{Kind: core.KindJoin, Player: room.PlayerID(id), Name: strings.ToUpper(id)})
				players = append(players, b.join(room.PlayerID(id)))
			}
			for act := range strings.FieldsSeq(c.acts) {
				data := "{}"
				if _, said, ok := strings.Cut(act, ":"); ok {
					data = said
				}
				b.act(players[act[0]-'0'], data)
			}
			b.all()
			if b.core.Final() == nil && c.seats > 1 { // the room remembers whether a player who leaves has acted
				b.step(core.Input{Kind: core.KindLeave, Player: "p0", Reason: string(room.Left)})
			}
			if from == "snapshot" {
				snap, err := b.core.Snapshot()
				if err != nil {
					t.Fatal(err)
				}
				b.snaps = append(b.snaps, snap)
			}
			if from != "memory" {
				again, err := core.Restore(b.cfg, b.kept())
				if err != nil {
					t.Fatal(err)
				}
				b.core = again
			}
			for b.core.Final() == nil {
				at, _ := b.core.Deadline()
				in, _ := b.core.Due(at)
				b.step(in)
			}
			f := b.core.Final()
			var ranks []string
			for _, o := range f.Result.Outcomes {
				ranks = append(ranks, fmt.Sprint(o.Player, ":", o.Rank))
			}
			end := record.Finished
			if c.why != counted {
				end = record.Aborted
			}
			if f.End != end || f.Result.Summary != c.why || strings.Join(ranks, " ") != c.ranks || f.Rated != c.rated {
				t.Errorf("%s: %s with %v, rated %t: %q", name, f.End, ranks, f.Rated, f.Result.Summary)
			}
			over := f.Over()
			if end == record.Aborted && (over.End != "aborted" || over.Reason != c.why || !strings.Contains(string(over.Result), `"reason":"aborted"`)) {
				t.Errorf("%s: told as %+v", name, over)
			}
		}
	}
}

// A log of the first runtime is replayed by its rules: a result also names players who never acted.
func TestTheFirstRuntimeCountsEverybody(t *testing.T) {
	cfg := core.Config{Rules: matchRules, Header: record.Header{Game: "match", Version: 1, Runtime: 1}}
	machine, _, err := core.Open(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []core.Input{
		{Kind: core.KindJoin, Player: "a"}, {Kind: core.KindJoin, Player: "b"},
		{Kind: core.KindAttach, Player: "a", Client: "c"}, {Kind: core.KindAttach, Player: "b", Client: "c"},
		{Kind: core.KindTimer, Name: "end", At: time.Hour},
	} {
		if _, err := machine.Step(in); err != nil {
			t.Fatal(err)
		}
	}
	f := machine.Final()
	if f == nil || f.End != record.Finished || !f.Rated || len(f.Result.Outcomes) != 2 {
		t.Fatalf("it ended as %+v", f)
	}
	if sealed, err := machine.Seal(); err != nil || sealed.Played != nil {
		t.Errorf("it played %+v, and did not count; %v", sealed.Played, err)
	}
}

// A game that was aborted for lack of players lingers like any other. Its players can agree on a rematch.
func TestAnAbortedGameCanBePlayedAgain(t *testing.T) {
	b := newBench(t, matchRules, "")
	a, c := b.join("a"), b.join("b")
	b.act(a, `{"end":true}`)
	if at, ok := b.core.Deadline(); !ok || at != b.core.Now()+matchRules.Spec().Linger {
		t.Errorf("it goes at %v", at)
	}
	b.act(a, `{"rematch":true}`)
	b.act(c, `{"rematch":true}`)
	if _, agreed := b.core.RematchPending(); !agreed {
		t.Error("all have agreed to a rematch, and there is none")
	}
}

// The game decides how long seats and the room are kept, once the room no longer waits for players.
func TestAGameSaysHowLongSeatsAreKept(t *testing.T) {
	spec := matchRules.Spec()
	for said, want := range map[string]struct{ seat, room time.Duration }{
		`{"keep":30}`: {30 * time.Hour, 30 * time.Hour},
		`{"keep":-1}`: {spec.Grace, spec.Empty}, // as in the spec
	} {
		b := newBench(t, matchRules, "")
		a := b.join("a")
		b.join("b")
		b.act(a, said)
		b.detach("a")
		if in := b.due(); in.Kind != core.KindLeave || in.Player != "a" || in.At != want.seat {
			t.Errorf("%s: the seat is kept until %v, when %s is due", said, in.At, in.Kind.Name())
		}
		b.detach("b")
		b.step(core.Input{Kind: core.KindLeave, Player: "a", Reason: string(room.TimedOut)})
		b.step(core.Input{Kind: core.KindLeave, Player: "b", Reason: string(room.TimedOut)})
		if in := b.due(); in.Kind != core.KindClose || in.At != want.room {
			t.Errorf("%s: the room is kept until %v, when %s is due", said, in.At, in.Kind.Name())
		}
	}
	b := newBench(t, matchRules, "")
	a := b.join("a")
	b.detach("a")
	if in := b.due(); in.Kind != core.KindLeave || in.At != spec.WaitingGrace {
		t.Errorf("while the room waits the seat is kept until %v, when %s is due", in.At, in.Kind.Name())
	}
	b.attach(a, nil)
	b.join("b")
	b.act(a, `{"keep":9999}`) // for ever
	b.detach("a")
	b.detach("b")
	if at, ok := b.core.Deadline(); ok {
		t.Errorf("a room that is kept for ever has something to do at %v", at)
	}
}

func (b *bench) detach(p room.PlayerID) {
	b.step(core.Input{Kind: core.KindDetach, Player: p})
}

// due returns the next input that becomes due with time.
func (b *bench) due() core.Input {
	b.t.Helper()
	at, ok := b.core.Deadline()
	in, due := b.core.Due(at)
	if !ok || !due {
		b.t.Fatal("nothing is due")
	}
	return in
}

// Played counts the accepted acts of the player with the fewest. Restarts and leaves do not change it.
func TestPlayedActsAndTime(t *testing.T) {
	b := newBench(t, matchRules, "")
	a, c := b.join("a"), b.join("c")
	act := func(m *mirror, at time.Duration, data string) {
		m.sent++
		b.step(core.Input{Kind: core.KindAct, Player: m.to.Player, Client: m.client, CSeq: record.CSeq(m.sent), Data: json.RawMessage(data), At: at})
	}
	act(a, 5*time.Minute, `{"bad":true}`)
	act(a, 10*time.Minute, `{}`)
	act(a, 20*time.Minute, `{}`)
	act(c, 30*time.Minute, `{}`)
	b.step(core.Input{Kind: core.KindLeave, Player: "a", Reason: string(room.Left), At: 31 * time.Minute})
	b.all()
	snap, err := b.core.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	b.snaps = append(b.snaps, snap)
	if b.core, err = core.Restore(b.cfg, b.kept()); err != nil {
		t.Fatal(err)
	}
	act(c, 40*time.Minute, `{}`)
	act(c, 41*time.Minute, `{}`)
	if b.step(b.due()); b.core.Final() == nil {
		t.Fatal("time has not ended it")
	}
	act(a, 61*time.Minute, `{"rematch":true}`)
	f, err := b.core.Seal()
	if want := (record.Played{Acts: 2, Time: 50 * time.Minute}); err != nil || f.Played == nil || *f.Played != want {
		t.Errorf("%+v, %v; want %+v", f.Played, err, want)
	}
}

// TestASnapshotWithoutActCounts restores a room from the snapshot of a program that recorded only who had acted. Acts are
// counted from there on. A replay of the log from its start, which counts all acts, does not diverge from it.
func TestASnapshotWithoutActCounts(t *testing.T) {
	b := newBench(t, matchRules, "")
	a, c := b.join("a"), b.join("c")
	act := func(m *mirror, at time.Duration) {
		m.sent++
		b.step(core.Input{Kind: core.KindAct, Player: m.to.Player, Client: m.client, CSeq: record.CSeq(m.sent), Data: json.RawMessage(`{}`), At: at})
	}
	act(a, 10*time.Minute)
	act(a, 20*time.Minute)
	act(c, 30*time.Minute)
	b.step(core.Input{Kind: core.KindLeave, Player: "a", Reason: string(room.Left), At: 31 * time.Minute})
	b.all()
	snap, err := b.core.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	snap.Data = uncounted(t, snap.Data)
	b.snaps = append(b.snaps, snap)
	act(c, 40*time.Minute)
	b.all()
	for what, kept := range map[string]record.Kept{"from the snapshot": b.kept(), "beside a newer one": withNewer(t, b)} {
		machine, err := core.Restore(b.cfg, kept)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if machine.Point().Seq != b.core.Point().Seq {
			t.Errorf("%s it goes on at %d, not at %d", what, machine.Point().Seq, b.core.Point().Seq)
		}
	}
}

// withNewer returns what a journal would hold with one more snapshot, of the present state.
func withNewer(t *testing.T, b *bench) record.Kept {
	t.Helper()
	snap, err := b.core.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	kept := b.kept()
	kept.Snapshots = append(slices.Clone(kept.Snapshots), snap)
	return kept
}

// uncounted rewrites a snapshot in the form of a program that recorded only whether each player had acted.
func uncounted(t *testing.T, data []byte) []byte {
	t.Helper()
	var s map[int]any
	if err := cbor.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	for _, one := range s[6].([]any) {
		if seat := one.(map[any]any); seat[uint64(9)] != nil {
			delete(seat, uint64(9))
			seat[uint64(8)] = true
		}
	}
	var once []any
	for _, one := range s[34].([]any) {
		once = append(once, one.(map[any]any)[uint64(1)])
	}
	delete(s, 34)
	delete(s, 35)
	s[33] = once
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	out, err := enc.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
