package actor

import (
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// EnterEpoch has a room that runs here go on under a higher epoch, because the members of its configuration have changed and its
// owner has not. No session ends; the first turn or state that each client gets afterwards tells the epoch. From the
// epoch's opening entry on, only commits of the new epoch count. It does nothing when the room is not in memory, or has that
// epoch or a higher one already. It does not block.
func (d *Directory) EnterEpoch(id room.ID, e record.Epoch) {
	if r := d.rooms.lookup(id); r != nil {
		r.mail.command(epochMessage{e})
	}
}

// epochMessage begins an epoch in a running room. A room that stops takes it too: what it has stepped is committed at the
// epoch that is the present one then.
type epochMessage struct{ epoch record.Epoch }

func (m epochMessage) handle(r *liveRoom) {
	if m.epoch > r.core.Point().Epoch {
		r.step(core.Input{Kind: core.KindEpoch, Epoch: m.epoch})
	}
}

// heard tells the owner when a client knows a higher epoch of the room than this node does. Clients can forge that, so it is told
// only now and then. Any goroutine may call it: a spectator is kept waiting outside a room that another node has.
func (r *liveRoom) heard(p *record.Point) {
	shown := r.info.shown.Load()
	if p == nil || shown == nil || p.Epoch <= shown.Epoch {
		return
	}
	now, at := r.o.Clock.Now(), r.doubtAt.Load()
	if now >= time.Duration(at) && r.doubtAt.CompareAndSwap(at, int64(now+tellAgain)) {
		r.o.Owner.Elsewhere(r.id)
	}
}

// tellAgain is how long an owner is not told again that another node may have a room.
const tellAgain = time.Second
