package actor

// Feed is the room's end of an Outbox in the hands of somebody other than a room of this process, such as the
// link to a room's owner. Its methods may be called from any goroutine and never block.
type Feed struct{ b *Outbox }

// NewFeed takes the room's end of an outbox that no room is attached to. Refill is called when the reader has caught up
// after losing turns and needs a whole view; stuck when it takes nothing for too long: end the outbox with 4101 then.
// Both are called outside all locks and must not block.
func NewFeed(b *Outbox, refill, stuck func()) Feed {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill, b.stuck = refill, stuck
	return Feed{b}
}

// Keep queues a message that is never dropped.
func (f Feed) Keep(frame []byte) { f.b.push(frame, keep, 0) }

// Turn queues a turn, which a reader that lags may lose, with the number of its events.
func (f Feed) Turn(frame []byte, events int) { f.b.push(frame, drop, events) }

// View queues the whole view that refill asked for. Encode is told how many events the reader has lost.
func (f Feed) View(encode func(lost uint64) []byte) { f.b.whole(encode) }

// End ends the session once what is queued has been taken. The first end counts.
func (f Feed) End(why *CloseError) { f.b.end(why, false) }
