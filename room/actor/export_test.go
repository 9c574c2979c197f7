package actor

import "github.com/roomring/roomring/room"

// Committed tells a room how far its log is durable, as anybody may.
func (d *Directory) Committed(id room.ID, p room.Point) { d.lookup(id).in.Committed(p) }
