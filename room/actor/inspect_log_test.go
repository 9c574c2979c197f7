package actor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
)

// recorded reads a room's whole log, as far as it is committed.
func (n *node) recorded(id room.ID) *core.Recording {
	n.t.Helper()
	log, err := n.Log(context.Background(), id, 0)
	if err != nil {
		n.t.Fatal(err)
	}
	var r core.Recording
	if err := r.Add(bytes.NewReader(log.Replay), log.Committed); err != nil {
		n.t.Fatal(err)
	}
	return &r
}

func TestForksAndLogsAreRefusedWithAReason(t *testing.T) {
	n := newNode(t, func(o *setup) { o.Options.MaxRooms = 1 })
	id := n.create(actor.Create{Game: "counter"})
	h := n.recorded(id).Header
	if _, err := n.ForkHeader(h); !errors.Is(err, actor.ErrTooMany) {
		t.Errorf("on a full node: %v", err)
	}
	if _, err := n.Log(context.Background(), "zzzzzzzzzzzzzzzz", 0); !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("of no room: %v", err)
	}
	if why, ok := errors.AsType[*room.Refusal](n.ActFor(context.Background(), id, "ann", json.RawMessage(`{}`))); !ok || why.Code != "no_dev_tools" {
		t.Errorf("acting without dev tools: %v", why)
	}
	n.Drain()
	if _, err := n.ForkHeader(h); !errors.Is(err, actor.ErrDraining) {
		t.Errorf("on a draining node: %v", err)
	}
	n.stop()

	n = newNode(t, func(o *setup) { o.Options.MaxLog, o.Journal = 10, nil })
	_, err := n.Log(context.Background(), n.create(actor.Create{Game: "counter"}), 0)
	if why, ok := errors.AsType[*room.Refusal](err); !ok || why.Code != "too_long" {
		t.Errorf("a log that is too long: %v", err)
	}
	_, err = n.ForkHeader(h)
	if why, ok := errors.AsType[*room.Refusal](err); !ok || why.Code != "no_journal" {
		t.Errorf("without a journal: %v", err)
	}
	n.stop()
}

// TestALogIsHandedOutFromWhereItIsKnown reads a long log bit by bit.
func TestALogIsHandedOutFromWhereItIsKnown(t *testing.T) {
	n := newNode(t)
	id := n.create(actor.Create{Game: "counter"})
	c := n.player(id, "ann")
	pad := strings.Repeat("x", 8000)
	for range 40 { // of which a part holds eight
		c.act(`{"add":1,"pad":"` + pad + `"}`)
	}
	r := n.recorded(id)
	for range 3 {
		c.act(`{"add":1}`)
	}
	whole, err := n.Log(context.Background(), id, 0)
	if err != nil {
		t.Fatal(err)
	}
	rest, err := n.Log(context.Background(), id, r.Last().Seq-1)
	if err != nil || len(rest.Replay) >= len(whole.Replay) {
		t.Errorf("the rest has %d of %d bytes: %v", len(rest.Replay), len(whole.Replay), err)
	}
	was := r.Last().Seq
	if err := r.Add(bytes.NewReader(rest.Replay), math.MaxInt64); err != nil || r.Last().Seq != was+3 {
		t.Errorf("with the rest the log goes to %d, before to %d: %v", r.Last().Seq, was, err)
	}
	i := room.Index(0)
	for e, err := range r.Entries(0) {
		if i++; err != nil || e.Index != i {
			t.Fatalf("entry %d is %d: %v", i, e.Index, err)
		}
	}
	if i != r.Last().Seq {
		t.Errorf("%d entries of %d", i, r.Last().Seq)
	}
	n.stop()
}
