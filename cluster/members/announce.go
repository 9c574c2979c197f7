package members

import (
	"context"
	"time"

	"github.com/roomring/roomring/room/clock"
)

const (
	loadEvery = 2 * time.Second // between two announcements of a load; each goes to every node
	stateIn   = time.Second     // how long SetState waits at most
)

// describer gives memberlist this node's description.
type describer struct{ m *Members }

func (d describer) NodeMeta(int) []byte {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	d.m.load = d.m.table.self.Load
	return encodeMeta(d.m.table.self)
}

func (describer) NotifyMsg([]byte)                {}
func (describer) GetBroadcasts(int, int) [][]byte { return nil }
func (describer) LocalState(bool) []byte          { return nil }
func (describer) MergeRemoteState([]byte, bool)   {}

// SetState announces this node's state to the other nodes. It blocks until the change is being sent, at most a second.
func (m *Members) SetState(s State) {
	m.mu.Lock()
	if m.table.self.State == s {
		m.mu.Unlock()
		return
	}
	m.table.self.State = s
	m.seen.Store(m.table.look(m.seen.Load()))
	m.changed = true
	done := make(chan struct{})
	m.announces = append(m.announces, done)
	m.mu.Unlock()
	wake(m.heard.wake)
	wake(m.announce)
	late, stop := clock.After(m.o.Clock, stateIn)
	defer stop()
	select {
	case <-done:
	case <-late:
	case <-m.ended:
	}
}

// SetLoad announces this node's load to the other nodes, at most every 2 s. It does not block. Negative numbers and NaN
// count as 0.
func (m *Members) SetLoad(load float64) {
	if !(load >= 0) {
		load = 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.table.self.Load == load {
		return
	}
	m.table.self.Load = load
	m.seen.Store(m.table.look(m.seen.Load()))
	wake(m.reload)
}

// announceChanges is the only goroutine that announces, because memberlist's UpdateNode must not run concurrently.
func (m *Members) announceChanges(ctx context.Context) {
	var due <-chan struct{} // of a load
	stop := func() {}
	defer func() { stop() }()
	last := m.o.Clock.Now() - loadEvery
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.announce:
			m.announceState()
		case <-m.reload:
			if due == nil {
				due, stop = clock.After(m.o.Clock, last+loadEvery-m.o.Clock.Now())
			}
			continue
		case <-due:
			m.announceLoad()
		}
		stop()
		last, due = m.o.Clock.Now(), nil
		m.mu.Lock()
		if m.load != m.table.self.Load {
			due, stop = clock.After(m.o.Clock, loadEvery)
		}
		m.mu.Unlock()
	}
}

func (m *Members) announceState() {
	m.mu.Lock()
	waiting := m.announces
	m.announces = nil
	m.mu.Unlock()
	// An error does not matter: gossip goes on spreading the state after the timeout.
	_ = m.list.UpdateNode(stateIn / 2)
	for _, done := range waiting {
		close(done)
	}
}

func (m *Members) announceLoad() {
	const moment = time.Millisecond // UpdateNode need not wait until a load has arrived
	_ = m.list.UpdateNode(moment)
}
