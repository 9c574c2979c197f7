package edge

// acts decides which acts of a client go to the room by a route that is not its first. When the client reads the second
// welcome, it sends all unanswered acts again. Until then its acts belong to the old route. In the room they would make a
// gap, or be too many unanswered acts. The zero acts let everything through.
type acts struct {
	strict bool
	cseq   uint64 // the last act that the room had applied at the welcome
	next   uint64 // the first act after cseq that has not been let through
	again  uint64 // acts up to cseq that have been let through: bit i is cseq-i
}

// welcome begins anew after the room's welcome. The room has applied the client's acts up to cseq.
func (a *acts) welcome(cseq uint64) { *a = acts{strict: true, cseq: cseq, next: cseq + 1} }

// admits reports whether an act goes to the room. An act that has gone there since the welcome does not go again, because
// its answer will come.
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
		return false // it has gone there, or is so old that it was answered
	}
	bit := uint64(1) << (a.cseq - cseq)
	first := a.again&bit == 0
	a.again |= bit
	return first
}
