package core_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// table has as many seats as its options say.
type table struct{ Seats int }

func (g *table) Open(t *room.Turn, options json.RawMessage) error {
	if err := room.DecodeOptions(options, g); err != nil {
		return err
	}
	if g.Seats != 0 {
		t.Seats(g.Seats)
	}
	return nil
}

func (g *table) Act(*room.Turn, room.Player, struct{}) error { return nil }

func (g *table) View(room.Viewer) table { return *g }

// TestSeatsOfARoom fills rooms that have fewer seats than their game allows. A restart keeps the number.
func TestSeatsOfARoom(t *testing.T) {
	rules := room.MustDefine(room.Spec{Name: "table", Version: 1, MaxPlayers: 4, SharedView: true}, func() *table { return new(table) })
	for said, want := range map[int]int{0: 4, -1: 1, 1: 1, 3: 3, 4: 4, 9: 4} {
		for _, from := range []string{"memory", "log", "snapshot"} {
			b := newBench(t, rules, fmt.Sprintf(`{"Seats": %d}`, said))
			b.all()
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
			for taken := range want {
				if all, free := b.core.MaxPlayers(), b.core.FreeSeats(); all != want || free != want-taken {
					t.Errorf("%d seats asked for, from %s: with %d taken, %d of %d are free", said, from, taken, free, all)
				}
				if r := b.step(core.Input{Kind: core.KindJoin, Player: room.PlayerID(fmt.Sprint(taken))}); r.Refused != nil {
					t.Errorf("%d seats asked for, from %s: player %d: %v", said, from, taken, r.Refused)
				}
			}
			r := b.step(core.Input{Kind: core.KindJoin, Player: "late"})
			if why, ok := errors.AsType[*room.Refusal](r.Refused); !ok || why.Code != "full" || b.core.FreeSeats() != 0 {
				t.Errorf("%d seats asked for, from %s: one too many: %v, %d free", said, from, r.Refused, b.core.FreeSeats())
			}
		}
	}
}
