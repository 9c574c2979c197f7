package room

import (
	"math/rand/v2"
	"time"
)

// Turn is what the runtime lends a game for one call. The game must not keep it. If the call refuses its input,
// everything it asked of the Turn (events, timers, a finish) is dropped.
type Turn struct{ on Runtime }

// NewTurn makes the turn of a room that on runs. It is for package core, and for tests of rules by themselves.
func NewTurn(on Runtime) Turn { return Turn{on} }

// Now is the room's logical time since it opened. It stands still while no node runs the room or its process is paused.
func (t *Turn) Now() time.Duration { return t.on.Now() }

// Index is the place of the present input in the room's log.
func (t *Turn) Index() Index { return t.on.Index() }

// Rand is a random source. Its seed comes from the room's secret seed and the present index, so every replay draws the
// same numbers and nobody can predict them.
func (t *Turn) Rand() *rand.Rand { return t.on.Rand() }

// Players returns those who hold seats, in order of seats.
func (t *Turn) Players() []Player { return t.on.Players() }

// Online reports whether a player is connected.
func (t *Turn) Online(p PlayerID) bool { return t.on.Online(p) }

// Broadcast sends an event to every viewer with the next turn. Data must encode to JSON; otherwise the game panics.
func (t *Turn) Broadcast(name string, data any) { t.on.Send("", name, data) }

// Send sends an event to one player alone. Data must encode to JSON; otherwise the game panics.
func (t *Turn) Send(to PlayerID, name string, data any) { t.on.Send(to, name, data) }

// StartTimer sets a named timer; a timer of that name is replaced. After is in room time, and less than 1 ms counts as
// 1 ms. The timer never comes early: when it comes, Now has moved by after or more.
func (t *Turn) StartTimer(name string, after time.Duration) {
	t.on.StartTimer(name, max(after, time.Millisecond))
}

// StopTimer removes a named timer. It does nothing if there is no such timer.
func (t *Turn) StopTimer(name string) { t.on.StopTimer(name) }

// Seats gives this room n seats, at least 1, in place of Spec.MaxPlayers, which bounds it. Call it in Open, for example
// when the options say so or when built-in opponents hold seats. Seated players stay.
func (t *Turn) Seats(n int) { t.on.Seats(max(n, 1)) }

// Lock keeps new players out (true), or lets them in while there are free seats (false). Spectators may always come.
func (t *Turn) Lock(locked bool) { t.on.Lock(locked) }

// Wait makes the room wait for Begin after Spec.MinPlayers have come, for example until all say that they are ready.
// Call it in Open.
func (t *Turn) Wait() { t.on.Wait() }

// Begin says that the game is on although fewer than Spec.MinPlayers are there, for example against a built-in
// opponent. Without it the lists show such a room as waiting.
func (t *Turn) Begin() { t.on.Begin() }

// Grace says how long, from now on, this room keeps the seat of an absent player, in place of Spec.Grace. Forever suits
// a game with a clock that decides what absence costs. Spec.WaitingGrace still applies while the room waits for
// players. Zero or less restores Spec.Grace.
func (t *Turn) Grace(d time.Duration) { t.on.Grace(max(d, 0)) }

// Empty says how long, from now on, this room goes on with nobody connected, in place of Spec.Empty. With Forever, the
// game must end by its own timers, because nothing else would end the room. Zero or less restores Spec.Empty.
func (t *Turn) Empty(d time.Duration) { t.on.Empty(max(d, 0)) }

// Acted reports whether the game has accepted an action of a player in this room, the present one included. It
// remembers players who have left.
func (t *Turn) Acted(p PlayerID) bool { return t.on.Acted(p) }

// Runtime is the core.RuntimeVersion by which the room was made. A game can ask for it in Open to change its rules for
// new rooms alone, instead of raising Spec.Version.
func (t *Turn) Runtime() int { return t.on.RuntimeVersion() }

// Finish ends the game. The room lingers so that people can look at it, and accepts only acts about a rematch.
//
// Nobody wins or loses against a player who never played. A game of two is aborted unless both have acted (see
// Turn.Acted; built-in opponents count as having acted). In a larger game the outcomes of players who never acted are
// left out, the ranks close up, and the game counts if two outcomes are left. Result.IdleCounts turns this off.
//
// Finish panics if an outcome names no player, one player is named twice, a rank is below 1, or r.Data is not JSON. The
// panic aborts the room.
func (t *Turn) Finish(r Result) { t.on.Finish(r, false) }

// Abort ends the game like Finish, but without a result. Nobody is ranked or rated, and r.Summary tells people why. The
// outcomes are dropped and the reason becomes "aborted".
func (t *Turn) Abort(r Result) { t.on.Finish(r, true) }
