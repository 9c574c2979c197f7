package actor

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// Attributes of spans. There are no others: nothing of a player, and nothing that is hidden.
const (
	TraceRoom  = attribute.Key("roomring.room")
	TraceGame  = attribute.Key("roomring.game")
	TraceKind  = attribute.Key("roomring.kind")  // of the input
	TraceIndex = attribute.Key("roomring.index") // of the input in the log
)

// traceparent is the name of the header of W3C Trace Context, in which a span's context goes from node to node.
const traceparent = "traceparent"

// TraceOf is the span in ctx as a wire.Act carries it. Empty: it is not sampled.
func TraceOf(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[traceparent]
}

// traced is a sampled act on its way from its step to its answer. Only the room's goroutine uses it.
type traced struct {
	index room.Index
	act   context.Context // with the span of the act
	span  trace.Span      // the commit, then the ack
	acks  bool
}

// beginStep begins the span of a sampled act's step. Nil: it is not sampled.
func (r *liveRoom) beginStep(of string) (context.Context, trace.Span) {
	if of == "" || r.o.Tracer == nil {
		return nil, nil
	}
	act := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{traceparent: of})
	if !trace.SpanContextFromContext(act).IsSampled() { // it is none
		return nil, nil
	}
	return act, r.span(act, "room.step")
}

func (r *liveRoom) span(act context.Context, name string) trace.Span {
	_, span := r.o.Tracer.Start(act, name, trace.WithAttributes(
		TraceRoom.String(string(r.id)), TraceGame.String(r.game), TraceKind.String(core.KindAct.Name())))
	return span
}

// endStep ends the span of a step, and begins that of its commit if there is anything to commit.
func (r *liveRoom) endStep(act context.Context, span trace.Span, e *core.Entry) {
	if span == nil {
		return
	}
	if e == nil {
		span.End()
		return
	}
	span.SetAttributes(TraceIndex.Int64(int64(e.Index)))
	span.End()
	r.traces = append(r.traces, traced{index: e.Index, act: act, span: r.span(act, "room.commit")})
}

// traceCommitted ends the spans of what is committed, and begins those of the answers.
func (r *liveRoom) traceCommitted() {
	for i := range r.traces {
		t := &r.traces[i]
		if t.acks || t.index > r.core.Committed() {
			continue
		}
		t.span.SetAttributes(TraceIndex.Int64(int64(t.index)))
		t.span.End()
		t.span, t.acks = r.span(t.act, "room.ack"), true
	}
}

// traceAnswered ends the spans of answers that are handed to their sessions.
func (r *liveRoom) traceAnswered() {
	kept := r.traces[:0]
	for _, t := range r.traces {
		if !t.acks {
			kept = append(kept, t)
			continue
		}
		t.span.SetAttributes(TraceIndex.Int64(int64(t.index)))
		t.span.End()
	}
	if r.traces = kept; len(kept) == 0 {
		r.traces = nil
	}
}

var errNotCommitted = errors.New("the room has left this node before the commit")

// traceLost ends the spans of what this node does not commit.
func (r *liveRoom) traceLost() {
	for _, t := range r.traces {
		t.span.SetStatus(codes.Error, errNotCommitted.Error())
		t.span.End()
	}
	r.traces = nil
}
