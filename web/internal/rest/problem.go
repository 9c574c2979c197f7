// Package rest is what the HTTP handlers have in common: routes, bodies and queries of requests, problem documents, and CORS.
package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/web/auth"
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

// ProblemType is what all types of problems begin with.
const ProblemType = "urn:roomring:problem:"

// StoreAway tells the log what went wrong with the store, and clients only to retry.
func StoreAway(log *slog.Logger, err error) *Problem {
	if ProblemOf(err) == nil {
		log.Warn("the store did not answer", "err", err)
	}
	return RetryLater("store-away", "The store is not reachable: retry.", 2*time.Second)
}

// NewProblem makes a problem of a kind, which programs go by, with a detail for people.
func NewProblem(status int, kind, detail string) *Problem {
	return &Problem{Type: ProblemType + kind, Title: http.StatusText(status), Status: status, Detail: detail}
}

// BadField says that a field of the request is wrong.
func BadField(field, detail string) *Problem {
	p := NewProblem(http.StatusBadRequest, "bad-field", detail)
	p.Field = field
	return p
}

// RetryLater says that the server cannot do this now, and when it may; 0 says nothing of when.
func RetryLater(kind, detail string, after time.Duration) *Problem {
	return NewProblem(http.StatusServiceUnavailable, kind, detail).After(after)
}

// NotFound says that there is no such thing.
func NotFound(detail string) *Problem { return NewProblem(http.StatusNotFound, "not-found", detail) }

// After sets when the client may retry.
func (p *Problem) After(d time.Duration) *Problem {
	p.retry = d
	return p
}

// Write sends the problem as the whole answer.
func (p *Problem) Write(w http.ResponseWriter) {
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

// WriteJSON sends a body as the whole answer.
func WriteJSON(w http.ResponseWriter, status int, body any) {
	writeBody(w, status, "application/json", body)
}

func writeBody(w http.ResponseWriter, status int, mediaType string, body any) {
	data, err := json.Marshal(body)
	if err != nil { // only a game's own raw JSON can be broken, and that was checked when it came in
		status, mediaType = http.StatusInternalServerError, "application/problem+json"
		data = []byte(`{"type":"` + ProblemType + `internal","title":"Internal Server Error","status":500}`)
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)+1))
	w.WriteHeader(status)
	w.Write(append(data, '\n')) // the client has gone if this fails
}

// ProblemOf is what an error means to a client; nil when the client may not know.
func ProblemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if bad, ok := errors.AsType[*actor.OptionsError](err); ok {
		return BadField(cmp.Or(bad.Field, "options"), bad.Reason)
	}
	if refused, ok := errors.AsType[*room.Refusal](err); ok {
		return NewProblem(http.StatusConflict, "refused", refused.Reason)
	}
	for _, known := range errorProblems {
		if errors.Is(err, known.err) {
			return known.make(err)
		}
	}
	return nil
}

// errorProblems are the errors of packages actor and auth, and the answers to them.
var errorProblems = []struct {
	err  error
	make func(error) *Problem
}{
	{actor.ErrNotFound, func(error) *Problem { return NotFound("There is no such room.") }},
	{actor.ErrUnknownGame, func(error) *Problem { return UnknownGame() }},
	{actor.ErrUnreachable, func(err error) *Problem {
		reason := "retry"
		if why, ok := errors.AsType[*actor.UnreachableError](err); ok {
			reason = why.Reason
		}
		if held, ok := errors.AsType[*actor.HeldError](err); ok {
			reason = held.Error()
		}
		return RetryLater("unreachable", "The room is not reachable yet: "+reason+".", time.Second)
	}},
	{actor.ErrTooMany, func(error) *Problem {
		return RetryLater("too-many-rooms", "This node has as many rooms as it takes: retry later or elsewhere.", 5*time.Second)
	}},
	{actor.ErrShare, func(error) *Problem {
		return NewProblem(http.StatusTooManyRequests, "room-share",
			"Your address or account has as many rooms here as one may: play in those, or leave them and retry when they have closed.").After(5 * time.Second)
	}},
	{actor.ErrUnclaimed, func(error) *Problem {
		return NewProblem(http.StatusTooManyRequests, "unclaimed-seats",
			"Too many seats are kept for players from your address who have not come: join the rooms that you were given, or retry in a few seconds.").After(time.Second)
	}},
	{actor.ErrDraining, func(error) *Problem {
		return RetryLater("draining", "This node is draining: retry elsewhere.", time.Second)
	}},
	{actor.ErrNotSeated, func(error) *Problem {
		return NewProblem(http.StatusConflict, "not-seated", "That player holds no seat in the room.")
	}},
	{auth.ErrUnauthorised, func(err error) *Problem { return NewProblem(http.StatusUnauthorized, "unauthorised", err.Error()) }},
	{auth.ErrForbidden, func(err error) *Problem { return NewProblem(http.StatusForbidden, "forbidden", err.Error()) }},
	{auth.ErrNoGuests, func(err error) *Problem { return NewProblem(http.StatusForbidden, "no-guests", err.Error()) }},
	{auth.ErrNoKeys, func(err error) *Problem { return RetryLater("no-keys", err.Error(), time.Second) }},
	{context.DeadlineExceeded, func(error) *Problem {
		return RetryLater("timeout", "The answer took too long: retry.", time.Second)
	}},
	{context.Canceled, func(error) *Problem {
		return RetryLater("cancelled", "The request was given up.", time.Second)
	}},
}

// UnknownGame says that no node has such a game.
func UnknownGame() *Problem {
	p := BadField("game", "There is no such game: GET /v1/games lists them.")
	p.Type = ProblemType + "unknown-game"
	return p
}
