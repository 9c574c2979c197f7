package room

import (
	"math/rand/v2"
	"time"
)

// Turn is what the runtime lends a game for the length of one call. It must not be kept.
// What a refused call asked of it (events, timers, a finish) is forgotten.
type Turn struct{ on Runtime }

// NewTurn is a turn of a room that on runs.
func NewTurn(on Runtime) Turn { return Turn{on} }

// Now is the room's logical time since it opened. It stands still while no node runs the room, or its process is paused.
func (t *Turn) Now() time.Duration { return t.on.Now() }

// Index is the place of the present input in the room's log.
func (t *Turn) Index() Index { return t.on.Index() }

// Rand is a random source seeded by the room's secret seed and the present index, so every
// replay draws the same and nobody can foresee it.
func (t *Turn) Rand() *rand.Rand { return t.on.Rand() }

// Players are those who hold seats, by seat.
func (t *Turn) Players() []Player { return t.on.Players() }

// Online reports whether a player is connected.
func (t *Turn) Online(p PlayerID) bool { return t.on.Online(p) }

// Broadcast sends an event to every viewer with the next turn. Data must encode to JSON.
func (t *Turn) Broadcast(name string, data any) { t.on.Send("", name, data) }

// Send sends an event to one player alone.
func (t *Turn) Send(to PlayerID, name string, data any) { t.on.Send(to, name, data) }

// StartTimer sets a named timer, or sets it anew. After is in room time, at least 1 ms. The timer is never
// early: when it comes, Now has moved by After or more.
func (t *Turn) StartTimer(name string, after time.Duration) {
	t.on.StartTimer(name, max(after, time.Millisecond))
}

// StopTimer forgets a named timer. Stopping one that is not set does nothing.
func (t *Turn) StopTimer(name string) { t.on.StopTimer(name) }

// Seats says that this room has fewer seats than Spec.MaxPlayers: n, at least 1, as when its options say so or built-in
// opponents hold some. It belongs into Open. Who sits already stays.
func (t *Turn) Seats(n int) { t.on.Seats(max(n, 1)) }

// Lock keeps new players out (true) or lets them in again while seats are free (false). Spectators may always come.
func (t *Turn) Lock(locked bool) { t.on.Lock(locked) }

// Wait says that the room still waits for players when Spec.MinPlayers have come: the game itself begins it, by Begin, as when
// all say that they are ready. It belongs into Open.
func (t *Turn) Wait() { t.on.Wait() }

// Begin says that the game is on although fewer players than Spec.MinPlayers are there, as against a built-in opponent. Without
// it such a room is listed as waiting for ever.
func (t *Turn) Begin() { t.on.Begin() }

// Grace says how long, from now on, this room keeps the seat of a player who is away, in place of Spec.Grace. Forever
// suits a game in which a clock decides what absence costs. While the room waits for players, Spec.WaitingGrace
// counts all the same. Not above zero is Spec.Grace again.
func (t *Turn) Grace(d time.Duration) { t.on.Grace(max(d, 0)) }

// Empty says how long, from now on, this room goes on with nobody connected, in place of Spec.Empty. A game that says
// Forever must end by its own timers, for nothing else would end a room that all have left. Not above zero
// is Spec.Empty again.
func (t *Turn) Empty(d time.Duration) { t.on.Empty(max(d, 0)) }

// Acted reports whether a player has had an action accepted in this room, the present one included. It is remembered
// of those who have left too.
func (t *Turn) Acted(p PlayerID) bool { return t.on.Acted(p) }

// Runtime is the RuntimeVersion that the room was made by. A game whose newer rules are nothing to the rooms and replays of an
// older runtime may ask for it in Open, in place of a new Spec.Version.
func (t *Turn) Runtime() int { return t.on.RuntimeVersion() }

// Finish ends the game. The room lingers so that people can see it; only a rematch can be acted on any more.
//
// Nobody wins or loses against somebody who never played: of two outcomes both must be of players who have acted
// (Turn.Acted; built-in opponents have), else the game is aborted. Of more, those of players who never did are
// left out, the ranks close up, and the game counts if two are left. Result.IdleCounts turns that off.
func (t *Turn) Finish(r Result) { t.on.Finish(r, false) }

// Abort ends the game like Finish, but without a result: it ends as Aborted, nobody is ranked or rated, and r.Summary
// tells people why. Its outcomes are left out and its reason is "aborted".
func (t *Turn) Abort(r Result) { t.on.Finish(r, true) }
