package cluster

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/wire"
)

func TestErrorsCrossALink(t *testing.T) {
	c := newGrid(t).add("a")
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
		&notMineError{to: "b"},
	} {
		if got := over(fmt.Errorf("while asked: %w", want)); !reflect.DeepEqual(got, want) {
			t.Errorf("%#v became %#v", want, got)
		}
	}
	held := &actor.HeldError{Held: actor.Held{Why: "it needs version 7"}}
	if got := over(held); !errors.Is(got, actor.ErrUnreachable) || got.Error() != held.Error() {
		t.Errorf("a held room became %v", got)
	}
	if got := over(&callError{"b", context.DeadlineExceeded}); !errors.Is(got, actor.ErrUnreachable) || errors.Is(got, context.DeadlineExceeded) {
		t.Errorf("a node that does not answer became %v", got)
	}
	if got := over(errors.New("password=hunter2")); strings.Contains(got.Error(), "hunter2") {
		t.Errorf("an unknown error tells what it should not: %v", got)
	}
	if got := over(&overError{actor.Info{}}); func() bool { e, ok := errors.AsType[*actor.CloseError](got); return !ok || e.Code != wire.CloseOver }() {
		t.Errorf("a room that is over became %v", got)
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
