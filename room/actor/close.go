package actor

import (
	"github.com/roomring/roomring/room/wire"
)

// CloseError is how a room turns a client away or ends a session: a WebSocket close code and a
// reason for people, at most 123 bytes. Over is sent before closing with 4410.
type CloseError struct {
	Code   wire.CloseCode
	Reason string
	Over   *wire.Over
}

func (e *CloseError) Error() string { return e.Reason }

// Moved reports whether the room goes on elsewhere: a client that attaches again, wherever the room is then, misses nothing.
func (e *CloseError) Moved() bool { return e != nil && e.Code == wire.CloseMoved }

// closing makes a CloseError, its reason cut to what a close frame takes.
func closing(code wire.CloseCode, reason string) *CloseError {
	return &CloseError{Code: code, Reason: wire.CloseReason(reason)}
}

// CloseStuck ends the session of a reader that takes nothing.
func CloseStuck() *CloseError {
	return closing(wire.CloseTooSlow, "this connection does not read what it is sent: reconnect")
}

// CloseUnanswered ends the session of a client that has more than MaxUnanswered acts without an answer.
func CloseUnanswered() *CloseError {
	return closing(wire.CloseTooMany, "too many acts without an answer: wait for acks")
}

func closeUnsaved() *CloseError {
	return closing(wire.CloseUnreachable, "the game cannot be saved right now: it stands still, try again soon")
}

func closeMoved() *CloseError {
	return closing(wire.CloseMoved, "the server is restarting: reconnect")
}

func closeReplaced() *CloseError {
	return closing(wire.CloseReplaced, "this player has connected from elsewhere")
}

func closeLeft() *CloseError { return closing(wire.CloseNormal, "the seat is given up") }

func closeOver() *CloseError { return closing(wire.CloseOver, "the room is over") }
