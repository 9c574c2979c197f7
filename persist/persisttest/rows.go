package persisttest

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// created writes the first row of a new room under the boot.
func created(t *testing.T, s persist.Store, b persist.Boot) record.Row {
	t.Helper()
	r := NewRow(b)
	results, err := s.CreateRows(t.Context(), b.ID, []record.Row{r})
	must(t, err)
	must(t, results[0].Err)
	return r
}

// claimOf makes the boot's claim of a row as it is.
func claimOf(r record.Row, b persist.Boot) record.Claim {
	return record.Claim{Room: r.Room, FromEpoch: r.Epoch, FromFolder: r.Folder, FromState: r.State,
		Epoch: r.Epoch + 1, Folder: b.Folder, Nonce: Nonce()}
}

func claim(t *testing.T, s persist.Store, b persist.Boot, c record.Claim) record.RowResult {
	t.Helper()
	results, err := s.ClaimRows(t.Context(), b.ID, []record.Claim{c})
	must(t, err)
	return results[0]
}

func wantRow(t *testing.T, s persist.Store, want record.Row) {
	t.Helper()
	if got := get[record.Row](t)(s.Row(t.Context(), want.Room)); got != want {
		t.Fatalf("row %+v, want %+v", got, want)
	}
}

func testRowCreated(t *testing.T, s persist.Store) {
	b := Started(t, s)
	r := created(t, s, b)
	wantRow(t, s, r)
	fresh := NewRow(b)
	rival := r
	rival.Nonce, rival.Game = Nonce(), "go"
	results, err := s.CreateRows(t.Context(), b.ID, []record.Row{r, fresh, rival})
	must(t, err)
	if results[0].Err != nil || results[0].Row != r {
		t.Errorf("the same write again: %+v", results[0])
	}
	if results[1].Err != nil || results[1].Row != fresh {
		t.Errorf("a fresh row beside it: %+v", results[1])
	}
	if !errors.Is(results[2].Err, record.ErrMovedOn) || results[2].Row != r {
		t.Errorf("another write of the same room: %+v", results[2])
	}
	wantRow(t, s, r)
}

func testRowByCode(t *testing.T, s persist.Store) {
	b := Started(t, s)
	r := NewRow(b)
	r.Code, r.Private = "apple-tree", true
	get[[]record.RowResult](t)(s.CreateRows(t.Context(), b.ID, []record.Row{r, NewRow(b)}))
	if got := get[record.Row](t)(s.RowByCode(t.Context(), "apple-tree")); got != r {
		t.Errorf("got %+v", got)
	}
	for _, code := range []string{"", "apple-pie"} {
		if _, err := s.RowByCode(t.Context(), code); !errors.Is(err, record.ErrNotFound) {
			t.Errorf("code %q: %v", code, err)
		}
	}
	wrote(t, s, []record.Final{finalOf(r)}, persist.Written)
	if _, err := s.RowByCode(t.Context(), "apple-tree"); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("the code of a finished room: %v", err)
	}
}

func finalOf(r record.Row) record.Final {
	f := Game(r.Game, "ann", "bob")
	f.Room = r.Room
	return Seal(f)
}

func testRowOver(t *testing.T, s persist.Store) {
	b := Started(t, s)
	r := created(t, s, b)
	closed := finalOf(r)
	closed.End, closed.Rated = record.Closed, false
	wrote(t, s, []record.Final{Seal(closed)}, persist.Written)
	r.State, r.Epoch = record.RowOver, r.Epoch+1
	wantRow(t, s, r)
	if got := claim(t, s, b, claimOf(r, b)); !errors.Is(got.Err, record.ErrMovedOn) || got.Row != r {
		t.Errorf("a room that is over was claimed: %+v", got)
	}
}

// If the store was away when a room was made, the room's first row comes after its result.
func testRowAfterResult(t *testing.T, s persist.Store) {
	b := Started(t, s)
	r := NewRow(b)
	wrote(t, s, []record.Final{finalOf(r)}, persist.Written)
	results, err := s.CreateRows(t.Context(), b.ID, []record.Row{r})
	must(t, err)
	if !errors.Is(results[0].Err, record.ErrMovedOn) || results[0].Row.State != record.RowOver {
		t.Errorf("got %+v", results[0])
	}
}

func testClaim(t *testing.T, s persist.Store) {
	first := Started(t, s)
	r := created(t, s, first)
	second := NewBoot()
	second.Folder = first.Folder
	must(t, s.StartBoot(t.Context(), second))
	c := claimOf(r, second)
	c.Epoch = 9
	got := claim(t, s, second, c)
	r.Epoch, r.Boot, r.Nonce = 9, second.ID, c.Nonce
	if got.Err != nil || got.Row != r {
		t.Errorf("claimed %+v, want %+v", got, r)
	}
	wantRow(t, s, r)
}

func testClaimRefused(t *testing.T, s persist.Store) {
	b := Started(t, s)
	r := created(t, s, b)
	for name, change := range map[string]func(*record.Claim){
		"older epoch":    func(c *record.Claim) { c.FromEpoch-- },
		"newer epoch":    func(c *record.Claim) { c.FromEpoch++; c.Epoch++ },
		"other folder":   func(c *record.Claim) { c.FromFolder = "copy" },
		"other state":    func(c *record.Claim) { c.FromState = record.RowReleased },
		"epoch standing": func(c *record.Claim) { c.Epoch = c.FromEpoch },
		"epoch falling":  func(c *record.Claim) { c.Epoch = c.FromEpoch - 1 },
	} {
		c := claimOf(r, b)
		change(&c)
		if got := claim(t, s, b, c); !errors.Is(got.Err, record.ErrMovedOn) || got.Row != r {
			t.Errorf("%s: %+v", name, got)
		}
	}
	c := claimOf(r, b)
	c.Room = NewRoom()
	if got := claim(t, s, b, c); !errors.Is(got.Err, record.ErrNotFound) {
		t.Errorf("no row: %+v", got)
	}
	wantRow(t, s, r)
}

func testClaimAnswerLost(t *testing.T, s persist.Store) {
	b := Started(t, s)
	r := created(t, s, b)
	c := claimOf(r, b)
	first, again := claim(t, s, b, c), claim(t, s, b, c)
	if first.Err != nil || again != first {
		t.Errorf("first %+v, again %+v", first, again)
	}
	other := c
	other.Nonce = Nonce()
	if got := claim(t, s, b, other); !errors.Is(got.Err, record.ErrMovedOn) {
		t.Errorf("another's claim: %+v", got)
	}
}

// testClaimsOfRivals lets many boots claim the same released rooms at once, in different orders.
func testClaimsOfRivals(t *testing.T, s persist.Store) {
	holder := Started(t, s)
	var rows []record.Row
	for range 20 {
		rows = append(rows, released(t, s, holder, created(t, s, holder), record.Point{Epoch: 1, Seq: 5}))
	}
	var mu sync.Mutex
	winners := map[room.ID]record.BootID{}
	var group sync.WaitGroup
	for w := range 6 {
		b := Started(t, s)
		group.Go(func() {
			mine := slices.Concat(rows[w*3:], rows[:w*3])
			var claims []record.Claim
			for _, r := range mine {
				claims = append(claims, claimOf(r, b))
			}
			results, err := s.ClaimRows(t.Context(), b.ID, claims)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, r := range results {
				if r.Err == nil {
					if winners[r.Row.Room] != "" {
						t.Errorf("room %s was won twice", r.Row.Room)
					}
					winners[r.Row.Room] = b.ID
				}
			}
		})
	}
	group.Wait()
	for _, r := range rows {
		if now := get[record.Row](t)(s.Row(t.Context(), r.Room)); now.Boot != winners[r.Room] || now.State != record.RowLive {
			t.Errorf("room %s was won by %q, its row says %+v", r.Room, winners[r.Room], now)
		}
	}
}

func testManyClaims(t *testing.T, s persist.Store) {
	b := Started(t, s)
	var rows []record.Row
	for range 300 {
		rows = append(rows, NewRow(b))
	}
	for _, r := range get[[]record.RowResult](t)(s.CreateRows(t.Context(), b.ID, rows)) {
		must(t, r.Err)
	}
	var claims []record.Claim
	for _, r := range rows {
		claims = append(claims, claimOf(r, b))
	}
	claims[7].FromFolder = "copy"
	for i, r := range get[[]record.RowResult](t)(s.ClaimRows(t.Context(), b.ID, claims)) {
		if won := r.Err == nil; won != (i != 7) || r.Row.Room != rows[i].Room {
			t.Fatalf("claim %d: %+v", i, r)
		}
	}
}

// released releases a row at a point and returns it as it is then.
func released(t *testing.T, s persist.Store, b persist.Boot, r record.Row, p record.Point) record.Row {
	t.Helper()
	got, err := s.ReleaseRow(t.Context(), b.ID, record.Release{Room: r.Room, FromEpoch: r.Epoch, Epoch: r.Epoch, Nonce: Nonce(),
		Checkpoint: record.Checkpoint{Point: p, Data: []byte("all\x00of it")}})
	must(t, err)
	must(t, got.Err)
	return got.Row
}

func testRelease(t *testing.T, s persist.Store) {
	holder, other := Started(t, s), Started(t, s)
	r := created(t, s, holder)
	release := record.Release{Room: r.Room, FromEpoch: r.Epoch, Epoch: r.Epoch, Nonce: Nonce()}
	if got := get[record.RowResult](t)(s.ReleaseRow(t.Context(), other.ID, release)); !errors.Is(got.Err, record.ErrMovedOn) {
		t.Errorf("released by who does not hold it: %+v", got)
	}
	point := record.Point{Epoch: 1, Seq: 40}
	r = released(t, s, holder, r, point)
	if r.State != record.RowReleased || r.Epoch != 1 {
		t.Errorf("released %+v", r)
	}
	checkpoint := get[record.Checkpoint](t)(s.Checkpoint(t.Context(), r.Room))
	if checkpoint.Point != point || !bytes.Equal(checkpoint.Data, []byte("all\x00of it")) {
		t.Errorf("checkpoint %+v", checkpoint)
	}
	got := claim(t, s, other, claimOf(r, other)) // from another folder
	if got.Err != nil || got.Row.State != record.RowLive || got.Row.Boot != other.ID || got.Row.Folder != other.Folder {
		t.Fatalf("claimed %+v", got)
	}
	if kept := get[record.Checkpoint](t)(s.Checkpoint(t.Context(), r.Room)); kept.Point != point {
		t.Errorf("the claim changed the checkpoint: %+v", kept)
	}
	release = record.Release{Room: r.Room, FromEpoch: got.Row.Epoch, Epoch: got.Row.Epoch, Nonce: Nonce(), Checkpoint: record.Checkpoint{Point: record.Point{Epoch: 1, Seq: 39}}}
	if got := get[record.RowResult](t)(s.ReleaseRow(t.Context(), other.ID, release)); !errors.Is(got.Err, record.ErrMovedOn) {
		t.Errorf("the checkpoint fell: %+v", got)
	}
	wrote(t, s, []record.Final{finalOf(r)}, persist.Written)
	if _, err := s.Checkpoint(t.Context(), r.Room); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("the checkpoint of a room that is over: %v", err)
	}
}

func testListRows(t *testing.T, s persist.Store) {
	a, b := Started(t, s), Started(t, s)
	var all []room.ID
	for range 5 {
		all = append(all, created(t, s, a).Room)
	}
	free := released(t, s, b, created(t, s, b), record.Point{Epoch: 1, Seq: 1})
	slices.Sort(all)
	ids := func(f persist.RowFilter) (ids []room.ID) {
		for _, r := range get[[]record.Row](t)(s.ListRows(t.Context(), f)) {
			ids = append(ids, r.Room)
		}
		return ids
	}
	if got := ids(persist.RowFilter{Folder: a.Folder, State: record.RowLive}); !slices.Equal(got, all) {
		t.Errorf("of a folder: %v, want %v", got, all)
	}
	if got := ids(persist.RowFilter{State: record.RowReleased}); !slices.Equal(got, []room.ID{free.Room}) {
		t.Errorf("released: %v, want %v", got, free.Room)
	}
	if got := ids(persist.RowFilter{Folder: a.Folder, After: all[1], Limit: 2}); !slices.Equal(got, all[2:4]) {
		t.Errorf("a page: %v, want %v", got, all[2:4])
	}
	if got := ids(persist.RowFilter{}); len(got) != 6 {
		t.Errorf("all: %v", got)
	}
}

func testDeadBootWrites(t *testing.T, s persist.Store) {
	dead := Started(t, s)
	r := created(t, s, dead)
	fenced(t, s, dead)
	ended := Started(t, s)
	must(t, s.EndBoot(t.Context(), ended.ID))
	for _, b := range []persist.Boot{dead, ended, NewBoot()} {
		_, create := s.CreateRows(t.Context(), b.ID, []record.Row{NewRow(b)})
		_, claim := s.ClaimRows(t.Context(), b.ID, []record.Claim{claimOf(r, b)})
		_, release := s.ReleaseRow(t.Context(), b.ID, record.Release{Room: r.Room, FromEpoch: r.Epoch, Epoch: r.Epoch, Nonce: Nonce()})
		for what, err := range map[string]error{"create": create, "claim": claim, "release": release} {
			if !errors.Is(err, persist.ErrBootDead) {
				t.Errorf("%s by %s: %v, want ErrBootDead", what, b.ID, err)
			}
		}
	}
	wantRow(t, s, r)
}
