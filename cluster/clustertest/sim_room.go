package clustertest

import (
	"errors"
	"time"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// live is a room in a process's memory. It steps acts at once and acknowledges them when the journal has them.
type live struct {
	l         *life
	t         *truth
	epoch     record.Epoch
	log       log
	committed int
	writing   bool
	settled   bool     // its end is stored, or never will be
	stopping  answerTo // the answer to Stop; nil: it was not asked to stop
}

// start runs a room from its log.
func (l *life) start(id room.ID, at record.Epoch) {
	t := l.s.truth(id)
	r := &live{l: l, t: t, epoch: at, log: l.kept[id]}
	l.live[id] = r
	r.committed = len(r.log.entries)
	if r.log.over() { // players still see its end
		t.commit(l, at, r.log)
		l.loop.Deliver(id, ownership.Event{Kind: ownership.Ended}, nil)
		return
	}
	r.log = r.log.with(entry{epoch: at})
	r.write()
}

// act takes the client's act n, if that is the next one.
func (r *live) act(n int) {
	if r.stopping != nil || r.log.over() || r.gone() || n != r.log.acts()+1 {
		return
	}
	if r.l.s.chance(r.l.s.odds.poison) {
		r.l.folder.deaths[r.t.id]++
		r.t.deadly = true
		r.l.crash(string(r.t.id) + " kills it")
		return
	}
	r.log = r.log.with(entry{epoch: r.epoch, act: n})
	if n >= r.t.length {
		r.log = r.log.with(entry{epoch: r.epoch, final: true})
	}
	r.write()
}

func (r *live) gone() bool { return r.l.live[r.t.id] != r }

// write gives the journal the entries that it does not have.
func (r *live) write() {
	if r.writing || r.gone() || r.committed == len(r.log.entries) {
		return
	}
	r.writing = true
	some, have := r.log, r.committed
	if r.t.memory {
		r.l.after(0, func() { r.written(some) })
		return
	}
	r.l.after(r.l.s.between(time.Millisecond, 5*time.Millisecond), func() {
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

// written acknowledges what the journal has now.
func (r *live) written(some log) {
	if r.gone() {
		return
	}
	r.writing, r.committed = false, len(some.entries)
	r.t.commit(r.l, r.epoch, some)
	if some.over() {
		r.l.loop.Deliver(r.t.id, ownership.Event{Kind: ownership.Ended}, nil)
	}
	r.stopped()
	r.write()
}

// stop ends the room in this process after its last write.
func (r *live) stop(answer answerTo) {
	r.stopping = answer
	r.stopped()
}

func (r *live) stopped() {
	if r.stopping == nil || r.gone() || r.committed < len(r.log.entries) {
		return
	}
	r.forget()
	r.stopping(ownership.Event{Stopped: ownership.StoppedRoom{Last: room.Index(r.committed), Over: r.log.over()}})
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
