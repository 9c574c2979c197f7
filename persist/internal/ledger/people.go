package ledger

import (
	"cmp"
	"slices"

	"github.com/roomring/roomring/room"
)

// Other is a player whom a room's replay names, and its result does not.
type Other struct {
	Room   room.ID
	Player room.PlayerID
}

// Others are all of those of finals.
func Others(finals []room.Final) (all []Other) {
	for _, f := range finals {
		all = append(all, OthersIn(f.Room, f.Result.Outcomes, f.Named)...)
	}
	return all
}

// OthersIn are those of one room whose replay names some players. What no store can hold as an id is nobody's.
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

// Shown is a stored result as it is shown: the hash of one that was redacted tells who guesses right what stood in it, so that
// it is the store's alone.
func Shown(r room.StoredResult) room.StoredResult {
	if r.Redactions > 0 {
		r.Hash = r.Sum()
	}
	return r
}

// Guest is a guest whom a store was asked about.
type Guest struct {
	Player room.PlayerID
	Idle   bool
}

// Idle are those of a page who are, and where the next page begins; empty when this is the last.
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
