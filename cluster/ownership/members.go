package ownership

import (
	"fmt"
	"time"

	"github.com/roomring/roomring/room/record"
)

// change is a change of a room's row that its owner has asked for. It is open until the store has answered it, or shows the
// row at a later epoch: until then a late write may still make it.
type change struct {
	to      record.Epoch
	standby string // afterwards
}

// asOwner handles what the owner of a room hears of its followers.
func (m *Machine) asOwner(e Event) {
	switch {
	case m.state == Yielding && e.Kind == Declined && m.main.op == Wait:
		m.declined(e.Log)
		return
	case !m.inMemoryHere(), m.conf.op != 0, !m.inStore, m.wasOver, m.state != Owning && e.Kind != Dismiss:
		return
	}
	ended := m.end.op != 0 || m.endDecided()
	switch e.Kind {
	case Recruit:
		if e.Folder != m.standby && !ended {
			m.emit(Effect{Do: Join, Folder: e.Folder})
			m.change(e.Folder)
		}
	case Dismiss:
		if m.standby != "" && m.end.op == 0 {
			m.change("")
		}
	case Yield:
		if e.Folder == m.standby && e.Folder != "" && !ended {
			m.yield()
		}
	case Unable:
		if m.standby != "" && !ended {
			m.cannot, m.unable, m.state = e.Why, true, Yielding
			m.begin(&m.main, Expel)
		}
	}
}

// inMemoryHere reports whether this node owns the room and has it in memory, perhaps until it has stopped.
func (m *Machine) inMemoryHere() bool {
	return m.state == Owning || (m.state == Yielding || m.state == Releasing) && !m.unloaded
}

// change asks the store for another standby.
func (m *Machine) change(standby string) {
	m.next = change{max(m.epoch, m.open) + 1, standby}
	m.begin(&m.conf, Change)
}

// confAnswered handles the store's answers to an owner that changes members or looks at its row.
func (m *Machine) confAnswered(e Event) {
	if m.conf.op == Wait {
		m.drop(&m.conf)
		m.waited = true
		m.suspected = true
		m.suspect()
		return
	}
	looks := m.conf.op == ReadRow
	same := e.Outcome != NoRow && e.Row.State == record.RowLive && e.Row.Epoch == m.epoch
	switch {
	case looks && (e.Err != nil || e.Outcome == NoRow || same):
		m.drop(&m.conf)
		if without(HigherSettles) {
			m.emit(Effect{Do: Join})
		}
	case !looks && e.Err != nil && without(ChangeIsOpen):
		m.drop(&m.conf)
		m.emit(Effect{Do: Join})
	case !looks && e.Err != nil && without(HigherSettles):
		m.begin(&m.conf, ReadRow)
		return
	case e.Err != nil, e.Outcome == NoRow:
		m.open = max(m.open, m.next.to)
		m.again(&m.conf, claimBackoff)
		return
	case !looks && (e.Outcome == Won || m.wrote(e.Row, m.at())):
		m.drop(&m.conf)
		m.epoch, m.standby = m.next.to, m.next.standby
		m.emit(Effect{Do: Enter, To: m.epoch, Folder: m.standby})
	default:
		m.drop(&m.conf)
		m.expel()
		return
	}
	if m.finishing {
		m.finished()
	}
	if m.draining && m.state == Owning {
		m.drain()
	}
}

// expel ends the room's time in memory because its row has moved without this owner. Nothing that was not committed has left
// the room, and nothing will.
func (m *Machine) expel() {
	m.state = Ending
	m.begin(&m.main, Expel)
}

func (m *Machine) expelAnswered() {
	m.idle()
	m.unloaded = true
	switch {
	case m.state != Yielding:
		m.readAgain()
	case m.standby == "":
		m.hold(m.cannot, false)
	default:
		m.pass()
	}
}

// readAgain goes by the row of a room that this node has owned and owns no longer.
func (m *Machine) readAgain() {
	m.state, m.origin, m.expelled, m.replayed = Asking, found, true, false
	m.epoch, m.standby, m.with, m.inStore = 0, "", "", false
	m.begin(&m.main, ReadRow)
}

// yield stops the room, so that its standby may take it.
func (m *Machine) yield() {
	m.state = Yielding
	if without(StopBeforeYield) {
		m.pass()
		return
	}
	m.begin(&m.main, Stop)
}

// notify tells the standby to look at the row: it is needed no more.
func (m *Machine) notify() {
	if m.standby != "" {
		m.emit(Effect{Do: Notify, Folder: m.standby})
	}
}

// retire lets the members of a room go whose end is stored: people only look at it now, and nobody takes it on.
func (m *Machine) retire() {
	m.drop(&m.conf)
	m.standby = ""
	m.emit(Effect{Do: Retire})
}

// pass tells the standby that it may take the room, and waits for it.
func (m *Machine) pass() {
	m.state, m.unloaded = Yielding, true
	if m.epoch != 0 {
		m.from, m.with = m.at(), m.standby
	}
	m.passing++
	m.emit(Effect{Do: Pass, To: m.from.Epoch, Folder: m.with, Log: m.log})
	m.wait(yieldPatience)
}

// declined goes on after the standby has said that it does not take the room. If neither copy is whole, the one that holds
// more goes on.
func (m *Machine) declined(other Log) {
	switch {
	case m.cannot != "": // it is asked again after a while
	case !m.doubtful():
		m.begin(&m.main, ReadRow)
	case other.Doubt != record.Whole && m.log.Doubt == record.Unsure && !other.beats(m.log):
		m.takeBack()
	}
}

// doubtful reports whether this node's copy is not whole.
func (m *Machine) doubtful() bool { return m.log.Doubt != record.Whole || m.log.Cut != "" }

// yieldRead goes by the row of a room that was yielded. While the row has not moved, this node goes on with it, unless it
// cannot.
func (m *Machine) yieldRead(e Event) {
	m.log = e.Log
	if m.log.Last < m.stopped.Last && !without(WholeFirst) {
		m.cannot = fmt.Sprintf("its log ends at %d, and %d was acknowledged", m.log.Last, m.stopped.Last)
	}
	if e.Outcome != NoRow && m.ours(e.Row) && m.wrote(e.Row, m.from) { // by a change of members that was still open
		m.from.Epoch, m.with = e.Row.Epoch, e.Row.Standby
		if m.epoch != 0 {
			m.epoch, m.standby = m.from.Epoch, m.with
		}
	}
	still := e.Outcome != NoRow && m.ours(e.Row) && e.Row.Epoch == m.from.Epoch
	switch {
	case still && m.with == "" && m.cannot != "":
		m.hold(m.cannot, false)
	case !still:
		m.origin, m.expelled, m.replayed = found, true, false
		m.epoch, m.standby, m.with = 0, "", ""
		m.goBy(e)
	case m.unable && m.passing >= unablePasses: // its disk may work again, and its standby is not there
		m.cannot, m.unable = "", false
		m.takeBack()
	case m.cannot != "", m.doubtful() && time.Duration(m.passing)*yieldPatience < m.doubtWait(), m.log.Doubt == record.Partial:
		m.pass()
	case m.draining && !m.doubtful():
		m.state = Releasing
		m.epoch = m.from.Epoch
		m.begin(&m.main, Load)
	default:
		m.takeBack()
	}
}

// takeBack asks for a room that this node has stopped and still owns. Its standby stays, unless this node goes on without
// what that one may have.
func (m *Machine) takeBack() {
	if m.doubtful() {
		m.with = ""
	}
	m.wish = max(m.log.next(m.from.Epoch), m.open+1)
	m.begin(&m.main, Claim)
}

// look reads the row.
func (m *Machine) look() {
	switch {
	case m.free():
		m.begin(&m.main, ReadRow)
	case m.state == Owning && m.conf.op == 0 && m.inStore && !m.wasOver:
		m.begin(&m.conf, ReadRow)
	}
}

// rowRead goes by a row that was read.
func (m *Machine) rowRead(e Event) {
	fresh := m.state == Learning && !m.kept
	switch {
	case fresh && (e.Err != nil || e.Outcome == NoRow || e.Row.State != record.RowLive || e.Row.Folder != m.owner || e.Row.Epoch != m.wish):
		m.emit(Effect{Do: Decline, Folder: m.owner, To: m.wish})
		m.reset(nil)
	case e.Err != nil:
		m.again(&m.main, claimBackoff)
	case fresh:
		m.followed = e.Row.Epoch
		m.begin(&m.main, Learn)
	case m.state == Seizing:
		m.seize(e)
	case m.state == Yielding:
		m.yieldRead(e)
	default:
		m.goBy(e)
	}
}

// goBy goes by the row of a room that is kept here and not in memory.
func (m *Machine) goBy(e Event) {
	row := e.Row
	if e.Log != (Log{}) {
		m.log = e.Log
	}
	last := m.lastHere(row)
	switch {
	case e.Outcome == NoRow:
		m.from = Row{State: record.RowLive, Epoch: m.log.Epoch, Folder: m.self.Folder}
		m.restore()
	case row.State == record.RowOver && m.copy() && !last:
		m.moved()
	case row.State == record.RowOver && last && !m.replayed && !m.log.Unborn && m.dead == "": // shown at a later epoch than any before
		m.from = Row{State: record.RowLive, Epoch: max(m.log.Epoch, row.Epoch), Folder: m.self.Folder}
		m.restore()
	case row.State == record.RowOver:
		m.over(row)
	case m.ours(row) && (row.Folder == m.self.Folder || row.Standby == "" || without(AdoptedIsNoMember)):
		m.resume(row)
	case row.State == record.RowLive && (m.self.Is(row.Standby) || m.early(row)): // an adopted standby stays, for an operator
		m.follow(row)
	case m.copy() && m.early(row) && m.doubted != m.log.Epoch:
		m.doubted = m.log.Epoch
		m.begin(&m.main, ReadRow)
	case m.ours(row), m.early(row): // an adopted folder, or a store that was set back: this log may have what others have lost
		m.log.Copied = false
		m.moved()
	default:
		m.moved()
	}
}

// lastHere reports whether a room that is over was here last. The store may have got its end before its first row.
func (m *Machine) lastHere(row record.Row) bool {
	return m.named(row) || row.Folder == "" && row.Epoch <= 1
}

// resume goes on with a room whose row names this node as the owner. If this node's copy is not whole and there is a
// standby, that one should take the room.
func (m *Machine) resume(row record.Row) {
	m.origin = found
	m.from = Row{State: record.RowLive, Epoch: row.Epoch, Folder: row.Folder}
	m.with = row.Standby
	if m.with != "" && m.doubtful() && !without(WholeSeizes) {
		m.pass()
		return
	}
	m.restore()
}
