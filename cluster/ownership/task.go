package ownership

import (
	"time"

	"github.com/roomring/roomring/room/clock"
)

// task is an effect under way, with its retries. A machine has one that its state depends on, and three beside it.
type task struct {
	op      Op     // 0: nothing is under way
	n       uint64 // the Effect whose answer it waits for
	tries   int
	pausing bool // that effect is the wait before the next try
}

func (m *Machine) emit(e Effect) { m.effects = append(m.effects, e) }

// begin starts an effect in a task. It drops the task's earlier effect, whose answer is ignored.
func (m *Machine) begin(t *task, op Op) {
	m.drop(t)
	t.op = op
	m.try(t)
}

func (m *Machine) idle() { m.drop(&m.main) }

// drop ends a task. The answer to its effect is ignored.
func (m *Machine) drop(t *task) {
	if t.pausing || t.op == Wait {
		m.emit(Effect{Do: Cancel, N: t.n})
	}
	*t = task{}
}

func (m *Machine) number(t *task) uint64 {
	m.last++
	t.n = m.last
	return t.n
}

func (m *Machine) try(t *task) {
	t.pausing = false
	e := Effect{Do: t.op, N: m.number(t)}
	switch t.op {
	case Create, Note, CreateRow:
		e.To = m.wish
	case Learn:
		e.To = m.followed
	case Claim:
		e.From, e.To, e.Folder = m.from, m.wish, m.with
	case Change:
		e.From, e.To, e.Folder = m.at(), m.next.to, m.next.standby
	case Release:
		e.From, e.To = m.at(), m.next.to
	case SetAside:
		e.Why = m.whyAside()
	case Store:
		e.To = m.epoch
	case Abandon:
		e.Why, e.To = m.dead, m.epoch
	}
	m.emit(e)
}

// again tries a task once more after a backoff.
func (m *Machine) again(t *task, b clock.Backoff) {
	t.pausing = true
	m.emit(Effect{Do: Wait, N: m.number(t), Wait: b.Ceiling(t.tries)})
	t.tries++
}

func (m *Machine) wait(d time.Duration) {
	m.drop(&m.main)
	m.main.op = Wait
	m.emit(Effect{Do: Wait, N: m.number(&m.main), Wait: d})
}

func (m *Machine) waiting(n uint64) *task {
	for _, t := range [...]*task{&m.main, &m.row, &m.end, &m.conf} {
		if t.op != 0 && t.n == n {
			return t
		}
	}
	return nil
}

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
