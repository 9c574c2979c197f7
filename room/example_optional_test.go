package room_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/roomtest"
	"github.com/roomring/roomring/room/wire"
)

// Undercut is for two players. In each round both choose a number from 1 to 5 in secret. The higher number scores,
// unless the lower one is exactly one less: then the lower one scores both.
type Undercut struct {
	Goal    int
	Seconds int
	Players [2]room.PlayerID
	Chosen  [2]int // 0: not yet
	Score   [2]int
}

type Choice struct {
	Number int `json:"number"`
}

type UndercutView struct {
	Mine   int    `json:"mine"`   // my choice, 0 before I made it
	Chosen []bool `json:"chosen"` // who has chosen
	Score  []int  `json:"score"`
}

func (g *Undercut) Open(t *room.Turn, _ json.RawMessage) error {
	o := struct {
		Goal    int `json:"goal"`
		Seconds int `json:"seconds"`
	}{Goal: 20, Seconds: 30}
	if err := t.Options(&o); err != nil {
		return err
	}
	if o.Goal < 1 || o.Goal > 100 {
		return errors.New("goal: choose 1 to 100")
	}
	g.Goal, g.Seconds = o.Goal, o.Seconds
	return nil
}

func (g *Undercut) Join(t *room.Turn, p room.Player) error {
	g.Players[p.Seat] = p.ID
	if len(t.Players()) == 2 {
		t.Lock(true)
		g.startRound(t)
	}
	return nil
}

func (g *Undercut) startRound(t *room.Turn) {
	g.Chosen = [2]int{}
	t.StartTimer("round", time.Duration(g.Seconds)*time.Second)
}

func (g *Undercut) Act(t *room.Turn, by room.Player, c Choice) error {
	switch {
	case len(t.Players()) < 2:
		return room.Refuse("waiting", "nobody else is here yet")
	case g.Chosen[by.Seat] != 0:
		return room.Refuse("chosen", "you have chosen already")
	case c.Number < 1 || c.Number > 5:
		return room.Refuse("bad_number", "choose 1 to 5")
	}
	g.Chosen[by.Seat] = c.Number
	g.settle(t)
	return nil
}

func (g *Undercut) Legal(v room.Viewer) (choices []Choice) {
	if v.Spectating() || slices.Contains(g.Players[:], "") || g.Chosen[v.Seat] != 0 {
		return nil
	}
	for n := 1; n <= 5; n++ {
		choices = append(choices, Choice{Number: n})
	}
	return choices
}

func (g *Undercut) Timer(t *room.Turn, name string) {
	for seat := range g.Chosen {
		if g.Chosen[seat] == 0 {
			g.Chosen[seat] = 1 + t.Rand().IntN(5)
		}
	}
	g.settle(t)
}

func (g *Undercut) settle(t *room.Turn) {
	a, b := g.Chosen[0], g.Chosen[1]
	if a == 0 || b == 0 {
		return
	}
	t.Broadcast("revealed", g.Chosen)
	switch {
	case a == b-1:
		g.Score[0] += a + b
	case b == a-1:
		g.Score[1] += a + b
	case a > b:
		g.Score[0] += a
	case b > a:
		g.Score[1] += b
	}
	if max(g.Score[0], g.Score[1]) >= g.Goal {
		g.finish(t, "goal")
		return
	}
	g.startRound(t)
}

func (g *Undercut) Leave(t *room.Turn, p room.Player, why room.LeaveReason) {
	if len(t.Players()) == 0 {
		return // nobody has come to play
	}
	g.Score[p.Seat] = -1
	g.finish(t, string(why), p)
}

func (g *Undercut) finish(t *room.Turn, reason string, gone ...room.Player) {
	t.StopTimer("round")
	result := room.Result{Reason: reason, Summary: fmt.Sprintf("%d to %d", g.Score[0], g.Score[1])}
	for _, p := range append(t.Players(), gone...) {
		rank := 1
		if g.Score[p.Seat] < g.Score[1-p.Seat] {
			rank = 2
		}
		result.Outcomes = append(result.Outcomes, room.Outcome{
			Player: p.ID, Name: p.Name, Seat: p.Seat, Rank: rank, Score: int64(g.Score[p.Seat]),
		})
	}
	t.Finish(result)
}

func (g *Undercut) Presence(t *room.Turn, p room.Player, online bool) {
	t.Broadcast("presence", Presence{Seat: p.Seat, Online: online})
}

// Presence says that a player's connection has come or gone.
type Presence struct {
	Seat   int  `json:"seat"`
	Online bool `json:"online"`
}

func (g *Undercut) Events() map[string]any {
	return map[string]any{"revealed": [2]int{}, "presence": Presence{}}
}

func (g *Undercut) Signal(t *room.Turn, name string, data json.RawMessage) error {
	switch {
	case name != "extend":
		return room.Refuse("unknown_signal", "signals of this game: extend")
	case len(t.Players()) < 2:
		return room.Refuse("waiting", "no round is on")
	}
	t.StartTimer("round", time.Duration(g.Seconds)*time.Second)
	return nil
}

func (g *Undercut) Rematch() any { return map[string]int{"goal": g.Goal, "seconds": g.Seconds} }

func (g *Undercut) View(v room.Viewer) UndercutView {
	view := UndercutView{Chosen: []bool{g.Chosen[0] != 0, g.Chosen[1] != 0}, Score: g.Score[:]}
	if !v.Spectating() {
		view.Mine = g.Chosen[v.Seat]
	}
	return view
}

var UndercutRules = room.MustDefine(
	room.Spec{Name: "undercut", Version: 1, Title: "Undercut", MinPlayers: 2, Rated: true},
	func() *Undercut { return new(Undercut) },
)

// Fog moves one dot for each player, ten times a second. Each team sees only its own dots.
type Fog struct {
	Ticks int
	Dots  map[room.PlayerID]Dot
}

type Dot struct{ Seat, X, DX int }

type FogView struct {
	Dots map[string]int `json:"dots"` // place by seat
}

func (g *Fog) Act(t *room.Turn, by room.Player, dx int) error {
	if dx < -1 || dx > 1 {
		return room.Refuse("too_fast", "move by -1, 0 or 1")
	}
	d := g.Dots[by.ID]
	g.Dots[by.ID] = Dot{by.Seat, d.X, dx}
	return nil
}

func (g *Fog) Tick(t *room.Turn) {
	g.Ticks++
	for id, d := range g.Dots { // each dot moves by itself, so the order of the map does not matter
		d.X += d.DX
		g.Dots[id] = d
	}
}

func (g *Fog) ViewClass(v room.Viewer) string {
	if v.Spectating() {
		return "outside"
	}
	return "team " + strconv.Itoa(v.Seat%2)
}

func (g *Fog) View(v room.Viewer) FogView {
	view := FogView{Dots: map[string]int{}}
	for _, d := range g.Dots {
		if !v.Spectating() && d.Seat%2 == v.Seat%2 {
			view.Dots[strconv.Itoa(d.Seat)] = d.X
		}
	}
	return view
}

func (g *Fog) Snapshot() ([]byte, error) { return json.Marshal(*g) }

func (g *Fog) Restore(snapshot []byte) error { return json.Unmarshal(snapshot, g) }

func (g *Fog) Upgrade(version int, snapshot []byte) error {
	if version != 1 {
		return fmt.Errorf("fog of version %d is not known here", version)
	}
	var old struct{ Places map[room.PlayerID]int } // version 1 had no speeds
	if err := json.Unmarshal(snapshot, &old); err != nil {
		return err
	}
	for id, x := range old.Places {
		g.Dots[id] = Dot{X: x}
	}
	return nil
}

var FogRules = room.MustDefine(
	room.Spec{Name: "fog", Version: 2, Title: "Fog", MaxPlayers: 4, TickRate: 10, Durability: room.Memory},
	func() *Fog { return &Fog{Dots: map[room.PlayerID]Dot{}} },
)

func TestUndercut(t *testing.T) {
	roomtest.Prove(t, UndercutRules, roomtest.Options{
		Act: func(r *rand.Rand, p room.Player, view json.RawMessage) any {
			return Choice{Number: 1 + r.IntN(5)}
		},
		Signals: func(r *rand.Rand) (string, any) { return "extend", nil },
		Hidden: func(state map[string]any) []roomtest.Hidden {
			var secrets []roomtest.Hidden
			for seat, player := range state["Players"].([]any) {
				if chosen := state["Chosen"].([]any)[seat]; chosen != json.Number("0") {
					path := fmt.Sprintf("Chosen[%d]", seat)
					secrets = append(secrets, roomtest.Hidden{Path: path, For: []room.PlayerID{room.PlayerID(player.(string))}})
				}
			}
			return secrets
		},
	})
}

func FuzzUndercut(f *testing.F) { roomtest.Fuzz(f, UndercutRules, roomtest.Options{}) }

func BenchmarkUndercut(b *testing.B) { roomtest.Bench(b, UndercutRules, roomtest.Options{}) }

func TestFog(t *testing.T) {
	roomtest.Prove(t, FogRules, roomtest.Options{
		Act: func(r *rand.Rand, p room.Player, view json.RawMessage) any { return r.IntN(3) - 1 },
	})
}

// exampleRoom opens a room with ann and bob in it.
func exampleRoom(t *testing.T, rules *room.Rules, options string) *core.Core {
	t.Helper()
	spec := rules.Spec()
	head := record.Header{ID: "0123456789abcdef", Game: spec.Name, Version: spec.Version, Runtime: core.RuntimeVersion, Options: json.RawMessage(options)}
	machine, _, err := core.Open(core.Config{Header: head, Rules: rules}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ann", "bob"} {
		exampleStep(t, machine, core.Input{Kind: core.KindJoin, Player: room.PlayerID(name), Name: name})
		exampleStep(t, machine, core.Input{Kind: core.KindAttach, Player: room.PlayerID(name), Client: "1", Attempt: 1})
	}
	return machine
}

func exampleStep(t *testing.T, machine *core.Core, in core.Input) {
	t.Helper()
	in.At = max(in.At, machine.Now())
	if ready, err := machine.Step(in); err != nil || ready.Refused != nil {
		t.Fatal(in.Kind, err, ready.Refused)
	}
}

func choose(t *testing.T, machine *core.Core, who room.PlayerID, cseq record.CSeq, data string) {
	t.Helper()
	exampleStep(t, machine, core.Input{Kind: core.KindAct, Player: who, Client: "1", CSeq: cseq, Data: json.RawMessage(data)})
}

func TestExampleUndercut(t *testing.T) {
	machine := exampleRoom(t, UndercutRules, `{"goal": 8}`)
	choose(t, machine, "ann", 1, `{"number": 4}`)
	for _, v := range []room.Viewer{room.Spectator, {Player: "bob", Seat: 1}} {
		if seen, err := machine.WholeView(v); err != nil || strings.Contains(string(seen), "4") {
			t.Errorf("%+v sees ann's choice: %s %v", v, seen, err)
		}
	}
	choose(t, machine, "bob", 1, `{"number": 5}`)
	if f := machine.Final(); f == nil || f.Result.Summary != "9 to 0" || f.Result.Outcomes[0].Rank != 1 || f.Result.Outcomes[1].Rank != 2 {
		t.Errorf("undercutting 5 by 4 ended as %+v", f)
	}
}

func TestExampleUndercutTimer(t *testing.T) {
	machine := exampleRoom(t, UndercutRules, `{"goal": 1, "seconds": 5}`)
	for range 100 { // equal numbers score nothing
		at, ok := machine.Deadline()
		if !ok || machine.Final() != nil {
			break
		}
		if in, due := machine.Due(at); due {
			exampleStep(t, machine, in)
		}
	}
	if f := machine.Final(); f == nil || f.End != record.Aborted || f.Result.Summary != "Nobody played, so the game does not count" {
		t.Errorf("nobody chose, and the game ended as %+v", f)
	}
}

func TestExampleFog(t *testing.T) {
	machine := exampleRoom(t, FogRules, "")
	choose(t, machine, "ann", 1, `1`)
	at, ok := machine.Deadline()
	if !ok {
		t.Fatal("the fog does not tick")
	}
	in, _ := machine.Due(at)
	exampleStep(t, machine, in)
	var said []string
	for _, out := range machine.Commit(machine.Point().Seq) {
		if turn, ok := out.(core.Turned); ok && turn.Frame != nil {
			said = append(said, string(turn.Frame.Bytes(wire.JSON)))
		}
	}
	if len(said) != 1 || !strings.Contains(said[0], `"dots":{"0":1}`) {
		t.Errorf("only ann's team should hear of ann's dot, once: %q", said)
	}
}
