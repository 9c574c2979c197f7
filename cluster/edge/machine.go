package edge

import (
	"errors"
	"time"

	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// backoff is the longest wait before a session looks for its room again.
var backoff = clock.Backoff{Min: 40 * time.Millisecond, Max: 250 * time.Millisecond}

// Machine is one client's session. Make it by New. Callers with several goroutines must lock it.
type Machine struct {
	reattach time.Duration

	state    State
	route    uint64 // the newest; the present one in Attaching, Live and Leaving
	node     string // the node of route
	accepted bool   // the room has accepted route
	acts     acts   // the filter of route

	known    bool         // a room has welcomed the client
	epoch    record.Epoch // the highest that a room has told the client
	leaves   bool         // the client has given up its seat
	answered bool         // the caller that began the session knows the outcome

	searching bool          // the session looks for its room: the first time until the answer, later until the welcome
	deadline  time.Duration // the search fails then
	tries     int           // of this search
	lastErr   error         // why the last try failed
	next      string        // the node to which the room is said to be on its way; "": nobody has said
}

// New makes a client's machine. Reattach is how long it looks for its room before it gives up.
func New(reattach time.Duration) Machine { return Machine{reattach: reattach} }

// State returns the session's state; 0 before Begin.
func (m *Machine) State() State { return m.state }

// Step handles an event and returns what to do, in order. Now must never go back.
func (m *Machine) Step(now time.Duration, e Event) []Effect {
	switch {
	case m.state == 0:
		return m.begin(now, e)
	case m.state == Over:
		return m.stale(e)
	}
	switch e.What {
	case Found:
		return m.found(e)
	case Missed:
		return m.missed(now, e)
	case Attached, Refused, Welcomed, Raised, Lost, Ended:
		return m.roomEvent(now, e)
	case Leave:
		return m.leaveSeat()
	case Close:
		return m.close(e)
	case GaveUp:
		if !m.answered {
			return m.fail(&NotInTime{m.lastErr})
		}
	case Stopped:
		if m.searching {
			return m.fail(ErrStopped)
		}
	case Due:
		return m.due(now)
	}
	return nil
}

// Act reports whether an act of the client's goes to the room, by the present route.
func (m *Machine) Act(cseq uint64) (route uint64, ok bool) {
	switch m.state {
	case Live, Leaving:
		return m.route, m.acts.admits(cseq)
	case Attaching:
		return m.route, m.accepted && !m.known
	}
	return 0, false
}

// present reports whether a route is the one that the session has or tries.
func (m *Machine) present(route uint64) bool {
	return m.state >= Attaching && m.state < Over && route == m.route
}

func (m *Machine) begin(now time.Duration, e Event) []Effect {
	if e.What != Begin {
		return nil
	}
	m.state, m.searching, m.deadline = Looking, true, now+m.reattach
	return []Effect{{Do: Find}}
}

// stale handles an event of a route that is not present. A route that has attached after all is detached.
func (m *Machine) stale(e Event) []Effect {
	if e.What == Attached {
		return []Effect{{Do: Detach, Route: e.Route}}
	}
	return nil
}

func (m *Machine) found(e Event) []Effect {
	if m.state != Looking {
		return nil
	}
	coming := e.Node == m.next
	m.state, m.accepted, m.node, m.next = Attaching, false, e.Node, ""
	m.route++
	return []Effect{{Do: Attach, Route: m.route, Node: e.Node, Again: m.known, Coming: coming}}
}

func (m *Machine) missed(now time.Duration, e Event) []Effect {
	if m.state != Looking {
		return nil
	}
	m.next = e.Node
	switch {
	case e.Final:
		return m.fail(e.Err)
	case e.Node != "":
		m.lastErr = e.Err
		return m.found(e)
	}
	return m.retry(now, e.Err)
}

// roomEvent handles an event from a room or its route.
func (m *Machine) roomEvent(now time.Duration, e Event) []Effect {
	if !m.present(e.Route) {
		return m.stale(e)
	}
	switch e.What {
	case Attached:
		return m.attached()
	case Welcomed:
		return m.welcomed(now, e)
	case Raised:
		m.epoch = max(m.epoch, e.Epoch)
		return nil
	case Ended:
		return m.roomEnded(e)
	case Refused:
		return m.refused(now, e)
	}
	m.next = e.Node
	return m.lost(now, e.Err)
}

// attached lets a new client act at once. A client that was welcomed before sends its unanswered acts again at the welcome.
func (m *Machine) attached() []Effect {
	if m.state != Attaching || m.accepted {
		return nil
	}
	m.accepted, m.lastErr = true, nil
	if m.known {
		return nil
	}
	return append([]Effect{{Do: Open, Route: m.route, Free: true}}, m.answer(nil)...)
}

// answer tells the caller that began the session how it went, once.
func (m *Machine) answer(err error) []Effect {
	if m.answered {
		return nil
	}
	m.answered, m.searching = true, false
	return []Effect{{Do: Answer, Err: err}}
}

func (m *Machine) welcomed(now time.Duration, e Event) []Effect {
	if m.state != Attaching {
		return m.dropRoute(now, errAgain)
	}
	if e.Epoch < m.epoch {
		return m.dropRoute(now, errOld)
	}
	again, open := m.known, m.accepted && !m.known
	m.state, m.accepted, m.known, m.epoch = Live, true, true, e.Epoch
	m.acts = acts{}
	if again {
		m.acts.welcome(uint64(e.CSeq))
	}
	var out []Effect
	if !open {
		out = append(out, Effect{Do: Open, Route: m.route, Again: again, Free: !again})
	}
	if m.answered && m.searching {
		out = append(out, Effect{Do: Alarm})
	}
	out = append(out, m.answer(nil)...)
	m.searching = false
	if m.leaves {
		out = append(out, m.leaveSeat()...)
	}
	return out
}

// The reasons for giving a route up after its welcome.
var (
	errAgain = errors.New("the room has welcomed the client twice: retry")
	errOld   = errors.New("the room was found as it was before: retry")
)

// dropRoute gives the present route up.
func (m *Machine) dropRoute(now time.Duration, why error) []Effect {
	return append([]Effect{{Do: Detach, Route: m.route}}, m.lost(now, why)...)
}

// lost handles the loss of the present route: the session looks for its room again, wherever it is now. What was known is forgotten, because gossip
// takes a node that has just died for alive a second longer than its links.
func (m *Machine) lost(now time.Duration, why error) []Effect {
	out := []Effect{{Do: Mute}, {Do: Forget, Node: m.node}}
	if m.searching {
		return append(out, m.retry(now, why)...)
	}
	m.state, m.searching, m.deadline, m.tries, m.lastErr = Looking, true, now+m.reattach, 1, nil
	find := m.find()
	if m.next != "" { // after a refusal it waits, so that two nodes that name each other are not asked without a pause
		find.Wait = 0
	}
	return append(out, Effect{Do: Alarm, At: m.deadline}, find)
}

func (m *Machine) refused(now time.Duration, e Event) []Effect {
	m.next = e.Node
	if e.Final && !m.accepted {
		return m.fail(e.Err)
	}
	return m.dropRoute(now, e.Err)
}

// roomEnded handles the end of the session by the room. It is a refusal if the room has not accepted the session yet.
func (m *Machine) roomEnded(e Event) []Effect {
	if !m.accepted {
		return m.fail(e.Err)
	}
	m.state = Over
	return []Effect{{Do: End, Err: e.Err, Discard: e.Discard}}
}

func (m *Machine) leaveSeat() []Effect {
	m.leaves = true
	if m.state != Live {
		return nil // welcomed tells the room
	}
	m.state = Leaving
	return []Effect{{Do: Depart, Route: m.route}}
}

func (m *Machine) close(e Event) []Effect {
	if e.Route != 0 && !m.present(e.Route) {
		return nil
	}
	return m.end(&NotInTime{m.lastErr}, e.Err, e.Discard)
}

// due handles the alarm: it fails a search whose deadline has passed. A new session has no alarm, because its caller has its
// own timeout.
func (m *Machine) due(now time.Duration) []Effect {
	switch {
	case !m.searching || !m.answered:
		return nil
	case now < m.deadline:
		return []Effect{{Do: Alarm, At: m.deadline}}
	}
	return m.fail(&NotInTime{m.lastErr})
}

// retry looks for the room again, if there is time.
func (m *Machine) retry(now time.Duration, why error) []Effect {
	m.lastErr = why
	if now > m.deadline {
		return m.fail(&NotInTime{why})
	}
	m.state = Looking
	m.tries++
	return []Effect{m.find()}
}

func (m *Machine) find() Effect {
	return Effect{Do: Find, Node: m.next, Wait: backoff.Ceiling(m.tries - 1), Again: m.known}
}

// fail ends a session that has found no room.
func (m *Machine) fail(why error) []Effect {
	if !m.answered {
		return m.end(why, nil, true)
	}
	return m.end(nil, why, false)
}

// end ends the session from this side. The caller that began it gets the error unanswered, if it has had no answer yet.
func (m *Machine) end(unanswered, why error, discard bool) []Effect {
	var out []Effect
	if m.present(m.route) {
		out = append(out, Effect{Do: Detach, Route: m.route})
	}
	m.state = Over
	out = append(out, Effect{Do: End, Err: why, Discard: discard})
	return append(out, m.answer(unanswered)...)
}
