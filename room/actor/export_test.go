package actor

import (
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Committed tells a room how far its log is durable.
func (d *Directory) Committed(id room.ID, p record.Point) { d.rooms.lookup(id).mail.Committed(p) }
