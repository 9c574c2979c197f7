package timeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/play"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/games/liarsdice"
	"github.com/roomring/roomring/room/games/snakes"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/timeline"
	"github.com/roomring/roomring/room/view"
	"github.com/roomring/roomring/room/wire"
)

const id = room.ID("0123456789abcdef")

// seen is what a room looked like behind an input, when it was played.
type seen struct {
	state  json.RawMessage
	views  map[room.PlayerID]json.RawMessage // of those with a seat, and of spectators
	events map[room.PlayerID][]wire.Event
}

// game is a room that is played step by step, and remembered.
type game struct {
	t       *testing.T
	rules   *room.Rules
	c       *core.Core
	random  *rand.Rand
	now     time.Duration
	cseq    map[room.PlayerID]record.CSeq
	moments map[room.Index]seen
}

var players = []room.PlayerID{"ann", "bob"}

func newGame(t *testing.T, rules *room.Rules, options string) *game {
	t.Helper()
	spec := rules.Spec()
	header := record.Header{ID: id, Game: spec.Name, Version: spec.Version, Runtime: core.RuntimeVersion, Durability: room.Local, Code: "secretcode"}
	if options != "" {
		header.Options = json.RawMessage(options)
	}
	g := &game{t: t, rules: rules, random: rand.New(rand.NewPCG(1, 2)), cseq: map[room.PlayerID]record.CSeq{}, moments: map[room.Index]seen{}}
	c, entries, err := core.Open(core.Config{Header: header, Rules: rules}, 1)
	if err != nil {
		t.Fatal(err)
	}
	g.c = c
	for i, e := range entries {
		if i == len(entries)-1 {
			g.remember(e)
		}
	}
	for _, p := range players {
		g.step(core.Input{Kind: core.KindJoin, Player: p, Name: strings.ToUpper(string(p))})
		g.step(core.Input{Kind: core.KindAttach, Player: p, Client: record.ClientID("client of " + p), Attempt: 1})
	}
	return g
}

func (g *game) step(in core.Input) *core.Entry {
	g.t.Helper()
	in.At = g.now
	ready, err := g.c.Step(in)
	if err != nil || ready.Entry == nil {
		g.t.Fatalf("%s: %v, %v", in.Kind, err, ready.Refused)
	}
	g.remember(*ready.Entry)
	g.c.Commit(ready.Entry.Index)
	return ready.Entry
}

func (g *game) remember(e core.Entry) {
	m := seen{views: map[room.PlayerID]json.RawMessage{}, events: map[room.PlayerID][]wire.Event{}}
	var err error
	if m.state, err = g.c.GameState(); err != nil {
		g.t.Fatal(err)
	}
	for _, p := range append([]room.PlayerID{""}, players...) {
		v, ok := g.c.Viewer(p)
		if !ok {
			continue
		}
		if m.views[p], err = g.c.WholeView(v); err != nil {
			g.t.Fatal(err)
		}
		m.events[p] = g.c.EventsShown(p)
	}
	g.moments[e.Index] = m
}

// play plays some inputs: what is due, and what is legal.
func (g *game) play(inputs int) *game {
	for range inputs {
		if g.c.Final() != nil {
			return g
		}
		g.now += time.Duration(1+g.random.IntN(40)) * time.Millisecond
		if in, due := g.c.Due(g.now); due {
			g.step(in)
			continue
		}
		for _, s := range g.c.Seats() {
			legal, err := play.Legal(g.c, room.Viewer{Player: s.Player, Seat: s.Seat})
			if err != nil {
				g.t.Fatal(err)
			}
			ends := func(a json.RawMessage) bool {
				return strings.Contains(string(a), "resign") || strings.Contains(string(a), "accept")
			}
			if action := play.Choose(g.random, slices.DeleteFunc(legal, ends)); action != nil && (!g.c.Ticking() || g.random.IntN(9) == 0) {
				g.act(s.Player, action)
				break
			}
		}
	}
	return g
}

func (g *game) act(p room.PlayerID, action json.RawMessage) *core.Entry {
	g.cseq[p]++
	return g.step(core.Input{Kind: core.KindAct, Player: p, Client: record.ClientID("client of " + p), CSeq: g.cseq[p], Data: action})
}

// live is the room as its node hands out its log.
func (g *game) live(_ context.Context, asked room.ID, after room.Index) (actor.Log, error) {
	if asked != id {
		return actor.Log{}, actor.ErrNotFound
	}
	parts, err := g.c.ReplayAfter(after)
	return actor.Log{Replay: parts.Join(), Committed: g.c.Committed()}, err
}

func none(context.Context, room.ID) (record.StoredReplay, error) {
	return record.StoredReplay{}, actor.ErrNotFound
}

func (g *game) timelines(edit func(*timeline.Options)) *timeline.Timelines {
	g.t.Helper()
	games, err := core.NewGames(g.rules)
	if err != nil {
		g.t.Fatal(err)
	}
	o := timeline.Options{Games: games, Live: g.live, Stored: none, Time: time.Minute}
	if edit != nil {
		edit(&o)
	}
	all, err := timeline.New(o)
	if err != nil {
		g.t.Fatal(err)
	}
	return all
}

var everybody = []timeline.Eyes{{Whole: true}, {}, {Player: "ann"}, {Player: "bob"}}

// check compares the timeline at an index with what was remembered.
func (g *game) check(all *timeline.Timelines, i room.Index) timeline.Moment {
	g.t.Helper()
	m, err := all.At(g.t.Context(), id, i, everybody)
	if err != nil {
		g.t.Fatalf("at %d: %v", i, err)
	}
	was := g.moments[i]
	if m.Entry.Index != i || !bytes.Equal(m.Views[0].Now, was.state) {
		g.t.Fatalf("at %d, entry %d, the state is\n%s, and was\n%s", i, m.Entry.Index, m.Views[0].Now, was.state)
	}
	for _, s := range m.Seats {
		if m.Entry.Player == s.Player && m.Seat != s.Seat {
			g.t.Fatalf("at %d %q has seat %d, not %d", i, s.Player, s.Seat, m.Seat)
		}
	}
	for n, p := range []room.PlayerID{"", "ann", "bob"} {
		v := m.Views[n+1]
		if !bytes.Equal(v.Now, was.views[p]) {
			g.t.Fatalf("at %d %q sees\n%s, and saw\n%s", i, p, v.Now, was.views[p])
		}
		if !reflect.DeepEqual(v.Events, was.events[p]) {
			g.t.Fatalf("at %d %q hears %v, and heard %v", i, p, v.Events, was.events[p])
		}
		if (v.Now == nil) != (v.Unavailable != "") {
			g.t.Fatalf("at %d %q sees %q, unavailable: %q", i, p, v.Now, v.Unavailable)
		}
		if v.Before == nil {
			continue
		}
		if before := g.moments[i-1]; before.views != nil && !bytes.Equal(v.Before, before.views[p]) {
			g.t.Fatalf("before %d %q saw\n%s, and saw\n%s", i, p, v.Before, before.views[p])
		}
		if patched := canonical(g.t, patched(g.t, v.Before, v.Patch)); patched != canonical(g.t, decoded(g.t, v.Now)) {
			g.t.Fatalf("at %d the patch of %q makes\n%s of what is\n%s", i, p, patched, v.Now)
		}
	}
	return m
}

func decoded(t *testing.T, raw json.RawMessage) (v any) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func patched(t *testing.T, before, patch json.RawMessage) any {
	t.Helper()
	if patch == nil {
		return decoded(t, before)
	}
	return view.Patch(decoded(t, before), decoded(t, patch))
}

func canonical(t *testing.T, v any) string {
	t.Helper()
	out, err := view.AppendCanonical(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestEveryIndexIsAsItWas(t *testing.T) {
	for _, tt := range []struct {
		rules   *room.Rules
		options string
		inputs  int
		stride  int // between the indexes that are looked at
	}{
		{chess.Rules(), "", 60, 1},
		{liarsdice.Rules(), "", 150, 1},
		{snakes.Rules(), "", 2600, 37}, // past two snapshots of the one that runs it again
	} {
		t.Run(tt.rules.Spec().Name, func(t *testing.T) {
			g := newGame(t, tt.rules, tt.options).play(tt.inputs)
			all := g.timelines(nil)
			var indexes []room.Index
			for i := room.Index(2); i <= g.c.Point().Seq; i += room.Index(tt.stride) {
				indexes = append(indexes, i)
			}
			for _, i := range indexes {
				g.check(all, i)
			}
			g.random.Shuffle(len(indexes), func(a, b int) { indexes[a], indexes[b] = indexes[b], indexes[a] })
			for _, i := range indexes[:min(20, len(indexes))] { // backwards and forwards
				g.check(all, i)
			}
			g.play(20)
			if m := g.check(all, g.c.Point().Seq); m.Last != g.c.Point().Seq {
				t.Errorf("the log ends at %d, and was played on to %d", m.Last, g.c.Point().Seq)
			}
		})
	}
}

func TestTheLogIsPagedAndGrows(t *testing.T) {
	g := newGame(t, snakes.Rules(), "").play(300)
	all := g.timelines(nil)
	var got []room.Index
	for after := room.Index(0); ; {
		page, err := all.Entries(t.Context(), id, after, 70, false)
		if err != nil {
			t.Fatal(err)
		}
		if page.Header.Code != "" {
			t.Error("the log tells the join code")
		}
		if len(page.Entries) == 0 {
			break
		}
		for _, e := range page.Entries {
			got = append(got, e.Index)
		}
		after = got[len(got)-1]
		g.play(1)
	}
	if len(got) != int(g.c.Point().Seq) || !slices.IsSorted(got) || got[0] != 1 {
		t.Errorf("%d of %d entries, from %d on", len(got), g.c.Point().Seq, got[0])
	}
}

func TestTheLogTellsEvents(t *testing.T) {
	g := newGame(t, walkRules(1), "") // in which each act tells its player something
	for range 5 {
		g.act("ann", json.RawMessage(`"a step"`))
	}
	all := g.timelines(nil)
	page, err := all.Entries(t.Context(), id, 0, 100, true)
	if err != nil || len(page.Events) != len(page.Entries) {
		t.Fatalf("%d entries, %d events: %v", len(page.Entries), len(page.Events), err)
	}
	steps := 0
	for i, e := range page.Entries {
		switch {
		case e.Kind != core.KindAct:
			if len(page.Events[i]) > 0 {
				t.Errorf("%s tells %v", e.Kind, page.Events[i])
			}
			continue
		case len(page.Events[i]) != 1:
			t.Fatalf("act %d tells %v", e.Index, page.Events[i])
		}
		steps++
		if told := page.Events[i][0]; told.To != "ann" || told.Name != "stepped" || string(told.Data) != fmt.Sprint(steps) {
			t.Errorf("act %d tells %+v", e.Index, told)
		}
	}
	if steps != 5 {
		t.Errorf("%d of 5 acts", steps)
	}
	g.check(all, 3) // looking at events does no harm
}

func TestWhatIsNotCommittedIsNotShown(t *testing.T) {
	g := newGame(t, liarsdice.Rules(), "").play(10)
	committed := g.c.Point().Seq
	if _, err := g.c.Step(core.Input{Kind: core.KindJoin, Player: "cyd", At: g.now}); err != nil {
		t.Fatal(err)
	}
	all := g.timelines(nil)
	page, err := all.Entries(t.Context(), id, 0, 1, false)
	if err != nil || page.Last != committed {
		t.Errorf("the log goes to %d, committed is %d: %v", page.Last, committed, err)
	}
	_, err = all.At(t.Context(), id, committed+1, nil)
	if none, ok := errors.AsType[*timeline.NoIndexError](err); !ok || none.Last != committed {
		t.Errorf("beyond commit: %v", err)
	}
}

// TestALogThatLostItsEndIsReadAnew shows another log under the same id: as if a machine had lost its last moments with its power.
func TestALogThatLostItsEndIsReadAnew(t *testing.T) {
	g := newGame(t, chess.Rules(), "").play(20)
	now := g
	all := g.timelines(func(o *timeline.Options) {
		o.Live = func(ctx context.Context, id room.ID, after room.Index) (actor.Log, error) {
			return now.live(ctx, id, after)
		}
	})
	g.check(all, g.c.Point().Seq)
	other := newGame(t, chess.Rules(), "")
	other.random = rand.New(rand.NewPCG(3, 4))
	other.step(core.Input{Kind: core.KindEpoch, Epoch: 2})
	now = other.play(8)
	page, err := all.Entries(t.Context(), id, 0, 100, false)
	if err != nil || page.Last != other.c.Point().Seq || page.Entries[len(page.Entries)-1].Epoch != 2 {
		t.Fatalf("the log goes to %d: %v", page.Last, err)
	}
	other.check(all, other.c.Point().Seq)
}

func TestAFinishedRoomComesFromTheStore(t *testing.T) {
	g := newGame(t, chess.Rules(), "").play(30)
	g.act("ann", json.RawMessage(`{"resign":true}`))
	final, err := g.c.Seal()
	if err != nil {
		t.Fatal(err)
	}
	reads := 0
	all := g.timelines(func(o *timeline.Options) {
		o.Live = func(context.Context, room.ID, room.Index) (actor.Log, error) { return actor.Log{}, actor.ErrNotFound }
		o.Stored = func(_ context.Context, asked room.ID) (record.StoredReplay, error) {
			if asked != id {
				return none(t.Context(), asked)
			}
			reads++
			return record.StoredReplay{Size: int64(final.Replay.Len()), Reader: final.Replay.Reader()}, nil
		}
	})
	for i := room.Index(2); i <= final.Point.Seq; i += 3 {
		g.check(all, i)
	}
	page, err := all.Entries(t.Context(), id, 0, 0, false)
	if err != nil || page.Final.End != record.Finished || reads != 1 {
		t.Errorf("it ended as %q, read %d times: %v", page.Final.End, reads, err)
	}
	if _, err := all.Entries(t.Context(), "zzzzzzzzzzzzzzzz", 0, 1, false); !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("a room that is nowhere: %v", err)
	}
}

func TestABudgetGoesOnWhereItWasUsedUp(t *testing.T) {
	g := newGame(t, snakes.Rules(), "").play(1500)
	all := g.timelines(func(o *timeline.Options) { o.Steps = 100 })
	last, tries := g.c.Point().Seq, 0
	for {
		_, err := all.At(t.Context(), id, last, everybody)
		if err == nil {
			break
		}
		far, ok := errors.AsType[*timeline.BudgetError](err)
		if tries++; !ok || far.To != last || tries > 9 || far.At != room.Index(100*tries) {
			t.Fatalf("try %d: %v", tries, err)
		}
	}
	if tries != int(last-1)/100 {
		t.Errorf("%d inputs ran in %d requests of 100", last, tries+1)
	}
	g.check(all, last)
}

func TestWhatCannotBeShownSaysWhy(t *testing.T) {
	g := newGame(t, chess.Rules(), "").play(10)
	at := func(all *timeline.Timelines) error {
		_, err := all.At(t.Context(), id, 5, everybody)
		return err
	}
	for want, all := range map[string]*timeline.Timelines{
		"no game chess":                  g.timelines(func(o *timeline.Options) { o.Games, _ = core.NewGames(snakes.Rules()) }),
		"processes died":                 g.timelines(func(o *timeline.Options) { o.Black = fatal{} }),
		"does not begin with \"roomring": g.timelines(func(o *timeline.Options) { o.Live = rubbish }),
	} {
		if err := at(all); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	big := g.timelines(func(o *timeline.Options) {
		o.Live = func(context.Context, room.ID, room.Index) (actor.Log, error) { return actor.Log{}, actor.ErrNotFound }
		o.Stored = func(context.Context, room.ID) (record.StoredReplay, error) {
			return record.StoredReplay{Size: 1 << 40, Reader: strings.NewReader("")}, nil
		}
	})
	if why, ok := errors.AsType[*room.Refusal](at(big)); !ok || why.Code != "too_long" {
		t.Errorf("a replay of a terabyte: %v", why)
	}
}

func rubbish(context.Context, room.ID, room.Index) (actor.Log, error) {
	return actor.Log{Replay: []byte("no log at all, but of some length"), Committed: 9}, nil
}

type fatal struct{}

func (fatal) Fatal(room.ID) bool                    { return true }
func (fatal) BeginRerun(room.ID, string) actor.Step { return nil }

// TestOtherRulesDiverge runs a log by rules that refuse what was accepted.
func TestOtherRulesDiverge(t *testing.T) {
	stricter := room.MustDefine(room.Spec{Name: "press", Version: 1, MaxPlayers: 4}, func() *press { return &press{Most: 2} })
	g := newGame(t, pressRules(1), "")
	for range 4 {
		g.act("ann", json.RawMessage(`{}`))
	}
	all := g.timelines(func(o *timeline.Options) { o.Games, _ = core.NewGames(stricter) })
	if _, err := all.At(t.Context(), id, 8, everybody); err != nil {
		t.Errorf("what both rules accept: %v", err)
	}
	_, err := all.At(t.Context(), id, 10, everybody)
	if err == nil || !strings.Contains(err.Error(), "input 9 was accepted when it was played and these rules refuse it (enough)") {
		t.Errorf("what only one accepts: %v", err)
	}
}

type press struct {
	Presses int
	Most    int `json:"-"`
}

func (p *press) Act(*room.Turn, room.Player, struct{}) error {
	if p.Most > 0 && p.Presses == p.Most {
		return room.Refuse("enough", "that is enough")
	}
	p.Presses++
	return nil
}

func (p *press) View(room.Viewer) int { return p.Presses }

// TestTheOperatorsActDisturbsNoClient acts for a player between the player's own acts.
func TestTheOperatorsActDisturbsNoClient(t *testing.T) {
	g := newGame(t, pressRules(1), "")
	g.act("ann", json.RawMessage(`{}`))
	if e := g.step(core.Input{Kind: core.KindAct, Player: "ann", Data: json.RawMessage(`{}`)}); e.Result != core.StepAccepted {
		t.Fatalf("the operator's act came to %v", e.Result)
	}
	g.act("ann", json.RawMessage(`{}`)) // with the next cseq of its own
	g.step(core.Input{Kind: core.KindDetach, Player: "bob", Client: "client of bob"})
	if e := g.step(core.Input{Kind: core.KindAct, Player: "bob", Data: json.RawMessage(`{"rubbish":1}`)}); e.Refused == nil {
		t.Error("rubbish was accepted")
	}
	g.step(core.Input{Kind: core.KindAct, Player: "bob", Data: json.RawMessage(`{}`)})
	all := g.timelines(nil)
	for i := room.Index(2); i <= g.c.Point().Seq; i++ {
		g.check(all, i)
	}
	snap, err := g.c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	kept, err := all.Fork(t.Context(), id, g.c.Point().Seq, func(h record.Header) (record.Header, error) { return h, nil })
	if err != nil {
		t.Fatal(err)
	}
	kept.Snapshots = []record.Snapshot{snap}
	if _, err := core.Restore(core.Config{Rules: g.rules}, kept); err != nil && !strings.Contains(err.Error(), "left one state") {
		t.Errorf("it does not come back: %v", err) // client ids in the snapshot are the true ones
	}
}

func TestAForkIsTheSameGame(t *testing.T) {
	g := newGame(t, chess.Rules(), "").play(40)
	all := g.timelines(nil)
	rename := func(h record.Header) (record.Header, error) {
		h.ID, h.ForkOf = "zzzzzzzzzzzzzzzz", h.ID
		return h, nil
	}
	for _, i := range []room.Index{1, 2, 7, g.c.Point().Seq} {
		kept, err := all.Fork(t.Context(), id, i, rename)
		if err != nil {
			t.Fatal(err)
		}
		c, err := core.Restore(core.Config{Rules: g.rules}, kept)
		if err != nil {
			t.Fatalf("a fork at %d: %v", i, err)
		}
		if i == 1 {
			continue // before it was opened
		}
		if state, _ := c.GameState(); !bytes.Equal(state, g.moments[i].state) || c.Header().ForkOf != id {
			t.Errorf("a fork at %d of room %s begins with\n%s, and it was\n%s", i, c.Header().ForkOf, state, g.moments[i].state)
		}
	}
	for _, i := range []room.Index{0, g.c.Point().Seq + 1, 1 << 60} {
		if _, err := all.Fork(t.Context(), id, i, rename); err == nil {
			t.Errorf("a fork at %d was made", i)
		}
	}
}

// walk is a world whose log is cut again and again.
type walk struct{ Steps int }

func (w *walk) Act(t *room.Turn, by room.Player, _ string) error {
	w.Steps++
	t.Send(by.ID, "stepped", w.Steps)
	return nil
}

func (w *walk) View(room.Viewer) walk { return *w }

func walkRules(version int) *room.Rules {
	return room.MustDefine(room.Spec{Name: "walk", Version: version, MaxPlayers: 4, Log: room.TailLog, LogBytes: room.MinLogBytes}, func() *walk { return &walk{} })
}

// actAndCut lets the game cut its log, as a room does.
func (g *game) actAndCut(data string) {
	g.t.Helper()
	g.cseq["ann"]++
	ready, err := g.c.Step(core.Input{Kind: core.KindAct, Player: "ann", Client: "client of ann", CSeq: g.cseq["ann"], Data: json.RawMessage(data), At: g.now})
	if err != nil || ready.Entry == nil {
		g.t.Fatal(err, ready.Refused)
	}
	g.remember(*ready.Entry)
	if ready.CutDue {
		g.step(core.Input{Kind: core.KindCut})
	}
	g.c.Commit(g.c.Point().Seq)
}

func TestALogThatIsCutIsShownFromTheCutOn(t *testing.T) {
	g := newGame(t, walkRules(1), "")
	all := g.timelines(nil)
	pad, cuts, first := `"`+strings.Repeat("x", 300)+`"`, 0, room.Index(1)
	for range 60 {
		g.actAndCut(pad)
		page, err := all.Entries(t.Context(), id, 0, 1, false)
		if err != nil {
			t.Fatal(err)
		}
		if page.First != first {
			cuts++
			if first = page.First; page.Entries[0].Kind != core.KindCut {
				t.Fatalf("the log begins with %s at %d", page.Entries[0].Kind, first)
			}
		}
		g.check(all, page.Last)
		for back := range room.Index(12) {
			g.check(all, max(page.First, page.Last-min(back, page.Last-2), 2))
		}
	}
	if cuts < 3 {
		t.Fatalf("the log was cut %d times", cuts)
	}
	g.check(all, first)
	_, err := all.At(t.Context(), id, first-1, everybody)
	if none, ok := errors.AsType[*timeline.NoIndexError](err); !ok || none.First != first {
		t.Errorf("before the cut: %v", err)
	}
	kept, err := all.Fork(t.Context(), id, first+2, func(h record.Header) (record.Header, error) { return h, nil })
	if err != nil {
		t.Fatal(err)
	}
	c, err := core.Restore(core.Config{Rules: g.rules}, kept)
	if err != nil {
		t.Fatal(err)
	}
	if state, _ := c.GameState(); !bytes.Equal(state, g.moments[first+2].state) {
		t.Errorf("a fork of a log that was cut begins with %s, and it was %s", state, g.moments[first+2].state)
	}
	log, err := all.Replay(t.Context(), id, true)
	if err != nil {
		t.Fatal(err)
	}
	replay, err := core.ReadReplay(log.Reader())
	if err != nil || replay.Entries[0].Index != first {
		t.Fatalf("the log that is downloaded begins at %d: %v", replay.Entries[0].Index, err)
	}
	if _, err := core.Run(core.Config{Header: replay.Header, Rules: g.rules}, replay.Log(), nil); err != nil {
		t.Errorf("the log that is downloaded does not run: %v", err)
	}
}

// TestWhatOtherRulesPlayedIsNotShown moves a room to the next version of its rules.
func TestWhatOtherRulesPlayedIsNotShown(t *testing.T) {
	g := newGame(t, pressRules(1), "")
	g.act("ann", json.RawMessage(`{}`))
	g.act("ann", json.RawMessage(`{}`))
	snap, err := g.c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	kept, err := g.timelines(nil).Fork(t.Context(), id, snap.Index, func(h record.Header) (record.Header, error) { return h, nil })
	if err != nil {
		t.Fatal(err)
	}
	kept.Snapshots = []record.Snapshot{snap}
	g.rules = pressRules(2)
	if g.c, err = core.Restore(core.Config{Rules: g.rules}, kept); err != nil {
		t.Fatal(err)
	}
	g.step(core.Input{Kind: core.KindEpoch, Epoch: 2})
	pending, _ := g.c.Pending()
	g.step(pending)
	upgraded := g.c.Point().Seq
	g.step(core.Input{Kind: core.KindAct, Player: "ann", Data: json.RawMessage(`{}`)})
	all := g.timelines(nil)
	for _, i := range []room.Index{upgraded, upgraded + 1} {
		g.check(all, i)
	}
	_, err = all.At(t.Context(), id, upgraded-1, everybody)
	if why, ok := errors.AsType[*room.Refusal](err); !ok || why.Code != "other_version" || !strings.Contains(why.Reason, fmt.Sprintf("up to %d", upgraded-1)) {
		t.Errorf("before the upgrade: %v", err)
	}
}

func (p *press) Upgrade(_ int, snapshot []byte) error { return json.Unmarshal(snapshot, p) }

func pressRules(version int) *room.Rules {
	return room.MustDefine(room.Spec{Name: "press", Version: version, MaxPlayers: 4}, func() *press { return &press{} })
}

func TestManyLookAtOnce(t *testing.T) {
	g := newGame(t, liarsdice.Rules(), "").play(60)
	last := g.c.Point().Seq
	all := g.timelines(func(o *timeline.Options) { o.Rooms = 1 })
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for k := range 12 {
				i := room.Index(2 + (n*7+k*5)%int(last-2))
				m, err := all.At(t.Context(), id, i, everybody)
				if err != nil || !bytes.Equal(m.Views[0].Now, g.moments[i].state) {
					t.Errorf("at %d: %s, %v", i, m.Views[0].Now, err)
				}
				if _, err := all.Entries(t.Context(), "zzzzzzzzzzzzzzzz", 0, 1, false); !errors.Is(err, actor.ErrNotFound) {
					t.Errorf("a room that is nowhere: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

func TestSeatsAreToldAsTheyWere(t *testing.T) {
	g := newGame(t, pressRules(1), "")
	for _, in := range []core.Input{
		{Kind: core.KindLeave, Player: "ann", Reason: string(room.Left)},
		{Kind: core.KindJoin, Player: "cyd"},
		{Kind: core.KindJoin, Player: "ann"},
		{Kind: core.KindLeave, Player: "bob", Reason: string(room.Kicked)},
	} {
		g.step(in)
	}
	page, err := g.timelines(nil).Entries(t.Context(), id, 6, 10, false)
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{0, 0, 2, 1}; !slices.Equal(page.Seats, want) { // ann left seat 0 to cyd, and got the third
		t.Errorf("the seats are %v, want %v", page.Seats, want)
	}
}
