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

// asides are the copies of rooms that this node's journal has set aside.
type asides struct{ n *Node }

func (a asides) ListAside(ctx context.Context) ([]actor.Aside, error) {
	found, err := a.n.journal.ListAside(ctx)
	out := make([]actor.Aside, len(found))
	for i, f := range found {
		out[i] = actor.Aside{Node: a.n.name, Key: f.Key, Room: f.Room, Reason: f.Reason, At: f.At.UTC(), Index: f.Last, Bytes: f.Bytes}
	}
	return out, err
}

func (a asides) load(ctx context.Context, key int64) (record.Kept, error) {
	kept, err := a.n.journal.LoadAside(ctx, key)
	if errors.Is(err, record.ErrNotFound) {
		err = actor.ErrNotFound
	}
	if _, damaged := errors.AsType[*journal.DamagedError](err); damaged {
		err = room.Refuse("damaged", err.Error())
	}
	return kept, err
}

func (a asides) LoadAside(ctx context.Context, key int64) ([]byte, error) {
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

// reopenedAs stands in the reason of a copy that goes on as another room.
const reopenedAs = "restored as room "

// ReopenAside lets one copy after another go on, so that of two who ask for the same at once the second hears of the first.
func (a asides) ReopenAside(ctx context.Context, key int64) (room.ID, error) {
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
			"its log is damaged: %s: what was acknowledged after input %d is lost, and no room goes on without it; roomring admin fetch takes what is left",
			kept.Cut, kept.Last()))
	}
	id, err := a.n.owner.Reopen(ctx, kept)
	if err != nil {
		return "", err
	}
	if err := a.n.journal.NoteAside(context.WithoutCancel(ctx), key, reason+"; "+reopenedAs+string(id)); err != nil {
		a.n.log.Warn("a room is restored, and its copy does not say so", "room", kept.Header.ID, "as", id, "err", err)
	}
	return id, nil
}

// ListAside, LoadAside and ReopenAside are those of a node by itself.
func (d directory) ListAside(ctx context.Context) ([]actor.Aside, bool, error) {
	all, err := d.asides.ListAside(ctx)
	return all, false, err
}

func (d directory) LoadAside(ctx context.Context, node string, key int64) ([]byte, error) {
	if node != d.asides.n.name {
		return nil, actor.ErrNotFound
	}
	return d.asides.LoadAside(ctx, key)
}

func (d directory) ReopenAside(ctx context.Context, node string, key int64) (room.ID, error) {
	if node != d.asides.n.name {
		return "", actor.ErrNotFound
	}
	return d.asides.ReopenAside(ctx, key)
}
