package e2e

import (
	"cmp"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/roomring/roomring/room"
)

// versionVariable is the version of the game "versioned" that a process has; without it it has no such game.
const versionVariable = "ROOMRING_TEST_VERSION"

// init adds games to the processes that tests start; the tests themselves have the binary's own.
func init() {
	if os.Getenv("ROOMRING_TEST_GAMES") == "" {
		return
	}
	newTally := func() *tally { return &tally{} }
	extra = append(extra, room.MustDefine(room.Spec{
		Name: "tally", Version: 1, Title: "Tally", MinPlayers: 2, MaxPlayers: 4, Linger: 200 * time.Millisecond,
	}, newTally))
	if n, err := strconv.Atoi(os.Getenv(versionVariable)); err == nil {
		extra = append(extra, room.MustDefine(room.Spec{
			Name: "versioned", Version: n, Title: "Versioned", MaxPlayers: 2,
		}, newTally))
	}
}

// tally counts, and does on demand what games should not.
type tally struct {
	Count   int
	Signals int
	Show    string
}

type tallyAction struct {
	Add    int    `json:"add,omitempty"`
	Shout  int    `json:"shout,omitempty"`  // an event of so many bytes
	Show   string `json:"show,omitempty"`   // "null" or "huge": what no view may hold
	Finish bool   `json:"finish,omitempty"` // ends the game; everybody draws
	Why    string `json:"why,omitempty"`    // the reason of the result in place of "enough"
}

type tallyView struct {
	Count   int       `json:"count"`
	Signals int       `json:"signals"`
	Inner   tallyDeep `json:"inner,omitzero"`
}

type tallyDeep struct {
	Thing any   `json:"thing,omitempty"`
	Big   int64 `json:"big,omitempty"`
}

func (g *tally) Act(t *room.Turn, _ room.Player, a tallyAction) error {
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

func (g *tally) Signal(t *room.Turn, name string, data json.RawMessage) error {
	if name != "count" {
		return room.Refuse("unknown_signal", "the signal is count")
	}
	g.Signals++
	t.Broadcast("signalled", data)
	return nil
}

func (g *tally) View(room.Viewer) tallyView {
	v := tallyView{Count: g.Count, Signals: g.Signals}
	switch g.Show {
	case "null":
		v.Inner.Thing = []any{1, nil}
	case "huge":
		v.Inner.Big = 1 << 53
	}
	return v
}
