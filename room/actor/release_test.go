package actor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
)

// TestReleaseGivesUpWhatIsDamaged releases the other rooms, and does not try damaged ones again.
func TestReleaseGivesUpWhatIsDamaged(t *testing.T) {
	var log testwait.Log
	n := newNode(t, func(o *setup) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	defer n.stop()
	damages := []func(l *logged){
		func(l *logged) { l.kept.Cut = "it is torn" },
		func(l *logged) { l.kept.Batches = l.kept.Batches[:1] },
		func(l *logged) { l.broken = fmt.Errorf("its header: %w", record.ErrDamaged) },
	}
	damaged := map[room.ID]bool{}
	for _, damage := range damages {
		id := n.create(actor.Create{Game: "counter"})
		n.player(id, "a").act(`{"add":1}`)
		n.journal.mu.Lock()
		damage(n.journal.rooms[id])
		n.journal.mu.Unlock()
		damaged[id] = true
	}
	well := n.create(actor.Create{Game: "counter"})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := n.release(ctx, func(_ context.Context, kept record.Kept) error {
		if damaged[kept.Header.ID] {
			t.Errorf("a damaged room was given: %+v", kept)
		}
		return nil
	})
	if !errors.Is(err, record.ErrDamaged) || !strings.HasPrefix(err.Error(), "3 rooms") {
		t.Errorf("released with %v", err)
	}
	if n.journal.has(well) {
		t.Error("the room that is well is still here")
	}
	for id := range damaged {
		if !n.journal.has(id) {
			t.Errorf("the journal has forgotten room %s", id)
		}
	}
	if text := log.String(); strings.Count(text, "level=ERROR") != len(damages) || strings.Contains(text, "trying again") {
		t.Errorf("the log:\n%s", text)
	}
}

// TestReleaseGivesUpWhatTheStoreRefuses tries such a room once, logs it once, and leaves it to the next start.
func TestReleaseGivesUpWhatTheStoreRefuses(t *testing.T) {
	var log testwait.Log
	n := newNode(t, func(o *setup) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	defer func() { n.stop() }()
	id := n.create(actor.Create{Game: "counter"})
	ann := n.player(id, "ann")
	ann.act(`{"add":1}`)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tries := 0
	err := n.release(ctx, func(context.Context, record.Kept) error {
		tries++
		return fmt.Errorf("the store: %w", record.Permanent(errors.New("its log is too large")))
	})
	if ctx.Err() != nil || !errors.Is(err, record.ErrPermanent) || !strings.Contains(err.Error(), "its log is too large") || tries != 1 {
		t.Errorf("released after %d tries with %v", tries, err)
	}
	if text := log.String(); strings.Count(text, "its log is too large") != 1 {
		t.Errorf("the log:\n%s", text)
	}
	n.restart()
	n.wantSum(id, 1)
}

// TestCommandToARoomThatLeaves: a room leaves memory before what a command did is durable. The answer must not invite a second
// try, which would do it twice.
func TestCommandToARoomThatLeaves(t *testing.T) {
	n := newNode(t, func(o *setup) { o.Check = time.Millisecond })
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	before := n.point(id)
	n.journal.hold(true)
	answered := make(chan error, 1)
	go func() { answered <- n.Signal(context.Background(), id, "reset", nil) }()
	testwait.Until(t, "the signal is stepped", func() bool { return n.point(id) == before+1 })
	n.journal.fail(errors.New("the disk is full"))
	if err := n.release(t.Context(), func(context.Context, record.Kept) error { return nil }); err != nil {
		t.Error(err)
	}
	if err := testwait.Receive(t, "the signal's answer", answered); !errors.Is(err, actor.ErrUnreachable) {
		t.Errorf("the signal was answered with %v", err)
	}
	n.journal.fail(nil)
	n.journal.hold(false)
}

// TestReleaseThatIsCutShort: the error is the cause.
func TestReleaseThatIsCutShort(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	ctx, cancel := context.WithCancelCause(t.Context())
	late := errors.New("it is late")
	err := n.release(ctx, func(context.Context, record.Kept) error {
		cancel(late)
		return errors.New("the store is away")
	})
	if !errors.Is(err, late) || !n.journal.has(id) {
		t.Errorf("released with %v; the journal has the room: %v", err, n.journal.has(id))
	}
	if err := n.release(t.Context(), func(context.Context, record.Kept) error { return nil }); err != nil || n.journal.has(id) {
		t.Errorf("released again with %v; the journal has the room: %v", err, n.journal.has(id))
	}
}
