package balance

import (
	"cmp"
	"slices"

	"github.com/roomring/roomring/room"
)

// Examples is how many rooms a Group names at most.
const Examples = 5

// Group is changes that are alike, for people.
type Group struct {
	What     What      `json:"what"` // recruit: the standby changes; yield: the room moves, perhaps after a new standby is filled
	From     string    `json:"from"` // the node that has it now
	To       string    `json:"to"`
	Why      Reason    `json:"why"`
	Rooms    int       `json:"rooms"`
	Examples []room.ID `json:"examples"`
}

// Groups sums a plan of the node self up: rooms that move by where they go, standbys that change by where they are and where they go.
func Groups(self string, plan []Change) []Group {
	var out []Group
	for _, c := range plan {
		g := Group{What: Recruit, From: c.From, To: c.To, Why: c.Why}
		if c.Why == WrongOwner {
			g.What, g.From = Yield, self
		}
		i := slices.IndexFunc(out, func(o Group) bool { return o.What == g.What && o.From == g.From && o.To == g.To })
		if i < 0 {
			i, out = len(out), append(out, g)
		}
		if out[i].Rooms++; len(out[i].Examples) < Examples {
			out[i].Examples = append(out[i].Examples, c.Room)
		}
	}
	slices.SortFunc(out, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.What, a.What), cmp.Compare(a.To, b.To), cmp.Compare(a.From, b.From))
	})
	return out
}
