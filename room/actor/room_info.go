package actor

import (
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// noteSeats keeps what others know of the room current after an input.
func (r *liveRoom) noteSeats(k core.Kind) {
	switch free, phase := r.core.FreeSeats(), r.core.Phase(); {
	case free == r.free && phase == r.phase && (k == core.KindAct || k == core.KindTick || k == core.KindTimer):
	default:
		r.publishSeats()
	}
}

// publishSeats tells admission and matchmaking at once, and everybody else when it is committed.
func (r *liveRoom) publishSeats() {
	r.free, r.phase, r.dirty = r.core.FreeSeats(), r.core.Phase(), true
	taken := r.core.Seats()
	for i := range taken {
		taken[i].Online = taken[i].Online || taken[i].Player == r.coming
	}
	r.seats.seats(r.free, r.phase, taken)
	if !r.joined && r.core.Joined() {
		r.joined = true
		r.dir.used(r)
	}
	r.offer()
}

// offer tells matchmaking whether the room takes players. A room nobody can be told of yet does not.
func (r *liveRoom) offer() {
	if r.info.Load() != nil {
		r.dir.matches.note(r, r.free > 0 && !r.header.Private)
	}
}

// publish makes the room's public facts of the present index, and shows them when that is committed.
func (r *liveRoom) publish() {
	if r.draft == nil && r.dirty {
		r.draft, r.dirty = r.describe(), false
	}
	if r.draft != nil && r.draft.Index <= r.core.Committed() {
		before := r.info.Swap(r.draft)
		r.dir.lists.note(r, before, r.draft)
		r.draft = nil
		if before == nil {
			r.offer()
		}
		if r.dirty {
			r.publish()
		}
	}
}

func (r *liveRoom) describe() *Info {
	h := &r.header
	at := r.core.Point()
	return &Info{
		ID: h.ID, Game: h.Game, Version: r.core.Rules().Spec().Version, Name: h.Name, Options: h.Options,
		Private: h.Private, Public: h.Public, Phase: r.core.Phase(), Open: r.core.FreeSeats() > 0, Seats: r.core.Seats(),
		MaxPlayers: r.core.MaxPlayers(), Spectators: len(r.watchers),
		Epoch: at.Epoch, Index: at.Seq, Node: r.o.Node, Created: h.Created, Final: r.core.Final(),
		named: r.core.Named(),
	}
}

// public is what anybody may know now; the second result is false until the room's first commit.
func (r *liveRoom) public() (Info, bool) {
	p := r.info.Load()
	if p == nil {
		return Info{}, false
	}
	info := *p
	info.Index = max(info.Index, room.Index(r.committed.Load()))
	info.Open = info.Open && r.seats.open(r.o.Clock.Now())
	return info, true
}

// recent is a ring of the last inputs, for the operator. It holds no data of the players'.
type recent struct {
	ring []RecentInput // grows to keepRecent: most rooms have few
	n    int
}

const keepRecent = 32

func (r *recent) add(e core.Entry) {
	in := RecentInput{Index: e.Index, Kind: e.Kind.Name(), At: e.At, Player: e.Player, CSeq: e.CSeq, Bytes: len(e.Data)}
	if len(r.ring) < keepRecent {
		r.ring = append(r.ring, in)
	} else {
		r.ring[r.n%keepRecent] = in
	}
	r.n++
}

// list is the ring, oldest first.
func (r *recent) list() []RecentInput {
	out := make([]RecentInput, 0, len(r.ring))
	for i := max(r.n-len(r.ring), 0); i < r.n; i++ {
		out = append(out, r.ring[i%len(r.ring)])
	}
	return out
}
