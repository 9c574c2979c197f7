package ownership

import (
	"errors"
	"fmt"

	"github.com/roomring/roomring/room/record"
)

// answer passes the answer to an effect to the task that waits for it. It ignores an answer that no task waits for.
func (m *Machine) answer(e Event) {
	t := m.waiting(e.N)
	switch {
	case t == nil:
	case t.pausing:
		m.try(t)
	case t == &m.row:
		m.rowAnswered(e)
	case t == &m.end:
		m.endAnswered(e)
	case t == &m.conf:
		m.confAnswered(e)
	default:
		m.mainAnswered(t.op, e)
	}
}

func (m *Machine) waiting(n uint64) *task {
	for _, t := range [...]*task{&m.main, &m.row, &m.end, &m.conf} {
		if t.op != 0 && t.n == n {
			return t
		}
	}
	return nil
}

func (m *Machine) mainAnswered(op Op, e Event) {
	switch op {
	case Create:
		m.createAnswered(e)
	case Checkpoint:
		m.checkpointAnswered(e)
	case Check:
		m.checkAnswered(e)
	case Import:
		m.importAnswered(e)
	case Note:
		m.noteAnswered(e)
	case Claim:
		m.claimAnswered(e)
	case ReadRow:
		m.rowRead(e)
	case Learn:
		m.learnAnswered(e)
	case Expel:
		m.expelAnswered()
	case CreateRow:
		m.lateRowAnswered(e)
	case Replay:
		m.replayAnswered(e)
	case Stop:
		m.stopAnswered(e)
	case Load:
		m.loadAnswered(e)
	case Release:
		m.releaseAnswered(e)
	case Remove, SetAside:
		m.clearAnswered(e)
	case Wait:
		m.main = task{}
		m.afterWait()
	}
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

// afterWait goes on when a Wait is over, or what it waited for has happened.
func (m *Machine) afterWait() {
	m.idle()
	switch {
	case m.state == Creating:
		m.own()
	case m.state == Releasing && !m.unloaded:
		m.begin(&m.main, Stop)
	case m.state == Releasing && m.rowMoved:
		m.overtaken()
	case m.state == Releasing && m.endDecided():
		m.clear()
	case m.state == Releasing:
		m.begin(&m.main, Load)
	case m.state == Yielding:
		m.begin(&m.main, ReadRow)
	}
}

// awaitEnd waits once for the end of a room that is being released. When the end is stored, no node needs to adopt the
// room.
func (m *Machine) awaitEnd() {
	m.awaitedEnd = true
	m.wait(resultPatience)
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

// chooseEpoch chooses the epoch after the log's and asks for it. The journal notes the epoch before the store is asked. If
// the process dies in between, it finds the row at an epoch that its journal knows; any other epoch was written by another
// process. An epoch whose claim got no answer is never owned, nor is the one before it: the claim may still reach the
// store.
func (m *Machine) chooseEpoch() {
	m.state = Asking
	switch m.origin {
	case released:
		m.from = Row{State: record.RowReleased, Epoch: m.followed}
	case made, copied:
		m.from = Row{State: record.RowLive, Epoch: m.log.Epoch, Folder: m.self.Folder}
	default: // as its row was read
	}
	m.wish = max(m.log.next(m.from.Epoch), m.open+1)
	if without(NoteFirst) || without(ImportFirst) && m.origin != found {
		m.ask()
		return
	}
	m.begin(&m.main, Note)
}

func (m *Machine) ask() {
	switch {
	case m.origin == copied:
		m.begin(&m.main, CreateRow)
	case without(ClaimFirst):
		m.granted(m.wish)
	default:
		m.begin(&m.main, Claim)
	}
}

func (m *Machine) noteAnswered(e Event) {
	switch {
	case e.Err != nil && m.epoch == 0 && m.origin != found:
		m.adoptionFailed(e.Err)
	case e.Err != nil:
		m.again(&m.main, journalBackoff)
	case m.epoch == 0:
		m.ask()
	default: // the store has granted a later epoch than was asked for
		m.claimed()
	}
}

// claimAnswered decides who owns the room. Until the store has answered, this node may own it without knowing.
func (m *Machine) claimAnswered(e Event) {
	row := e.Row
	switch {
	case e.Err != nil && without(ClaimIsOpen):
		m.moved()
	case e.Err != nil:
		m.open = m.wish
		m.again(&m.main, claimBackoff)
	case e.Outcome == Won:
		m.granted(m.wish)
	case m.mine(row):
		m.with = row.Standby
		m.granted(row.Epoch)
	case m.origin == copied, m.origin == released && m.state == Asking && !m.member(row):
		m.moved()
	case e.Outcome == NoRow && m.state == Asking && !without(NoRowIsOurs): // the store was unreachable when the room was made
		m.begin(&m.main, CreateRow)
	case m.state == Seizing: // the copy has gone on following, so what it has promised is not known
		m.state = Following
		m.begin(&m.main, ReadRow)
	default:
		m.goBy(e)
	}
}

// lateRowAnswered handles the answer to CreateRow for a found or copied room without a row. A found room may have a row by
// now: an earlier process may have sent its first row just before it died.
func (m *Machine) lateRowAnswered(e Event) {
	switch {
	case e.Err != nil:
		m.again(&m.main, claimBackoff)
	case e.Outcome == Won:
		m.granted(m.wish)
	default:
		m.claimAnswered(e)
	}
}

func (m *Machine) granted(e record.Epoch) {
	m.epoch, m.standby, m.inStore = e, m.with, true
	if m.state == Seizing || m.state == Yielding {
		m.taken()
		return
	}
	if e > m.wish {
		m.wish = e
		m.begin(&m.main, Note)
		return
	}
	m.claimed()
}

// claimed goes on with a room that this node owns now. A room from the store is replayed only now, after it was imported:
// the black box counts the replays of rooms in the journal, and the owner of a room that kills processes ends it.
func (m *Machine) claimed() {
	m.idle()
	switch {
	case m.dead != "":
		m.abandon()
	case m.origin == found:
		m.own()
	default:
		m.state = Restoring
		m.begin(&m.main, Replay)
	}
}

// moved gives up a room that another node owns. A copy is removed, and so is the log of a room that its standby has taken on; another
// log that was played here is set aside for people to read.
func (m *Machine) moved() {
	m.state = Ending
	m.reply(record.ErrMovedOn)
	if m.origin == found && !m.copy() {
		m.begin(&m.main, SetAside)
		return
	}
	m.begin(&m.main, Remove)
}

// over handles a room whose end is stored. On the node that had it last, the room goes on for as long as people may look
// at it: a player whose last act was not acknowledged gets its answer, and an agreed rematch is made.
func (m *Machine) over(row record.Row) {
	m.idle()
	m.wasOver = true
	last := m.lastHere(row)
	if last && m.dead == "" && (m.verdict == RunsOver || without(OverIsOver)) {
		m.epoch = m.wish
		m.own()
		return
	}
	m.state = Ending
	m.reply(ErrOver)
	if m.log.Unborn { // the process died after the end was stored and before the log was removed
		m.begin(&m.main, Remove)
		return
	}
	m.begin(&m.main, SetAside) // it was given up, or ended elsewhere: this log may be the only one left
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

// abandon ends a room that cannot be brought back. Its end goes to the store and its log is set aside.
func (m *Machine) abandon() {
	m.state = Ending
	m.reply(ErrDead)
	m.begin(&m.end, Abandon)
}

func (m *Machine) endAnswered(e Event) {
	if e.Err != nil { // too many ends wait for the store
		m.again(&m.end, journalBackoff)
		return
	}
	abandoned := m.end.op == Abandon
	m.drop(&m.end)
	if abandoned && e.Outcome == Moved { // it is another node's to judge
		m.readAgain()
		return
	}
	if m.stored = e.Outcome == Won; !m.stored {
		m.refused = e.Why
	}
	switch {
	case abandoned && m.log.Unborn && m.stored:
		m.begin(&m.main, Remove)
		return
	case abandoned:
		m.begin(&m.main, SetAside)
		return
	}
	m.emit(Effect{Do: Settled})
	if m.stored && m.inStore && !m.unloaded {
		m.retire()
	}
	switch {
	case m.state == Releasing && m.main.op == Wait: // awaitEnd waits for this
		m.afterWait()
	case m.state == Ending && m.main.op == 0: // it has already left memory
		m.clear()
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
		m.state, m.draining = Releasing, false
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
