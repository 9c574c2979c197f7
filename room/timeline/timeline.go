// Package timeline shows the operator any room at any index: its log, its state and views there, and what each input changed.
//
// A live room's log comes from the node that has the room, a finished one's from the store. It is run again here, by the rules of this
// process and within a budget. The room itself notices nothing.
package timeline

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// Options make Timelines. Games, Live and Stored are needed.
type Options struct {
	Games *core.Games
	// Live returns the log of a live room, see actor.Directory.Log. actor.ErrNotFound: the room does not live.
	Live func(ctx context.Context, id room.ID, after room.Index) (actor.Log, error)
	// Stored returns the replay of a room that is over. actor.ErrNotFound: there is none.
	Stored func(ctx context.Context, id room.ID) (record.StoredReplay, error)
	Black  BlackBox    // nil: none
	Clock  clock.Clock // nil: clock.System

	MaxLog int           // bytes of a log, compressed; 0 means 32 MiB
	Steps  int           // inputs that one request runs at most; 0 means 200,000
	Time   time.Duration // for which one request runs inputs at most; 0 means 2 s
	Work   int           // requests that run inputs at once; others wait for their turn; 0 means 2
	Rooms  int           // rooms whose logs, and where they were run to, are kept for the next request; 0 means 8
	Keep   time.Duration // how long the log of a finished room is kept, which the store may have to forget; 0 means 1 min
}

// BlackBox hears of the games that are run. See actor.BlackBox.
type BlackBox interface {
	BeginRerun(id room.ID, game string) actor.Step
	Fatal(id room.ID) bool
}

// Timelines are those of all rooms. Their methods may be called from any goroutine; they wait for the room's node or the store and
// run games, until ctx ends. Errors: actor.ErrNotFound when there is neither a live room nor a replay, actor.ErrUnreachable, a
// *room.Refusal that says why a room cannot be shown, a *NoIndexError, a *BudgetError.
type Timelines struct {
	o     Options
	tapes *lru.Cache[room.ID, *tape]
	work  chan struct{} // a semaphore of the requests that run inputs
}

// New returns Timelines that know no room yet. The error says which option is missing.
func New(o Options) (*Timelines, error) {
	if o.Games == nil || o.Live == nil || o.Stored == nil {
		return nil, errors.New("timeline: Options.Games, Live and Stored are needed")
	}
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	o.MaxLog = cmp.Or(o.MaxLog, 32<<20)
	o.Steps = cmp.Or(o.Steps, 200_000)
	o.Time = cmp.Or(o.Time, 2*time.Second)
	o.Work = cmp.Or(o.Work, 2)
	o.Keep = cmp.Or(o.Keep, time.Minute)
	tapes, err := lru.New[room.ID, *tape](cmp.Or(o.Rooms, 8))
	if err != nil {
		return nil, fmt.Errorf("timeline: Options.Rooms: %w", err)
	}
	return &Timelines{o: o, tapes: tapes, work: make(chan struct{}, o.Work)}, nil
}

// NoIndexError says that a room's log has no such index.
type NoIndexError struct{ First, Last room.Index }

func (e *NoIndexError) Error() string {
	return fmt.Sprintf("the log goes from %d to %d", e.First, e.Last)
}

// BudgetError says that an index is further away than one request may run. The next request for it goes on from At.
type BudgetError struct{ At, To room.Index }

func (e *BudgetError) Error() string {
	return fmt.Sprintf("the game has been run to input %d on the way to %d: ask again, and it goes on from there", e.At, e.To)
}

// tape is the log of one room, and where it has been run to.
type tape struct {
	id   room.ID
	busy chan struct{} // holds one while somebody uses the rest

	rec    *core.Recording
	seeker *core.Seeker
	read   time.Duration // when, by the clock
}

// hold returns a room's tape for the caller alone, with the newest entries if index is 0 or beyond what is known. The caller calls release.
func (t *Timelines) hold(ctx context.Context, id room.ID, index room.Index) (on *tape, release func(), err error) {
	p := &tape{id: id, busy: make(chan struct{}, 1), rec: &core.Recording{}}
	if known, had, _ := t.tapes.PeekOrAdd(id, p); had {
		p = known
		t.tapes.Get(id) // it is the last to be dropped
	}
	select {
	case p.busy <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	release = func() { <-p.busy }
	if err := t.update(ctx, p, index); err != nil {
		if p.rec.First() == 0 {
			t.tapes.Remove(id) // there is nothing to keep
		}
		release()
		return nil, nil, err
	}
	return p, release, nil
}

// update reads what a tape lacks.
func (t *Timelines) update(ctx context.Context, p *tape, index room.Index) error {
	now := t.o.Clock.Now()
	switch over := p.rec.Final.End != ""; {
	case over && now-p.read < t.o.Keep:
		return nil
	case over:
		p.rec, p.seeker = &core.Recording{}, nil
	case 0 < index && index <= p.rec.Last().Seq:
		return nil
	}
	p.read = now
	err := t.readLive(ctx, p)
	if _, gap := errors.AsType[*core.GapError](err); gap { // the log was cut, or the end that we had was lost with a machine
		p.rec, p.seeker = &core.Recording{}, nil
		err = t.readLive(ctx, p)
	}
	if errors.Is(err, actor.ErrNotFound) {
		err = t.readStored(ctx, p)
	}
	return err
}

func (t *Timelines) readLive(ctx context.Context, p *tape) error {
	known := p.rec.Last().Seq
	log, err := t.o.Live(ctx, p.id, max(known, 1)-1) // with the last that is known, to see that it is the same
	if err != nil {
		return err
	}
	return p.rec.Add(bytes.NewReader(log.Replay), log.Committed)
}

func (t *Timelines) readStored(ctx context.Context, p *tape) error {
	stored, err := t.o.Stored(ctx, p.id)
	if err != nil {
		return err
	}
	if stored.Size > int64(t.o.MaxLog) {
		return room.Refuse("too_long", fmt.Sprintf("its replay has %d bytes, and at most %d are shown here: roomring replay --inputs shows it from a file", stored.Size, t.o.MaxLog))
	}
	packed, err := io.ReadAll(stored)
	if err != nil {
		return err
	}
	p.rec, p.seeker = &core.Recording{}, nil
	return p.rec.Add(bytes.NewReader(packed), room.Index(1<<63))
}

// check says why a tape has no such index.
func (p *tape) check(index room.Index) error {
	if first, last := p.rec.First(), p.rec.Last().Seq; index < first || index > last || first == 0 {
		return &NoIndexError{first, last}
	}
	return nil
}
