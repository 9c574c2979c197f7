package torture

import "time"

// wait is a time in which a client waited for its room.
type wait struct {
	from, to time.Duration
	broken   bool // its session broke meanwhile, or went on elsewhere
}

// waits are the times in which a client waited: for the answer of an act, or for a session after its socket was lost.
func waits(notes []note) (all []wait) {
	var since time.Duration
	waiting, broken := false, false
	begin := func(at time.Duration) {
		if !waiting {
			since, waiting, broken = at, true, false
		}
	}
	open := map[uint64]struct{}{} // acts without an answer
	for _, n := range notes {
		switch n.Kind {
		case noteSent:
			open[n.CSeq] = struct{}{}
			begin(n.At)
		case noteLost:
			begin(n.At)
			broken = true
		case noteMove:
			broken = broken || waiting
		case noteWelcome:
			broken = true
		case noteAnswered:
			delete(open, n.CSeq)
		}
		serves := n.Kind == noteState || n.Kind == noteTurn || n.Kind == noteAnswered || n.Kind == noteOver || n.Kind == noteWelcome && n.Recovered
		if !waiting || !serves || n.Kind == noteTurn && len(open) > 0 && !broken {
			continue
		}
		all = append(all, wait{since, n.At, broken})
		if waiting = false; len(open) > 0 {
			begin(n.At)
		}
	}
	return all
}

// answerTimes are the times from sending an act first to its answer.
func answerTimes(notes []note) (all []time.Duration) {
	sent := map[uint64]time.Duration{}
	for _, n := range notes {
		switch n.Kind {
		case noteSent:
			if _, again := sent[n.CSeq]; !again {
				sent[n.CSeq] = n.At
			}
		case noteAnswered:
			if at, known := sent[n.CSeq]; known {
				all = append(all, n.At-at)
				delete(sent, n.CSeq)
			}
		}
	}
	return all
}

// ownerAt is the node that the client last heard to have the room before a time, and the epoch.
func ownerAt(notes []note, at time.Duration) (node string, epoch uint64) {
	for _, n := range notes {
		if n.At > at {
			break
		}
		if n.Kind == noteWelcome {
			node, epoch = n.Text, n.Epoch
		}
	}
	return node, epoch
}

// failover is the time from the death of the room's owner until the client hears of its room again under a later epoch; in a room that ticks,
// until its next turn. False: the owner was another node, or the room was over, or it never heard.
func failover(notes []note, b blow, ticks bool) (time.Duration, bool) {
	node, epoch := ownerAt(notes, b.at)
	if node != b.node {
		return 0, false
	}
	later := false
	for _, n := range notes {
		if n.Kind == noteOver && n.At <= b.at {
			return 0, false
		}
		if n.At <= b.at {
			continue
		}
		later = later || n.Kind == noteWelcome && n.Epoch > epoch
		turn := n.Kind == noteTurn || n.Kind == noteState
		if later && (turn || !ticks && (n.Kind == noteAnswered || n.Kind == noteWelcome && n.Recovered)) {
			return n.At - b.at, true
		}
	}
	return 0, false
}

// handover is the longest time that the client waited from the order to its room's owner to stop until a second after it was welcomed
// elsewhere. In a room that ticks a gap between two turns counts as waiting.
func handover(notes []note, b blow, ticks bool) (time.Duration, bool) {
	node, epoch := ownerAt(notes, b.at)
	if node != b.node {
		return 0, false
	}
	end := time.Duration(0)
	for _, n := range notes {
		if n.At <= b.at && n.Kind == noteOver {
			return 0, false
		}
		if n.At > b.at && n.Kind == noteWelcome && n.Epoch > epoch {
			end = n.At + time.Second
			break
		}
	}
	if end == 0 {
		return 0, false
	}
	var longest time.Duration
	for _, w := range waits(notes) {
		if w.to >= b.at && w.from <= end {
			longest = max(longest, w.to-w.from)
		}
	}
	if ticks {
		longest = max(longest, turnGap(notes, b.at, end))
	}
	return longest, true
}

// stallLeast is what counts as a stall: shorter gaps between turns say nothing of a cut.
const stallLeast = 300 * time.Millisecond

// stall is the longest time without a turn that began while a cable was cut, in a room that ticks. False: the client felt nothing.
func stall(notes []note, b blow) (longest time.Duration, felt bool) {
	var last time.Duration
	for _, n := range notes {
		if n.Kind != noteTurn && n.Kind != noteState {
			continue
		}
		if last > 0 && n.At > b.at && last < b.until {
			longest = max(longest, n.At-max(last, b.at))
		}
		last = n.At
	}
	return longest, longest > stallLeast
}

// turnGap is the longest time between two states or turns that touches a span of time.
func turnGap(notes []note, from, to time.Duration) (longest time.Duration) {
	var last time.Duration
	for _, n := range notes {
		if n.Kind != noteTurn && n.Kind != noteState {
			continue
		}
		if last > 0 && n.At >= from && last <= to {
			longest = max(longest, n.At-last)
		}
		last = n.At
	}
	return longest
}

// measure adds a room's figures to the report.
func (r *run) measure(l *live, e *evidence) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := &r.report.Counts
	ticks := l.game.rules.Spec().TickRate > 0
	if e.Ending != nil {
		c.Results++
		if e.Ending.End == "finished" {
			c.Finished++
		}
	}
	if e.Replay != nil && len(e.Replay.Entries) > 0 {
		c.Inputs += int(e.Replay.Entries[len(e.Replay.Entries)-1].Index)
	}
	for _, log := range e.Clients {
		c.count(log.notes)
		r.report.Answers = append(r.report.Answers, answerTimes(log.notes)...)
		for _, w := range waits(log.notes) {
			if w.broken {
				r.report.Outages = append(r.report.Outages, w.to-w.from)
			}
		}
		for _, b := range r.report.blows {
			if b.at < l.born {
				continue
			}
			switch b.kind {
			case "kill":
				if d, ok := failover(log.notes, b, ticks); ok {
					r.report.Failovers = append(r.report.Failovers, d)
				}
			case "drain":
				if d, ok := handover(log.notes, b, ticks); ok {
					r.report.Handovers = append(r.report.Handovers, d)
				}
			case "cut":
				if d, ok := stall(log.notes, b); ok && ticks {
					r.report.Cuts = append(r.report.Cuts, d)
				}
			}
		}
	}
}

// count counts a client's notes.
func (c *Counts) count(notes []note) {
	c.Clients++
	sent := map[uint64]bool{}
	for _, n := range notes {
		switch n.Kind {
		case noteSent:
			if !sent[n.CSeq] {
				c.Acts++
			} else {
				c.Resent++
			}
			sent[n.CSeq] = true
		case noteAnswered:
			if n.Text == "" {
				c.Acks++
			} else {
				c.Rejects++
			}
		case noteTurn:
			c.Turns++
		case noteState:
			c.States++
		case noteWelcome:
			if c.Welcomes++; n.Recovered {
				c.Resumes++
			}
		}
	}
}
