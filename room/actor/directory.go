package actor

import (
	"context"
	"errors"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// Directory holds the rooms of this node. Its methods may be called from any goroutine; they are the
// only way in.
type Directory struct {
	o       Options
	matches matcher
	lists   listing
	waited  unclaimed
	pools   *Pools
	panics  panics

	ctx    context.Context // ends with Shutdown; what runs beside the rooms hangs on it
	cancel context.CancelFunc
	wg     sync.WaitGroup // every goroutine of the directory's and its rooms'

	mu        sync.RWMutex
	rooms     map[room.ID]*liveRoom
	codes     map[string]room.ID     // join codes of private rooms
	sickRooms map[*liveRoom]struct{} // stand still until the journal works again
	coming    int                    // rooms being made
	shares    shares
	draining  bool // no new rooms
	closing   bool // no rooms at all

	unwell bool // of the watchdog: the rooms have been told that the journal fails
}

// NewDirectory makes a directory without rooms. It serves until Shutdown.
func NewDirectory(o Options) (*Directory, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	d := &Directory{
		o: o, rooms: map[room.ID]*liveRoom{}, codes: map[string]room.ID{},
	}
	d.pools = NewPools(o.Games, o.Black)
	d.waited = unclaimed{most: o.Unclaimed, of: map[netip.Prefix][]*keptSeat{}}
	d.shares = shares{most: o.RoomShare, of: map[any]int{}}
	d.lists.of = map[listKey][]*liveRoom{}
	d.matches.open = map[string]map[*liveRoom]struct{}{}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.wg.Go(func() { d.watch(d.ctx) })
	return d, nil
}

// later runs f beside the rooms until the directory is shut down.
func (d *Directory) later(f func(ctx context.Context)) {
	d.wg.Go(func() { f(d.ctx) })
}

// sleep waits; false means that ctx has ended.
func (d *Directory) sleep(ctx context.Context, wait time.Duration) bool {
	over := make(chan struct{})
	t := d.o.Clock.AfterFunc(wait, func() { close(over) })
	defer t.Stop()
	select {
	case <-over:
		return true
	case <-ctx.Done():
		return false
	}
}

// start puts a room into the directory and lets it run.
func (d *Directory) start(r *liveRoom) {
	d.mu.Lock()
	d.rooms[r.id] = r
	if r.header.Code != "" {
		d.codes[r.header.Code] = r.id
	}
	if r.made {
		d.coming--
	}
	if !r.core.Joined() {
		d.shares.unused.add(r)
	}
	stop := d.closing
	d.mu.Unlock()
	d.o.Metrics.Rooms(r.game, 1)
	if stop {
		r.in.command(stopMessage{})
	}
	d.wg.Go(r.run)
}

// remove forgets a room that has left memory.
func (d *Directory) remove(r *liveRoom) {
	d.matches.note(r, false)
	d.lists.note(r, r.info.Load(), nil)
	d.mu.Lock()
	delete(d.rooms, r.id)
	delete(d.codes, r.header.Code)
	delete(d.sickRooms, r)
	d.forgetUnused(r)
	d.shares.add(r.owner, -1)
	d.mu.Unlock()
	d.o.Metrics.Rooms(r.game, -1)
}

func (d *Directory) lookup(id room.ID) *liveRoom {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.rooms[id]
}

// all are the rooms of one moment.
func (d *Directory) all() iter.Seq[*liveRoom] {
	d.mu.RLock()
	rooms := slices.Collect(maps.Values(d.rooms))
	d.mu.RUnlock()
	return slices.Values(rooms)
}

// find is a room, or the error that answers for it.
func (d *Directory) find(id room.ID) (*liveRoom, error) {
	if r := d.lookup(id); r != nil {
		return r, nil
	}
	err := d.o.Owner.Absent(id)
	if r := d.lookup(id); r != nil { // it has come meanwhile
		return r, nil
	}
	return nil, err
}

// failing reports whether a room cannot be saved at present.
func (d *Directory) failing(r *liveRoom) bool {
	return r.durable && d.o.Journal.Failing() != nil
}

// Info answers what anybody may know of a room. Errors: ErrNotFound when the room is not here, a *HeldError
// (which is ErrUnreachable) when this program cannot run it, ErrUnreachable before its first commit and while it
// comes or goes.
func (d *Directory) Info(id room.ID) (Info, error) {
	r, err := d.find(id)
	if err != nil {
		return Info{}, err
	}
	info, ok := r.public()
	if !ok {
		return Info{}, ErrUnreachable
	}
	return info, nil
}

// Find answers the private room of a join code. Errors are those of Info.
func (d *Directory) Find(code string) (Info, error) {
	code = record.FoldCode(code)
	d.mu.RLock()
	id, ok := d.codes[code]
	d.mu.RUnlock()
	if !ok || code == "" {
		return Info{}, ErrNotFound
	}
	return d.Info(id)
}

// PageSize is how many rooms a page holds at most.
func (f *Filter) PageSize() int {
	if f.Limit <= 0 {
		return 100
	}
	return min(f.Limit, 1000)
}

func (f *Filter) admits(i *Info) bool {
	return i.ID > f.After &&
		(f.Game == "" || i.Game == f.Game) &&
		(f.Phase == "" || i.Phase == f.Phase) &&
		(!f.Open || i.Open) &&
		(f.Private || !i.Private) &&
		(!f.Hidden || i.Private) &&
		(f.Node == "" || i.Node == f.Node) &&
		(f.Named == "" || slices.Contains(i.named, f.Named)) &&
		(f.Search == "" || i.matches(strings.ToLower(f.Search)))
}

// matches looks for a text in lower case where people would: in the id's beginning, the name, and who plays.
func (i *Info) matches(text string) bool {
	holds := func(s string) bool { return strings.Contains(strings.ToLower(s), text) }
	return strings.HasPrefix(string(i.ID), text) || holds(i.Name) ||
		slices.ContainsFunc(i.Seats, func(s core.SeatInfo) bool { return holds(string(s.Player)) || holds(s.Name) })
}

// Attach brings a client into a room; what the room says goes to out. It waits for a place in the room's
// mailbox, and for the room to take the client, not for the commit: the welcome comes through out. A room that is
// being adopted is waited for.
// Errors: ErrNotFound when the room is not here; a *CloseError with the code to close the socket with
// in every other case; ctx's.
func (d *Directory) Attach(ctx context.Context, id room.ID, h Hello, out *Outbox) (Session, error) {
	s, err := d.AttachSink(ctx, id, h, NewFeed(out))
	if err != nil {
		return nil, err
	}
	return s, nil
}

// AttachSink is Attach for a client that hears the room by way of a sink of the caller's.
func (d *Directory) AttachSink(ctx context.Context, id room.ID, h Hello, out Sink) (Remote, error) {
	if err := d.o.Owner.Arrived(ctx, id); err != nil {
		return nil, err
	}
	r, err := d.find(id)
	switch {
	case errors.Is(err, ErrLeaving):
		return nil, closeMoved()
	case errors.Is(err, ErrUnreachable):
		return nil, closing(wire.CloseUnreachable, err.Error())
	case err != nil:
		return nil, err
	case d.failing(r):
		return nil, closeUnsaved()
	}
	s := newSession(r, h, out)
	if err := s.enter(ctx); err != nil {
		s.Detach()
		if err == ErrEnded {
			err = closeMoved()
		}
		return nil, err
	}
	return s, nil
}

// enter waits for the room's yes or no.
func (s *session) enter(ctx context.Context) error {
	reply := make(chan error, 1)
	if err := s.room.in.send(ctx, attachMessage{s, reply}); err != nil {
		return err
	}
	select {
	case err := <-reply:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.room.in.gone:
		return ErrEnded
	}
}

// command runs an operator's command in a room and waits until what it did is committed. When the room leaves memory
// before, it may have done it, here or where it goes on: so it is not the answer that there is no such room.
func (d *Directory) command(ctx context.Context, id room.ID, with func(done chan<- error) message) error {
	r, err := d.find(id)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	r.in.command(with(done))
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-r.in.gone:
		select {
		case err := <-done:
			return err
		default:
			return ErrUnreachable
		}
	}
}

// Close ends a room from outside, with a reason that its players read. Errors: those of Info, ctx's, and ErrUnreachable
// also when the room has left this node before what it did was durable.
func (d *Directory) Close(ctx context.Context, id room.ID, reason string) error {
	return d.command(ctx, id, func(done chan<- error) message { return endMessage{reason, done} })
}

// Kick takes a player's seat away for good. ErrNotSeated: there is none. Other errors are those of Close.
func (d *Directory) Kick(ctx context.Context, id room.ID, p room.PlayerID) error {
	return d.command(ctx, id, func(done chan<- error) message { return kickMessage{p, done} })
}

// Signal hands a signal to the game; a *room.Refusal is the game's no. Names that begin with
// "roomring." are the runtime's own. Other errors are those of Close.
func (d *Directory) Signal(ctx context.Context, id room.ID, name string, data []byte) error {
	if strings.HasPrefix(name, reservedSignals) {
		return room.Refuse("reserved", "signals whose name begins with "+reservedSignals+" are the runtime's own")
	}
	return d.command(ctx, id, func(done chan<- error) message { return signalMessage{name, data, done} })
}

const reservedSignals = "roomring."
