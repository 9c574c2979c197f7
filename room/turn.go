package room

import (
	"math"
	"math/rand/v2"
	"time"
)

// Turn is what the runtime lends a game for the length of one call. It must not be kept.
// What a refused call asked of it (events, timers, a finish) is forgotten.
type Turn struct {
	core *Core
	// effects of this call alone
	fx   effects
	rand *rand.Rand
}

// Now is the room's logical time since it opened. It stands still while no node runs the room, or its process is paused.
func (t *Turn) Now() time.Duration { return t.core.s.Now }

// Index is the place of the present input in the room's log.
func (t *Turn) Index() Index { return t.core.s.Index }

// Rand is a random source seeded by the room's secret seed and the present index, so every
// replay draws the same and nobody can foresee it.
func (t *Turn) Rand() *rand.Rand {
	if t.rand == nil {
		t.rand = t.core.random()
	}
	return t.rand
}

// Players are those who hold seats, by seat.
func (t *Turn) Players() []Player { return t.core.players() }

// Online reports whether a player is connected.
func (t *Turn) Online(p PlayerID) bool { return t.core.online(p) }

// Broadcast sends an event to every viewer with the next turn. Data must encode to JSON.
func (t *Turn) Broadcast(name string, data any) { t.fx.emit("", name, data) }

// Send sends an event to one player alone.
func (t *Turn) Send(to PlayerID, name string, data any) { t.fx.emit(to, name, data) }

// StartTimer sets a named timer, or sets it anew. After is in room time, at least 1 ms. The timer is never
// early: when it comes, Now has moved by After or more.
func (t *Turn) StartTimer(name string, after time.Duration) {
	now := t.core.s.Now
	t.fx.timer(name, now+min(max(after, time.Millisecond), math.MaxInt64-now)) // what is beyond all time never comes
}

// StopTimer forgets a named timer. Stopping one that is not set does nothing.
func (t *Turn) StopTimer(name string) { t.fx.timer(name, 0) }

// Seats says that this room has fewer seats than Spec.MaxPlayers: n, at least 1, as when its options say so or built-in
// opponents hold some. It belongs into Open. Who sits already stays.
func (t *Turn) Seats(n int) { t.fx.seats = max(n, 1) }

// Lock keeps new players out (true) or lets them in again while seats are free (false). Spectators may always come.
func (t *Turn) Lock(locked bool) { t.fx.lock = &locked }

// Begin says that the game is on although fewer players than Spec.MinPlayers are there, as against a built-in opponent. Without
// it such a room is listed as waiting for ever.
func (t *Turn) Begin() { t.fx.begin = true }

// Finish ends the game. The room lingers so that people can see it; only a rematch can be acted on any more.
func (t *Turn) Finish(r Result) { t.fx.result = &r }
