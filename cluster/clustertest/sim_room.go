package clustertest

import (
	"errors"
	"time"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/cluster/replication"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// live is a room in a process's memory. It steps acts at once and acknowledges them when all members have them.
type live struct {
	l        *life
	t        *truth
	epoch    record.Epoch
	log      log
	leader   replication.Leader
	learner  string // the folder of a follower that is to become the standby
	fed      map[string]feed
	copied   bool // it may have followers
	stable   int  // what the journal has
	acked    int
	sent     int // the client's number of its last act here; -1: it is not known
	asks     []ask
	writing  bool
	ended    bool     // its end was acknowledged
	settled  bool     // its end is stored, or never will be
	stopping answerTo // the answer to Stop; nil: it was not asked to stop
}

// start runs a room from its log.
func (l *life) start(id room.ID, at record.Epoch, standby string) {
	t := l.s.truth(id)
	r := &live{l: l, t: t, epoch: at, log: l.kept[id], fed: map[string]feed{}}
	r.log.doubt, r.log.cut = record.Whole, false
	if k := l.folder.rooms[id]; k != nil {
		k.doubt = record.Whole
	}
	l.live[id] = r
	if r.sent = r.log.acts(); without(TableInLog) {
		r.sent = -1
	}
	if k := l.folder.rooms[id]; k != nil && !k.restores(r.log) {
		l.s.fail(id, "(3) %s restores it from a snapshot of another log", l.boot)
	}
	r.leader.Begin(at, standby, r.log.history())
	r.stable = len(r.log.entries)
	if l.s.store.results[id] == (result{sum: r.log.endSum()}) && r.log.over() { // players still see its end
		r.ended, r.acked = true, r.stable
		t.commit(l, at, r.log)
		l.loop.Deliver(id, ownership.Event{Kind: ownership.Ended}, nil)
		return
	}
	r.add(entry{epoch: at})
	r.write()
	r.feedAll()
}

// enter goes on at a later epoch with another standby.
func (l *life) enter(id room.ID, at record.Epoch, standby string) {
	r := l.live[id]
	if r == nil {
		return
	}
	was := r.leader.Standby()
	r.leader.Enter(at, standby)
	r.epoch, r.learner = at, ""
	r.add(entry{epoch: at})
	r.write()
	if was != "" && was != standby {
		l.send(was, func(to *life) { to.look(id) })
	}
	r.feedAll()
}

func (l *life) retire(id room.ID) {
	r := l.live[id]
	if r == nil {
		return
	}
	was := r.leader.Standby()
	r.leader.Enter(r.epoch, "")
	r.learner, r.copied = "", false
	if was != "" {
		l.send(was, func(to *life) { to.look(id) })
	}
	r.commit()
}

func (r *live) add(e entry) {
	r.log = r.log.with(e)
	n := room.Index(len(r.log.entries))
	r.leader.Appended(e.epoch, n, n, false)
}

// act takes the client's act n, if that is the next one.
func (r *live) act(n int) {
	if r.stopping != nil || r.gone() {
		return
	}
	if r.log.over() {
		r.linger()
		return
	}
	if r.sent >= 0 && n != r.sent+1 {
		return
	}
	r.sent = n
	if r.l.s.chance(r.l.s.odds.poison) {
		r.kill()
		return
	}
	r.add(entry{epoch: r.epoch, act: n})
	if n >= r.t.length {
		r.add(entry{epoch: r.epoch, final: true})
		if without(CommitFirst) {
			r.over()
		}
	}
	r.write()
	r.feedAll()
}

// linger takes what people do in a room that is over. That may kill the process, too.
func (r *live) linger() {
	if r.l.s.chance(20 * r.l.s.odds.poison) {
		r.kill()
	}
}

// kill ends the process in a step of the room.
func (r *live) kill() {
	r.l.folder.deaths[r.t.id]++
	r.t.deadly = true
	r.l.crash(string(r.t.id) + " kills it")
}

func (r *live) gone() bool { return r.l.live[r.t.id] != r }

// write gives the journal the entries that it does not have.
func (r *live) write() {
	if r.writing || r.gone() || r.stable == len(r.log.entries) {
		return
	}
	r.writing = true
	some, have := r.log, r.stable
	if r.t.memory {
		r.l.after(0, func() { r.written(some) })
		return
	}
	r.l.after(r.l.s.between(time.Millisecond, 5*time.Millisecond), func() {
		if r.gone() {
			return
		}
		err := r.l.folder.append(r.t.id, have, some)
		switch {
		case errors.Is(err, errDisk):
			r.writing = false
			r.l.after(200*time.Millisecond, r.write)
		case err != nil:
			r.forget()
			r.l.loop.Deliver(r.t.id, ownership.Event{Kind: ownership.Lost, Why: err.Error()}, nil)
		default:
			r.l.after(r.l.s.between(0, 3*time.Millisecond), func() { r.written(some) })
		}
	})
}

// written notes what the journal has now.
func (r *live) written(some log) {
	if r.gone() {
		return
	}
	r.writing, r.stable = false, len(some.entries)
	r.snapshot()
	r.leader.Stable(room.Index(r.stable))
	r.commit()
	r.write()
}

// commit acknowledges what all members have.
func (r *live) commit() {
	n := int(r.leader.Commit())
	if r.gone() || n <= r.acked {
		return
	}
	some := log{epoch: r.log.entries[n-1].epoch, entries: r.log.entries[:n], short: r.log.short}
	r.acked = n
	r.t.commit(r.l, r.epoch, some)
	if some.over() {
		r.over()
	}
	r.answerAsks()
	r.stopped()
}

// over tells that the room has ended.
func (r *live) over() {
	if !r.ended {
		r.ended = true
		r.l.loop.Deliver(r.t.id, ownership.Event{Kind: ownership.Ended}, nil)
	}
}

// stop ends the room in this process once all of it is acknowledged.
func (r *live) stop(answer answerTo) {
	r.stopping = answer
	r.stopped()
}

func (r *live) stopped() {
	if r.stopping == nil || r.gone() || r.acked < len(r.log.entries) {
		return
	}
	r.forget()
	r.stopping(ownership.Event{Stopped: ownership.StoppedRoom{Last: room.Index(r.acked), Over: r.log.over()}})
}

// leave removes a room that is over from memory.
func (r *live) leave() {
	if r.gone() || r.stopping != nil || !r.settled {
		return
	}
	r.forget()
	r.l.loop.Deliver(r.t.id, ownership.Event{Kind: ownership.Gone}, nil)
}

func (r *live) forget() { delete(r.l.live, r.t.id) }
