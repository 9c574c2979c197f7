package ledger

import (
	"cmp"
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Other is a player whom the replay of a room names and its result does not, such as one who left before the end.
type Other struct {
	Room   room.ID
	Player room.PlayerID
}

// Others are the Other players of finals.
func Others(finals []record.Final) (all []Other) {
	for _, f := range finals {
		all = append(all, OthersIn(f.Room, f.Result.Outcomes, f.Named)...)
	}
	return all
}

// OthersIn are the Other players of one room, whose replay names the players in named. An id that no store can hold is left out.
func OthersIn(id room.ID, outcomes []room.Outcome, named []room.PlayerID) (all []Other) {
	in := make(map[room.PlayerID]bool, len(outcomes)+len(named))
	for _, o := range outcomes {
		if !o.Bot {
			in[o.Player] = true
		}
	}
	for _, p := range named {
		if !in[p] && p != "" && checkText("player", string(p)) == nil {
			in[p] = true
			all = append(all, Other{id, p})
		}
	}
	slices.SortFunc(all, func(a, b Other) int { return cmp.Compare(a.Player, b.Player) })
	return all
}

// Guest is a guest of a page that persist.People.IdleGuests looks at.
type Guest struct {
	Player room.PlayerID
	Idle   bool
}

// ScanGuest reads a player and whether the player is idle.
func ScanGuest(row Scanner) (g Guest, err error) {
	err = row.Scan(&g.Player, &g.Idle)
	return g, err
}

// Idle returns the idle guests of a page, and the player after whom the next page begins: empty when this page is the last.
func Idle(page []Guest, limit int) (idle []room.PlayerID, next room.PlayerID) {
	for _, g := range page {
		if g.Idle {
			idle = append(idle, g.Player)
		}
	}
	if len(page) > 0 && len(page) >= limit {
		next = page[len(page)-1].Player
	}
	return idle, next
}
