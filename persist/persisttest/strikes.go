package persisttest

import (
	"testing"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room/record"
)

// strike is one whose fingerprint uses all its bits.
func strike(deaths int) record.Strike { return record.Strike{Fingerprint: 1<<64 - 42, Deaths: deaths} }

// testStrikes has claims and releases write strikes and keep them, over many owners, until the room is over. Each is tried again as if its
// answer were lost.
func testStrikes(t *testing.T, s persist.Store) {
	a, b := Started(t, s), Started(t, s)
	r := created(t, s, a)
	for _, c := range []struct {
		change  string
		by      persist.Boot
		standby string
		writes  *record.Strike
	}{
		{"recruit", a, b.Folder, nil},
		{"seize with the first death", b, "", new(strike(1))},
		{"recruit", b, a.Folder, nil},
		{"take", a, b.Folder, nil},
		{"resume with another death", a, b.Folder, new(strike(2))},
		{"seize in another step", b, "", new(record.Strike{Fingerprint: 7, Deaths: 1})},
		{"forgive", b, "", new(record.Strike{})},
		{"seize with the next death", a, "", new(strike(1))},
	} {
		move := moveOf(r, c.by, c.standby)
		move.Strike = c.writes
		r.Epoch, r.Boot, r.Folder, r.Standby, r.Nonce = move.Epoch, c.by.ID, c.by.Folder, c.standby, move.Nonce
		if c.writes != nil {
			r.Strike = *c.writes
		}
		for range 2 {
			wantWon(t, c.change, r)(s.ClaimRows(t.Context(), c.by.ID, []record.Claim{move}))
		}
		wantMembers(t, s, r)
	}
	r = wantReleased(t, s, r, a)
	late := moveOf(r, b, "")
	late.FromEpoch, late.Strike = r.Epoch-1, new(strike(9))
	if got := claim(t, s, b, late); got.Row != r {
		t.Fatalf("a claim that is too late: %+v, want %+v", got, r)
	}
	move := moveOf(r, b, "")
	r.Epoch, r.State, r.Boot, r.Folder, r.Nonce = move.Epoch, record.RowLive, b.ID, b.Folder, move.Nonce
	wantWon(t, "claim a released room", r)(s.ClaimRows(t.Context(), b.ID, []record.Claim{move}))
	for _, writes := range []record.Strike{strike(1), {}, strike(2)} {
		release := record.Release{Room: r.Room, FromEpoch: r.Epoch, Epoch: r.Epoch, Nonce: Nonce(), Strike: &writes,
			Checkpoint: record.Checkpoint{Point: record.Point{Epoch: r.Epoch, Seq: 99}}}
		got := get[record.RowResult](t)(s.ReleaseRow(t.Context(), b.ID, release))
		must(t, got.Err)
		if got.Row.Strike != writes {
			t.Fatalf("released with %+v: %+v", writes, got.Row)
		}
		move := moveOf(got.Row, b, "")
		claimed := claim(t, s, b, move)
		must(t, claimed.Err)
		if claimed.Row.Strike != writes {
			t.Fatalf("claimed again after %+v: %+v", writes, claimed.Row)
		}
		r = claimed.Row
	}
	wrote(t, s, []record.Final{finalOf(r)}, persist.Written)
	if over := get[record.Row](t)(s.Row(t.Context(), r.Room)); over.State != record.RowOver || over.Strike != (record.Strike{}) {
		t.Errorf("over: %+v", over)
	}
}
