package ownership

import (
	"errors"
	"fmt"

	"github.com/roomring/roomring/room/record"
)

// answer takes the answer to an effect to the task that waits for it. One that nobody waits for any more is too late.
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
	default:
		m.mainAnswered(t.op, e)
	}
}

func (m *Machine) waiting(n uint64) *task {
	for _, t := range [...]*task{&m.main, &m.row, &m.end} {
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
	case CreateRow:
		m.madeUpAnswered(e)
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
		m.waited()
	}
}

func (m *Machine) createAnswered(e Event) {
	if e.Err != nil {
		m.leave(e.Err)
		return
	}
	m.begin(&m.row, CreateRow)
	m.wait(rowPatience)
}

// rowAnswered hears of a new room's first row. One that is over is as it should be: the room ended, and its result
// came, before its first row did.
func (m *Machine) rowAnswered(e Event) {
	switch {
	case e.Err != nil:
		m.again(&m.row, rowBackoff)
		return
	case e.Outcome == Won, e.Row.State == record.RowOver, m.mine(e.Row):
		m.drop(&m.row)
	default:
		m.drop(&m.row)
		m.emit(Effect{Do: Fail, Err: errors.New("a room was made here, but its row in the store is another process's: this process stops")})
		return
	}
	switch {
	case m.state == Creating:
		m.idle()
		m.own()
	case m.state == Releasing && m.main.op == 0: // it was all that the release waited for
		m.begin(&m.main, Release)
	}
}

// waited goes on after a wait that had something to wait for.
func (m *Machine) waited() {
	m.idle()
	switch {
	case m.state == Creating:
		m.own()
	case m.state == Releasing && !m.out:
		m.begin(&m.main, Stop)
	case m.state == Releasing && m.late:
		m.overtaken()
	case m.state == Releasing && m.settled():
		m.clear()
	case m.state == Releasing:
		m.begin(&m.main, Load)
	}
}

// awaitEnd waits, once, for the end of a room that is to leave: when that is stored nobody needs to take the room on.
func (m *Machine) awaitEnd() {
	m.patient = true
	m.wait(resultPatience)
}

func (m *Machine) checkpointAnswered(e Event) {
	switch {
	case e.Err != nil:
		m.comesNot(e.Err)
	case e.Outcome == NoRow:
		m.comesNot(record.ErrNotFound)
	default:
		m.log = e.Log
		m.begin(&m.main, Check)
	}
}

// comesNot is said while nothing of a room is here yet, or what is here is a copy that is replaced by the next.
func (m *Machine) comesNot(err error) {
	if m.held.Why != "" && m.held.Released && !errors.Is(err, record.ErrNotFound) { // it lies in the store still
		m.idle()
		m.state = Held
		m.reply(err)
		return
	}
	m.leave(err)
}

func (m *Machine) checkAnswered(e Event) {
	m.idle()
	switch {
	case e.Err != nil:
		m.comesNot(e.Err)
	case e.Verdict == Lacks && m.origin == copied: // the copy stays where it is
		m.leave(&HeldError{Why: e.Why})
	case e.Verdict == Lacks:
		m.hold(e.Why, m.origin == released)
	case m.origin == found:
		m.dead = "the server stopped while the room was made"
		m.wished()
	case m.vain > 0 && m.vain == m.log.Last: // it would come to the same again
		m.hold(m.held.Why, true)
	case without(ImportFirst):
		m.wished()
	default:
		m.begin(&m.main, Import)
	}
}

func (m *Machine) importAnswered(e Event) {
	if e.Err != nil {
		m.comesNot(e.Err)
		return
	}
	m.wished()
}

// wished asks for the epoch after the log's. It is in the journal before the store is asked, so a process that dies in
// between finds the row at an epoch that its journal knows: anything else is somebody else's doing. An epoch that was asked
// for in vain is never owned, nor the one before it: a try whose answer was lost may come to the store even now.
func (m *Machine) wished() {
	m.state, m.wish = Asking, max(m.log.Next(), m.open+1)
	m.from = Row{State: record.RowLive, Epoch: m.log.Epoch, Folder: m.self.Folder}
	if m.origin == released {
		m.from = Row{State: record.RowReleased, Epoch: m.log.Epoch}
	}
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
		m.comesNot(e.Err)
	case e.Err != nil:
		m.again(&m.main, journalBackoff)
	case m.epoch == 0:
		m.ask()
	default: // the store has granted a later epoch than was asked for
		m.comes()
	}
}

// claimAnswered settles whose the room is. While the store has not answered it may be this node's without its knowing.
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
		m.granted(row.Epoch)
	case m.origin != found:
		m.moved()
	case e.Outcome == NoRow && !without(NoRowIsOurs): // the store was away when the room was made
		m.begin(&m.main, CreateRow)
	case row.State == record.RowOver:
		m.over(row)
	case m.ours(row) && row.Epoch < m.wish && !m.asked(row) && !without(ReadRowEarlier): // an earlier life meant to claim it and did not come to it
		m.from = Row{State: record.RowLive, Epoch: row.Epoch, Folder: row.Folder}
		m.begin(&m.main, Claim)
	default:
		m.moved()
	}
}

// asked reports whether the claim was for that very row.
func (m *Machine) asked(row record.Row) bool {
	return m.from == Row{State: row.State, Epoch: row.Epoch, Folder: row.Folder}
}

// madeUpAnswered hears of the row of a room that was found or copied and had none. A found room's may have come meanwhile,
// from an earlier life whose first row was on its way all the time.
func (m *Machine) madeUpAnswered(e Event) {
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
	m.epoch = e
	if e > m.wish {
		m.wish = e
		m.begin(&m.main, Note)
		return
	}
	m.comes()
}

// comes brings a room to life that is this node's. One from the store is run only now: the black box counts runs of rooms
// in the journal, and one that kills processes is ended by whoever has it then.
func (m *Machine) comes() {
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

// moved gives up what somebody else has: an import is dropped, a log that was played here is kept for people.
func (m *Machine) moved() {
	m.state = Ending
	m.reply(record.ErrMovedOn)
	if m.origin == found {
		m.begin(&m.main, SetAside)
		return
	}
	m.begin(&m.main, Remove)
}

// over is a room whose end is stored. Where it was last it goes on for as long as people may look at it: a player whose
// last act was not acknowledged hears the answer, and an agreed rematch is made.
func (m *Machine) over(row record.Row) {
	m.idle()
	m.wasOver = true
	last := row.Folder == "" || m.named(row) // its end may have come before its first row
	if last && m.dead == "" && (m.verdict == RunsOver || without(OverIsOver)) {
		m.epoch = m.wish
		m.own()
		return
	}
	m.state = Ending
	m.reply(ErrOver)
	if m.log.Unborn { // the process died between the end's coming to the store and the log's removal
		m.begin(&m.main, Remove)
		return
	}
	m.begin(&m.main, SetAside) // it was given up, or ended elsewhere: what is here may be all that is left of it
}

func (m *Machine) replayAnswered(e Event) {
	m.idle()
	m.verdict = e.Verdict
	if e.Verdict == Dead {
		m.dead = e.Why
	}
	held := e.Verdict == Lacks || e.Verdict == Diverged
	switch {
	case e.Err != nil: // the process ends
	case held && m.origin == found:
		m.hold(e.Why, false)
	case held:
		m.giveBack(e.Why)
	case m.origin == found && m.dead != "" && without(AbandonOwn):
		m.abandon()
	case m.origin == found:
		m.wished()
	case m.dead != "":
		m.abandon()
	default:
		m.own()
	}
}

// giveBack releases a room whose rules this program turned out to have changed: another node may have those that
// recorded it.
func (m *Machine) giveBack(why string) {
	m.vain, m.stopped.Last = m.log.Last, m.log.Last
	m.held, m.state = HeldError{Why: why}, Releasing
	if without(GiveBackFirst) {
		m.held.Released = true
		m.begin(&m.main, Remove)
		return
	}
	m.begin(&m.main, Load)
}

// abandon ends a room that cannot be brought back: its end goes to the store, its log is kept.
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
	switch {
	case m.state == Releasing && m.main.op == Wait: // for this
		m.waited()
	case m.state == Ending && m.main.op == 0: // it has left memory before
		m.clear()
	}
}

// stopAnswered goes on with a room that is out of memory.
func (m *Machine) stopAnswered(e Event) {
	m.stopped, m.out = e.Stopped, true
	m.idle()
	switch {
	case m.memory:
		m.leave(nil)
	case m.settled():
		m.clear()
	case m.end.op != 0 && !m.patient:
		m.awaitEnd()
	default:
		m.begin(&m.main, Load)
	}
}

// loadAnswered gives away what the journal keeps, if that is all that was acknowledged.
func (m *Machine) loadAnswered(e Event) {
	switch {
	case errors.Is(e.Err, record.ErrPermanent), errors.Is(e.Err, record.ErrDamaged):
		m.stays(e.Err)
	case e.Err != nil:
		m.again(&m.main, releaseBackoff)
	case e.Log.Cut != "":
		m.stays(fmt.Errorf("%w: %s", record.ErrDamaged, e.Log.Cut))
	case e.Log.Last < m.stopped.Last && !without(WholeFirst):
		m.stays(fmt.Errorf("%w: its log ends at %d, and %d was acknowledged", record.ErrDamaged, e.Log.Last, m.stopped.Last))
	case m.row.op != 0:
		m.idle() // the row comes first
	default:
		m.begin(&m.main, Release)
	}
}

// stays keeps a room that can never be given away: it goes on when this node starts again.
func (m *Machine) stays(err error) {
	m.idle()
	m.hold(fmt.Sprintf("it cannot be given away, and goes on when this node starts again: %v", err), false)
	m.held.cause = err
}

func (m *Machine) releaseAnswered(e Event) {
	byEarlierTry := e.Row.State == record.RowReleased && e.Row.Epoch == m.epoch
	switch {
	case errors.Is(e.Err, record.ErrPermanent):
		m.stays(e.Err)
	case e.Err != nil && without(ReleaseFirst):
		m.begin(&m.main, Remove)
	case e.Err != nil, e.Outcome == NoRow:
		m.again(&m.main, releaseBackoff)
	case e.Outcome == Won, byEarlierTry:
		m.held.Released = true
		m.emit(Effect{Do: Tell})
		m.begin(&m.main, Remove)
	case m.end.op != 0: // it may have come first, which ends the row
		m.late = true
		m.awaitEnd()
	default:
		m.overtaken()
	}
}

// overtaken clears up a room whose row has moved before its release.
func (m *Machine) overtaken() {
	if m.stored || m.wasOver {
		m.clear()
		return
	}
	m.state = Ending
	m.begin(&m.main, SetAside)
}

// clearAnswered ends a room's life here when its log is out. A released room's that stays is set aside by the next
// start: its row tells.
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
	m.leave(nil)
}
