package ownership

import (
	"time"

	"github.com/roomring/roomring/room/record"
)

// asFollower handles what a follower hears of the room's owner.
func (m *Machine) asFollower(e Event) {
	idle := m.free()
	switch e.Kind {
	case Offered:
		m.offered(e)
	case Filled:
		if m.state == Learning && m.kept {
			m.log.Doubt, m.log.Cut, m.state, m.waited = record.Whole, "", Following, false
			m.drop(&m.conf)
			m.suspect()
		}
	case Suspected:
		m.suspected = m.state == Learning || m.state == Following || m.state == Seizing
		m.suspect()
	case Heard:
		m.suspected, m.waited = false, false
		m.drop(&m.conf)
		if m.state == Seizing && m.main.op == ReadRow {
			m.idle()
			m.state = Following
			if m.log.Doubt != record.Whole {
				m.state = Learning
			}
		}
	case Yielded:
		switch {
		case m.state == Following && idle && !m.draining && (e.Epoch >= m.followed):
			m.from = Row{State: record.RowLive, Epoch: e.Epoch, Folder: e.Folder}
			m.with, m.wish, m.state = e.Folder, max(e.Epoch, m.open)+1, Seizing
			m.begin(&m.main, Claim)
		case m.state == Learning && idle && m.log.Doubt == record.Unsure && e.Log.Doubt != record.Whole && m.log.beats(e.Log):
			m.from = Row{State: record.RowLive, Epoch: e.Epoch, Folder: e.Folder}
			m.with, m.wish, m.state = "", max(m.log.next(e.Epoch), m.open+1), Seizing
			m.begin(&m.main, Claim)
		case m.state != Seizing:
			m.decline(e)
		}
	}
}

func (m *Machine) decline(e Event) {
	m.emit(Effect{Do: Decline, Folder: e.Folder, To: e.Epoch, Log: m.log})
}

// offered reads the row before it believes somebody to be the owner.
func (m *Machine) offered(e Event) {
	switch {
	case m.state == Absent && m.draining:
		m.decline(e)
	case m.state == Absent:
		m.origin, m.state = offered, Learning
		m.owner, m.wish = e.Folder, e.Epoch
		if without(ReadFirst) {
			m.followed = e.Epoch
			m.begin(&m.main, Learn)
			return
		}
		m.begin(&m.main, ReadRow)
	case m.state == Yielding && m.main.op == Wait && m.took(e):
		m.taker = e.Epoch
		m.begin(&m.main, Load)
	case m.free(), m.state == Yielding && m.main.op == Wait:
		m.begin(&m.main, ReadRow)
	case m.state == Owning:
		m.look()
	default:
		m.decline(e)
	}
}

// took reports whether an offer comes from the standby that was told to take this room, which it has done. A whole copy may follow it
// before the row is read.
func (m *Machine) took(e Event) bool {
	return e.Folder == m.with && e.Epoch > m.from.Epoch && m.cannot == "" && m.conf.op == 0 && !m.doubtful()
}

// takenOver follows the node that has taken a yielded room, with all that this node has acknowledged.
func (m *Machine) takenOver(e Event) {
	owner := m.with
	if e.Err != nil || e.Log.Last < m.stopped.Last || e.Log.Doubt != record.Whole || e.Log.Cut != "" {
		m.begin(&m.main, ReadRow)
		return
	}
	m.log, m.origin, m.expelled = e.Log, found, true
	m.follow(record.Row{State: record.RowLive, Epoch: m.taker, Folder: owner, Standby: m.self.Folder})
}

// free reports whether a copy is followed and nothing is asked for.
func (m *Machine) free() bool {
	return (m.state == Learning || m.state == Following) && m.main.op == 0
}

// suspect tries to seize a room whose owner seems to be dead. A copy with a known gap never does, and one that may have lost
// its end waits for the owner first.
func (m *Machine) suspect() {
	switch {
	case !m.suspected || m.main.op != 0:
	case m.state == Following, m.state == Learning && (m.waited || without(WholeSeizes)):
		m.state = Seizing
		m.begin(&m.main, ReadRow)
	case m.state == Learning && m.log.Doubt == record.Unsure && m.conf.op == 0:
		m.conf.op = Wait
		m.emit(Effect{Do: Wait, N: m.number(&m.conf), Wait: m.doubtWait()})
	}
}

// doubtWait is how long a copy that may have lost its end waits for the other member.
func (m *Machine) doubtWait() time.Duration {
	if without(DoubtWaits) {
		return 0
	}
	return m.self.DoubtWait
}

func (m *Machine) learnAnswered(e Event) {
	if e.Err != nil {
		m.emit(Effect{Do: Decline, Folder: m.owner, To: m.followed})
		m.reset(nil)
		return
	}
	m.log = Log{Epoch: m.followed, Unborn: true, Doubt: record.Partial}
	m.follow(record.Row{State: record.RowLive, Epoch: m.followed, Folder: m.owner})
}

// seize asks for the room if the row still says that this node may. It goes on following meanwhile, so a wrong suspicion
// costs nothing.
func (m *Machine) seize(e Event) {
	row := e.Row
	may := e.Outcome != NoRow && row.State == record.RowLive && row.Standby == m.self.Folder && row.Epoch >= e.Log.Epoch
	waited := m.waited && e.Log.Doubt == record.Unsure
	if !may || e.Log.Doubt != record.Whole && !waited && !without(WholeSeizes) {
		m.goBy(e)
		return
	}
	m.log = e.Log
	m.from = Row{State: record.RowLive, Epoch: row.Epoch, Folder: row.Folder}
	m.with, m.wish = "", max(row.Epoch, m.open)+1
	if waited {
		m.wish = max(m.log.next(row.Epoch), m.open+1)
	}
	m.begin(&m.main, Claim)
}

// taken goes on with a room that was seized, taken from an owner that yielded it, or taken back. What it restores is all
// that it holds now.
func (m *Machine) taken() {
	if m.state == Seizing { // its owner may have cut it, and the journal knows what it has written
		m.log.Last = 0
	}
	m.state, m.kept, m.suspected, m.waited = Restoring, true, false, false
	m.drop(&m.conf)
	if m.origin == found {
		m.origin = offered
	}
	if without(AllItHolds) {
		m.begin(&m.main, Replay)
		return
	}
	m.begin(&m.main, Load)
}

// early reports whether a row that does not name this node says nothing about its copy: the copy has promised to follow at
// that epoch or a later one, or may have. A row may be read long before its answer comes, or before a change that makes this
// node the standby. If a released row is the same when it is read again, no owner has got that promise.
func (m *Machine) early(row record.Row) bool {
	if m.log.Doubt == record.Unsure && m.first == 0 && row.State == record.RowLive {
		m.first = row.Epoch
	}
	return row.Epoch <= max(m.log.Epoch, m.first) && !without(KeepPromised)
}

// copy reports whether the log here is one of two copies, or was.
func (m *Machine) copy() bool { return m.kept || m.log.Copied }

// follow takes what the room's owner sends.
func (m *Machine) follow(row record.Row) {
	m.idle()
	m.kept, m.replayed, m.pending, m.cannot, m.unable, m.held = true, false, false, "", false, HeldError{}
	if row.Folder != m.owner || row.Epoch != m.followed {
		m.waited = false
		m.drop(&m.conf)
	}
	m.owner, m.followed, m.appointed = row.Folder, row.Epoch, row.Standby == m.self.Folder
	m.epoch, m.standby, m.with, m.passing = 0, "", "", 0
	m.state = Following
	if m.log.Doubt != record.Whole {
		m.state = Learning
	}
	m.reply(ErrFollowed)
	m.suspected = false // who suspects its owner still says so again
	m.emit(Effect{Do: Follow, To: row.Epoch, Folder: row.Folder})
}
