package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/roomring/roomring/cluster/link/linkpb"
)

type (
	callFunc  = func(ctx context.Context, from Peer, body []byte) ([]byte, error)
	watchFunc = func(ctx context.Context, from Peer, body []byte, send func([]byte) error) error
)

// Mux maps methods to the handlers that answer their questions.
type Mux struct {
	calls   map[string]callFunc
	watches map[string]watchFunc
	encode  func(error) []byte
}

// NewMux makes an empty Mux. Add all handlers before Links.Serve.
func NewMux() *Mux {
	return &Mux{calls: map[string]callFunc{}, watches: map[string]watchFunc{}}
}

// Handle answers a method's questions with f. An error from f goes to the caller as encoded by EncodeError's function.
func (m *Mux) Handle(method string, f func(ctx context.Context, from Peer, body []byte) ([]byte, error)) {
	m.calls[method] = f
}

// HandleWatch answers each of a method's questions with any number of answers. The watch ends when f returns.
func (m *Mux) HandleWatch(method string, f func(ctx context.Context, from Peer, body []byte, send func([]byte) error) error) {
	m.watches[method] = f
}

// EncodeError sets the function that makes a document of a handler's error. The caller gets the document as a
// *RemoteError. Without it the caller gets the error's text.
func (m *Mux) EncodeError(encode func(error) []byte) { m.encode = encode }

func (m *Mux) call(ctx context.Context, log *slog.Logger, from Peer, q *linkpb.Question) (a *linkpb.Answer, err error) {
	f, ok := m.calls[q.GetMethod()]
	if !ok {
		return nil, noMethod(q)
	}
	defer recoverPanic(log, from, q, &err)
	body, err := f(ctx, from, q.GetBody())
	if err != nil {
		return m.fail(ctx, err)
	}
	return &linkpb.Answer{Body: body}, nil
}

func (m *Mux) watch(ctx context.Context, log *slog.Logger, from Peer, q *linkpb.Question, send func(*linkpb.Answer) error) (err error) {
	f, ok := m.watches[q.GetMethod()]
	if !ok {
		return noMethod(q)
	}
	defer recoverPanic(log, from, q, &err)
	err = f(ctx, from, q.GetBody(), func(body []byte) error { return send(&linkpb.Answer{Body: body}) })
	if err == nil {
		return nil
	}
	a, err := m.fail(ctx, err)
	if err != nil {
		return err
	}
	return send(a)
}

func noMethod(q *linkpb.Question) error {
	return status.Errorf(codes.Unimplemented, "no method %q", q.GetMethod())
}

// fail makes an answer of a handler's error. If the handler ended because ctx did, there is no answer: the caller has its
// own deadline.
func (m *Mux) fail(ctx context.Context, err error) (*linkpb.Answer, error) {
	if end := ctx.Err(); end != nil && errors.Is(err, end) {
		return nil, status.FromContextError(end).Err()
	}
	if m.encode == nil {
		return nil, status.Error(codes.Unknown, err.Error())
	}
	return &linkpb.Answer{Error: m.encode(err)}, nil
}

// recoverPanic keeps a handler's panic from ending the process. Only the one question fails.
func recoverPanic(log *slog.Logger, from Peer, q *linkpb.Question, err *error) {
	if p := recover(); p != nil {
		log.Error("the handler of a peer's question panicked", "peer", from.Node, "method", q.GetMethod(),
			"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		*err = status.Error(codes.Internal, "the handler panicked; see the log there")
	}
}

// callError turns gRPC's error into the error that the caller gets.
func callError(ctx context.Context, node, method string, err error) error {
	if remote, ok := errors.AsType[*RemoteError](err); ok {
		return remote
	}
	switch {
	case status.Code(err) == codes.Unimplemented:
		err = ErrNoMethod
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case status.Code(err) == codes.DeadlineExceeded: // the server noticed first
		err = context.DeadlineExceeded
	default:
		err = unwrapStatus(err)
	}
	return fmt.Errorf("ask node %s for %s: %w", node, method, err)
}
