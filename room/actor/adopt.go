package actor

import (
	"context"
	"errors"

	"github.com/roomring/roomring/room"
)

// adoption is a room on its way to this node. All who want it wait for one.
type adoption struct {
	done chan struct{}
	err  error // once done is closed
}

var errComing = &UnreachableError{"the room is on its way to this node: retry"}

// Adopt takes on a room that no node serves, and lets it go on here at the epoch that claim is granted, all of its
// clients gone, its time at Kept.Time. Of several that ask for one room at a time the first acts and the others wait for
// it; a room that is here already is not asked for again.
//
// Nothing can be lost on the way, and whoever's claim is granted alone has the room: it is in this node's journal
// before claim is called, and acknowledges nothing before the journal has that too. Claim moves the room's row to the
// epoch after Kept.Epoch, or a later one. ErrMovedOn says that another has the room for certain: this copy is dropped.
// After any other error it stays, for the row may be ours without our knowing; claim must settle that when the room is
// adopted again, and Restore settles it at the next start.
//
// Errors: ErrDraining, a *HeldError when this program cannot run the room (Held tells of it; where Released is false it was
// claimed, because only a replay could tell: GiveBack), ErrMovedOn, ErrUnreachable, and those of the journal and of claim. MaxRooms is no bound: a living room needs a place.
func (d *Directory) Adopt(ctx context.Context, kept room.Kept, claim func(ctx context.Context) (room.Epoch, error)) error {
	id := kept.Header.ID
	a, mine, err := d.expect(id)
	if err != nil || a == nil {
		return err
	}
	if !mine {
		select {
		case <-a.done:
			return a.err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.ctx, cancel)() // Shutdown waits for this
	a.err = d.adopt(ctx, kept, claim)
	d.mu.Lock()
	delete(d.adoptions, id)
	d.mu.Unlock()
	close(a.done)
	d.wg.Done()
	return a.err
}

// expect begins an adoption, or finds the one under way. There is none when the room is here.
func (d *Directory) expect(id room.ID) (a *adoption, mine bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	held, kept := d.held[id]
	switch {
	case d.rooms[id] != nil:
		return nil, false, nil
	case d.draining:
		return nil, false, ErrDraining
	case d.leaving[id] != nil:
		return nil, false, errLeaving
	case kept && !held.Released:
		return nil, false, &HeldError{held}
	case d.adoptions[id] != nil:
		return d.adoptions[id], false, nil
	}
	a = &adoption{done: make(chan struct{})}
	d.adoptions[id] = a
	d.wg.Add(1)
	return a, true, nil
}

// arrived waits for the end of a room's adoption, if one is under way.
func (d *Directory) arrived(ctx context.Context, id room.ID) error {
	d.mu.RLock()
	a := d.adoptions[id]
	d.mu.RUnlock()
	if a == nil {
		return nil
	}
	select {
	case <-a.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *Directory) adopt(ctx context.Context, kept room.Kept, claim func(ctx context.Context) (room.Epoch, error)) error {
	if d.o.Journal == nil {
		return &UnreachableError{"this node keeps rooms in memory only and cannot take one on: give it a data folder"}
	}
	if err := d.canRun(kept); err != nil {
		return err
	}
	id := kept.Header.ID
	if held, ok := d.holds(id); ok && held.replayed > 0 && held.replayed == kept.Last() {
		return &HeldError{held} // it would come to the same again
	}
	if err := d.o.Journal.Import(ctx, kept); err != nil {
		return err
	}
	v := &revival{kept: kept}
	// What is wished for is written down before it is asked for: a process that dies in between finds the row at an
	// epoch that its journal knows.
	next := v.nextEpoch()
	if err := d.o.Journal.Claimed(ctx, id, next); err != nil {
		return err
	}
	e, err := claim(ctx)
	if errors.Is(err, ErrMovedOn) {
		d.drop(ctx, id)
		return err
	}
	if err != nil {
		return err
	}
	if e > next {
		if err := d.o.Journal.Claimed(ctx, id, e); err != nil {
			return err
		}
	}
	return d.settleIn(kept, e)
}

// canRun refuses a room that this program lacks the version for, before it is anybody's.
func (d *Directory) canRun(kept room.Kept) error {
	rules, ok := d.o.Games.Lookup(kept.Header.Game)
	if !ok {
		return d.hold(kept.Header, noGame(kept.Header), true)
	}
	if err := d.versions(kept, rules); err != nil {
		return d.hold(kept.Header, err.Error(), true)
	}
	return nil // what else is wrong with it comes out when it is ours, and ends it
}

// versions is a *room.VersionError when this program lacks one that the room needs.
func (d *Directory) versions(kept room.Kept, rules *room.Rules) error {
	if wrong, ok := errors.AsType[*room.VersionError](room.CheckVersion(d.coreConfig(kept.Header, rules), kept)); ok {
		return wrong
	}
	return nil
}

// settleIn brings a room to life that is this node's in the store. It is replayed only now: the black box counts
// replays of rooms in the journal, and one that kills processes is ended by whoever has it then.
func (d *Directory) settleIn(kept room.Kept, e room.Epoch) error {
	v := d.revive(kept)
	switch {
	case v == nil:
		held, _ := d.holds(kept.Header.ID)
		return &HeldError{held}
	case v.dead != "":
		d.abandon(v)
		return &UnreachableError{"the game failed and could not be brought back: it has been ended"}
	}
	d.resume(v, e)
	return nil
}

// GiveBack hands a room that this node holds since it was adopted to give, unchanged, and forgets the copy here: another
// node may have the rules that recorded it. After an error the room stays held in the journal.
func (d *Directory) GiveBack(ctx context.Context, id room.ID, give Give) error {
	kept, err := d.o.Journal.Load(ctx, id)
	if err != nil {
		return err
	}
	if err := give(ctx, kept); err != nil && !errors.Is(err, ErrMovedOn) {
		return err
	}
	d.mu.Lock()
	if held, ok := d.held[id]; ok {
		held.Released = true
		d.held[id] = held
	}
	d.mu.Unlock()
	d.drop(ctx, id)
	return nil
}

// drop forgets an import that came to nothing.
func (d *Directory) drop(ctx context.Context, id room.ID) {
	if err := d.o.Journal.Remove(ctx, id); err != nil {
		d.o.Log.Warn("a room that another has is still in the journal: it is replaced or set aside later", "room", id, "err", err)
	}
}
