package edge

// acts decides which acts of a client go to the room by a route after its first one. The client sends all unanswered acts
// again when it reads the welcome of the new route. Acts from before that belong to the old route: in the room they would
// make a gap, or be too many unanswered acts. The zero value lets every act through.
type acts struct {
	strict bool
	cseq   uint64 // the last act that the room had applied at the welcome
	next   uint64 // the first act after cseq that was not let through
	again  uint64 // acts up to cseq that were let through: bit i is cseq-i
}

// welcome starts over at the room's welcome. The room has applied the client's acts up to cseq.
func (a *acts) welcome(cseq uint64) { *a = acts{strict: true, cseq: cseq, next: cseq + 1} }

// admits reports whether an act goes to the room. An act goes there only once after the welcome, because its answer will
// come.
func (a *acts) admits(cseq uint64) bool {
	switch {
	case !a.strict:
		return true
	case cseq > a.next:
		return a.next > a.cseq+1 // the client made the gap: the room reports it
	case cseq == a.next:
		a.next++
		return true
	case cseq > a.cseq || a.cseq-cseq >= 64:
		return false // it was let through, or is so old that it was answered
	}
	bit := uint64(1) << (a.cseq - cseq)
	first := a.again&bit == 0
	a.again |= bit
	return first
}
