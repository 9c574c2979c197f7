package ownership

import (
	"errors"

	"github.com/roomring/roomring/room/record"
)

// arrive begins a room's life on this node.
func (m *Machine) arrive(e Event) {
	switch e.Kind {
	case Made:
		m.made(e.Memory)
	case Found:
		m.found(e.Log)
	case Copied:
		m.copied(e.Log)
	case Broken:
		m.hold(e.Why, false)
	}
}

// made begins a new room.
func (m *Machine) made(memory bool) {
	m.origin, m.memory, m.epoch, m.wish = made, memory, 1, 1
	if memory {
		m.own()
		return
	}
	m.state = Creating
	m.begin(&m.main, Create)
}

func (m *Machine) createAnswered(e Event) {
	if e.Err != nil {
		m.reset(e.Err)
		return
	}
	m.begin(&m.row, CreateRow)
	m.wait(rowPatience)
}

// rowAnswered handles the answer to the write of a new room's first row. A row that is over is fine: the room ended, and
// the store got its result before its first row.
func (m *Machine) rowAnswered(e Event) {
	switch {
	case e.Err != nil:
		m.again(&m.row, rowBackoff)
		return
	case e.Outcome == Won, e.Row.State == record.RowOver, m.mine(e.Row):
		m.drop(&m.row)
		m.inStore = e.Row.State != record.RowOver
	default:
		m.drop(&m.row)
		m.emit(Effect{Do: Fail, Err: errors.New("a room was made here, but its row in the store belongs to another process: this process stops")})
		return
	}
	switch {
	case m.state == Creating:
		m.idle()
		m.own()
	case m.state == Owning && m.inStore && !m.stored && m.refused == "":
		m.emit(Effect{Do: Replicate})
	case m.state == Releasing && m.main.op == 0: // the release waited only for the row
		m.release()
	}
}

// found begins with a room from the journal. Its row says whether this node owns or follows it, or neither.
func (m *Machine) found(log Log) {
	m.origin, m.log, m.state = found, log, Asking
	m.begin(&m.main, ReadRow)
}

// restore runs the log of a room that this node may own, before it asks for the room: a room that this program cannot run
// is not claimed.
func (m *Machine) restore() {
	m.state = Restoring
	switch {
	case m.replayed:
		m.chooseEpoch()
	case m.log.Unborn:
		m.begin(&m.main, Check)
	case m.expelled || m.kept: // Found has not brought the log as it is now
		m.begin(&m.main, Load)
	default:
		m.begin(&m.main, Replay)
	}
}

// copied begins a new room with another room's log.
func (m *Machine) copied(log Log) {
	m.origin, m.log, m.state = copied, log, Asking
	m.begin(&m.main, Check)
}

// wanted adopts a room from the store. Concurrent calls share one adoption.
func (m *Machine) wanted() {
	switch {
	case m.state == Absent, m.state == Held && m.held.Released:
		*m = Machine{
			self: m.self, origin: released, state: Asking, held: m.held, failedAt: m.failedAt, last: m.last, open: m.open, effects: m.effects,
		}
		m.begin(&m.main, Checkpoint)
	case m.state == Owning:
		m.reply(nil)
	case m.state == Held:
		m.reply(&m.held)
	case m.state == Releasing:
		m.reply(ErrLeaving)
	case m.state == Ending: // adopt it when its log is out of the way
		m.pending = true
	case m.state == Yielding:
		m.reply(ErrLeaving)
	case m.state == Learning, m.state == Following:
		m.pending = true
		m.look()
	}
}

func (m *Machine) checkpointAnswered(e Event) {
	switch {
	case e.Err != nil:
		m.adoptionFailed(e.Err)
	case e.Outcome == NoRow:
		m.adoptionFailed(record.ErrNotFound)
	default:
		m.log, m.followed = e.Log, e.Row.Epoch
		m.begin(&m.main, Check)
	}
}

// adoptionFailed gives up an adoption. Nothing of the room is here yet, or only a copy that the next adoption replaces.
func (m *Machine) adoptionFailed(err error) {
	if m.held.Why != "" && m.held.Released && !errors.Is(err, record.ErrNotFound) { // the store still has it
		m.idle()
		m.state = Held
		m.reply(err)
		return
	}
	m.reset(err)
}

func (m *Machine) checkAnswered(e Event) {
	m.idle()
	switch {
	case e.Err != nil:
		m.adoptionFailed(e.Err)
	case e.Verdict == Lacks && m.origin == copied: // the log that was set aside stays where it is
		m.reset(&HeldError{Why: e.Why})
	case e.Verdict == Lacks:
		m.hold(e.Why, m.origin == released)
	case m.origin == found:
		m.dead = "the server stopped while the room was made"
		m.chooseEpoch()
	case m.failedAt > 0 && m.failedAt == m.log.Last: // the replay would fail again
		m.hold(m.held.Why, true)
	case without(ImportFirst):
		m.chooseEpoch()
	default:
		m.begin(&m.main, Import)
	}
}

func (m *Machine) importAnswered(e Event) {
	if e.Err != nil {
		m.adoptionFailed(e.Err)
		return
	}
	m.chooseEpoch()
}

func (m *Machine) replayAnswered(e Event) {
	m.idle()
	m.verdict, m.replayed = e.Verdict, e.Err == nil
	if e.Verdict == Dead {
		m.dead = e.Why
	}
	held := e.Verdict == Lacks || e.Verdict == Diverged
	switch {
	case e.Err != nil: // the process is stopping
	case held && m.epoch == 0 && m.with != "":
		m.cannot = e.Why
		m.pass()
	case held && m.origin == found && m.epoch == 0:
		m.hold(e.Why, false)
	case held:
		m.giveBack(e.Why)
	case m.epoch == 0 && m.dead != "" && without(AbandonOwn):
		m.abandon()
	case m.epoch == 0:
		m.chooseEpoch()
	case m.dead != "":
		m.abandon()
	default:
		m.own()
	}
}

// own lets the room run here.
func (m *Machine) own() {
	m.state, m.held = Owning, HeldError{}
	m.unable, m.passing, m.cannot, m.expelled, m.unloaded, m.replayed, m.kept = false, 0, "", false, false, false, false
	m.emit(Effect{Do: Start, To: m.epoch, Folder: m.standby})
	if m.inStore && !m.memory && !m.wasOver {
		m.emit(Effect{Do: Replicate})
	}
	m.reply(nil)
	if m.draining {
		m.drain()
	}
}
