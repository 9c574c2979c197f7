package edge

import (
	"errors"
	"time"

	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// backoff is the longest wait before a session looks for its room again.
var backoff = clock.Backoff{Min: 40 * time.Millisecond, Max: 250 * time.Millisecond}

// Machine is one client's session. Make it by New; who uses it from several goroutines locks it.
type Machine struct {
	reattach time.Duration

	state State
	route uint64 // the newest; it is the present one in Attaching, Live and Leaving
	node  string // of it
	yes   bool   // Attaching: the room has said yes
	acts  acts   // of the present route

	known    bool // the client has been welcomed
	epoch    record.Epoch
	leaves   bool // it has given up its seat, as far as it knows
	answered bool // who began the session knows how it went

	search bool          // for the room goes on; it ends with the first answer, later ones with the welcome
	until  time.Duration // it may
	tries  int
	why    error // the last one failed
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
		return m.late(e)
	}
	switch e.What {
	case Found:
		return m.found(e)
	case Missed:
		return m.missed(now, e)
	case Attached, Refused, Welcomed, Lost, Ended:
		return m.told(now, e)
	case Leave:
		return m.leave()
	case Close:
		return m.close(e)
	case GaveUp:
		if !m.answered {
			return m.fail(&NotInTime{m.why})
		}
	case Stopped:
		if m.search {
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
		return m.route, m.yes && !m.known
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
	m.state, m.search, m.until = Looking, true, now+m.reattach
	return []Effect{{Do: Find}}
}

// late handles an event of a route that is no longer present. If it has attached after all, it is detached.
func (m *Machine) late(e Event) []Effect {
	if e.What == Attached {
		return []Effect{{Do: Detach, Route: e.Route}}
	}
	return nil
}

func (m *Machine) found(e Event) []Effect {
	if m.state != Looking {
		return nil
	}
	m.state, m.yes, m.node = Attaching, false, e.Node
	m.route++
	return []Effect{{Do: Attach, Route: m.route, Node: e.Node, Again: m.known}}
}

func (m *Machine) missed(now time.Duration, e Event) []Effect {
	if m.state != Looking {
		return nil
	}
	if e.Final {
		return m.fail(e.Err)
	}
	return m.retry(now, e.Err)
}

// told handles an event from a room or its route.
func (m *Machine) told(now time.Duration, e Event) []Effect {
	if !m.present(e.Route) {
		return m.late(e)
	}
	switch e.What {
	case Attached:
		return m.attached()
	case Welcomed:
		return m.welcomed(now, e)
	case Ended:
		return m.ended(e)
	case Refused:
		return m.refused(now, e)
	}
	return m.lost(now, e.Err)
}

// attached lets a new client act at once. One that was welcomed before sends what has no answer again at the welcome.
func (m *Machine) attached() []Effect {
	if m.state != Attaching || m.yes {
		return nil
	}
	m.yes, m.why = true, nil
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
	m.answered, m.search = true, false
	return []Effect{{Do: Answer, Err: err}}
}

func (m *Machine) welcomed(now time.Duration, e Event) []Effect {
	if m.state != Attaching {
		return m.leaveRoute(now, errAgain)
	}
	if e.Epoch < m.epoch {
		return append([]Effect{{Do: Forget, Node: m.node}}, m.leaveRoute(now, errOld)...)
	}
	again, open := m.known, m.yes && !m.known
	m.state, m.yes, m.known, m.epoch = Live, true, true, e.Epoch
	m.acts = acts{}
	if again {
		m.acts.welcome(uint64(e.CSeq))
	}
	var out []Effect
	if !open {
		out = append(out, Effect{Do: Open, Route: m.route, Again: again, Free: !again})
	}
	if m.answered && m.search {
		out = append(out, Effect{Do: Alarm})
	}
	out = append(out, m.answer(nil)...)
	m.search = false
	if m.leaves {
		out = append(out, m.leave()...)
	}
	return out
}

// Routes that are given up.
var (
	errAgain = errors.New("the room has welcomed the client twice: retry")
	errOld   = errors.New("the room was found as it was before: retry")
)

// leaveRoute gives the present route up.
func (m *Machine) leaveRoute(now time.Duration, why error) []Effect {
	return append([]Effect{{Do: Detach, Route: m.route}}, m.lost(now, why)...)
}

// lost handles the loss of the present route: the session looks for its room again.
func (m *Machine) lost(now time.Duration, why error) []Effect {
	out := []Effect{{Do: Mute}}
	if m.search {
		return append(out, m.retry(now, why)...)
	}
	m.state, m.search, m.until, m.tries, m.why = Looking, true, now+m.reattach, 1, nil
	return append(out, Effect{Do: Alarm, At: m.until}, m.find())
}

func (m *Machine) refused(now time.Duration, e Event) []Effect {
	switch {
	case m.yes:
		return m.leaveRoute(now, e.Err)
	case e.Final:
		return m.fail(e.Err)
	case e.NotHere:
		return append([]Effect{{Do: Forget, Node: m.node}}, m.leaveRoute(now, e.Err)...)
	}
	return m.leaveRoute(now, e.Err)
}

// ended handles the end of the session by the room. Before the room has accepted the session, that is a refusal.
func (m *Machine) ended(e Event) []Effect {
	if !m.yes {
		return m.fail(e.Err)
	}
	m.state = Over
	return []Effect{{Do: End, Err: e.Err, Discard: e.Discard}}
}

func (m *Machine) leave() []Effect {
	m.leaves = true
	if m.state != Live {
		return nil // the room is told after the welcome
	}
	m.state = Leaving
	return []Effect{{Do: Depart, Route: m.route}}
}

func (m *Machine) close(e Event) []Effect {
	if e.Route != 0 && !m.present(e.Route) {
		return nil
	}
	return m.end(&NotInTime{m.why}, e.Err, e.Discard)
}

// due handles the alarm: the time to find the room may be over. A new session has no alarm, because its caller has its own
// timeout.
func (m *Machine) due(now time.Duration) []Effect {
	switch {
	case !m.search || !m.answered:
		return nil
	case now < m.until:
		return []Effect{{Do: Alarm, At: m.until}}
	}
	return m.fail(&NotInTime{m.why})
}

// retry goes on looking for the room if there is time.
func (m *Machine) retry(now time.Duration, why error) []Effect {
	m.why = why
	if now > m.until {
		return m.fail(&NotInTime{why})
	}
	m.state = Looking
	m.tries++
	return []Effect{m.find()}
}

func (m *Machine) find() Effect {
	return Effect{Do: Find, Wait: backoff.Ceiling(m.tries - 1), Again: m.known}
}

// fail ends a session that has found no room.
func (m *Machine) fail(why error) []Effect {
	if !m.answered {
		return m.end(why, nil, true)
	}
	return m.end(nil, why, false)
}

// end ends the session from this side. Unanswered goes to the caller that began it, if that has had no answer yet.
func (m *Machine) end(unanswered, why error, discard bool) []Effect {
	var out []Effect
	if m.present(m.route) {
		out = append(out, Effect{Do: Detach, Route: m.route})
	}
	m.state = Over
	out = append(out, Effect{Do: End, Err: why, Discard: discard})
	return append(out, m.answer(unanswered)...)
}
