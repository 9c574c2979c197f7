package actor

import (
	"context"
	"sync"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Directory has the rooms of this node. Its methods may be called from any goroutine; they are the only way to a room.
type Directory struct {
	o         Options
	rooms     *registry
	lists     listing
	openRooms openRooms
	pools     *pools
	unclaimed unclaimed
	panics    panics

	ctx    context.Context // ends with Shutdown
	cancel context.CancelFunc
	beside sync.WaitGroup // the goroutines that run beside the rooms
}

// NewDirectory makes a directory without rooms. It serves until Shutdown.
func NewDirectory(o Options) (*Directory, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	d := &Directory{o: o, rooms: newRegistry(o.MaxRooms, o.RoomShare), pools: newPools(o.Games, o.Black)}
	d.lists.of = map[listKey][]*liveRoom{}
	d.openRooms.of = map[string]map[*liveRoom]struct{}{}
	d.unclaimed = newUnclaimed(o.Unclaimed)
	d.panics.o = &d.o
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.beside.Go(func() { watchSteps(d.ctx, &d.o, d.rooms) })
	return d, nil
}

// start puts a room into the directory and runs it.
func (d *Directory) start(r *liveRoom) {
	d.o.Metrics.Rooms(r.game, 1)
	d.rooms.add(r)
}

// remove forgets a room that has left memory.
func (d *Directory) remove(r *liveRoom) {
	d.openRooms.note(r, false)
	d.lists.note(r, r.info.shown.Load(), nil)
	d.rooms.remove(r)
	d.o.Metrics.Rooms(r.game, -1)
}

// find is a room, or the error that answers for it.
func (d *Directory) find(id room.ID) (*liveRoom, error) {
	if r := d.rooms.lookup(id); r != nil {
		return r, nil
	}
	err := d.o.Owner.Absent(id)
	if r := d.rooms.lookup(id); r != nil { // it has come meanwhile
		return r, nil
	}
	return nil, err
}

// Next is Owner.Next of a room that is not here, or leaves.
func (d *Directory) Next(id room.ID) (node string, heir bool) { return d.o.Owner.Next(id) }

// failing reports whether a room cannot be saved at present.
func (d *Directory) failing(r *liveRoom) bool { return r.durable && d.o.Logs.Failing() != nil }

// Info answers what anybody may know of a room, as this node knows it: another node may have taken the room since; see Read. Errors: ErrNotFound when the room is not here, a *HeldError
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

// Find answers the private room of a join code. Errors are those of Read.
func (d *Directory) Find(ctx context.Context, code string) (Info, error) {
	code = record.FoldCode(code)
	id, ok := d.rooms.withCode(code)
	if !ok || code == "" {
		return Info{}, ErrNotFound
	}
	return d.Read(ctx, id)
}

// Count is how many rooms are here, those that linger after their end included.
func (d *Directory) Count() int {
	n, _ := d.rooms.count()
	return n
}

// Creating reports whether rooms may still come whose Create began before Drain.
func (d *Directory) Creating() bool {
	_, making := d.rooms.count()
	return making > 0
}

// Drain refuses new rooms from now on; those that are here go on.
func (d *Directory) Drain() { d.rooms.drain() }

// Shutdown ends every room's time in this process: it takes no more input, saves a snapshot, waits for what it
// has stepped to be durable, sends what waited for that, and ends its sessions with 4100. Rooms kept in
// memory alone are lost. It returns when every goroutine of the directory has ended, or when ctx ends:
// then what is not durable yet is not acknowledged either. The journal and the store are closed after it.
func (d *Directory) Shutdown(ctx context.Context) error {
	d.rooms.close()
	d.cancel()
	over := make(chan struct{})
	go func() {
		d.beside.Wait()
		d.rooms.rooming.Wait()
		close(over)
	}()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
