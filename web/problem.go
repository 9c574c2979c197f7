package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
)

// Problem is an error as RFC 9457 puts it into an answer (application/problem+json).
type Problem struct {
	Type   string `json:"type"` // for programs: urn:roomring:problem:…
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"` // for people: what to do
	Field  string `json:"field,omitempty"`  // what in the request is at fault, such as options.clock
	// Reasons why a node is not ready.
	Reasons []string `json:"reasons,omitempty"`

	retry time.Duration // not zero: Retry-After
}

func (p *Problem) Error() string { return p.Detail }

const problemType = "urn:roomring:problem:"

func problem(status int, kind, detail string) *Problem {
	return &Problem{Type: problemType + kind, Title: http.StatusText(status), Status: status, Detail: detail}
}

func badField(field, detail string) *Problem {
	p := problem(http.StatusBadRequest, "bad-field", detail)
	p.Field = field
	return p
}

func retryLater(kind, detail string, after time.Duration) *Problem {
	p := problem(http.StatusServiceUnavailable, kind, detail)
	p.retry = after
	return p
}

func notFound(detail string) *Problem { return problem(http.StatusNotFound, "not-found", detail) }

// write sends the problem as the whole answer.
func (p *Problem) write(w http.ResponseWriter) {
	if p.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((p.retry+time.Second-1)/time.Second)))
	}
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.Header().Del("ETag")
	w.Header().Set("Cache-Control", "no-store")
	writeBody(w, p.Status, "application/problem+json", p)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	writeBody(w, status, "application/json", body)
}

func writeBody(w http.ResponseWriter, status int, mediaType string, body any) {
	data, err := json.Marshal(body)
	if err != nil { // only a game's own raw JSON can be broken, and that was checked when it came in
		status, mediaType = http.StatusInternalServerError, "application/problem+json"
		data = []byte(`{"type":"` + problemType + `internal","title":"Internal Server Error","status":500}`)
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)+1))
	w.WriteHeader(status)
	w.Write(append(data, '\n')) // the client has gone if this fails
}

// problemOf says what an error means to a client. Nil: nothing that a client may know.
func problemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if bad, ok := errors.AsType[*actor.OptionsError](err); ok {
		return badField(cmp.Or(bad.Field, "options"), bad.Reason)
	}
	if refused, ok := errors.AsType[*room.Refusal](err); ok {
		return problem(http.StatusConflict, "refused", refused.Reason)
	}
	for _, known := range errorProblems {
		if errors.Is(err, known.err) {
			return known.make(err)
		}
	}
	return nil
}

// openingRefused says of a game's refusal while a room is being made that the options are at fault.
func openingRefused(err error) error {
	if refused, ok := errors.AsType[*room.Refusal](err); ok {
		return badField("options", refused.Reason)
	}
	return err
}

// errorProblems are the errors of the rooms and of Auth, and the answers to them.
var errorProblems = []struct {
	err  error
	make func(error) *Problem
}{
	{actor.ErrNotFound, func(error) *Problem { return notFound("There is no such room.") }},
	{actor.ErrUnknownGame, func(error) *Problem { return unknownGame() }},
	{actor.ErrUnreachable, func(err error) *Problem {
		reason := "retry"
		if why, ok := errors.AsType[*actor.UnreachableError](err); ok {
			reason = why.Reason
		}
		if held, ok := errors.AsType[*actor.HeldError](err); ok {
			reason = held.Error()
		}
		return retryLater("unreachable", "The room is not reachable yet: "+reason+".", time.Second)
	}},
	{actor.ErrTooMany, func(error) *Problem {
		return retryLater("too-many-rooms", "This node has as many rooms as it takes: retry later or elsewhere.", 5*time.Second)
	}},
	{actor.ErrShare, func(error) *Problem {
		p := problem(http.StatusTooManyRequests, "room-share", "Your address or account has as many rooms here as one may: play in those, or leave them and retry when they have closed.")
		p.retry = 5 * time.Second
		return p
	}},
	{actor.ErrUnclaimed, func(error) *Problem {
		p := problem(http.StatusTooManyRequests, "unclaimed-seats", "Too many seats are kept for players from your address who have not come: join the rooms that you were given, or retry in a few seconds.")
		p.retry = time.Second
		return p
	}},
	{actor.ErrDraining, func(error) *Problem {
		return retryLater("draining", "This node is draining: retry elsewhere.", time.Second)
	}},
	{actor.ErrNotSeated, func(error) *Problem {
		return problem(http.StatusConflict, "not-seated", "That player holds no seat in the room.")
	}},
	{ErrUnauthorised, func(err error) *Problem { return problem(http.StatusUnauthorized, "unauthorised", err.Error()) }},
	{ErrForbidden, func(err error) *Problem { return problem(http.StatusForbidden, "forbidden", err.Error()) }},
	{ErrNoGuests, func(err error) *Problem { return problem(http.StatusForbidden, "no-guests", err.Error()) }},
	{ErrNoKeys, func(err error) *Problem { return retryLater("no-keys", err.Error(), time.Second) }},
	{context.DeadlineExceeded, func(error) *Problem {
		return retryLater("timeout", "The answer took too long: retry.", time.Second)
	}},
	{context.Canceled, func(error) *Problem {
		return retryLater("cancelled", "The request was given up.", time.Second)
	}},
}

func unknownGame() *Problem {
	p := badField("game", "There is no such game: GET /v1/games lists them.")
	p.Type = problemType + "unknown-game"
	return p
}
