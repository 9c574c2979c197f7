package ownership

// inMemory handles the events of a room in memory.
func (m *Machine) inMemory(e Event) {
	switch e.Kind {
	case Ended:
		m.finished()
	case Gone:
		m.gone()
	case Lost:
		m.lost(e.Why)
	}
}

// finished stores the room's end, as soon as no change of its members is open: the store takes it from the owner of the row only.
func (m *Machine) finished() {
	m.finishing = m.conf.op == Change
	if m.finishing || m.end.op != 0 || m.endDecided() {
		return
	}
	if without(StoreFirst) {
		m.stored = true
		m.emit(Effect{Do: Settled})
		return
	}
	m.begin(&m.end, Store)
}

// gone cleans up after a room that has ended and left memory.
func (m *Machine) gone() {
	m.idle()
	m.drop(&m.conf)
	switch {
	case m.memory:
		m.reset(nil)
	case m.endDecided(), m.wasOver:
		m.clear()
	case m.end.op != 0:
		m.state = Ending // endAnswered removes its log
	default:
		m.hold("it has left memory before its end", false)
	}
}

// lost goes on after the room has left memory because it cannot be saved here. A standby may take it.
func (m *Machine) lost(why string) {
	m.idle()
	if m.conf.op == Change {
		m.open = max(m.open, m.next.to)
	}
	m.drop(&m.conf)
	m.unloaded = true
	if m.standby == "" || m.end.op != 0 || m.endDecided() {
		m.hold(why, false)
		return
	}
	m.cannot = why
	m.pass()
}

// endDecided reports whether the room's end is stored, or never will be.
func (m *Machine) endDecided() bool { return m.stored || m.refused != "" }

// abandon ends a room that cannot be brought back. Its end goes to the store and its log is set aside.
func (m *Machine) abandon() {
	m.state = Ending
	m.reply(ErrDead)
	m.begin(&m.end, Abandon)
}

// endMoved goes on when the row of a room was not this owner's any more when its end came: another node has the room and comes
// to the same end, or an earlier claim of this process has moved the row.
func (m *Machine) endMoved(abandoned bool) {
	switch {
	case m.inMemoryHere() && m.main.op == 0:
		m.end.op = Store
		m.again(&m.end, journalBackoff)
		m.look()
	case m.state == Releasing && m.main.op == Wait: // awaitEnd waits for this
		m.afterWait()
	case abandoned, m.state == Ending && m.main.op == 0: // it has already left memory
		m.unloaded = true
		m.readAgain()
	}
}

func (m *Machine) endAnswered(e Event) {
	if e.Err != nil { // too many ends wait for the store
		m.again(&m.end, journalBackoff)
		return
	}
	abandoned := m.end.op == Abandon
	m.drop(&m.end)
	if e.Outcome == Moved {
		m.endMoved(abandoned)
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
