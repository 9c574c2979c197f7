package ownership

import (
	"errors"
	"fmt"

	"github.com/roomring/roomring/room/record"
)

// drain yields the room, or releases it if it has no standby, or notes to do so as soon as this node owns it.
func (m *Machine) drain() {
	if m.state == Absent || m.state == Held {
		return
	}
	m.draining = true // also of a room that is leaving now: it may turn out to be this node's still, or come back
	if m.state != Owning || m.conf.op != 0 {
		return
	}
	if m.standby != "" && m.end.op == 0 && !m.stored && m.refused == "" {
		m.yield()
		return
	}
	m.state = Releasing
	switch {
	case m.end.op != 0:
		m.awaitEnd()
	case without(StopFirst):
		m.begin(&m.main, Load)
	default:
		m.begin(&m.main, Stop)
	}
}

// stopAnswered goes on with a room that has left memory.
func (m *Machine) stopAnswered(e Event) {
	m.stopped, m.unloaded = e.Stopped, true
	m.idle()
	if m.state == Yielding && (e.Stopped.Over || m.end.op != 0 || m.endDecided()) {
		m.state = Releasing
	}
	if m.state == Yielding && m.standby == "" && m.draining {
		m.state = Releasing
	}
	switch {
	case m.state == Yielding && m.standby != "":
		m.pass()
	case m.state == Yielding && !m.draining: // the standby was dismissed meanwhile
		m.from, m.with = m.at(), m.standby
		m.takeBack()
	case m.memory:
		m.reset(nil)
	case m.endDecided():
		m.clear()
	case m.end.op != 0 && !m.awaitedEnd:
		m.awaitEnd()
	default:
		m.begin(&m.main, Load)
	}
}

// loadAnswered releases the log that the journal has read, if it holds everything that was acknowledged.
func (m *Machine) loadAnswered(e Event) {
	switch {
	case m.state == Yielding:
		m.takenOver(e)
	case errors.Is(e.Err, record.ErrPermanent), errors.Is(e.Err, record.ErrDamaged):
		m.keepHere(e.Err)
	case e.Err != nil:
		m.again(&m.main, releaseBackoff)
	case m.state == Restoring:
		m.loaded(e.Log)
	case e.Log.Cut != "":
		m.keepHere(fmt.Errorf("%w: %s", record.ErrDamaged, e.Log.Cut))
	case e.Log.Last < m.stopped.Last && !without(WholeFirst):
		m.keepHere(fmt.Errorf("%w: its log ends at %d, and %d was acknowledged", record.ErrDamaged, e.Log.Last, m.stopped.Last))
	case m.row.op != 0:
		m.idle() // rowAnswered begins the release
	default:
		m.release()
	}
}

// loaded runs a log that was read again. If it lacks what this node has written and the room has a standby, that one takes it.
func (m *Machine) loaded(log Log) {
	wrote := max(m.log.Last, m.stopped.Last)
	lacks := log.Cut != "" && m.log.Cut == "" || log.Doubt != record.Whole && m.log.Doubt == record.Whole || log.Last < wrote
	m.log = log
	switch {
	case log.Epoch > m.epoch && m.epoch != 0 && !without(GrantIsLatest): // the grant came late, and a later owner has fed this copy since
		m.readAgain()
	case without(WholeFirst), !lacks:
		m.begin(&m.main, Replay)
	case m.standby != "", m.epoch == 0 && m.with != "":
		m.cannot = fmt.Sprintf("its log ends at %d, and %d was written", log.Last, wrote)
		m.pass()
	case m.epoch == 0:
		m.begin(&m.main, Replay)
	default:
		m.keepHere(fmt.Errorf("%w: its log ends at %d, and %d was written", record.ErrDamaged, log.Last, wrote))
	}
}

// release asks the store to take the room, at an epoch of its own.
func (m *Machine) release() {
	m.next = change{to: max(m.epoch, m.open) + 1}
	m.begin(&m.main, Release)
}

// keepHere holds a room that can never be released. It goes on when this node starts again.
func (m *Machine) keepHere(err error) {
	m.idle()
	m.hold(fmt.Sprintf("it cannot be given away, and goes on when this node starts again: %v", err), false)
	m.held.cause = err
}

func (m *Machine) releaseAnswered(e Event) {
	byEarlierTry := e.Row.State == record.RowReleased && e.Row.Epoch == m.next.to
	switch {
	case errors.Is(e.Err, record.ErrPermanent):
		m.keepHere(e.Err)
	case e.Err != nil && without(ReleaseFirst):
		m.begin(&m.main, Remove)
	case e.Err != nil, e.Outcome == NoRow:
		m.again(&m.main, releaseBackoff)
	case e.Outcome == Won, byEarlierTry:
		m.held.Released = true
		m.emit(Effect{Do: Tell})
		m.notify()
		m.begin(&m.main, Remove)
	case m.end.op != 0: // the store may have got the end first, which ends the row
		m.rowMoved = true
		m.awaitEnd()
	default:
		m.overtaken()
	}
}

// overtaken ends the release of a room whose row had already moved.
func (m *Machine) overtaken() {
	if m.stored || m.wasOver {
		m.clear()
		return
	}
	m.unloaded = true
	m.readAgain()
}

// clear removes a finished room's log, or sets it aside if the store refuses the room's end.
func (m *Machine) clear() {
	m.state = Ending
	if m.refused != "" && !without(KeepRefused) {
		m.begin(&m.main, SetAside)
		return
	}
	m.notify()
	m.begin(&m.main, Remove)
}

// clearAnswered ends a room's life here when its log is removed or set aside. If the log of a released room cannot be
// removed, the next start sees in the room's row that it moved, and sets the log aside.
func (m *Machine) clearAnswered(e Event) {
	if e.Err != nil && m.state != Releasing && !errors.Is(e.Err, record.ErrPermanent) {
		m.again(&m.main, journalBackoff)
		return
	}
	m.afterClear()
}

func (m *Machine) afterClear() {
	if m.held.Why != "" && m.held.Released { // given back
		m.idle()
		m.hold(m.held.Why, true)
		return
	}
	m.reset(nil)
}

// giveBack releases an adopted room that this program's rules cannot replay. Another node may have the rules that recorded
// it.
func (m *Machine) giveBack(why string) {
	m.failedAt, m.stopped.Last, m.unloaded = m.log.Last, m.log.Last, true
	m.held, m.state = HeldError{Why: why}, Releasing
	if without(GiveBackFirst) {
		m.held.Released = true
		m.begin(&m.main, Remove)
		return
	}
	m.begin(&m.main, Load)
}

// awaitEnd waits once for the end of a room that is being released. When the end is stored, no node needs to adopt the
// room.
func (m *Machine) awaitEnd() {
	m.awaitedEnd = true
	m.wait(resultPatience)
}

// whyAside says, for people, why a log is set aside.
func (m *Machine) whyAside() string {
	switch {
	case m.refused != "":
		return m.refused
	case m.dead != "":
		return m.dead
	case m.wasOver:
		return "the store holds the room to be over"
	}
	return movedOn
}
