package ownership

import (
	"github.com/roomring/roomring/room/record"
)

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

// ours reports whether a row is live in this data folder.
func (m *Machine) ours(row record.Row) bool { return row.State == record.RowLive && m.named(row) }

// member reports whether a row is live and names this node as the owner or the standby.
func (m *Machine) member(row record.Row) bool {
	return m.ours(row) || row.State == record.RowLive && row.Standby == m.self.Folder
}

// named reports whether a row names this data folder as the owner's, under its present or a former id.
func (m *Machine) named(row record.Row) bool { return m.self.Is(row.Folder) }

// mine reports whether this process moved the row and lost the answer. No other process writes this boot.
func (m *Machine) mine(row record.Row) bool {
	return m.wrote(row, m.from)
}

// wrote reports whether this process has moved the row on from where it was.
func (m *Machine) wrote(row record.Row, from Row) bool {
	return row.State == record.RowLive && row.Epoch > from.Epoch && (row.Boot == m.self.Boot || without(OwnBoot))
}

// at is the row as this owner knows it.
func (m *Machine) at() Row { return Row{State: record.RowLive, Epoch: m.epoch, Folder: m.self.Folder} }
