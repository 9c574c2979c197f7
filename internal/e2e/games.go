package e2e

import (
	"cmp"
	"encoding/json"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room"
)

// VersionVariable names the environment variable with the version of the game "versioned" in a process. A process without the variable
// does not have the game.
const VersionVariable = "ROOMRING_TEST_VERSION"

// init adds games to the processes that tests start. The test process itself has only the games of the command.
func init() {
	if os.Getenv("ROOMRING_TEST_GAMES") == "" {
		return
	}
	newTally := func() *Tally { return &Tally{} }
	ExtraGames = append(ExtraGames, room.MustDefine(room.Spec{
		Name: "tally", Version: 1, Title: "Tally", MinPlayers: 2, MaxPlayers: 4, Linger: 200 * time.Millisecond,
	}, newTally))
	if n, err := strconv.Atoi(os.Getenv(VersionVariable)); err == nil {
		ExtraGames = append(ExtraGames, room.MustDefine(room.Spec{
			Name: "versioned", Version: n, Title: "Versioned", MaxPlayers: 2,
		}, newTally))
	}
}

// Tally is a game that counts. On demand it does what games should not do.
type Tally struct {
	Count   int
	Signals int
	Show    string
}

// TallyAction is an action of Tally.
type TallyAction struct {
	Add    int    `json:"add,omitempty"`
	Shout  int    `json:"shout,omitempty"`  // sends an event of this many bytes
	Show   string `json:"show,omitempty"`   // "null" or "huge": puts into the view what no view may hold
	Finish bool   `json:"finish,omitempty"` // ends the game; everybody draws
	Why    string `json:"why,omitempty"`    // the reason of the result; empty: "enough"
}

// TallyView is what everybody sees of Tally.
type TallyView struct {
	Count   int       `json:"count"`
	Signals int       `json:"signals"`
	Inner   tallyDeep `json:"inner,omitzero"`
}

type tallyDeep struct {
	Thing any   `json:"thing,omitempty"`
	Big   int64 `json:"big,omitempty"`
}

// Act implements room.Game.
func (g *Tally) Act(t *room.Turn, _ room.Player, a TallyAction) error {
	if a.Add > 9 {
		return room.Refuse("too_many", "add at most 9")
	}
	g.Count += a.Add
	g.Show = a.Show
	if a.Shout > 0 {
		t.Broadcast("shout", strings.Repeat("a", a.Shout))
	}
	if a.Finish {
		r := room.Result{Reason: cmp.Or(a.Why, "enough"), Summary: "They counted to " + strconv.Itoa(g.Count), IdleCounts: true}
		for _, p := range t.Players() {
			r.Outcomes = append(r.Outcomes, room.Outcome{Player: p.ID, Name: p.Name, Seat: p.Seat, Rank: 1})
		}
		t.Finish(r)
	}
	return nil
}

// Signal counts signals named "count".
func (g *Tally) Signal(t *room.Turn, name string, data json.RawMessage) error {
	if name != "count" {
		return room.Refuse("unknown_signal", "the signal is count")
	}
	g.Signals++
	t.Broadcast("signalled", data)
	return nil
}

// View implements room.Game.
func (g *Tally) View(room.Viewer) TallyView {
	v := TallyView{Count: g.Count, Signals: g.Signals}
	switch g.Show {
	case "null":
		v.Inner.Thing = []any{1, nil}
	case "huge":
		v.Inner.Big = 1 << 53
	}
	return v
}

// ExitPoisoned is how a process exits that an act of the game "poison" ends.
const ExitPoisoned = 66

// poison is a game whose rules can kill the process in a way that cannot be recovered.
type poison struct{ N int }

// PoisonAct is an action of the game "poison". "overflow" and "exit" kill the process, "loop" never returns, "panic" panics, and
// "unwritable" ends the game with a result that no store takes.
type PoisonAct struct {
	Do string `json:"do"`
}

func (p *poison) Act(t *room.Turn, by room.Player, a PoisonAct) error {
	switch a.Do {
	case "overflow":
		debug.SetMaxStack(32 << 20) // the default, a gigabyte, takes seconds to fill
		p.N = deep(p.N)
	case "exit":
		os.Exit(ExitPoisoned)
	case "loop":
		for { // until somebody kills the process
			p.N++
		}
	case "panic":
		panic("poison")
	case "unwritable":
		t.Finish(room.Result{Summary: "no store takes this: \x00", Outcomes: []room.Outcome{{Player: by.ID, Name: by.Name, Rank: 1}}})
	}
	p.N++
	return nil
}

//go:noinline
//lint:ignore SA5007 overflowing the stack is its purpose
func deep(n int) int { return deep(n+1) + 1 }

func (p *poison) View(room.Viewer) map[string]int { return map[string]int{"n": p.N} }

func init() {
	if os.Getenv("ROOMRING_TEST_GAMES") != "" {
		ExtraGames = append(ExtraGames, room.MustDefine(room.Spec{
			Name: "poison", Version: 1, SharedView: true, About: "Kills the process that steps it", Linger: 2 * time.Second,
		}, func() *poison { return &poison{} }))
	}
}

// fickle is a game that breaks the rule that a replay comes to the same: its view tells of the process.
type fickle struct{ N int }

var fickleViews atomic.Int64

func (f *fickle) Act(t *room.Turn, by room.Player, _ struct{}) error {
	if f.N++; f.N == 20 {
		t.Finish(room.Result{Summary: "done", Outcomes: []room.Outcome{{Player: by.ID, Name: by.Name, Rank: 1}}})
	}
	return nil
}

// Legal implements room.Advisor.
func (f *fickle) Legal(room.Viewer) []struct{} { return []struct{}{{}} }

func (f *fickle) View(room.Viewer) map[string]int64 {
	return map[string]int64{"n": int64(f.N), "views": fickleViews.Add(1)}
}

func init() {
	if os.Getenv("ROOMRING_TEST_GAMES") != "" {
		ExtraGames = append(ExtraGames, room.MustDefine(room.Spec{
			Name: "fickle", Version: 1, SharedView: true, About: "Shows what its log does not say",
		}, func() *fickle { return &fickle{} }))
	}
}
