package liarsdice_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/liarsdice"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// table is a room with a game of liar's dice in it, driven as an actor would.
type table struct {
	t      testing.TB
	core   *core.Core
	config core.Config
	now    time.Duration
	cseq   map[room.PlayerID]record.CSeq
	reason string   // of the last refusal
	events []string // heard by everybody, each once
	heard  map[core.ClassID][]string
}

// Players by seat.
var people = []room.PlayerID{"ann", "bob", "cy", "dee", "eve", "fay"}

var rules = liarsdice.Rules()

func open(t testing.TB, options string) (*table, error) {
	t.Helper()
	return openUnder(t, core.RuntimeVersion, options)
}

// openUnder makes a room of an earlier runtime.
func openUnder(t testing.TB, runtime int, options string) (*table, error) {
	t.Helper()
	cfg := core.Config{Rules: rules, Header: record.Header{
		ID: record.NewID([10]byte{1}), Game: "liarsdice", Version: liarsdice.Version, Runtime: runtime,
		Options: json.RawMessage(options), Seed: [32]byte{1},
	}}
	machine, _, err := core.Open(cfg, 1)
	b := &table{t: t, core: machine, config: cfg, cseq: map[room.PlayerID]record.CSeq{}, heard: map[core.ClassID][]string{}}
	return b, err
}

// wait is a room in which n people sit; whether the game starts depends on the options.
func wait(t testing.TB, n int, options string) *table {
	t.Helper()
	b, err := open(t, options)
	if err != nil {
		t.Fatalf("options %s: %v", options, err)
	}
	b.core.Watch(1, nil)
	for _, p := range people[:n] {
		b.sit(p)
	}
	return b
}

// play is a game of n people who hold the given dice. Ann opens. The options come without their braces.
func play(t testing.TB, options string, hands ...string) *table {
	t.Helper()
	if options != "" {
		options = ", " + options
	}
	b := wait(t, len(hands), fmt.Sprintf(`{"players": %d%s}`, len(hands), options))
	b.hold(hands...)
	return b
}

// hold puts dice into the players' hands and lets Ann act.
func (b *table) hold(hands ...string) {
	b.t.Helper()
	g := b.game()
	if g.Status != liarsdice.Bidding {
		b.t.Fatalf("no dice are held while %s", g.Status)
	}
	for seat, text := range hands {
		g.Table[seat].Dice = numbers(text)
		g.Table[seat].Count = len(g.Table[seat].Dice)
	}
	g.Turn = 0
	b.set(g)
}

func numbers(text string) []int {
	out := []int{}
	for d := range strings.FieldsSeq(text) {
		n, err := strconv.Atoi(d)
		if err != nil {
			panic(err)
		}
		out = append(out, n)
	}
	return out
}

// game is a copy of the game's state.
func (b *table) game() (g liarsdice.Game) {
	b.t.Helper()
	if err := json.Unmarshal([]byte(b.state()), &g); err != nil {
		b.t.Fatal(err)
	}
	return g
}

// set goes on with another state of the game.
func (b *table) set(g liarsdice.Game) {
	b.t.Helper()
	raw, err := json.Marshal(g)
	if err != nil {
		b.t.Fatal(err)
	}
	snap, err := b.core.Snapshot()
	if err == nil {
		snap, err = core.WithGame(snap, raw)
	}
	if err == nil {
		b.core, err = core.Restore(b.config, record.Kept{Header: b.config.Header, Snapshots: []record.Snapshot{snap}})
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.core.Watch(1, nil)
	b.hear()
}

func (b *table) state() string {
	raw, err := b.core.GameState()
	if err != nil {
		b.t.Fatal(err)
	}
	return string(raw)
}

func (b *table) step(in core.Input) core.Ready {
	b.t.Helper()
	in.At = b.now
	ready, err := b.core.Step(in)
	if err != nil {
		b.t.Fatal(err)
	}
	if p := b.core.Panicked(); p != nil {
		b.t.Fatalf("the game panicked: %s\n%s", p.Value, p.Stack)
	}
	return ready
}

func (b *table) join(p room.PlayerID) error {
	b.t.Helper()
	return b.step(core.Input{Kind: core.KindJoin, Player: p, Name: strings.ToUpper(string(p[:1])) + string(p[1:])}).Refused
}

func (b *table) sit(p room.PlayerID) {
	b.t.Helper()
	if err := b.join(p); err != nil {
		b.t.Fatal(err)
	}
	b.step(core.Input{Kind: core.KindAttach, Player: p, Client: "c", Attempt: 1})
	b.hear()
}

func (b *table) leave(p room.PlayerID) {
	b.t.Helper()
	b.step(core.Input{Kind: core.KindLeave, Player: p, Reason: string(room.Left)})
	b.hear()
}

// hear commits all output and returns the code of the refusal in it, if there is one.
func (b *table) hear() (code string) {
	b.t.Helper()
	for _, o := range b.core.Commit(b.core.Point().Seq) {
		switch o := o.(type) {
		case core.Turned:
			b.listen(o.Class, o.Frame)
		case core.Ended:
			b.listen(0, o.Frame)
		case core.Answered:
			var m struct{ T, Code, Reason string }
			if err := json.Unmarshal(o.Frame.Bytes(wire.JSON), &m); err != nil {
				b.t.Fatal(err)
			}
			if m.T == "reject" {
				code, b.reason = m.Code, m.Reason
			}
		}
	}
	return code
}

// listen notes a message to a class, and its events when it is the first to hear them.
func (b *table) listen(class core.ClassID, f *core.Frame) {
	b.t.Helper()
	raw := f.Bytes(wire.JSON)
	b.heard[class] = append(b.heard[class], string(raw))
	var m struct {
		Seq    uint64
		Events []wire.Event
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		b.t.Fatal(err)
	}
	for _, e := range m.Events {
		if said := fmt.Sprintf("%d %s%s", m.Seq, e.Name, e.Data); !slices.Contains(b.events, said) {
			b.events = append(b.events, said)
		}
	}
}

// said checks that an event was heard.
func (b *table) said(event string) {
	b.t.Helper()
	if !slices.ContainsFunc(b.events, func(e string) bool { return strings.HasSuffix(e, " "+event) }) {
		b.t.Errorf("nobody heard %s, but %s", event, b.events)
	}
}

// act sends an action and returns the code of its refusal, or nothing.
func (b *table) act(p room.PlayerID, data string) string {
	b.t.Helper()
	b.cseq[p]++
	ready := b.step(core.Input{Kind: core.KindAct, Player: p, Client: "c", CSeq: b.cseq[p], Data: json.RawMessage(data)})
	if ready.Refused != nil {
		return "core:" + ready.Refused.Error()
	}
	return b.hear()
}

// must sends an action that must be accepted.
func (b *table) must(p room.PlayerID, data string) {
	b.t.Helper()
	if code := b.act(p, data); code != "" {
		b.t.Fatalf("%s's %s was refused: %s: %s", p, data, code, b.reason)
	}
}

// bid bids as "4x5".
func (b *table) bid(p room.PlayerID, claim string) {
	b.t.Helper()
	b.must(p, bidding(claim))
}

func bidding(claim string) string {
	count, face, _ := strings.Cut(claim, "x")
	return fmt.Sprintf(`{"bid": {"count": %s, "face": %s}}`, count, face)
}

// refuse sends an action that must be refused with a code, and checks that it changes nothing.
func (b *table) refuse(p room.PlayerID, data, code string) {
	b.t.Helper()
	before := b.state()
	if got := b.act(p, data); got != code {
		b.t.Errorf("%s's %s was answered %q (%s), not %q", p, data, got, b.reason, code)
	}
	if after := b.state(); after != before {
		b.t.Errorf("the refused %s changed the game from\n%s to\n%s", data, before, after)
	}
}

// pass lets time go by and steps what it makes due.
func (b *table) pass(d time.Duration) {
	b.t.Helper()
	now := b.now + d
	for {
		in, ok := b.core.Due(now)
		if !ok || in.Kind == core.KindClose {
			break
		}
		b.now = in.At
		b.step(in)
		b.hear()
	}
	b.now = now
}

// toDeadline lets time go by up to what the view says.
func (b *table) toDeadline() {
	b.t.Helper()
	b.pass(time.Duration(b.view().DeadlineMS)*time.Millisecond - b.now)
}

// view is what spectators see.
func (b *table) view() liarsdice.View { return b.viewOf(room.Spectator) }

// sees is what a player sees.
func (b *table) sees(seat int) liarsdice.View {
	return b.viewOf(room.Viewer{Player: people[seat], Seat: seat})
}

func (b *table) viewOf(v room.Viewer) (out liarsdice.View) {
	b.t.Helper()
	raw, err := b.core.WholeView(v)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		b.t.Fatal(err)
	}
	return out
}

// counts are everybody's numbers of dice by seat.
func (b *table) counts(want ...int) {
	b.t.Helper()
	v := b.view()
	var got []int
	for seat := range len(v.Players) {
		got = append(got, v.Players[seat].Dice)
	}
	if !slices.Equal(got, want) {
		b.t.Fatalf("the players hold %v dice, not %v", got, want)
	}
}

// at checks the status and whose turn it is.
func (b *table) at(status string, turn int) liarsdice.View {
	b.t.Helper()
	v := b.view()
	if v.Status != status || v.Turn != turn {
		b.t.Fatalf("the game is %s with seat %d to act, not %s with %d", v.Status, v.Turn, status, turn)
	}
	return v
}

// ended checks how the game ended: the reason, and the ranks by seat.
func (b *table) ended(reason string, ranks ...int) room.Result {
	b.t.Helper()
	f := b.core.Final()
	if f == nil {
		b.t.Fatalf("the game is not over: %s", b.state())
	}
	var got []int
	for _, o := range f.Result.Outcomes {
		got = append(got, o.Rank)
	}
	if f.Result.Reason != reason || !slices.Equal(got, ranks) {
		b.t.Fatalf("the game ended by %s (%s) with ranks %v, not by %s with %v", f.Result.Reason, f.Result.Summary, got, reason, ranks)
	}
	if v := b.at(liarsdice.Over, -1); v.Result.Reason != reason || v.Result.Summary != f.Result.Summary || v.DeadlineMS != 0 {
		b.t.Fatalf("the view shows the result %+v", v.Result)
	}
	return f.Result
}
