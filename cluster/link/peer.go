package link

import (
	"context"
	"errors"
	"sync"
	"time"
)

// peer is one target, and the goroutines that keep it connected and watch it.
type peer struct {
	l      *Links
	target Target
	cancel context.CancelFunc
	done   chan struct{} // closed when the goroutines have ended
	signs  *signs

	sessions    *line
	replication *line // nil without Options.Leader

	unwanted bool // no longer a target; under the Links' lock

	mu         sync.Mutex
	version    uint32        // agreed on; 0 before the first connection
	replicates chan struct{} // closed once the peer is known to have streams of replication
	without    bool          // it has been asked for one and has none
}

// newPeer is called under the Links' lock.
func newPeer(l *Links, t Target, cancel context.CancelFunc) *peer {
	p := &peer{l: l, target: t, cancel: cancel, done: make(chan struct{}), replicates: make(chan struct{})}
	p.signs = newSigns(p)
	p.sessions = &line{p: p, role: l.sessions(t.Node)}
	if l.o.Leader != nil {
		p.replication = &line{p: p, role: l.replication(t.Node)}
	}
	return p
}

// run keeps the peer connected until ctx ends, Links close, or its sessions' connection breaks and is no longer wanted. It
// first waits for before, the end of the same node's earlier process or address, so that a node's streams never overlap.
func (p *peer) run(ctx context.Context, before <-chan struct{}) {
	defer close(p.done)
	if before != nil {
		<-before
	}
	var wg sync.WaitGroup
	wg.Go(func() { p.signs.watch(ctx) })
	if p.replication != nil {
		wg.Go(func() { p.replicate(ctx) })
	}
	p.sessions.run(ctx, func(error) bool { return p.l.stillWanted(p) })
	if p.l.closing.Err() == nil { // otherwise the other stream may still be sending what is queued
		p.cancel()
	}
	wg.Wait()
}

// replicate keeps the peer's stream of replication. A peer without one is not asked again: another program would have
// another boot.
func (p *peer) replicate(ctx context.Context) {
	select {
	case <-p.replicates:
	case <-ctx.Done():
		return
	case <-p.l.closing.Done():
		return
	}
	p.replication.run(ctx, func(err error) bool {
		if !errors.Is(err, errNoStream) {
			return true
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.without = true
		return false
	})
}

// spoke notes that a connection to the peer stands.
func (p *peer) spoke(version uint32) {
	p.mu.Lock()
	if p.version == 0 && version >= WithReplication {
		close(p.replicates)
	}
	p.version = version
	p.mu.Unlock()
	p.signs.begun()
}

// streams returns the peer's streams that stand, both those that this node dialled and those that the peer did.
func (p *peer) streams() []*stream {
	var all []*stream
	for _, n := range []*line{p.sessions, p.replication} {
		if n != nil {
			if up := n.up.Load(); up != nil {
				all = append(all, up.stream)
			}
		}
	}
	p.l.mu.RLock()
	defer p.l.mu.RUnlock()
	for _, from := range []inbounds{p.l.owners, p.l.followers} {
		if in, ok := from[p.target.Peer]; ok {
			all = append(all, in.stream)
		}
	}
	return all
}

func (p *peer) state() State {
	st := State{Peer: p.target.Peer, Addr: p.target.Addr}
	p.mu.Lock()
	st.Version, st.Replicates = p.version, p.replication != nil && p.version >= WithReplication && !p.without
	p.mu.Unlock()
	st.Silent, st.Gone = p.signs.state()
	up, lost, err := p.sessions.state()
	st.Reconnects = lost
	if up != nil {
		st.Up, st.Since = true, up.since
		st.RTT, st.Queued, st.Via = time.Duration(up.stream.rtt.Load()), up.stream.Queued(), up.raw.via
	} else if err != nil {
		st.Err = err.Error()
		_, st.Unfit = errors.AsType[*unfitError](err)
	}
	if p.replication != nil {
		st.Replication = p.replication.replicationState()
	}
	return st
}

func (n *line) replicationState() (st Replication) {
	up, lost, err := n.state()
	st.Reconnects = lost
	if up != nil {
		st.Up, st.Since, st.Queued = true, up.since, up.stream.Queued()
	} else if err != nil {
		st.Err = err.Error()
	}
	return st
}
