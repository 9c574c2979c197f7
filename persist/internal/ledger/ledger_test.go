package ledger_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/internal/ledger"
	"github.com/roomring/roomring/persist/persisttest"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Whichever finals are poisoned, only those are refused, and it takes few transactions to find them.
func TestWriteBisects(t *testing.T) {
	errPoison := errors.New("poison")
	rapid.Check(t, func(t *rapid.T) {
		poison := map[room.ID]bool{}
		var finals []record.Final
		for _, bad := range rapid.SliceOfN(rapid.Custom(func(t *rapid.T) bool { return rapid.IntRange(0, 9).Draw(t, "") == 0 }), 0, 100).Draw(t, "bad") {
			f := persisttest.Game("chess", "ann", "bob")
			finals, poison[f.Room] = append(finals, f), bad
		}
		calls, bad := 0, 0
		verdicts, err := ledger.Write(t.Context(), finals, func(_ context.Context, finals []record.Final) ([]persist.Verdict, error) {
			calls++
			if slices.ContainsFunc(finals, func(f record.Final) bool { return poison[f.Room] }) {
				return nil, errPoison
			}
			return slices.Repeat([]persist.Verdict{{Outcome: persist.Written}}, len(finals)), nil
		}, func(err error) bool { return err == errPoison })
		if err != nil || len(verdicts) != len(finals) {
			t.Fatalf("%d verdicts, %v", len(verdicts), err)
		}
		for i, v := range verdicts {
			if poison[finals[i].Room] {
				bad++
			}
			if (v.Outcome == persist.Unwritable) != poison[finals[i].Room] {
				t.Fatalf("final %d: %+v", i, v)
			}
		}
		if bound := 1 + 2*7*bad; calls > bound { // 7 > log₂ 100
			t.Fatalf("%d transactions for %d bad ones, bound %d", calls, bad, bound)
		}
	})
}

func TestWriteStopsWhenTheStoreIsAway(t *testing.T) {
	errAway := errors.New("away")
	calls := 0
	_, err := ledger.Write(t.Context(), []record.Final{persisttest.Game("a", "b"), persisttest.Game("a", "b")},
		func(context.Context, []record.Final) ([]persist.Verdict, error) { calls++; return nil, errAway },
		func(error) bool { return false })
	if err != errAway || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

// Locks are taken in the same order, whatever the order of the games.
func TestOrderOfLocks(t *testing.T) {
	games := []record.Final{persisttest.Game("go", "z", "b"), persisttest.Game("chess", "b", "a"), persisttest.Game("chess", "z", "b")}
	forward := ledger.New(persist.Ratings{}, games)
	slices.Reverse(games)
	backward := ledger.New(persist.Ratings{}, games)
	if !slices.Equal(forward.Keys(), backward.Keys()) || len(forward.Keys()) != 5 {
		t.Errorf("keys %v and %v", forward.Keys(), backward.Keys())
	}
	for i, n := range forward.Names() {
		if n.Player != backward.Names()[i].Player {
			t.Errorf("names %v and %v", forward.Names(), backward.Names())
		}
	}
}
