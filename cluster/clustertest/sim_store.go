package clustertest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// storePatience is how long a caller waits for the store before it gives up. What it asked for may still be done later.
const storePatience = 5 * time.Second

var (
	errAway = errors.New("the store does not answer")
	errBoot = errors.New("this process is fenced in the store")
)

// row is a room's row.
type row struct {
	record.Row
	kept log // the checkpoint of a released room
}

// result is a stored end.
type result struct {
	sum     uint64 // of the log up to the end
	aborted bool
}

// store is the database of the cluster. Each of its methods is a transaction.
type store struct {
	s       *Sim
	rows    map[room.ID]*row
	results map[room.ID]result
	fenced  map[record.BootID]bool
	folders map[string][]record.BootID

	away   bool
	backAt time.Duration // when it answered again
	slow   time.Duration // added to every answer
	plans  []storePlan
}

// storePlan is the fault that a story has planned for the next request of a kind.
type storePlan struct {
	op         ownership.Op
	unanswered bool
	late, slow time.Duration
}

// takePlan removes and returns the plan for a request, if there is one.
func (st *store) takePlan(op ownership.Op) storePlan {
	i := slices.IndexFunc(st.plans, func(p storePlan) bool { return p.op == op })
	if i < 0 {
		return storePlan{}
	}
	p := st.plans[i]
	st.plans = slices.Delete(st.plans, i, i+1)
	return p
}

func newStore(s *Sim) *store {
	return &store{s: s, rows: map[room.ID]*row{}, results: map[room.ID]result{}, fenced: map[record.BootID]bool{}, folders: map[string][]record.BootID{}}
}

// call sends the store a request of a process. The store may execute it late, even after the caller has given up or died, and
// the answer may be lost. Answer is called once, unless the process dies; with an error, nothing is known about the request.
func (st *store) call(l *life, op ownership.Op, do func() ownership.Event, answer func(ownership.Event, error)) {
	s, answered, plan := st.s, false, st.takePlan(op)
	reply := func(e ownership.Event, err error) {
		if !answered {
			answered = true
			answer(e, err)
		}
	}
	giveUp := func(d time.Duration) { l.after(d, func() { reply(ownership.Event{}, errAway) }) }
	land := s.between(time.Millisecond, 20*time.Millisecond) + st.slow + plan.late
	switch {
	case st.away && !s.chance(s.odds.late):
		giveUp(s.between(10*time.Millisecond, storePatience))
		return
	case s.chance(s.odds.lost):
		giveUp(storePatience)
		return
	case s.chance(s.odds.late):
		land = s.between(20*time.Millisecond, 4*storePatience)
	}
	giveUp(storePatience)
	unanswered := plan.unanswered || s.chance(s.odds.unanswered)
	s.after(land, func() {
		if st.away && !s.chance(s.odds.late) {
			l.after(s.between(time.Millisecond, time.Second), func() { reply(ownership.Event{}, errAway) })
			return
		}
		if s.failed != nil {
			return
		}
		e := do()
		if unanswered {
			return
		}
		l.after(s.between(time.Millisecond, 20*time.Millisecond)+st.slow+plan.slow, func() { reply(e, nil) })
	})
}

// start registers a process and fences the earlier processes of its folder, under all ids of the folder. docs/decisions says
// where the real stores fall short of that.
func (st *store) start(boot record.BootID, f *folder) {
	for _, id := range f.ids() {
		for _, old := range st.folders[id] {
			st.fenced[old] = true
		}
	}
	st.folders[f.id] = append(st.folders[f.id], boot)
}

func (st *store) createRow(id room.ID, boot record.BootID, folder string, to record.Epoch) ownership.Event {
	if st.fenced[boot] {
		return ownership.Event{Err: errBoot}
	}
	if r := st.rows[id]; r != nil {
		return ownership.Event{Outcome: ownership.Moved, Row: r.Row}
	}
	r := &row{Row: record.Row{Room: id, State: record.RowLive, Epoch: to, Boot: boot, Folder: folder}}
	st.rows[id] = r
	st.say(r)
	return ownership.Event{Outcome: ownership.Won, Row: r.Row}
}

// read returns a room's row.
func (st *store) read(id room.ID) ownership.Event {
	if r := st.rows[id]; r != nil {
		return ownership.Event{Row: r.Row}
	}
	return ownership.Event{Outcome: ownership.NoRow}
}

func (st *store) claim(id room.ID, boot record.BootID, folder, standby string, from ownership.Row, to record.Epoch) ownership.Event {
	if st.fenced[boot] {
		return ownership.Event{Err: errBoot}
	}
	r := st.rows[id]
	switch {
	case r == nil:
		return ownership.Event{Outcome: ownership.NoRow}
	case r.State == record.RowOver, r.State != from.State, r.Epoch != from.Epoch, r.State == record.RowLive && r.Folder != from.Folder, r.Epoch >= to:
		return ownership.Event{Outcome: ownership.Moved, Row: r.Row}
	}
	r.Row = record.Row{Room: id, State: record.RowLive, Epoch: to, Boot: boot, Folder: folder, Standby: standby}
	r.kept = log{}
	st.say(r)
	st.s.truth(id).checkMembers(st.s)
	st.s.noteLoss(st.s.truth(id)) // a dead process may have claimed it into a lost folder
	return ownership.Event{Outcome: ownership.Won, Row: r.Row}
}

func (st *store) checkpoint(id room.ID) (log, bool) {
	r := st.rows[id]
	if r == nil || r.State != record.RowReleased {
		return log{}, false
	}
	return r.kept, true
}

func (st *store) release(id room.ID, boot record.BootID, from ownership.Row, to record.Epoch, kept log) ownership.Event {
	if st.fenced[boot] {
		return ownership.Event{Err: errBoot}
	}
	r := st.rows[id]
	switch {
	case r == nil:
		return ownership.Event{Outcome: ownership.NoRow}
	case r.State != record.RowLive, r.Epoch != from.Epoch, r.Boot != boot:
		return ownership.Event{Outcome: ownership.Moved, Row: r.Row}
	}
	r.State, r.kept, r.Epoch, r.Folder, r.Standby = record.RowReleased, kept, to, "", ""
	st.say(r)
	st.s.truth(id).checkRelease(st.s, kept)
	return ownership.Event{Outcome: ownership.Won, Row: r.Row}
}

// end stores a room's end once, if the writer owns the room.
func (st *store) end(id room.ID, by record.Writer, end result, kept log, brokenOff bool) ownership.Event {
	t := st.s.truth(id)
	if r := st.rows[id]; r != nil && r.State != record.RowOver && !by.Owns(r.Row) {
		return ownership.Event{Outcome: ownership.Moved}
	}
	if t.unwritable {
		return ownership.Event{Outcome: ownership.Refused, Why: "no store can hold it"}
	}
	if was, ok := st.results[id]; ok {
		switch r := st.rows[id]; {
		case by.Epoch < r.Epoch && (was == end || end.aborted):
			return ownership.Event{Outcome: ownership.Moved}
		case was == end:
			return ownership.Event{Outcome: ownership.Won}
		}
		t.mismatch(st.s, was, end, by.Epoch, brokenOff)
		return ownership.Event{Outcome: ownership.Refused, Why: "another end is stored"}
	}
	st.over(id, end)
	t.ended = kept
	t.checkEnd(st.s, end, brokenOff)
	return ownership.Event{Outcome: ownership.Won}
}

func (st *store) over(id room.ID, end result) {
	r := st.rows[id]
	if r == nil {
		r = &row{Row: record.Row{Room: id}}
		st.rows[id] = r
	}
	r.State, r.kept = record.RowOver, log{}
	st.results[id] = end
	st.say(r)
}

// forget aborts the rooms of a folder that is lost for good, and fences its processes. An operator asks for it.
func (st *store) forget(f *folder) {
	for _, id := range f.ids() {
		for _, boot := range st.folders[id] {
			st.fenced[boot] = true
		}
	}
	for _, t := range st.s.rooms {
		r := st.rows[t.id]
		if r != nil && r.State == record.RowLive && f.had(r.Folder) && (r.Standby == "" || f.had(r.Standby)) {
			t.givenUp = true
			st.over(t.id, result{aborted: true})
		}
	}
}

// releasedRows returns the released rooms, oldest first.
func (st *store) releasedRows() (ids []room.ID) {
	for _, t := range st.s.rooms {
		if r := st.rows[t.id]; r != nil && r.State == record.RowReleased {
			ids = append(ids, t.id)
		}
	}
	return ids
}

func (st *store) say(r *row) {
	if st.s.trace == nil {
		return
	}
	switch r.State {
	case record.RowLive:
		text := fmt.Sprintf("row: live at epoch %d, boot %s, folder %s", r.Epoch, r.Boot, r.Folder)
		if r.Standby != "" {
			text += ", standby " + r.Standby
		}
		st.s.say("", r.Room, "%s", text)
	case record.RowReleased:
		st.s.say("", r.Room, "row: released at epoch %d with %d entries", r.Epoch, len(r.kept.entries))
	default:
		st.s.say("", r.Room, "row: over")
	}
}
