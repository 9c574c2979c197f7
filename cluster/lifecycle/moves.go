package lifecycle

import (
	"maps"
	"sync"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room/record"
)

// Moves counts how rooms have come to this node and left it since its start.
type Moves struct {
	Claimed   uint64 // released rooms that were claimed from the store
	Released  uint64 // rooms that were released into the store
	Seized    uint64 // rooms whose owner seemed to be dead
	Taken     uint64 // rooms that their owner handed over
	Yielded   uint64 // rooms that were handed over to their standby
	Dismissed uint64 // standbys that were given up
	Recruited uint64 // standbys that were found
}

// moves counts. The zero value is ready.
type moves struct {
	mu   sync.Mutex
	all  Moves
	from map[string]record.Taken // by the folder of the owner before
}

func (m *moves) count(f func(*Moves)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.all)
}

// changed counts a change of the standby; "": there is none now.
func (m *moves) changed(standby string) {
	m.count(func(all *Moves) {
		if standby == "" {
			all.Dismissed++
		} else {
			all.Recruited++
		}
	})
}

// started counts a room that goes on here. Its former owner is its standby only if it has handed the room over.
func (m *moves) started(r *Room, standby string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.claimed {
		m.all.Claimed++
	}
	if r.follows == "" {
		return
	}
	if m.from == nil {
		m.from = map[string]record.Taken{}
	}
	from := m.from[r.follows]
	if standby == r.follows {
		m.all.Taken++
		from.Yielded++
	} else {
		m.all.Seized++
		from.Seized++
	}
	m.from[r.follows] = from
}

// Moves reads the counters.
func (w *Owner) Moves() Moves {
	w.moves.mu.Lock()
	defer w.moves.mu.Unlock()
	return w.moves.all
}

// TakenFrom counts the rooms taken on from other nodes, by the data folder of the owner before. From is empty.
func (w *Owner) TakenFrom() map[string]record.Taken {
	w.moves.mu.Lock()
	defer w.moves.mu.Unlock()
	return maps.Clone(w.moves.from)
}

// InDoubt counts the rooms that wait for their standby because this node's copy is not whole.
func (w *Owner) InDoubt() int {
	return w.loop.count((*ownership.Machine).InDoubt)
}

// owner is the folder of the owner that a room was followed from.
func (l *Loop) owner(r *Room) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	folder, _ := r.machine.Owner()
	return folder
}
