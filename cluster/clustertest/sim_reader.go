package clustertest

import (
	"maps"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// ask is a question to an owner that takes no entry of the log, such as a spectator's for the view.
type ask struct {
	n     uint64
	index int // the view that is asked for
	seen  log // what anybody had seen of the room when it was asked
}

// ask takes a spectator's question.
func (r *live) ask() {
	if r.gone() || len(r.asks) > 10 {
		return
	}
	r.asks = append(r.asks, ask{r.leader.Ask(), len(r.log.entries), r.t.acked})
	r.sendAsk()
	r.answerAsks()
}

// sendAsk asks the members whether the owner's epoch is the present one.
func (r *live) sendAsk() {
	id, epoch, owner, n := r.t.id, r.epoch, r.l.self, r.asks[len(r.asks)-1].n
	for _, folder := range slices.Sorted(maps.Keys(r.fed)) { // in an order, so that a seed comes to the same again
		r.l.send(folder, func(to *life) {
			c := to.copies[id]
			if c == nil || epoch < c.Promised || c.Doubt == record.Unsure {
				return
			}
			to.send(owner, func(to2 *life) {
				if r := to2.live[id]; r != nil {
					r.leader.Said(folder, epoch, n)
					r.answerAsks()
				}
			})
		})
	}
}

// answerAsks answers what may be answered now.
func (r *live) answerAsks() {
	for !r.gone() && len(r.asks) > 0 && r.asks[0].n <= r.leader.Current() && r.asks[0].index <= r.acked {
		a := r.asks[0]
		r.asks = r.asks[1:]
		r.t.answered(r, a)
	}
}

// answered checks what a spectator sees: all that anybody had seen before it asked.
func (t *truth) answered(r *live, a ask) {
	view := log{entries: r.log.entries[:a.index]}
	t.shown = view
	r.l.s.say(r.l.node.name, t.id, "a spectator is shown the view after %d entries", a.index)
	if !t.givenUp && t.told == a.seen.told && !view.holds(a.seen) {
		r.l.s.fail(t.id, "(4) %s shows %d entries at epoch %d to who could have seen %d before", r.l.boot, a.index, r.epoch, len(a.seen.entries))
	}
}

// spectate asks every owner of a room now and then.
func (s *Sim) spectate(t *truth) {
	if _, ended := s.store.results[t.id]; ended {
		return
	}
	s.after(s.between(time.Second, 5*time.Second), func() { s.spectate(t) })
	for _, r := range s.serving(t.id) {
		r.l.awake(r.ask)
	}
}

const snapshotEvery = 6 // entries

// snapshot is the state of a room at a point of its log.
type snapshot struct {
	record.Point
	sum uint64
}

// snapshot keeps a snapshot now and then, and sends it to the followers.
func (r *live) snapshot() {
	k := r.l.folder.rooms[r.t.id]
	if k == nil || len(k.entries) < r.stable || r.t.memory || r.stable/snapshotEvery == k.newest()/snapshotEvery {
		return
	}
	snap := snapshot{record.Point{Epoch: r.log.entries[r.stable-1].epoch, Seq: room.Index(r.stable)}, r.log.sumAt(r.stable)}
	k.snapshots = append(k.snapshots[max(len(k.snapshots)-1, 0):len(k.snapshots):len(k.snapshots)], snap)
	id, owner, epoch := r.t.id, r.l.self, r.epoch
	for _, folder := range [...]string{r.leader.Standby(), r.learner} {
		if folder != "" {
			r.l.send(folder, func(to *life) {
				c, k := to.copies[id], to.folder.rooms[id]
				if c != nil && k != nil && c.owner == owner && epoch == c.Promised && c.has(snap.Point) {
					k.snapshots = append(k.snapshots[max(len(k.snapshots)-1, 0):len(k.snapshots):len(k.snapshots)], snap)
				}
			})
		}
	}
}

func (c *following) has(p record.Point) bool { return c.At(p.Seq) == p.Epoch }

// newest is the index of the newest snapshot; 0: there is none.
func (k *keptRoom) newest() int {
	if n := len(k.snapshots); n > 0 {
		return int(k.snapshots[n-1].Seq)
	}
	return 0
}

// cutSnapshots drops the snapshots behind an index.
func (k *keptRoom) cutSnapshots(last int) {
	for n := len(k.snapshots); n > 0 && int(k.snapshots[n-1].Seq) > last; n-- {
		k.snapshots = k.snapshots[:n-1]
	}
}

// restores reports whether the newest snapshot that the log reaches is of that log.
func (k *keptRoom) restores(g log) bool {
	for n := len(k.snapshots); n > 0; n-- {
		if s := k.snapshots[n-1]; int(s.Seq) <= len(g.entries) {
			return g.sumAt(int(s.Seq)) == s.sum
		}
	}
	return true
}
