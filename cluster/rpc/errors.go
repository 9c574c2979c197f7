package rpc

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// ErrNoSeat is the answer of a node whose room has no seat for a player.
var ErrNoSeat = errors.New("the room has no seat for that player")

// NotMatchmakerError says that a node does not make the matches of a game at present. It is an actor.ErrUnreachable.
type NotMatchmakerError struct {
	Maker string // the node that makes them, as far as the answering node knows; "": ask again
}

func (e *NotMatchmakerError) Error() string {
	return "the nodes do not agree yet on who makes the matches of that game"
}

// Is makes errors.Is(err, actor.ErrUnreachable) true.
func (e *NotMatchmakerError) Is(target error) bool { return target == actor.ErrUnreachable }

// plainErrors cross a link by name.
var plainErrors = []struct {
	kind string
	err  error
}{
	{"not_found", actor.ErrNotFound},
	{"unreachable", actor.ErrUnreachable},
	{"unknown_game", actor.ErrUnknownGame},
	{"too_many", actor.ErrTooMany},
	{"share", actor.ErrShare},
	{"unclaimed", actor.ErrUnclaimed},
	{"draining", actor.ErrDraining},
	{"ended", actor.ErrEnded},
	{"not_seated", actor.ErrNotSeated},
	{"no_row", record.ErrNotFound},
	{"room_moved_on", record.ErrMovedOn},
	{"moved_on", record.ErrMovedOn}, // an older node may say so
	{"no_seat", ErrNoSeat},
	{"deadline", context.DeadlineExceeded},
	{"canceled", context.Canceled},
}

// errorDocument is an error on its way to another node.
type errorDocument struct {
	Kind   string         `json:"kind"`
	Node   string         `json:"node,omitempty"` // to ask instead
	Reason string         `json:"reason,omitempty"`
	Field  string         `json:"field,omitempty"` // of options
	Code   string         `json:"code,omitempty"`  // of a refusal
	Close  wire.CloseCode `json:"close,omitempty"`
	Over   *wire.Over     `json:"over,omitempty"`
}

// hidden stands for an error that the asking node is not meant to understand.
const hidden = "that node could not do it: its log says why"

// encodeError makes a document of an error. An error that only concerns this node is logged here instead.
func (c *Caller) encodeError(err error) []byte {
	doc := documentOf(err)
	if doc.Kind == "other" {
		c.o.Log.Warn("a question of another node failed", "err", err)
	}
	body, err := json.Marshal(doc)
	if err != nil {
		panic(err) // it is made of strings, and a result that was JSON before
	}
	return body
}

func documentOf(err error) errorDocument {
	if e, ok := errors.AsType[*actor.OptionsError](err); ok {
		return errorDocument{Kind: "options", Field: e.Field, Reason: e.Reason}
	}
	if e, ok := errors.AsType[*actor.CloseError](err); ok {
		return errorDocument{Kind: "close", Close: e.Code, Reason: e.Reason, Over: e.Over}
	}
	if e, ok := errors.AsType[*room.Refusal](err); ok {
		return errorDocument{Kind: "refusal", Code: e.Code, Reason: e.Reason}
	}
	if e, ok := errors.AsType[*NotMatchmakerError](err); ok {
		return errorDocument{Kind: "not_mine", Node: e.Maker}
	}
	if e, ok := errors.AsType[*actor.UnreachableError](err); ok {
		return errorDocument{Kind: "unreachable", Reason: e.Reason}
	}
	if e, ok := errors.AsType[*actor.HeldError](err); ok {
		return errorDocument{Kind: "unreachable", Reason: e.Error()}
	}
	if e, ok := errors.AsType[*NoAnswerError](err); ok {
		return errorDocument{Kind: "unreachable", Reason: "node " + e.Node + " does not answer"}
	}
	for _, known := range plainErrors {
		if errors.Is(err, known.err) {
			return errorDocument{Kind: known.kind}
		}
	}
	return errorDocument{Kind: "other", Reason: hidden}
}

// decodeError makes the error again that a document was made of.
func decodeError(body []byte) error {
	var doc errorDocument
	if json.Unmarshal(body, &doc) != nil {
		return errors.New(hidden)
	}
	switch {
	case doc.Kind == "options":
		return &actor.OptionsError{Field: doc.Field, Reason: doc.Reason}
	case doc.Kind == "close":
		return &actor.CloseError{Code: doc.Close, Reason: doc.Reason, Over: doc.Over}
	case doc.Kind == "refusal":
		return &room.Refusal{Code: doc.Code, Reason: doc.Reason}
	case doc.Kind == "not_mine":
		return &NotMatchmakerError{doc.Node}
	case doc.Kind == "unreachable" && doc.Reason != "":
		return &actor.UnreachableError{Reason: doc.Reason}
	}
	for _, known := range plainErrors {
		if doc.Kind == known.kind {
			return known.err
		}
	}
	if doc.Reason != "" {
		return errors.New(doc.Reason) // a kind that only a newer node knows
	}
	return errors.New(hidden)
}
