package actor

import (
	"sync/atomic"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// roomInfo is what others know of a room.
type roomInfo struct {
	shown     atomic.Pointer[Info] // committed facts, for everybody; nil before the first commit
	committed atomic.Uint64

	// The rest belongs to the room's goroutine.
	draft     *Info // follows shown when its index is committed
	dirty     bool  // neither shown nor draft is up to date
	joined    bool  // the registry knows that somebody has joined
	free      int   // seats, as admission knows it
	phase     core.Phase
	attaching room.PlayerID // is being given a seat and connected to it, which are two inputs
}

func (i *roomInfo) init(machine *core.Core) {
	i.committed.Store(uint64(machine.Committed()))
	i.dirty, i.free, i.phase = true, machine.FreeSeats(), machine.Phase()
}

// noteSeats updates what others know of the seats after an input of a kind.
func (r *liveRoom) noteSeats(k core.Kind) {
	switch free, phase := r.core.FreeSeats(), r.core.Phase(); {
	case free == r.info.free && phase == r.info.phase && (k == core.KindAct || k == core.KindTick || k == core.KindTimer || k == core.KindReserve):
	default:
		r.publishSeats()
	}
}

// publishSeats tells admission and matchmaking at once, and everybody else when it is committed.
func (r *liveRoom) publishSeats() {
	r.info.free, r.info.phase, r.info.dirty = r.core.FreeSeats(), r.core.Phase(), true
	seats := r.core.Seats()
	for i := range seats {
		seats[i].Online = seats[i].Online || seats[i].Player == r.info.attaching
	}
	r.seats.update(r.info.free, r.info.phase, seats)
	if !r.info.joined && r.core.Joined() {
		r.info.joined = true
		r.dir.rooms.used(r)
	}
	r.offer()
}

// offer tells matchmaking whether the room takes players. A room that nobody can be told of yet does not.
func (r *liveRoom) offer() {
	if r.info.shown.Load() != nil {
		r.dir.openRooms.note(r, r.info.free > 0 && !r.header.Private)
	}
}

// publish drafts the room's public facts of the present index, and shows them when that is committed.
func (r *liveRoom) publish() {
	if r.info.draft == nil && r.info.dirty {
		r.info.draft, r.info.dirty = r.describe(), false
	}
	if r.info.draft != nil && r.info.draft.Index <= r.core.Committed() {
		before := r.info.shown.Swap(r.info.draft)
		r.dir.lists.note(r, before, r.info.draft)
		r.info.draft = nil
		if before == nil {
			r.offer()
		}
		if r.info.dirty {
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
		MaxPlayers: r.core.MaxPlayers(), Durability: r.header.Durability, Spectators: len(r.sessions.spectators),
		Epoch: at.Epoch, Index: at.Seq, Node: r.o.Node, Created: h.Created, Final: r.core.Final(),
		named: r.core.Named(),
	}
}

// public is what anybody may know now; the second result is false until the room's first commit. Any goroutine may ask.
func (r *liveRoom) public() (Info, bool) {
	p := r.info.shown.Load()
	if p == nil {
		return Info{}, false
	}
	info := *p
	info.Index = max(info.Index, room.Index(r.info.committed.Load()))
	info.Open = info.Open && r.seats.open(r.o.Clock.Now())
	return info, true
}

// recent is a ring buffer of the last inputs, for the operator. It holds no data of the players.
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
