package persisttest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// raise is by how much an owner raises the epoch when promises may have been lost.
const raise = 1 << 32

// moveOf makes the boot's claim of a row as it is, with a standby.
func moveOf(r record.Row, b persist.Boot, standby string) record.Claim {
	c := claimOf(r, b)
	c.Standby = standby
	return c
}

// testMembers makes every change that a room's row can see, one after the other. Each is tried again as if its answer were lost,
// then by a rival who has read the same row.
func testMembers(t *testing.T, s persist.Store) {
	o, n, other := Started(t, s), Started(t, s), Started(t, s)
	r := NewRow(o)
	r.Standby = n.Folder
	for range 2 {
		wantWon(t, "create", r)(s.CreateRows(t.Context(), o.ID, []record.Row{r}))
	}
	wantMembers(t, s, r)
	for _, c := range []struct {
		change  string
		by      persist.Boot
		standby string
		raise   record.Epoch // 0 means 1
	}{
		{"dismiss", o, "", 0},
		{"recruit", o, n.Folder, 0},
		{"recruit another", o, other.Folder, 0},
		{"seize", other, "", 0},
		{"recruit again", other, o.Folder, 0},
		{"take after a yield", o, other.Folder, 0},
		{"resume", o, other.Folder, 0},
		{"raise", o, "", raise},
	} {
		move := moveOf(r, c.by, c.standby)
		move.Epoch = r.Epoch + max(c.raise, 1)
		before := r
		r.Epoch, r.Boot, r.Folder, r.Standby, r.Nonce = move.Epoch, c.by.ID, c.by.Folder, c.standby, move.Nonce
		for range 2 {
			wantWon(t, c.change, r)(s.ClaimRows(t.Context(), c.by.ID, []record.Claim{move}))
		}
		wantMembers(t, s, r)
		wantRefused(t, s, c.change, before, r, n)
	}
	before := r
	r = wantReleased(t, s, r, o)
	wantRefused(t, s, "release", before, r, n)
	move := moveOf(r, n, "")
	before = r
	r.Epoch, r.State, r.Boot, r.Folder, r.Nonce = move.Epoch, record.RowLive, n.ID, n.Folder, move.Nonce
	for range 2 {
		wantWon(t, "claim", r)(s.ClaimRows(t.Context(), n.ID, []record.Claim{move}))
	}
	wantMembers(t, s, r)
	wantRefused(t, s, "claim", before, r, other)
	move = moveOf(r, n, o.Folder)
	claim(t, s, n, move)
	wrote(t, s, []record.Final{finalOf(r)}, persist.Written)
	over := get[record.Row](t)(s.Row(t.Context(), r.Room))
	if over.State != record.RowOver || over.Epoch <= move.Epoch || over.Standby != "" {
		t.Errorf("over: %+v", over)
	}
	wantMembers(t, s, over)
	wantRefused(t, s, "over", over, over, o)
}

// wantWon checks the answer to one write.
func wantWon(t *testing.T, change string, want record.Row) func([]record.RowResult, error) {
	return func(got []record.RowResult, err error) {
		t.Helper()
		must(t, err)
		if got[0].Err != nil || got[0].Row != want {
			t.Fatalf("%s: %+v, want %+v", change, got[0], want)
		}
	}
}

// wantReleased releases a room at a higher epoch, and tries that again.
func wantReleased(t *testing.T, s persist.Store, r record.Row, b persist.Boot) record.Row {
	t.Helper()
	release := record.Release{Room: r.Room, FromEpoch: r.Epoch, Epoch: r.Epoch + 1, Nonce: Nonce(),
		Checkpoint: record.Checkpoint{Point: record.Point{Epoch: r.Epoch, Seq: 12}, Data: []byte("all of it")}}
	r.Epoch, r.State, r.Folder, r.Standby, r.Nonce = release.Epoch, record.RowReleased, "", "", release.Nonce
	for range 2 {
		got, err := s.ReleaseRow(t.Context(), b.ID, release)
		wantWon(t, "release", r)([]record.RowResult{got}, err)
	}
	wantMembers(t, s, r)
	return r
}

// wantRefused has a boot make every change from a row as it was. None may succeed, since the row has moved on.
func wantRefused(t *testing.T, s persist.Store, after string, was, is record.Row, by persist.Boot) {
	t.Helper()
	for what, standby := range map[string]string{"alone": "", "with a standby": "some folder"} {
		if got := claim(t, s, by, moveOf(was, by, standby)); !errors.Is(got.Err, record.ErrMovedOn) || got.Row != is {
			t.Fatalf("after %s the row as it was before was claimed %s: %+v", after, what, got)
		}
	}
	got := get[record.RowResult](t)(s.ReleaseRow(t.Context(), by.ID, record.Release{Room: was.Room, FromEpoch: was.Epoch, Epoch: was.Epoch + 1, Nonce: Nonce(),
		Checkpoint: record.Checkpoint{Point: record.Point{Epoch: was.Epoch, Seq: 99}}}))
	if !errors.Is(got.Err, record.ErrMovedOn) || got.Row != is {
		t.Fatalf("after %s the row as it was before was released: %+v", after, got)
	}
	wantRow(t, s, is)
}

// wantMembers checks that every way to read a row shows it as it is.
func wantMembers(t *testing.T, s persist.Store, want record.Row) {
	t.Helper()
	wantRow(t, s, want)
	if got := get[[]record.Row](t)(s.Rows(t.Context(), []room.ID{want.Room})); !slices.Equal(got, []record.Row{want}) {
		t.Fatalf("Rows: %+v, want %+v", got, want)
	}
	if got := get[[]record.Row](t)(s.ListRows(t.Context(), persist.RowFilter{State: want.State})); !slices.Contains(got, want) {
		t.Fatalf("ListRows: %+v, want %+v", got, want)
	}
	for _, folder := range []string{want.Folder, want.Standby} {
		if folder == "" {
			continue
		}
		got := get[[]record.Row](t)(s.RowsNaming(t.Context(), []string{folder}, "", 0))
		if slices.Contains(got, want) != (want.State == record.RowLive) {
			t.Fatalf("RowsNaming %s: %+v, want %+v", folder, got, want)
		}
	}
}

// testRows reads many rows at once.
func testRows(t *testing.T, s persist.Store) {
	b := Started(t, s)
	var ids []room.ID
	var want, rows []record.Row
	for i := range 300 {
		r := NewRow(b)
		ids = append(ids, r.Room)
		if i%7 == 0 {
			r = record.Row{} // there is none
		} else {
			rows = append(rows, r)
		}
		want = append(want, r)
	}
	get[[]record.RowResult](t)(s.CreateRows(t.Context(), b.ID, rows))
	ids, want = append(ids, ids[1]), append(want, want[1]) // twice
	if got := get[[]record.Row](t)(s.Rows(t.Context(), ids)); !slices.Equal(got, want) {
		t.Errorf("%d rows in another order than asked for", len(got))
	}
	if got := get[[]record.Row](t)(s.Rows(t.Context(), nil)); len(got) != 0 {
		t.Errorf("asked for none: %+v", got)
	}
}

// testRowsNaming looks for the rooms of folders, page by page.
func testRowsNaming(t *testing.T, s persist.Store) {
	a, b, c := Started(t, s), Started(t, s), Started(t, s)
	named := map[string][]room.ID{}
	add := func(by persist.Boot, standby string, folders ...string) record.Row {
		r := NewRow(by)
		r.Standby = standby
		must(t, get[[]record.RowResult](t)(s.CreateRows(t.Context(), by.ID, []record.Row{r}))[0].Err)
		for _, f := range folders {
			named[f] = append(named[f], r.Room)
		}
		return r
	}
	for range 10 {
		add(a, b.Folder, "a", "b", "ab", "ac")
		add(b, a.Folder, "a", "b", "ab", "ac")
		add(c, "", "c", "ac")
		add(b, c.Folder, "b", "c", "ab", "ac")
	}
	gone := add(a, c.Folder)
	released(t, s, a, gone, record.Point{Epoch: 1, Seq: 1})
	wrote(t, s, []record.Final{finalOf(add(c, a.Folder))}, persist.Written)
	folder := map[rune]string{'a': a.Folder, 'b': b.Folder, 'c': c.Folder}
	for names, want := range named {
		var folders []string
		for _, n := range names {
			folders = append(folders, folder[n])
		}
		slices.Sort(want)
		for _, limit := range []int{0, 1, 7, len(want)} {
			var got []room.ID
			for after := room.ID(""); ; after = got[len(got)-1] {
				page := get[[]record.Row](t)(s.RowsNaming(t.Context(), folders, after, limit))
				for _, r := range page {
					got = append(got, r.Room)
				}
				if len(page) == 0 || limit == 0 {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s in pages of %d: %v, want %v", names, limit, got, want)
			}
		}
	}
	for _, folders := range [][]string{nil, {""}, {"nowhere"}} {
		if got := get[[]record.Row](t)(s.RowsNaming(t.Context(), folders, "", 0)); len(got) != 0 {
			t.Errorf("of %q: %+v", folders, got)
		}
	}
}

// OlderProgram checks that what a program writes that knows no standbys leaves none in a row, nor a strike that may be forgiven. do runs
// SQL as such a program does.
func OlderProgram(t *testing.T, s persist.Store, do func(query string)) {
	t.Helper()
	b := Started(t, s)
	for name, c := range map[string]struct {
		set  string
		want record.Row
	}{
		"claim":   {`epoch = 4, boot = 'old', folder = 'its'`, record.Row{Epoch: 4, State: record.RowLive, Boot: "old", Folder: "its"}},
		"release": {`state = 'released'`, record.Row{Epoch: 3, State: record.RowReleased, Boot: b.ID, Folder: b.Folder, Strike: strike(1)}},
		"over":    {`state = 'over'`, record.Row{Epoch: 3, State: record.RowOver, Boot: b.ID, Folder: b.Folder}},
	} {
		r := created(t, s, b)
		move := moveOf(r, b, "standby of "+name)
		move.Epoch, move.Strike = 3, new(strike(1))
		r = claim(t, s, b, move).Row
		if r.Standby != move.Standby || r.Strike != *move.Strike {
			t.Fatalf("%s: %+v", name, r)
		}
		do(fmt.Sprintf(`UPDATE rooms SET %s WHERE room = '%s'`, c.set, r.Room))
		c.want.Room, c.want.Game, c.want.Nonce = r.Room, r.Game, r.Nonce
		wantRow(t, s, c.want)
		if got := get[[]record.Row](t)(s.RowsNaming(t.Context(), []string{r.Standby}, "", 0)); len(got) != 0 {
			t.Errorf("%s: the standby is still named: %+v", name, got)
		}
		if name == "release" { // and claims it again
			do(fmt.Sprintf(`UPDATE rooms SET state = 'live', epoch = 4 WHERE room = '%s'`, r.Room))
			c.want.State, c.want.Epoch, c.want.Strike = record.RowLive, 4, record.Strike{}
			wantRow(t, s, c.want)
		}
	}
}
