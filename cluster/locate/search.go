package locate

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/nodes"
	"github.com/roomring/roomring/cluster/rpc"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

const (
	ringFirst   = 3                      // nodes of the ring that are asked before all others: the room's owner and those that would inherit it
	searchTimes = 4                      // times that a room on its way is looked for
	searchAgain = 100 * time.Millisecond // between them
)

// errMoving says that the room is about to be elsewhere than the store says: it is worth another look.
var errMoving = errors.New("the room is on its way")

// search looks for a room until it is found, certainly not there, or has been on its way for too long. It runs as a task of the
// Locator's group.
func (l *Locator) search(id room.ID) (node string, err error) {
	done := make(chan struct{})
	if !l.o.Tasks.Go(func(ctx context.Context) {
		defer close(done)
		for range searchTimes {
			if node, err = l.look(ctx, id); err != errMoving || !clock.Sleep(ctx, l.o.Clock, searchAgain) {
				break
			}
		}
	}) {
		return "", actor.ErrUnreachable
	}
	<-done
	switch {
	case err == errMoving:
		err = actor.ErrUnreachable
	case err == nil && node != l.o.Calls.Self():
		l.Remember(id, node)
	}
	return node, err
}

// look looks once, in this order: here, at the ring's first, at all others, in the store. It returns errMoving when the room is on
// its way.
func (l *Locator) look(ctx context.Context, id room.ID) (node string, err error) {
	if l.Here(id) {
		return l.o.Calls.Self(), nil
	}
	var a answers
	for _, some := range order(l.o.Calls.Self(), l.o.Nodes.Ring().First(id, ringFirst), l.o.Nodes.Others()) {
		if l.poll(ctx, id, some, &a); a.node != "" {
			return a.node, nil
		}
	}
	limited, cancel := clock.WithTimeout(ctx, l.o.Clock, l.o.Gather)
	defer cancel()
	row, err := l.o.Store.Row(limited, id)
	switch {
	case errors.Is(err, record.ErrNotFound):
		return "", l.Unknown(ctx, a.silent)
	case err != nil:
		l.logged.Do(func() { l.o.Log.Warn("the store does not say where a room is", "room", id, "err", err) })
		return "", actor.ErrUnreachable
	}
	switch row.State {
	case record.RowReleased:
		return l.claim(ctx, row.Room)
	case record.RowLive:
		return "", l.absent(ctx, row, a)
	}
	return "", l.over(ctx, row.Room)
}

// order is who is asked for a room: the ring's first, and then all others that are heard of.
func order(self string, ring, others []string) [2][]string {
	first := slices.DeleteFunc(slices.Clone(ring), func(n string) bool { return n == self })
	rest := slices.DeleteFunc(slices.Clone(others), func(n string) bool { return n == self || slices.Contains(first, n) })
	return [2][]string{first, rest}
}

// answers are what nodes have said of a room.
type answers struct {
	node   string // that has it at the highest epoch
	epoch  record.Epoch
	heir   string   // follows it with a whole copy
	silent []string // did not say, or cannot yet
}

// add takes one answer in. Of several nodes that claim to have the room the highest epoch counts: a node that was cut off may still
// believe in an ownership that another has taken over. So the first yes does not end the question; it gives the others a tenth of
// the time, enough for every node that is well. If a cut-off node is believed all the same, it cannot commit the attach, and the edge
// forgets it and asks again.
func (a *answers) add(node string, p Presence, err error) rpc.Next {
	switch {
	case err != nil:
		a.silent = append(a.silent, node)
		return rpc.Continue
	case !p.Here:
		if p.Heir {
			a.heir = node
		}
		return rpc.Continue
	case a.node == "" || p.Epoch > a.epoch:
		a.node, a.epoch = node, p.Epoch
	}
	return rpc.Hurry
}

// poll asks nodes for a room.
func (l *Locator) poll(ctx context.Context, id room.ID, names []string, a *answers) {
	silent := rpc.Scatter(ctx, l.o.Calls, names, Where, id, l.o.Ask, a.add)
	a.silent = append(a.silent, silent...)
}

// Unknown is the error for a room that the store knows nothing of. It is actor.ErrNotFound only if everybody who may keep the room in
// memory alone has said no; silent are the nodes that have not.
func (l *Locator) Unknown(ctx context.Context, silent []string) error {
	unheard := func(b nodes.Boot) bool { return b.Silent < l.o.Fresh }
	if len(silent) > 0 || slices.ContainsFunc(l.o.Nodes.Unheard(ctx), unheard) {
		return actor.ErrUnreachable
	}
	return actor.ErrNotFound
}

// claim has a node take a released room on, and finds it there.
func (l *Locator) claim(ctx context.Context, id room.ID) (node string, err error) {
	limited, cancel := clock.WithTimeout(ctx, l.o.Clock, l.o.Forward)
	defer cancel()
	err = l.o.Claim(limited, id)
	switch {
	case err == nil:
		if l.Here(id) {
			return l.o.Calls.Self(), nil
		}
		var a answers
		l.poll(ctx, id, order(l.o.Calls.Self(), l.o.Nodes.Ring().First(id, ringFirst), nil)[0], &a)
		if a.node != "" {
			return a.node, nil
		}
		return "", errMoving
	case errors.Is(err, record.ErrMovedOn), errors.Is(err, record.ErrNotFound):
		return "", errMoving
	case errors.Is(err, actor.ErrUnreachable):
		return "", err
	case errors.Is(err, actor.ErrDraining):
		return "", errAllStop
	}
	l.logged.Do(func() { l.o.Log.Warn("a released room could not be taken on", "room", id, "err", err) })
	return "", actor.ErrUnreachable
}

// errAllStop answers for a released room when this node is stopping, and so is the node that the ring names, if any.
var errAllStop = &actor.UnreachableError{Reason: "the nodes that could serve the room are stopping: retry"}

// absent says why no node has a room whose row is live.
func (l *Locator) absent(ctx context.Context, row record.Row, a answers) error {
	heard := append(l.o.Nodes.Heard(), l.o.Nodes.Self())
	if i := slices.IndexFunc(heard, func(p link.Peer) bool { return p.Boot == row.Boot }); i >= 0 {
		if slices.Contains(a.silent, heard[i].Node) {
			return &actor.UnreachableError{Reason: "the room's node " + heard[i].Node + " does not answer"}
		}
		return errMoving
	}
	if _, heir := l.o.Rooms.Next(row.Room); heir {
		a.heir = l.o.Calls.Self()
	}
	if a.heir != "" {
		return &actor.UnreachableError{Reason: "the room's node is down: the room goes on at its standby", Next: a.heir}
	}
	then := ": the room comes back with it"
	if row.Standby != "" {
		then = ": the room goes on at its standby, or comes back with it"
	}
	boots := l.o.Nodes.Boots(ctx)
	i := slices.IndexFunc(boots, func(b nodes.Boot) bool { return b.ID == row.Boot })
	if i < 0 {
		return &actor.UnreachableError{Reason: "the room's node is down" + then}
	}
	name := boots[i].Node
	if name == l.o.Calls.Self() || l.o.Nodes.Hears(name) {
		return &actor.UnreachableError{Reason: "the room's node " + name + " has restarted and does not serve the room yet"}
	}
	return &actor.UnreachableError{Reason: "the room's node " + name + " is down" + then}
}

// OverError answers for a room that is over and gone from memory. It unwraps to the *actor.CloseError that turns clients away.
type OverError struct{ Info actor.Info }

func (e *OverError) Error() string { return "the room is over" }

// Unwrap is an *actor.CloseError.
func (e *OverError) Unwrap() error {
	out := &actor.CloseError{Code: wire.CloseOver, Reason: e.Error()}
	if e.Info.Final != nil {
		out.Over = new(e.Info.Final.OverFor("")) // a player can still ask for the result with a token
	}
	return out
}

// over is an *OverError, unless the store does not say how the room ended.
func (l *Locator) over(ctx context.Context, id room.ID) error {
	limited, cancel := clock.WithTimeout(ctx, l.o.Clock, l.o.Gather)
	defer cancel()
	info, err := l.o.Store.Past(limited, id)
	switch {
	case err == nil:
		return &OverError{info}
	case errors.Is(err, record.ErrNotFound), errors.Is(err, actor.ErrNotFound):
		return actor.ErrNotFound
	}
	return actor.ErrUnreachable
}

// Living makes a room that is over one that is not there, for those who can only do something to living rooms.
func Living(err error) error {
	if _, over := errors.AsType[*OverError](err); over {
		return actor.ErrNotFound
	}
	return err
}
