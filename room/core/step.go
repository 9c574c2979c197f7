package core

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Step applies one input. If Ready has no Entry, nothing has changed, and Ready says why. An act that the game refuses
// does become an entry: its client's cseq has advanced, and the refusal is an answer like any other. A panic of the
// game ends the room as record.Aborted and goes no further.
//
// The error is for inputs that no caller should make, such as one of an unknown kind or a tick of a room that does not
// tick.
func (c *Core) Step(in Input) (Ready, error) {
	in.At = max(in.At, c.s.Now)
	c.panickedBefore = c.panicked
	switch in.Kind {
	case KindEpoch:
		return c.stepEpoch(in)
	case KindOpen:
		return c.stepOpen(in)
	case KindJoin:
		return c.stepJoin(in)
	case KindLeave:
		return c.stepLeave(in)
	case KindAttach:
		return c.stepAttach(in)
	case KindDetach:
		return c.stepDetach(in)
	case KindAct:
		return c.stepAct(in)
	case KindTick:
		return c.stepTick(in)
	case KindTimer:
		return c.stepTimer(in)
	case KindSignal:
		return c.stepSignal(in)
	case KindUpgrade:
		return c.stepUpgrade(in)
	case KindClose:
		return c.stepClose(in)
	case KindCut:
		return c.stepCut(in)
	case KindReserve:
		return c.stepReserve(in)
	}
	return Ready{}, fmt.Errorf("input of unknown kind %d", in.Kind)
}

// beginEntry gives the input the next index and makes it the newest entry.
func (c *Core) beginEntry(in Input) {
	c.s.Index++
	c.s.Now = in.At
	in.Resume = nil
	c.last = Entry{Index: c.s.Index, Epoch: c.s.Epoch, Input: in}
}

// revertEntry takes the index back, because the input was refused and has changed nothing.
func (c *Core) revertEntry(before time.Duration, why error) (Ready, error) {
	c.s.Index--
	c.s.Now = before
	return Ready{Refused: why}, nil
}

// logEntry appends the newest entry to the log with the result of its step, and tells the caller about it.
func (c *Core) logEntry(wasOver bool) (Ready, error) {
	c.last.Result = c.stepResult(wasOver)
	entry, logged := c.last, c.last
	if c.replaying != nil {
		logged = *c.replaying // a replay leaves the log as it is
	}
	n := c.log.append(logged, wasOver)
	since := &c.sinceSnapshot
	since.inputs++
	since.bytes += n
	due := c.clean() && (since.inputs >= c.cfg.SnapshotTurns || since.bytes >= c.cfg.SnapshotBytes || since.time >= c.cfg.SnapshotCost)
	return Ready{CutDue: c.cutDue(), Entry: &entry, Over: !wasOver && c.s.Final != nil, SnapshotDue: due}, nil
}

// finishInput completes an input after the game's part: it publishes changes, announces the room's end and logs the
// entry.
func (c *Core) finishInput(wasOver bool) (Ready, error) {
	c.publish()
	c.announceEnd(wasOver)
	return c.logEntry(wasOver)
}

// call runs a method of the game and applies its effects, unless the method refuses. A panic aborts the room.
func (c *Core) call(what string, f func(t *room.Turn) error) (err error) {
	if c.panicked != nil {
		return nil
	}
	t := newTurn(c)
	defer func() {
		if v := recover(); v != nil {
			c.abort(newPanic(what, v))
			err = nil
		}
	}()
	if err = f(&t.Turn); err == nil {
		c.apply(&t.fx)
	}
	return err
}

// asRefusal gives any error of a game a code. The reason may quote half a character of a player's text, and a text
// message that is not UTF-8 would end the connection (RFC 6455, section 8.1).
func asRefusal(err error) *room.Refusal {
	code := "refused"
	if r, ok := err.(*room.Refusal); ok && r.Code != "" {
		code = r.Code
	}
	return &room.Refusal{Code: code, Reason: toUTF8(err.Error())}
}

func toUTF8(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func (c *Core) stepEpoch(in Input) (Ready, error) {
	if in.Epoch <= c.s.Epoch {
		return Ready{}, fmt.Errorf("epoch %d is not after %d", in.Epoch, c.s.Epoch)
	}
	if c.s.Epoch > 0 {
		c.s.Lineage = append(c.s.Lineage, record.Point{Epoch: c.s.Epoch, Seq: c.s.Index})
	}
	c.s.Epoch = in.Epoch
	c.beginEntry(in)
	return c.logEntry(c.s.Final != nil)
}

func (c *Core) stepOpen(in Input) (Ready, error) {
	before := c.s.Now
	c.beginEntry(in)
	if g, ok := asInterface[room.Opener](c.inst); ok {
		if err := c.call("Open", func(t *room.Turn) error { return g.Open(t, c.header.Options) }); err != nil {
			return c.revertEntry(before, asRefusal(err))
		}
	} else if len(c.header.Options) > 0 && string(c.header.Options) != "{}" {
		return c.revertEntry(before, room.Refuse("bad_options", "this game has no options"))
	}
	c.s.EmptyAt = c.s.Now
	return c.finishInput(false)
}

func (c *Core) stepJoin(in Input) (Ready, error) {
	if c.s.seatOf(in.Player) >= 0 {
		return Ready{}, nil
	}
	if why := c.mayJoin(in.Player); why != nil {
		return Ready{Refused: why}, nil
	}
	free := slices.IndexFunc(c.s.Seats, func(s seat) bool { return s.Player == "" })
	before, p := c.s.Now, room.Player{ID: in.Player, Name: in.Name, Seat: free}
	c.beginEntry(in)
	c.s.Seats[free] = seat{Player: p.ID, Name: p.Name, Since: c.s.Now}
	if g, ok := asInterface[room.Joiner](c.inst); ok {
		if err := c.call("Join", func(t *room.Turn) error { return g.Join(t, p) }); err != nil {
			c.s.Seats[free] = seat{}
			return c.revertEntry(before, asRefusal(err))
		}
	}
	c.s.Joined = true
	c.s.giveBack(p.ID)
	c.s.Started = c.s.Started || !c.s.Waits && len(c.players()) >= c.spec.MinPlayers
	return c.finishInput(false)
}

func (c *Core) stepLeave(in Input) (Ready, error) {
	i := c.s.seatOf(in.Player)
	if i < 0 {
		return Ready{Refused: errNotSeated}, nil
	}
	wasOver := c.s.Final != nil
	c.beginEntry(in)
	why := room.LeaveReason(in.Reason)
	p := room.Player{ID: in.Player, Name: c.s.Seats[i].Name, Seat: i}
	c.freeSeat(i)
	if why == room.Kicked {
		c.s.Banned = append(c.s.Banned, p.ID)
	}
	c.updatePresence()
	if g, ok := asInterface[room.Leaver](c.inst); ok && !wasOver {
		_ = c.call("Leave", func(t *room.Turn) error { g.Leave(t, p, why); return nil })
	}
	c.queue(SeatLost{c.stamp(), p.ID, why})
	return c.finishInput(wasOver)
}

func (c *Core) stepAttach(in Input) (Ready, error) {
	i := c.s.seatOf(in.Player)
	if i < 0 {
		return Ready{Refused: errNotSeated}, nil
	}
	if r := c.s.clientOf(in.Player, in.Client); r != nil && in.Attempt < r.Attempt {
		return Ready{Refused: ErrStale}, nil
	}
	wasOver := c.s.Final != nil
	c.beginEntry(in)
	s := &c.s.Seats[i]
	if s.Online && s.Client != in.Client {
		c.queue(Replaced{c.stamp(), s.Player, s.Client})
	}
	r := c.s.ensureClient(in.Player, in.Client)
	r.Attempt, r.Used = in.Attempt, c.s.Index
	wasOnline := s.Online
	s.Online, s.Client = true, in.Client
	c.updatePresence()
	if !wasOnline && !wasOver {
		c.notifyPresence(i)
	}
	c.publish()
	c.welcome(i, in)
	c.announceEnd(wasOver)
	return c.logEntry(wasOver)
}

func (c *Core) stepDetach(in Input) (Ready, error) {
	i := c.s.seatOf(in.Player)
	if i < 0 || !c.s.Seats[i].Online || in.Client != "" && c.s.Seats[i].Client != in.Client {
		return Ready{}, nil
	}
	wasOver := c.s.Final != nil
	c.beginEntry(in)
	c.s.Seats[i].Online, c.s.Seats[i].Since = false, c.s.Now
	c.updatePresence()
	if !wasOver {
		c.notifyPresence(i)
	}
	return c.finishInput(wasOver)
}

// updatePresence starts or stops ticks and the time of being empty, depending on who is connected.
func (c *Core) updatePresence() {
	switch online := c.s.anyOnline(); {
	case online:
		c.s.EmptyAt = -1
		if tick := tick(c.spec); tick > 0 && c.s.TickAt == 0 && c.s.Final == nil {
			c.s.TickAt = c.s.Now + tick
		}
	case c.s.EmptyAt < 0:
		c.s.EmptyAt, c.s.TickAt = c.s.Now, 0
	}
}

// notifyPresence tells the game whether the player in a seat is connected.
func (c *Core) notifyPresence(i int) {
	if g, ok := asInterface[room.Presencer](c.inst); ok {
		s := c.s.Seats[i]
		_ = c.call("Presence", func(t *room.Turn) error {
			g.Presence(t, room.Player{ID: s.Player, Name: s.Name, Seat: i}, s.Online)
			return nil
		})
	}
}

func (c *Core) stepAct(in Input) (Ready, error) {
	i := c.s.seatOf(in.Player)
	if i < 0 {
		return Ready{Refused: errNotSeated}, nil
	}
	s := &c.s.Seats[i]
	r := c.s.clientOf(in.Player, in.Client)
	operators := in.Client == "" // on behalf of the player: it has no cseq, and no client hears its answer
	switch {
	case operators:
	case !s.Online || s.Client != in.Client || r == nil:
		return Ready{Refused: errNotYou}, nil
	case in.CSeq <= r.CSeq:
		c.answerAgain(r, in.CSeq)
		return Ready{}, nil
	case in.CSeq != r.CSeq+1:
		return Ready{Gap: true}, nil
	}
	if c.runtime() < 2 {
		in.Fault = nil // in logs of the first runtime an act without data has the same meaning
	}
	wasOver := c.s.Final != nil
	c.beginEntry(in)
	gameDecides := !wasOver && in.Fault == nil
	before, sampled := c.sampleBefore(gameDecides)
	var err error
	if why := c.loggedRefusal(in.Data); why != nil {
		err = why
	} else {
		err = c.act(room.Player{ID: s.Player, Name: s.Name, Seat: i}, in, wasOver)
	}
	a, changed := answer{CSeq: in.CSeq, Index: c.s.Index}, false
	if err != nil {
		why := asRefusal(err)
		if c.runtime() >= 2 {
			why = truncateRefusal(why)
		}
		a.Code, a.Reason = why.Code, why.Reason
		changed = c.logRefusal(why, gameDecides, before, sampled)
	}
	if !operators {
		r.CSeq, r.Used = in.CSeq, c.s.Index
		r.addAnswer(a)
	}
	c.publish()
	if !operators {
		c.answer(r, a)
	}
	c.announceEnd(wasOver)
	ready, err := c.logEntry(wasOver)
	if changed {
		ready.Changed = a.Code
	}
	return ready, err
}

func (c *Core) act(p room.Player, in Input, wasOver bool) error {
	switch {
	case in.Fault != nil:
		return in.Fault
	case wasOver:
		return c.actRematch(p, in.Data)
	}
	return c.call("Act", func(t *room.Turn) error {
		undo := c.countAct(p.Seat)
		err := c.inst.Act(t, p, in.Data)
		if err != nil {
			undo()
		}
		return err
	})
}

func (c *Core) stepTick(in Input) (Ready, error) {
	g, ok := asInterface[room.Ticker](c.inst)
	if !ok || c.s.Final != nil {
		return Ready{}, fmt.Errorf("tick of a room that does not tick")
	}
	c.beginEntry(in)
	c.s.TickAt = in.At + tick(c.spec)
	_ = c.call("Tick", func(t *room.Turn) error { g.Tick(t); return nil })
	c.publishTurns()
	c.announceEnd(false)
	return c.logEntry(false)
}

func (c *Core) stepTimer(in Input) (Ready, error) {
	i := slices.IndexFunc(c.s.Timers, func(t timer) bool { return t.Name == in.Name && t.At <= in.At })
	g, ok := asInterface[room.TimerHandler](c.inst)
	if i < 0 {
		return Ready{}, nil
	}
	c.beginEntry(in)
	c.s.Timers = slices.Delete(c.s.Timers, i, i+1)
	if ok {
		_ = c.call("Timer", func(t *room.Turn) error { g.Timer(t, in.Name); return nil })
	}
	return c.finishInput(false)
}

func (c *Core) stepSignal(in Input) (Ready, error) {
	if in.Name == RematchSignal {
		return c.stepRematch(in)
	}
	g, ok := asInterface[room.Signaler](c.inst)
	switch {
	case !ok:
		return Ready{Refused: room.Refuse("no_signals", "this game takes no signals")}, nil
	case c.s.Final != nil:
		return Ready{Refused: errOver}, nil
	}
	before := c.s.Now
	c.beginEntry(in)
	if err := c.call("Signal", func(t *room.Turn) error { return g.Signal(t, in.Name, in.Data) }); err != nil {
		return c.revertEntry(before, asRefusal(err))
	}
	return c.finishInput(false)
}

func (c *Core) stepClose(in Input) (Ready, error) {
	if c.s.Final != nil {
		return Ready{Gone: true}, nil
	}
	c.beginEntry(in)
	end := record.Closed
	if in.Name == string(record.Aborted) {
		end = record.Aborted
	}
	c.endRoom(end, in.Reason)
	c.announceEnd(false)
	return c.logEntry(false)
}
