package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/wire"
)

func TestErrorsCrossALink(t *testing.T) {
	c := New(Options{Mux: link.NewMux(), Log: slog.New(slog.DiscardHandler)})
	over := func(err error) error { return decodeError(c.encodeError(err)) }
	for _, known := range plainErrors {
		if got := over(fmt.Errorf("while asked: %w", known.err)); !errors.Is(got, known.err) {
			t.Errorf("%v became %v", known.err, got)
		}
	}
	for _, want := range []error{
		&actor.OptionsError{Field: "name", Reason: "too long"},
		&actor.CloseError{Code: wire.CloseOver, Reason: "over", Over: &wire.Over{Seq: 3, End: "finished", Result: []byte(`{"a":1}`)}},
		&actor.CloseError{Code: wire.CloseForbidden, Reason: "full"},
		&actor.UnreachableError{Reason: "its node is down"},
		&room.Refusal{Code: "no", Reason: "never"},
		&NotMatchmakerError{Maker: "b"},
	} {
		if got := over(fmt.Errorf("while asked: %w", want)); !reflect.DeepEqual(got, want) {
			t.Errorf("%#v became %#v", want, got)
		}
	}
	held := &actor.HeldError{Held: actor.Held{Why: "it needs version 7"}}
	if got := over(held); !errors.Is(got, actor.ErrUnreachable) || got.Error() != held.Error() {
		t.Errorf("a held room became %v", got)
	}
	if got := over(&NoAnswerError{"b", context.DeadlineExceeded}); !errors.Is(got, actor.ErrUnreachable) || errors.Is(got, context.DeadlineExceeded) {
		t.Errorf("a node that does not answer became %v", got)
	}
	if got := over(errors.New("password=hunter2")); strings.Contains(got.Error(), "hunter2") {
		t.Errorf("an unknown error tells what it should not: %v", got)
	}
}

func FuzzDecodeError(f *testing.F) {
	f.Add([]byte(`{"kind":"options","field":"x"}`))
	f.Add([]byte(`{"kind":"from the future","reason":"r"}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if decodeError(body) == nil {
			t.Error("an error became none")
		}
	})
}
