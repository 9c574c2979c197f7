package actor_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/roomring/roomring/cluster/lifecycle"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// newer turns a kept room into one that a later runtime may have left.
var newer = map[string]func(k *record.Kept){
	"runtime": func(k *record.Kept) { k.Header.Runtime = core.RuntimeVersion + 1 },
	"kind": func(k *record.Kept) {
		raw, _ := cbor.Marshal(map[int]any{1: 200, 20: uint64(k.Last() + 1), 21: uint64(k.Epoch)})
		k.Batches = append(k.Batches, record.Batch{Room: k.Header.ID, Epoch: k.Epoch, First: k.Last() + 1, Last: k.Last() + 1, Entries: raw})
	},
	"unborn": func(k *record.Kept) { k.Header.Runtime, k.Batches, k.Snapshots = core.RuntimeVersion+1, nil, nil },
}

// unaskedRows fails the test when a row is claimed.
type unaskedRows struct{ t *testing.T }

func (unaskedRows) create(record.Row) error { return nil }

func (r unaskedRows) claim(record.Claim) (won record.RowResult) {
	r.t.Error("a room is claimed that this program cannot run")
	return won
}

// TestANewerRoomIsHeldAndNotClaimed: at the start, poisoned or not. A program that can read the room judges it.
func TestANewerRoomIsHeldAndNotClaimed(t *testing.T) {
	for name, change := range newer {
		for _, poisoned := range []bool{false, true} {
			n := newNode(t)
			id := n.create(actor.Create{Game: "counter"})
			n.player(id, "a").act(`{"add":1}`)
			change(&n.journal.rooms[id].kept)
			found := n.restart(func(o *setup) {
				if o.Rows = (unaskedRows{t}); poisoned {
					o.Black = &poison{id}
				}
			})
			if found != (lifecycle.Restored{Held: 1}) {
				t.Errorf("%s: restored %+v", name, found)
			}
			if held := n.owner.Held(); len(held) != 1 || !strings.Contains(held[0].Why, "runtime") || !n.journal.has(id) {
				t.Errorf("%s: held %+v", name, held)
			}
			if _, ended := n.results.get(id); ended {
				t.Errorf("%s: it was ended", name)
			}
			n.stop()
		}
	}
}

// TestANewerRoomIsNotAdopted: from the store.
func TestANewerRoomIsNotAdopted(t *testing.T) {
	for name, change := range newer {
		n, to := newNode(t), newNode(t)
		id := n.create(actor.Create{Game: "counter"})
		n.player(id, "a").act(`{"add":1}`)
		kept, err := n.journal.Load(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		change(&kept)
		to.taken, to.options.Rows = kept, unaskedRows{t}
		err = to.owner.Want(t.Context(), id)
		if _, held := errors.AsType[*actor.HeldError](err); !held || to.journal.has(id) {
			t.Errorf("%s: %v, in the journal: %v", name, err, to.journal.has(id))
		}
		n.stop()
		to.stop()
	}
}

// miser is the counter with rules that have changed without a new version.
type miser struct{ counter }

func (m *miser) Act(t *room.Turn, p room.Player, a counterAct) error {
	if a.Add > 1 {
		return room.Refuse("too_much", "one at a time")
	}
	return m.counter.Act(t, p, a)
}

// TestARoomOfOtherRulesIsHeld: it stays untouched, and goes on when the rules that it was played by are back.
func TestARoomOfOtherRulesIsHeld(t *testing.T) {
	n := newNode(t)
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	a.act(`{"add":1}`)
	a.act(`{"add":2}`)
	rules := n.options.Games
	spec, _ := rules.Lookup("counter")
	others, err := core.NewGames(room.MustDefine(spec.Spec(), func() *miser { return &miser{} }))
	if err != nil {
		t.Fatal(err)
	}
	if found := n.restart(func(o *setup) { o.Games, o.Rows = others, unaskedRows{t} }); found != (lifecycle.Restored{Held: 1}) {
		t.Errorf("restored %+v", found)
	}
	before, err := n.journal.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if held := n.owner.Held(); len(held) != 1 || !strings.Contains(held[0].Why, "was accepted when it was played and these rules refuse it (too_much)") {
		t.Errorf("held %+v", held)
	}
	if err := attachError(t, n, id, hello("a")); err.Code != wire.CloseUnreachable {
		t.Errorf("attach: %d %s", err.Code, err.Reason)
	}
	if found := n.restart(func(o *setup) { o.Games, o.Rows = rules, nil }); found.Rooms != 1 || found.Held != 0 {
		t.Errorf("with the old rules again: %+v", found)
	}
	defer n.stop()
	after, err := n.journal.Load(t.Context(), id)
	if err != nil || len(after.Batches) < len(before.Batches) || string(after.Batches[0].Entries) != string(before.Batches[0].Entries) {
		t.Errorf("the log has changed: %v", err)
	}
	look, _ := n.Inspect(t.Context(), id, actor.Look{View: &room.Spectator})
	if !strings.Contains(string(look.View), `"sum":3`) {
		t.Errorf("the view is %s", look.View)
	}
}
