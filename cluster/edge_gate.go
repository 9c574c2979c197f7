package cluster

import "sync"

// gate lets through which acts of a client make sense on a leg that is not its first. The client sends all that has no
// answer again when it reads the second welcome; until then come acts that belong to the time before, out of which the
// room would make a gap, or have too many without an answer.
type gate struct {
	mu    sync.Mutex
	ready bool
	cseq  uint64 // the last act that the room had applied at the welcome
	next  uint64 // the first after it that has not been let through
	again uint64 // acts up to cseq that have been: bit i is cseq-i
}

// open is when the room has welcomed the client, having applied its acts up to cseq.
func (g *gate) open(cseq uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ready, g.cseq, g.next, g.again = true, cseq, cseq+1, 0
}

// admits reports whether an act goes to the room. What has gone there since the welcome does not go again: its answer
// is on its way.
func (g *gate) admits(cseq uint64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case !g.ready:
		return false
	case cseq > g.next:
		return g.next > g.cseq+1 // a gap of the client's own: the room says so
	case cseq == g.next:
		g.next++
		return true
	case cseq > g.cseq || g.cseq-cseq >= 64:
		return false // there, or too old to have no answer
	}
	bit := uint64(1) << (g.cseq - cseq)
	first := g.again&bit == 0
	g.again |= bit
	return first
}
