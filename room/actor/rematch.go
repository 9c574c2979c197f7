package actor

import (
	"encoding/json"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/core"
)

// rematch makes the room that the players of a finished one have agreed on, with their seats kept, and
// tells the old room. It tries again until that works or the old room is gone.
func (d *Directory) rematch(old *liveRoom, agreed core.RematchAgreed) {
	c := Create{
		Game: old.game, Name: old.header.Name, Options: agreed.Options, Private: old.header.Private, Public: old.header.Public,
		Durability: old.header.Durability, ReserveFor: d.o.ReserveRematch,
	}
	for _, p := range agreed.Players {
		c.Reserve = append(c.Reserve, p.ID)
	}
	d.beside.Go(func() {
		for backoff := (clock.Backoff{Min: 100 * time.Millisecond, Max: 5 * time.Second}); ; {
			next, err := d.Create(d.ctx, c)
			if err == nil {
				d.announce(old, next.ID)
				return
			}
			if isError[*OptionsError](err) {
				old.logger().Error("the agreed rematch cannot be made", "err", err)
				return
			}
			old.logger().Warn("the agreed rematch could not be made: trying again", "err", err)
			if !clock.Sleep(d.ctx, d.o.Clock, backoff.Next()) || d.rooms.lookup(old.id) != old {
				return
			}
		}
	})
}

// announce tells the players of a finished room where their rematch is.
func (d *Directory) announce(old *liveRoom, next room.ID) {
	data, err := json.Marshal(map[string]room.ID{"room": next})
	if err != nil {
		panic(err) // a string always encodes
	}
	err = d.command(d.ctx, old.id, func(done chan<- error) message {
		return signalMessage{core.RematchSignal, data, done}
	})
	if err != nil {
		old.logger().Warn("the rematch could not be announced", "next", next, "err", err)
	}
}
