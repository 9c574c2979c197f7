package actor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
)

// Held is a room that this node keeps but cannot run.
type Held struct {
	ID   room.ID `json:"room"`
	Game string  `json:"game"`
	Why  string  `json:"why"` // names the version that is needed, the input that these rules make something else of, or what the journal does not take

	// Released says that it lies in the store, not in this node's journal: another node may serve it, and the
	// directory does not answer for it.
	Released bool `json:"-"`

	replayed room.Index // the end of the log that was replayed in vain; 0: none was
}

// HeldError answers for a held room. It is an ErrUnreachable.
type HeldError struct{ Held }

func (e *HeldError) Error() string { return "the room is kept but cannot be served now: " + e.Why }

// Is makes errors.Is(err, ErrUnreachable) true.
func (e *HeldError) Is(target error) bool { return target == ErrUnreachable }

// Restored counts what Restore has found.
type Restored struct {
	Rooms int // brought back
	Held  int // waiting for a program that can run them, see Directory.Held
	Aside int // set aside: their row has moved on, or they were poisoned or broken
	Over  int // their result is stored already; those that people may still look at linger
	Cut   int // brought back without a damaged tail of their log
}

// Held answers the rooms that this node keeps but cannot run.
func (d *Directory) Held() []Held {
	d.mu.RLock()
	defer d.mu.RUnlock()
	out := make([]Held, 0, len(d.held))
	for _, h := range d.held {
		out = append(out, h)
	}
	return out
}

// revival is one room on its way back.
type revival struct {
	kept room.Kept
	core *room.Core
	dead string // why it cannot be brought back, ever
}

// unborn reports that the process died while it made the room: nobody was told of it.
func (v *revival) unborn() bool {
	return len(v.kept.Batches) == 0 && len(v.kept.Snapshots) == 0 && v.kept.Cut == ""
}

// nextEpoch is the one after the log's. A log whose tail was lost may have lost what clients have seen:
// a far later epoch sees to it that nothing of that is ever taken for what comes now.
func (v *revival) nextEpoch() room.Epoch {
	if v.kept.Cut != "" {
		return v.kept.Epoch + 1<<32
	}
	return v.kept.Epoch + 1
}

// Restore brings back the rooms that the journal holds, each at a new epoch, claimed in the store. It is
// called once, before anything is served. An error means that the journal cannot be read or the store is
// away; nothing is served then.
func (d *Directory) Restore(ctx context.Context) (Restored, error) {
	var n Restored
	if d.o.Journal == nil {
		return n, nil
	}
	revivals, err := d.load(ctx, &n)
	if err != nil {
		return n, err
	}
	const batch = 500
	for len(revivals) > 0 {
		some := revivals[:min(batch, len(revivals))]
		revivals = revivals[len(some):]
		if err := d.claim(ctx, some, &n); err != nil {
			return n, err
		}
	}
	n.Held = len(d.Held())
	return n, nil
}

// load replays every room that this program has the versions for, on all processors. A room in which a process has died is
// replayed alone: if it takes this one too, no other comes under suspicion with it.
func (d *Directory) load(ctx context.Context, n *Restored) ([]*revival, error) {
	var (
		mu    sync.Mutex
		found []*revival
		wg    sync.WaitGroup
		slots = make(chan struct{}, runtime.GOMAXPROCS(0))
	)
	replay := func(kept room.Kept) {
		if v := d.revive(kept); v != nil {
			mu.Lock()
			defer mu.Unlock()
			found = append(found, v)
		}
	}
	defer wg.Wait()
	for kept, err := range d.o.Journal.Rooms(ctx) {
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && kept.Header.ID == "":
			return nil, fmt.Errorf("the journal's rooms cannot be read: %w", err)
		case err != nil:
			d.hold(kept.Header, err.Error(), false)
			continue
		case kept.Cut != "":
			n.Cut++
			d.o.Log.Warn("a room's log was damaged and is cut", "room", kept.Header.ID, "why", kept.Cut)
		}
		if d.o.Black.Suspected(kept.Header.ID) {
			wg.Wait()
			replay(kept)
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			replay(kept)
		})
	}
	wg.Wait()
	slices.SortFunc(found, func(a, b *revival) int { return cmp.Compare(a.kept.Header.ID, b.kept.Header.ID) })
	return found, ctx.Err()
}

// revive replays one room; nil means that it is held.
func (d *Directory) revive(kept room.Kept) *revival {
	v := &revival{kept: kept}
	if err := room.CheckRuntime(kept.Header); err != nil {
		d.hold(kept.Header, err.Error(), false)
		return nil
	}
	if v.unborn() {
		v.dead = "the server stopped while the room was made"
		return v
	}
	rules, ok := d.o.Games.Lookup(kept.Header.Game)
	if !ok {
		d.hold(kept.Header, noGame(kept.Header), false)
		return nil
	}
	if why, poisoned := d.o.Black.Poisoned(kept.Header.ID); poisoned {
		if err := d.versions(kept, rules); err != nil { // those who can read it shall judge it
			d.hold(kept.Header, err.Error(), false)
			return nil
		}
		v.dead = why
		return v
	}
	mark := d.o.Black.BeginReplay(kept.Header.ID)
	defer mark.Release()
	core, err := room.Restore(d.coreConfig(kept.Header, rules), kept)
	if wrong, ok := errors.AsType[*room.VersionError](err); ok {
		d.hold(kept.Header, wrong.Error(), false)
		return nil
	}
	if wrong, ok := errors.AsType[*room.DivergedError](err); ok {
		d.holdAs(Held{ID: kept.Header.ID, Game: kept.Header.Game, Why: wrong.Error(), replayed: kept.Last()})
		return nil
	}
	if err != nil {
		v.dead = err.Error()
		return v
	}
	v.core = core
	return v
}

func noGame(h room.Header) string {
	return fmt.Sprintf("it needs game %s version %d, and this program has no such game", h.Game, h.Version)
}

func (d *Directory) hold(h room.Header, why string, released bool) *HeldError {
	return d.holdAs(Held{ID: h.ID, Game: h.Game, Why: why, Released: released})
}

func (d *Directory) holdAs(held Held) *HeldError {
	d.mu.Lock()
	known := d.held[held.ID] == held
	d.held[held.ID] = held
	d.mu.Unlock()
	if !known {
		d.o.Log.Error("a room is kept but cannot be served", "room", held.ID, "game", held.Game, "why", held.Why)
	}
	return &HeldError{held}
}

// holds answers whether this node keeps a room that it cannot run.
func (d *Directory) holds(id room.ID) (Held, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	h, ok := d.held[id]
	return h, ok
}

// ForgetReleased forgets the rooms in Held that lie in the store, but for those that still says so of.
func (d *Directory) ForgetReleased(still func(room.ID) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.held, func(id room.ID, h Held) bool { return h.Released && !still(id) })
}

// claim asks the store for rooms and lets those go on that are ours.
func (d *Directory) claim(ctx context.Context, some []*revival, n *Restored) error {
	claims := make([]Claim, len(some))
	answers := make([]Claimed, len(some))
	for i, v := range some {
		next := v.nextEpoch()
		claims[i] = Claim{Row: d.row(v.kept.Header, next), From: v.kept.Epoch}
		answers[i] = Claimed{ClaimGranted, next}
	}
	if d.o.Rows != nil {
		var err error
		if answers, err = d.o.Rows.Claim(ctx, claims); err != nil {
			return fmt.Errorf("the rooms' rows cannot be claimed in the store: %w", err)
		}
	}
	for i, v := range some {
		if err := d.settle(ctx, v, answers[i], n); err != nil {
			return err
		}
	}
	return nil
}

// settle does what the store's answer says.
func (d *Directory) settle(ctx context.Context, v *revival, a Claimed, n *Restored) error {
	id := v.kept.Header.ID
	switch {
	case a.Outcome == ClaimMoved:
		n.Aside++
		d.o.Log.Warn("a room has moved on: this node's copy is set aside", "room", id)
		return d.o.Journal.SetAside(ctx, id, "another node has taken the room on")
	case a.Outcome == ClaimOver:
		n.Over++
		return d.linger(ctx, v)
	case v.unborn():
		d.abandon(v)
		return nil
	case v.dead != "":
		n.Aside++
		d.abandon(v)
		return nil
	}
	if err := d.o.Journal.Claimed(ctx, id, a.Epoch); err != nil {
		return err
	}
	n.Rooms++
	d.resume(v, a.Epoch)
	return nil
}

// linger lets a finished room go on for as long as people may look at it: a player whose last act was not
// acknowledged hears the answer, and an agreed rematch is made. Nobody else serves it any more.
func (d *Directory) linger(ctx context.Context, v *revival) error {
	id := v.kept.Header.ID
	switch {
	case v.unborn(): // the process died between the end's coming to the store and the log's removal
		return d.o.Journal.Remove(ctx, id)
	case v.dead != "": // or before the log was set aside
		return d.o.Journal.SetAside(ctx, id, v.dead)
	case v.core.Final() == nil: // it was given up, or ended elsewhere: what is here may be all that is left of it
		return d.o.Journal.SetAside(ctx, id, "the store holds the room to be over")
	}
	e := v.nextEpoch()
	if err := d.o.Journal.Claimed(ctx, id, e); err != nil {
		return err
	}
	d.resume(v, e)
	return nil
}

// abandon ends a room that cannot be brought back: its end goes to the store, its log is kept.
func (d *Directory) abandon(v *revival) {
	id, why := v.kept.Header.ID, "the game failed and could not be brought back"
	done, remove := "set aside", func(ctx context.Context) error { return d.o.Journal.SetAside(ctx, id, v.dead) }
	if v.unborn() {
		d.o.Log.Info("a room is ended that nobody was told of", "room", id, "why", v.dead)
		why, done, remove = v.dead, "remove", func(ctx context.Context) error { return d.o.Journal.Remove(ctx, id) }
	} else {
		d.o.Log.Error("a room cannot be brought back: it is aborted and its log is set aside", "room", id, "why", v.dead)
	}
	final, err := room.Abandon(v.kept, why)
	if err != nil {
		d.o.Log.Error("its replay cannot be made", "room", id, "err", err)
	}
	stored := make(chan struct{})
	d.o.Results.Add(final, func() { close(stored) })
	// Only a room whose end is stored may leave the journal's live rooms.
	d.later(func(ctx context.Context) {
		select {
		case <-stored:
			d.retry(ctx, id, done, remove)
		case <-ctx.Done():
		}
	})
}

// resume lets a room go on under its new epoch: its clients are gone with the process that had them.
func (d *Directory) resume(v *revival, e room.Epoch) {
	r := d.newRoom(v.core)
	r.offset = v.kept.Time - d.o.Clock.Now()
	r.apply(room.Input{Kind: room.KindEpoch, Epoch: e, At: v.kept.Time})
	if in, ok := v.core.Pending(); ok {
		r.apply(in)
	}
	for _, s := range v.core.Seats() {
		if s.Online {
			r.apply(room.Input{Kind: room.KindDetach, Player: s.Player, At: v.kept.Time})
		}
	}
	d.start(r)
	if agreed, ok := v.core.RematchPending(); ok {
		d.rematch(r, agreed)
	}
}

// retry calls f until it works, never can, or the directory is shut down.
func (d *Directory) retry(ctx context.Context, id room.ID, what string, f func(ctx context.Context) error) {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 10*time.Second) {
		err := f(ctx)
		if err == nil {
			return
		}
		if errors.Is(err, room.ErrPermanent) {
			d.o.Log.Error("the journal cannot "+what+" a room", "room", id, "err", err)
			return
		}
		d.o.Log.Warn("the journal could not "+what+" a room: trying again", "room", id, "err", err)
		if !d.sleep(ctx, wait) {
			return
		}
	}
}

func (d *Directory) removeLog(ctx context.Context, id room.ID) {
	d.retry(ctx, id, "remove", func(ctx context.Context) error { return d.o.Journal.Remove(ctx, id) })
}
