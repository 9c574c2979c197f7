package timeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/wire"
)

// Eyes say through whose eyes a room is looked at. Zero is a spectator.
type Eyes struct {
	Whole  bool // the game's whole state, hidden facts included
	Player room.PlayerID
}

// Moment is a room right after one input.
type Moment struct {
	Entry core.Entry
	Seat  int        // of the entry's player; -1: none
	First room.Index // of the log
	Last  room.Index
	Phase core.Phase
	Seats []core.SeatInfo
	Panic *core.Panic // of the game, at this index or before; nil: none
	Views []View      // one for each of the Eyes
}

// View is what one pair of Eyes sees.
type View struct {
	Now         json.RawMessage   // nil: see Unavailable
	Before      json.RawMessage   // before the input; nil: these eyes saw nothing then
	Patch       json.RawMessage   // from Before to Now, RFC 7396; nil with Eyes.Whole, and if nothing has changed
	Events      []wire.Event      // that the input's turn told these eyes
	Legal       []json.RawMessage // what the player may do now, if the game says so
	Advises     bool              // the game says what is legal
	Unavailable string            // why there is no Now
}

// At runs a room's log up to an index and looks at it.
func (t *Timelines) At(ctx context.Context, id room.ID, index room.Index, eyes []Eyes) (Moment, error) {
	p, release, err := t.hold(ctx, id, index)
	if err != nil {
		return Moment{}, err
	}
	defer release()
	if err := p.check(index); err != nil {
		return Moment{}, err
	}
	if err := t.prepare(p); err != nil {
		return Moment{}, err
	}
	done, err := t.begin(ctx, p)
	if err != nil {
		return Moment{}, err
	}
	defer done()
	return t.look(ctx, p, index, eyes)
}

// begin waits for the caller's turn to run a game. The caller calls done.
func (t *Timelines) begin(ctx context.Context, p *tape) (done func(), err error) {
	select {
	case t.work <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if t.o.Black == nil {
		return func() { <-t.work }, nil
	}
	mark := t.o.Black.BeginRerun(p.id, p.rec.Header.Game)
	return func() {
		mark.Release()
		<-t.work
	}, nil
}

// prepare makes a tape's seeker, unless the game must not or cannot be run here.
func (t *Timelines) prepare(p *tape) error {
	h := p.rec.Header
	rules, known := t.o.Games.Lookup(h.Game)
	switch {
	case !known:
		return room.Refuse("no_game", fmt.Sprintf("this server has no game %s", h.Game))
	case t.o.Black != nil && t.o.Black.Fatal(p.id):
		return room.Refuse("fatal", "processes died when its log was run: roomring replay runs it from the file")
	case p.seeker == nil:
		p.seeker = core.NewSeeker(rules, p.rec)
	}
	return nil
}

// look looks before and behind the input at an index.
func (t *Timelines) look(ctx context.Context, p *tape, index room.Index, eyes []Eyes) (Moment, error) {
	stop := t.budget(ctx)
	m := Moment{First: p.rec.First(), Last: p.rec.Last().Seq, Views: make([]View, len(eyes))}
	lookers := make([]core.Eye, len(eyes))
	if index > m.First {
		before, err := p.seeker.Seek(index-1, stop)
		if _, none := errors.AsType[*core.BeforeError](err); err != nil && !none {
			return m, shown(err, p, index)
		}
		for i := range eyes {
			if before != nil {
				m.Views[i].Before, _, _ = see(before, eyes[i], &lookers[i]) // nothing is seen where it fails
			}
		}
	}
	now, err := p.seeker.Seek(index, stop)
	if err != nil {
		return m, shown(err, p, index)
	}
	for e := range p.rec.Entries(index - 1) {
		m.Entry, m.Seat = e, p.rec.Seat(e.Player, e.Index)
		break
	}
	m.Phase, m.Seats, m.Panic = now.Phase(), now.Seats(), now.Panicked()
	for i, eye := range eyes {
		v := &m.Views[i]
		var err error
		if v.Now, v.Patch, err = see(now, eye, &lookers[i]); err != nil {
			v.Unavailable = err.Error()
			continue
		}
		if eye.Whole {
			continue
		}
		v.Events = now.EventsShown(eye.Player)
		for _, seat := range m.Seats { // of whom shares the spectators' view too
			if seat.Player == eye.Player {
				v.Legal, v.Advises, _ = now.Legal(room.Viewer{Player: seat.Player, Seat: seat.Seat}) // a game that cannot say it says nothing
			}
		}
	}
	return m, nil
}

// see is what eyes see now, and what has changed since the looker's last look.
func see(c *core.Core, eyes Eyes, looker *core.Eye) (whole, patch json.RawMessage, err error) {
	switch {
	case c.Panicked() != nil:
		return nil, nil, errors.New("the game has panicked")
	case eyes.Whole:
		whole, err = c.GameState()
		return whole, nil, err
	}
	viewer, ok := c.Viewer(eyes.Player)
	if !ok {
		return nil, nil, actor.ErrNotSeated
	}
	return looker.Look(c, viewer)
}

// errBudget ends a run whose request has used up what it may.
var errBudget = errors.New("the budget is used up")

// budget returns what a request asks before each input that it runs.
func (t *Timelines) budget(ctx context.Context) func() error {
	steps, end := t.o.Steps, t.o.Clock.Now()+t.o.Time
	return func() error {
		if steps--; steps < 0 || t.o.Clock.Now() > end {
			return errBudget
		}
		return ctx.Err()
	}
}

// shown is an error of a run as those who look are told.
func shown(err error, p *tape, index room.Index) error {
	if errors.Is(err, errBudget) {
		return &BudgetError{p.seeker.At(), index}
	}
	if wrong, ok := errors.AsType[*core.DivergedError](err); ok {
		return room.Refuse("diverged", wrong.Error())
	}
	if wrong, ok := errors.AsType[*core.VersionError](err); ok {
		return room.Refuse("other_version", wrong.Error())
	}
	if wrong, ok := errors.AsType[*core.BeforeError](err); ok {
		return room.Refuse("other_version", wrong.Error())
	}
	return err
}
