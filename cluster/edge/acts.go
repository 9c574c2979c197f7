package edge

// acts lets through which acts of a client make sense on a route that is not its first. The client sends all that has no
// answer again when it reads the second welcome; until then come acts that belong to the time before, out of which the
// room would make a gap, or have too many without an answer. The zero acts let everything through.
type acts struct {
	strict bool
	cseq   uint64 // the last act that the room had applied at the welcome
	next   uint64 // the first after it that has not been let through
	again  uint64 // acts up to cseq that have been: bit i is cseq-i
}

// welcome is when the room has welcomed the client, having applied its acts up to cseq.
func (a *acts) welcome(cseq uint64) { *a = acts{strict: true, cseq: cseq, next: cseq + 1} }

// admits reports whether an act goes to the room. What has gone there since the welcome does not go again: its answer
// is on its way.
func (a *acts) admits(cseq uint64) bool {
	switch {
	case !a.strict:
		return true
	case cseq > a.next:
		return a.next > a.cseq+1 // a gap of the client's own: the room says so
	case cseq == a.next:
		a.next++
		return true
	case cseq > a.cseq || a.cseq-cseq >= 64:
		return false // there, or too old to have no answer
	}
	bit := uint64(1) << (a.cseq - cseq)
	first := a.again&bit == 0
	a.again |= bit
	return first
}
