package persisttest

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// endOf is the end of a room, written by who owns the row.
func endOf(r record.Row) record.Final {
	f := finalOf(r)
	f.By = record.Writer{Epoch: r.Epoch, Boot: r.Boot}
	return f
}

// testOver writes a batch of which some rooms have moved on.
func testOver(t *testing.T, s persist.Store) {
	b, other := Started(t, s), Started(t, s)
	owned, seized, unasked := created(t, s, b), created(t, s, b), created(t, s, b)
	inStore := wantReleased(t, s, created(t, s, b), b)
	reclaimed := created(t, s, b)
	stale := endOf(reclaimed)
	claim(t, s, other, claimOf(wantReleased(t, s, reclaimed, b), other))
	late := endOf(seized)
	seized = claim(t, s, other, moveOf(seized, other, "")).Row
	claim(t, s, other, claimOf(unasked, other))
	foreign := endOf(created(t, s, b))
	foreign.By.Boot = other.ID
	inHand := endOf(inStore) // its owner has released it and seen that the room is over
	anybody := finalOf(unasked)
	norow := endOf(NewRow(b))
	finals := []record.Final{late, endOf(owned), stale, inHand, foreign, norow, anybody}
	verdicts := wrote(t, s, finals, persist.Moved, persist.Written, persist.Moved, persist.Written, persist.Moved, persist.Written, persist.Written)
	var fine []record.Final
	for i, v := range verdicts {
		row := get[record.Row](t)(s.Row(t.Context(), finals[i].Room))
		_, err := s.Result(t.Context(), finals[i].Room)
		if v.Outcome == persist.Moved {
			if !errors.Is(v.Err(), record.ErrMovedOn) || v.Reason == "" || row.State != record.RowLive || !errors.Is(err, record.ErrNotFound) {
				t.Errorf("final %d: %+v; its row is %+v, its result %v", i, v, row, err)
			}
			continue
		}
		fine = append(fine, finals[i])
		if v.Err() != nil || row.State != record.RowOver || row.Epoch <= finals[i].By.Epoch || err != nil {
			t.Errorf("final %d: %+v; its row is %+v, its result %v", i, v, row, err)
		}
	}
	Audit(t, s, fine)
	// The new owner comes to the same end.
	same := late
	same.By = record.Writer{Epoch: seized.Epoch, Boot: other.ID}
	wrote(t, s, []record.Final{late, same}, persist.Moved, persist.Written)
	wrote(t, s, []record.Final{late, same}, persist.Moved, persist.Already)
	brokenOff := late
	brokenOff.End, brokenOff.Result = record.Aborted, room.Result{}
	wrote(t, s, []record.Final{Seal(brokenOff)}, persist.Moved)
	late.Result.Summary = "Another end"
	wrote(t, s, []record.Final{Seal(late)}, persist.Mismatch)
	Audit(t, s, append(fine, same))
}

// testOverByRivals lets a room be seized while its owner writes its end: one of the two succeeds.
func testOverByRivals(t *testing.T, s persist.Store) {
	b, other := Started(t, s), Started(t, s)
	var rows []record.Row
	for range 40 {
		rows = append(rows, created(t, s, b))
	}
	var finals, written []record.Final
	var claims []record.Claim
	for _, r := range rows {
		finals, claims = append(finals, endOf(r)), append(claims, claimOf(r, other))
	}
	var verdicts []persist.Verdict
	var claimed []record.RowResult
	var group sync.WaitGroup
	group.Go(func() {
		for batch := range slices.Chunk(finals, 8) {
			some, err := s.WriteResults(t.Context(), batch)
			if err != nil {
				t.Error(err)
			}
			verdicts = append(verdicts, some...)
		}
	})
	group.Go(func() {
		slices.Reverse(claims)
		for batch := range slices.Chunk(claims, 8) {
			some, err := s.ClaimRows(t.Context(), other.ID, batch)
			if err != nil {
				t.Error(err)
			}
			claimed = append(claimed, some...)
		}
		slices.Reverse(claimed)
	})
	group.Wait()
	for i := range rows {
		if (verdicts[i].Outcome == persist.Written) == (claimed[i].Err == nil) {
			t.Errorf("room %d was written: %+v, and claimed: %+v", i, verdicts[i], claimed[i])
		}
		if verdicts[i].Outcome == persist.Written {
			written = append(written, finals[i])
		}
	}
	Audit(t, s, written)
}

// testLateWrites has writes of a process arrive after it was fenced, and after its standby has seized the room.
func testLateWrites(t *testing.T, s persist.Store) {
	o, n := Started(t, s), Started(t, s)
	r := NewRow(o)
	r.Standby = n.Folder
	get[[]record.RowResult](t)(s.CreateRows(t.Context(), o.ID, []record.Row{r}))
	dismiss, late := moveOf(r, o, ""), endOf(r)
	seized := claim(t, s, n, moveOf(r, n, ""))
	must(t, seized.Err)
	if got := claim(t, s, o, dismiss); !errors.Is(got.Err, record.ErrMovedOn) || got.Row != seized.Row {
		t.Errorf("a late dismissal: %+v", got)
	}
	wrote(t, s, []record.Final{late}, persist.Moved)
	// A change that lands before its writer is fenced counts. The next process of the folder finds it.
	asked := moveOf(seized.Row, n, o.Folder)
	landed := claim(t, s, n, asked)
	must(t, landed.Err)
	again := fenced(t, s, n)
	if _, err := s.ClaimRows(t.Context(), n.ID, []record.Claim{asked}); !errors.Is(err, persist.ErrBootDead) {
		t.Errorf("a fenced process asked again: %v", err)
	}
	wantRow(t, s, landed.Row)
	resumed := claim(t, s, again, moveOf(landed.Row, again, o.Folder))
	if resumed.Err != nil || resumed.Row.Boot != again.ID || resumed.Row.Standby != o.Folder {
		t.Errorf("resumed %+v", resumed)
	}
	wrote(t, s, []record.Final{endOf(landed.Row)}, persist.Moved)
	wrote(t, s, []record.Final{endOf(resumed.Row)}, persist.Written)
}

// Cross has several callers claim, release and end the same rooms in different orders. The store must be one that never tries
// again, so that a deadlock is an error.
func Cross(t *testing.T, s persist.Store) {
	t.Helper()
	boots := []persist.Boot{Started(t, s), Started(t, s), Started(t, s)}
	var rows []record.Row
	var ids []room.ID
	for range 150 {
		r := NewRow(boots[0])
		rows, ids = append(rows, r), append(ids, r.Room)
	}
	get[[]record.RowResult](t)(s.CreateRows(t.Context(), boots[0].ID, rows))
	var finals []record.Final
	for _, r := range rows[:100] {
		finals = append(finals, finalOf(r))
	}
	var mu sync.Mutex
	winners := map[record.Point]record.BootID{} // by room and epoch; see key
	key := func(r record.Row) record.Point {
		return record.Point{Epoch: r.Epoch, Seq: room.Index(slices.Index(ids, r.Room))}
	}
	var group sync.WaitGroup
	for w, b := range boots {
		group.Go(func() {
			for range 4 {
				present, err := s.Rows(t.Context(), ids)
				if err != nil {
					t.Error(err)
				}
				if w == 1 {
					slices.Reverse(present)
				}
				if w == 2 {
					rand.Shuffle(len(present), func(i, j int) { present[i], present[j] = present[j], present[i] })
				}
				claims := make([]record.Claim, len(present))
				for i, r := range present {
					claims[i] = moveOf(r, b, boots[(w+1)%3].Folder)
				}
				results, err := s.ClaimRows(t.Context(), b.ID, claims)
				if err != nil {
					t.Errorf("claims: %v", err)
				}
				mu.Lock()
				for _, r := range results {
					if r.Err == nil {
						if first := winners[key(r.Row)]; first != "" {
							t.Errorf("%s and %s won %s at epoch %d", first, b.ID, r.Row.Room, r.Row.Epoch)
						}
						winners[key(r.Row)] = b.ID
					}
				}
				mu.Unlock()
			}
		})
		group.Go(func() {
			mine := slices.Clone(finals)
			rand.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
			for batch := range slices.Chunk(mine, 25) {
				if _, err := s.WriteResults(t.Context(), batch); err != nil {
					t.Errorf("results: %v", err)
				}
			}
		})
	}
	group.Wait()
	for i, r := range get[[]record.Row](t)(s.Rows(t.Context(), ids)) {
		if over := r.State == record.RowOver; over != (i < len(finals)) {
			t.Errorf("room %d is %+v", i, r)
		}
		if r.State == record.RowLive && r.Epoch > 1 && winners[key(r)] != r.Boot {
			t.Errorf("room %d was won by %q: %+v", i, winners[key(r)], r)
		}
	}
	Audit(t, s, finals)
}

// ForgetMembers checks that Boots.Forget ends only rooms that have no other member left. age makes every heartbeat older than FreshFor.
func ForgetMembers(t *testing.T, s persist.Store, age func()) {
	t.Helper()
	start := func(node, folder string) persist.Boot {
		b := NewBoot()
		b.Node, b.Folder = node, folder
		must(t, s.StartBoot(t.Context(), b))
		return b
	}
	former := start("lost", "folder of lost")
	must(t, s.EndBoot(t.Context(), former.ID))
	by, lost, second, other := start("asked", "folder of asked"), start("lost", former.Folder), start("lost", "second folder of lost"), start("other", "folder of other")
	made := func(owner persist.Boot, standby string) record.Row {
		r := NewRow(owner)
		r.Standby = standby
		must(t, get[[]record.RowResult](t)(s.CreateRows(t.Context(), owner.ID, []record.Row{r}))[0].Err)
		return r
	}
	alone, both := made(lost, ""), made(lost, second.Folder)
	owner, standby, elsewhere := made(lost, other.Folder), made(other, lost.Folder), made(other, "")
	age()
	must(t, s.Heartbeat(t.Context(), by.ID))
	must(t, s.Heartbeat(t.Context(), other.ID))
	forget := func(node string, want persist.ForgotNode) {
		t.Helper()
		if got, err := s.Forget(t.Context(), by.ID, node, nil); err != nil || got != want {
			t.Fatalf("forgot %s: %+v, %v, want %+v", node, got, err, want)
		}
	}
	forget("lost", persist.ForgotNode{Boots: 2, Rooms: 2, Kept: 2})
	for _, r := range []record.Row{alone, both} {
		if row := get[record.Row](t)(s.Row(t.Context(), r.Room)); row.State != record.RowOver {
			t.Errorf("a room that only the lost node had: %+v", row)
		}
	}
	for _, r := range []record.Row{owner, standby, elsewhere} {
		wantRow(t, s, r)
	}
	seized := claim(t, s, other, moveOf(owner, other, lost.Folder)) // and names the lost one again
	must(t, seized.Err)
	stays := made(other, by.Folder)
	age()
	must(t, s.Heartbeat(t.Context(), by.ID))
	forget("other", persist.ForgotNode{Boots: 1, Rooms: 3, Kept: 1})
	wantRow(t, s, stays)
	forget("other", persist.ForgotNode{Kept: 1})
}
