// Package rpc asks nodes typed questions, over links or here. Questions and answers travel as JSON, errors by their kind.
package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
)

// Links carry questions to other nodes: a link.Links.
type Links interface {
	Call(ctx context.Context, node, method string, body []byte) ([]byte, error)
	Watch(ctx context.Context, node, method string, body []byte, each func([]byte) error) error
}

// Mux knows what serves the questions of other nodes: a link.Mux.
type Mux interface {
	Handle(method string, f func(ctx context.Context, from link.Peer, body []byte) ([]byte, error))
	HandleWatch(method string, f func(ctx context.Context, from link.Peer, body []byte, send func([]byte) error) error)
	EncodeError(encode func(error) []byte)
}

// Options make a Caller. All are needed.
type Options struct {
	Self    string // this node's name
	Links   Links
	Mux     Mux
	Timeout time.Duration // how long another node may take to answer
	Clock   clock.Clock
	Log     *slog.Logger
}

// Caller asks questions and serves those of other nodes. Everything is served before the first question; then its methods may
// be called from any goroutine.
type Caller struct {
	o     Options
	local map[string]any // what serves each method, for questions that this node asks itself
}

// New makes a Caller that serves nothing yet.
func New(o Options) *Caller {
	c := &Caller{o: o, local: map[string]any{}}
	o.Mux.EncodeError(c.encodeError)
	return c
}

// Self is this node's name.
func (c *Caller) Self() string { return c.o.Self }

// Method names a question and says what goes in and comes out.
type Method[In, Out any] string

// None is the answer to what only has to be done.
type None struct{}

// Serve answers a method's questions by f, also those that this node asks itself.
func Serve[In, Out any](c *Caller, m Method[In, Out], f func(ctx context.Context, in In) (Out, error)) {
	serveFrom(c, m, func(ctx context.Context, _ link.Peer, in In) (Out, error) { return f(ctx, in) })
}

// ServeAct serves an operator's action. The node that the operator asked has it in its log. The node that does it logs it too if it
// is another one, with the fields of about.
func ServeAct[In any](c *Caller, m Method[In, None], action string, about func(In) []any, f func(ctx context.Context, in In) error) {
	serveFrom(c, m, func(ctx context.Context, from link.Peer, in In) (None, error) {
		err := f(ctx, in)
		if from.Node != "" && !errors.Is(err, actor.ErrNotFound) { // after ErrNotFound the asking node looks elsewhere
			outcome := "done"
			if err != nil {
				outcome = err.Error()
			}
			what := append([]any{"action", action}, about(in)...)
			c.o.Log.Info("admin action", append(what, "node", c.o.Self, "by", "the operator at node "+from.Node, "outcome", outcome)...)
		}
		return None{}, err
	})
}

// serveFrom tells f which node asks; the zero Peer is this one.
func serveFrom[In, Out any](c *Caller, m Method[In, Out], f func(ctx context.Context, from link.Peer, in In) (Out, error)) {
	c.local[string(m)] = func(ctx context.Context, in In) (Out, error) { return f(ctx, link.Peer{}, in) }
	c.o.Mux.Handle(string(m), func(ctx context.Context, from link.Peer, body []byte) ([]byte, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, fmt.Errorf("the question %s: %w", m, err)
		}
		out, err := f(ctx, from, in)
		if err != nil {
			return nil, err
		}
		return json.Marshal(out)
	})
}

// ServeWatch answers a method's questions with any number of answers. F sends them one by one and stops when send fails.
func ServeWatch[In, Out any](c *Caller, m Method[In, Out], f func(ctx context.Context, in In, send func(Out) error) error) {
	c.o.Mux.HandleWatch(string(m), func(ctx context.Context, _ link.Peer, body []byte, send func([]byte) error) error {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return fmt.Errorf("the question %s: %w", m, err)
		}
		return f(ctx, in, func(out Out) error {
			data, err := json.Marshal(out)
			if err != nil {
				return err
			}
			return send(data)
		})
	})
}

// NoAnswerError says that a node did not answer: it may have done what it was asked, or not. It is an actor.ErrUnreachable.
type NoAnswerError struct {
	Node string
	Err  error
}

func (e *NoAnswerError) Error() string {
	return fmt.Sprintf("node %s does not answer: %v", e.Node, e.Err)
}

func (e *NoAnswerError) Unwrap() error { return e.Err }

// Is makes errors.Is(err, actor.ErrUnreachable) true.
func (e *NoAnswerError) Is(target error) bool { return target == actor.ErrUnreachable }

// Ask asks a node, which may be this one; another node gets Options.Timeout at most. The error is the node's own, a
// *NoAnswerError, or ctx's.
func Ask[In, Out any](ctx context.Context, c *Caller, node string, m Method[In, Out], in In) (Out, error) {
	if node == c.o.Self {
		return c.local[string(m)].(func(context.Context, In) (Out, error))(ctx, in)
	}
	var out Out
	body, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	limited, cancel := clock.WithTimeout(ctx, c.o.Clock, c.o.Timeout)
	defer cancel()
	answer, err := c.o.Links.Call(limited, node, string(m), body)
	if remote, ok := errors.AsType[*link.RemoteError](err); ok {
		err = decodeError(remote.Body)
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
			return out, err
		}
	}
	if err == nil {
		err = json.Unmarshal(answer, &out)
	}
	switch {
	case err == nil:
		return out, nil
	case ctx.Err() != nil:
		return out, ctx.Err()
	}
	return out, &NoAnswerError{node, err}
}

// Watch asks another node a question with many answers and calls each with them, until the last one has come, each fails, or ctx
// ends. The error is the node's own, each's, a *NoAnswerError, or ctx's.
func Watch[In, Out any](ctx context.Context, c *Caller, node string, m Method[In, Out], in In, each func(Out) error) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	var own error // of this side
	err = c.o.Links.Watch(ctx, node, string(m), body, func(data []byte) error {
		var out Out
		if err := json.Unmarshal(data, &out); err != nil {
			own = fmt.Errorf("an answer to %s from node %s: %w", m, node, err)
		} else {
			own = each(out)
		}
		return own
	})
	if remote, ok := errors.AsType[*link.RemoteError](err); ok {
		return decodeError(remote.Body)
	}
	if err != nil && own == nil && ctx.Err() == nil {
		return &NoAnswerError{node, err}
	}
	return err
}

// Next is how Scatter goes on after one answer.
type Next int

// The ways to go on.
const (
	Continue Next = iota // wait for the others
	Hurry                // give the others a tenth of all the time
	Stop                 // do not wait for the others
)

// Scatter asks many nodes at once and calls each with their answers, one by one, for the time of wait at most. It returns the nodes
// that did not answer.
func Scatter[In, Out any](ctx context.Context, c *Caller, nodes []string, m Method[In, Out], in In, wait time.Duration, each func(node string, out Out, err error) Next) (silent []string) {
	type answer struct {
		node string
		out  Out
		err  error
	}
	ctx, cancel := clock.WithTimeout(ctx, c.o.Clock, wait)
	answers := make(chan answer, len(nodes))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for _, node := range nodes {
		wg.Go(func() {
			out, err := Ask(ctx, c, node, m, in)
			answers <- answer{node, out, err}
		})
	}
	silent = slices.Clone(nodes)
	for range nodes {
		select {
		case a := <-answers:
			if Unanswered(a.err) {
				continue
			}
			silent = slices.DeleteFunc(silent, func(n string) bool { return n == a.node })
			switch each(a.node, a.out, a.err) {
			case Hurry:
				defer c.o.Clock.AfterFunc(wait/10, cancel).Stop()
			case Stop:
				return silent
			}
		case <-ctx.Done():
			return silent
		}
	}
	return silent
}

// Unanswered reports whether an error says nothing about what was asked.
func Unanswered(err error) bool {
	_, failed := errors.AsType[*NoAnswerError](err)
	return failed || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}
