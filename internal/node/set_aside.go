package node

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// setAside gives access to the copies of rooms that this node's journal has set aside.
type setAside struct{ n *Node }

func (a setAside) ListAside(ctx context.Context) ([]actor.Aside, error) {
	found, err := a.n.journal.ListAside(ctx)
	out := make([]actor.Aside, len(found))
	for i, f := range found {
		out[i] = actor.Aside{Node: a.n.name, Key: f.Key, Room: f.Room, Reason: f.Reason, At: f.At.UTC(), Index: f.Last, Bytes: f.Bytes}
	}
	return out, err
}

func (a setAside) load(ctx context.Context, key int64) (record.Kept, error) {
	kept, err := a.n.journal.LoadAside(ctx, key)
	if errors.Is(err, record.ErrNotFound) {
		err = actor.ErrNotFound
	}
	if _, damaged := errors.AsType[*journal.DamagedError](err); damaged {
		err = room.Refuse("damaged", err.Error())
	}
	return kept, err
}

func (a setAside) LoadAside(ctx context.Context, key int64) ([]byte, error) {
	kept, err := a.load(ctx, key)
	if err != nil {
		return nil, err
	}
	data, err := core.EncodeKept(kept)
	if err != nil {
		err = room.Refuse("too_large", err.Error())
	}
	return data, err
}

// reopenedAs marks, in the reason of a copy, that the copy was restored as another room.
const reopenedAs = "restored as room "

// ReopenAside restores one copy at a time. When two requests name the same copy, the second is refused and learns the room of
// the first.
func (a setAside) ReopenAside(ctx context.Context, key int64) (room.ID, error) {
	select {
	case a.n.reopening <- struct{}{}:
		defer func() { <-a.n.reopening }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	found, err := a.n.journal.ListAside(ctx)
	if err != nil {
		return "", err
	}
	reason := ""
	for _, f := range found {
		if f.Key == key {
			reason = f.Reason
		}
	}
	if _, as, already := strings.Cut(reason, reopenedAs); already {
		return "", room.Refuse("restored", "it has been restored already, as room "+as)
	}
	kept, err := a.load(ctx, key)
	if err != nil {
		return "", err
	}
	if kept.Cut != "" {
		return "", room.Refuse("damaged", fmt.Sprintf(
			"its log is damaged: %s. What was acknowledged after input %d is lost, so it cannot be restored; roomring admin fetch downloads what is left",
			kept.Cut, kept.Last()))
	}
	id, err := a.n.owner.Reopen(ctx, kept)
	if err != nil {
		return "", err
	}
	if err := a.n.journal.NoteAside(context.WithoutCancel(ctx), key, reason+"; "+reopenedAs+string(id)); err != nil {
		a.n.log.Warn("a room is restored, but its copy could not be marked as restored", "room", kept.Header.ID, "as", id, "err", err)
	}
	return id, nil
}

// ListAside, LoadAside and ReopenAside serve a node outside a cluster: its own copies are all there are.
func (d directory) ListAside(ctx context.Context) ([]actor.Aside, bool, error) {
	all, err := d.setAside.ListAside(ctx)
	return all, false, err
}

func (d directory) LoadAside(ctx context.Context, node string, key int64) ([]byte, error) {
	if node != d.setAside.n.name {
		return nil, actor.ErrNotFound
	}
	return d.setAside.LoadAside(ctx, key)
}

func (d directory) ReopenAside(ctx context.Context, node string, key int64) (room.ID, error) {
	if node != d.setAside.n.name {
		return "", actor.ErrNotFound
	}
	return d.setAside.ReopenAside(ctx, key)
}
