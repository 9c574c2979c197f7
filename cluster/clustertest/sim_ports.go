package clustertest

import (
	"fmt"
	"time"

	"github.com/roomring/roomring/cluster/lifecycle"
	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// answerTo receives the answer to an effect.
type answerTo = func(ownership.Event)

// Do implements lifecycle.Ports.
func (l *life) Do(r *lifecycle.Room, e ownership.Effect, answer func(ownership.Event)) {
	if l.crashes(r.ID, e.Do, false) {
		return
	}
	id := r.ID
	switch e.Do {
	case ownership.Create, ownership.Learn, ownership.Import, ownership.Note, ownership.Load, ownership.Remove, ownership.SetAside:
		l.journal(id, e, answer)
	case ownership.CreateRow, ownership.ReadRow, ownership.Claim, ownership.Change, ownership.Checkpoint, ownership.Release:
		l.rows(id, e, answer)
	case ownership.Enter:
		l.enter(id, e.To, e.Folder)
	case ownership.Expel:
		if r := l.live[id]; r != nil {
			r.forget()
		}
		l.after(time.Millisecond, func() { answer(ownership.Event{}) })
	case ownership.Replicate, ownership.Join, ownership.Notify, ownership.Pass, ownership.Follow, ownership.Decline:
		l.replicate(id, e)
	case ownership.Store:
		if r := l.live[id]; r != nil {
			l.store(id, e, result{sum: r.log.endSum()}, r.log, answer)
		}
	case ownership.Abandon:
		kept := l.kept[id]
		end := result{sum: kept.sum(), aborted: true}
		if kept.over() && !without(EndsStay) {
			end = result{sum: kept.endSum()}
		}
		l.store(id, e, end, kept, answer)
	case ownership.Check:
		l.perform(id, e, time.Millisecond, answer, func() ownership.Event {
			if l.node.program.cannotRead(id) {
				return ownership.Event{Verdict: ownership.Lacks, Why: "this program lacks its version"}
			}
			return ownership.Event{Verdict: ownership.Runs}
		})
	case ownership.Replay:
		l.perform(id, e, l.s.between(time.Millisecond, 20*time.Millisecond), answer, func() ownership.Event { return l.replay(id) })
	case ownership.Start:
		l.start(id, e.To, e.Folder)
	case ownership.Stop:
		if r := l.live[id]; r != nil {
			r.stop(func(e ownership.Event) { l.after(time.Millisecond, func() { answer(e) }) })
		}
	case ownership.Retire:
		l.retire(id)
	case ownership.Settled:
		if r := l.live[id]; r != nil {
			r.settled = true
			l.after(l.s.between(100*time.Millisecond, 3*time.Second), r.leave)
		}
	case ownership.Tell:
		if to := l.s.ring(id); to != nil {
			l.s.tell(to, id)
		}
	case ownership.Wait:
		wait := e.Wait
		if l.s.rng != nil {
			wait = l.s.between(wait/2, wait)
		}
		l.after(wait, func() { answer(ownership.Event{}) })
	}
}

// perform executes an effect on this node and answers it a little later. The process may die before and after the effect.
func (l *life) perform(id room.ID, e ownership.Effect, takes time.Duration, answer answerTo, do func() ownership.Event) {
	l.after(takes, func() {
		if l.crashes(id, e.Do, false) {
			return
		}
		a := do()
		if l.dead || l.crashes(id, e.Do, true) {
			return
		}
		l.after(l.s.between(0, takes), func() { answer(a) })
	})
}

func (l *life) journal(id room.ID, e ownership.Effect, answer answerTo) {
	if e.Do == ownership.Load || e.Do == ownership.Remove || e.Do == ownership.SetAside {
		if c := l.copies[id]; c != nil && e.Do == ownership.Load {
			l.wrote[id] = int(c.Last)
		} else if e.Do != ownership.Load {
			delete(l.wrote, id)
		}
		delete(l.copies, id)
	}
	takes := l.s.between(time.Millisecond, 5*time.Millisecond)
	l.perform(id, e, takes, answer, func() ownership.Event {
		if l.s.now < l.folder.failed {
			return ownership.Event{Err: errDisk}
		}
		var err error
		switch e.Do {
		case ownership.Create:
			err = l.folder.create(id, e.To)
		case ownership.Learn:
			err = l.folder.learn(id, e.To)
		case ownership.Import:
			err = l.folder.take(id, l.kept[id])
		case ownership.Note:
			err = l.folder.note(id, e.To)
		case ownership.Remove:
			err = l.folder.remove(id)
		case ownership.SetAside:
			err = l.folder.setAside(id, e.Why)
		case ownership.Load:
			k := l.folder.rooms[id]
			if k == nil {
				return ownership.Event{Err: errUnknown}
			}
			if len(k.entries) < l.wrote[id] { // the process knows what it has written
				l.folder.notice(id)
				k.cut = true
			}
			delete(l.wrote, id)
			l.kept[id] = k.log
			return ownership.Event{Log: k.facts()}
		}
		return ownership.Event{Err: err}
	})
}

func (l *life) rows(id room.ID, e ownership.Effect, answer answerTo) {
	st, kept := l.s.store, l.kept[id]
	read := log{}
	l.s.store.call(l, e.Do, func() ownership.Event {
		switch e.Do {
		case ownership.CreateRow:
			return st.createRow(id, l.boot, l.self, e.To)
		case ownership.ReadRow:
			return st.read(id)
		case ownership.Claim, ownership.Change:
			return st.claim(id, l.boot, l.self, e.Folder, e.From, e.To)
		case ownership.Release:
			kept.epoch = max(kept.epoch, e.From.Epoch)
			return st.release(id, l.boot, e.From, e.To, kept)
		}
		var ok bool
		if read, ok = st.checkpoint(id); !ok {
			return ownership.Event{Outcome: ownership.NoRow}
		}
		return ownership.Event{Log: read.facts(), Row: st.rows[id].Row}
	}, func(a ownership.Event, err error) {
		if l.crashes(id, e.Do, true) {
			return
		}
		if err != nil {
			a = ownership.Event{Err: err}
		}
		if a.Err == errBoot {
			l.crash("it hears that it is fenced")
			return
		}
		if e.Do == ownership.Checkpoint {
			l.kept[id] = read
		}
		if k := l.folder.rooms[id]; e.Do == ownership.ReadRow && k != nil {
			a.Log = k.facts()
		}
		answer(a)
	})
}

// store repeats the request until the store has answered.
func (l *life) store(id room.ID, e ownership.Effect, end result, kept log, answer answerTo) {
	l.s.store.call(l, e.Do, func() ownership.Event {
		return l.s.store.end(id, record.Writer{Epoch: e.To, Boot: l.boot}, end, kept, e.Do == ownership.Abandon)
	}, func(a ownership.Event, err error) {
		switch {
		case l.crashes(id, e.Do, true):
		case err != nil:
			l.after(l.s.between(100*time.Millisecond, 2*time.Second), func() { l.store(id, e, end, kept, answer) })
		default:
			answer(a)
		}
	})
}

// replay answers how a replay of the room's log ends.
func (l *life) replay(id room.ID) ownership.Event {
	kept := l.kept[id]
	switch {
	case l.node.program.cannotRead(id):
		return ownership.Event{Verdict: ownership.Lacks, Why: "this program lacks its version"}
	case l.folder.deaths[id] == 1 && l.s.chance(5000):
		l.folder.deaths[id]++
		l.crash(fmt.Sprintf("%s kills it again", id))
		return ownership.Event{}
	case l.folder.deaths[id] > 1:
		return ownership.Event{Verdict: ownership.Dead, Why: "processes died in it"}
	case l.node.program.readsAnother(id):
		return ownership.Event{Verdict: ownership.Diverged, Why: "these rules come to something else"}
	case kept.over():
		return ownership.Event{Verdict: ownership.RunsOver}
	case l.node.program.breaks(id):
		l.s.truth(id).deadly = true
		return ownership.Event{Verdict: ownership.Dead, Why: "it cannot be brought back"}
	}
	delete(l.folder.deaths, id)
	return ownership.Event{Verdict: ownership.Runs}
}
