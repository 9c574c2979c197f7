package actor

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// rematch makes the room that the players of a finished one have agreed on, with their seats kept, and
// tells the old room. It tries until that works or the old room is gone.
func (d *Directory) rematch(old *liveRoom, agreed core.RematchAgreed) {
	c := Create{
		Game: old.game, Name: old.header.Name, Options: agreed.Options, Private: old.header.Private, Public: old.header.Public,
		Durability: old.header.Durability, ReserveFor: d.o.ReserveRematch,
	}
	for _, p := range agreed.Players {
		c.Reserve = append(c.Reserve, p.ID)
	}
	d.later(func(ctx context.Context) {
		for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
			next, err := d.Create(ctx, c)
			if err == nil {
				d.announce(ctx, old, next.ID)
				return
			}
			if _, never := errors.AsType[*OptionsError](err); never {
				old.log().Error("the agreed rematch cannot be made", "err", err)
				return
			}
			old.log().Warn("the agreed rematch could not be made: trying again", "err", err)
			if !d.sleep(ctx, wait) || d.lookup(old.id) != old {
				return
			}
		}
	})
}

func (d *Directory) announce(ctx context.Context, old *liveRoom, next room.ID) {
	data, err := json.Marshal(map[string]room.ID{"room": next})
	if err != nil {
		panic(err) // a string always encodes
	}
	err = d.command(ctx, old.id, func(done chan<- error) message {
		return signalMessage{core.RematchSignal, data, done}
	})
	if err != nil {
		old.log().Warn("the rematch could not be announced", "next", next, "err", err)
	}
}
