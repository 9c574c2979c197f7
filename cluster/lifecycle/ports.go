package lifecycle

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

func processors(n int) int {
	if n <= 0 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}

// Do implements Ports.
func (w *Owner) Do(r *Room, e ownership.Effect, answer func(ownership.Event)) {
	switch e.Do {
	case ownership.Create, ownership.Learn, ownership.Import, ownership.Note, ownership.Load, ownership.Remove, ownership.SetAside:
		w.spawn(func() { answer(w.journal(r, e)) })
	case ownership.ReadRow:
		w.readRow(r, answer)
	case ownership.CreateRow:
		put(w, &w.rows, w.row(r, e.To), answer)
	case ownership.Claim, ownership.Change:
		put(w, &w.claims, record.Claim{
			Room: r.ID, FromEpoch: e.From.Epoch, FromFolder: e.From.Folder, FromState: e.From.State,
			Epoch: e.To, Folder: w.o.Self.Folder, Standby: e.Folder, Strike: w.strike(r, e), Nonce: crand.Text(),
		}, answer)
	case ownership.Checkpoint, ownership.Release:
		w.spawn(func() { answer(w.store(r, e)) })
	case ownership.Store:
		w.storeEnd(*r.Final, e.To, answer)
	case ownership.Abandon:
		w.spawn(func() { w.abandon(r, e, answer) })
	case ownership.Check:
		answer(w.check(r))
	case ownership.Replay:
		w.spawn(func() { answer(w.replay(r)) })
	case ownership.Start:
		w.start(r, e.To, e.Folder)
	case ownership.Enter:
		w.moves.changed(e.Folder)
		w.copies.Enter(r.ID, e.To, e.Folder)
		w.rooms.EnterEpoch(r.ID, e.To)
	case ownership.Expel:
		r.expelled = true
		w.rooms.Expel(r.ID, func() { answer(ownership.Event{}) })
	case ownership.Stop:
		w.rooms.Stop(r.ID, func(d actor.Stopped) {
			r.Time, r.stopped = d.Time, true
			answer(ownership.Event{Stopped: ownership.StoppedRoom{Time: d.Time, Last: d.Last, Over: d.Over}})
		})
	case ownership.Settled:
		r.Final = nil
		r.settled()
	case ownership.Tell:
		w.moves.count(func(m *Moves) { m.Released++ })
		w.tell(r.ID)
	case ownership.Replicate:
		w.copies.Replicate(r.ID, r.Header)
	case ownership.Join:
		w.copies.Join(r.ID, e.Folder)
	case ownership.Notify:
		w.copies.Notify(r.ID, e.Folder)
	case ownership.Retire:
		w.copies.Retire(r.ID)
	case ownership.Pass:
		r.passed = true
		stopped := time.Duration(0)
		if r.stopped {
			stopped = r.Time
		}
		w.copies.Pass(r.ID, e.To, e.Folder, e.Log, stopped)
		w.loadAhead(r)
	case ownership.Decline:
		w.copies.Decline(r.ID, e.To, e.Folder, e.Log)
	case ownership.Follow:
		w.follow(r, e.To, e.Folder)
	case ownership.Wait:
		w.wait(r, e, answer)
	case ownership.Cancel:
		w.stopWait(r, e.N)
	}
}

// wait answers after e.Wait, or up to a quarter earlier at random, so that many rooms do not act at the same time.
func (w *Owner) wait(r *Room, e ownership.Effect, answer func(ownership.Event)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	if r.waits == nil {
		r.waits = map[uint64]clock.Timer{}
	}
	r.waits[e.N] = w.o.Clock.AfterFunc(e.Wait-rand.N(e.Wait/4+1), func() {
		if w.stopWait(r, e.N) {
			answer(ownership.Event{})
		}
	})
}

// stopWait ends a wait, and reports whether it was still under way.
func (w *Owner) stopWait(r *Room, n uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, waits := r.waits[n]
	if waits {
		t.Stop()
		delete(r.waits, n)
	}
	if len(r.waits) == 0 {
		r.waits = nil
	}
	return waits
}

// journal executes an effect of the journal, which blocks on the disk.
func (w *Owner) journal(r *Room, e ownership.Effect) (answer ownership.Event) {
	ctx := w.ctx
	switch e.Do {
	case ownership.Create:
		making, cancel := context.WithCancel(r.ctx)
		defer cancel()
		defer context.AfterFunc(w.ctx, cancel)()
		answer.Err = w.o.Journal.Create(making, r.Header, e.To)
		r.ctx = nil
	case ownership.Learn:
		answer.Err = w.learn(ctx, r, e.To)
	case ownership.Import:
		w.noteStrike(r) // the next process would find the journal to know the epoch that is claimed now
		answer.Err = w.o.Journal.Import(ctx, *r.Kept)
	case ownership.Note:
		answer.Err = w.note(ctx, r, e.To)
	case ownership.Load:
		return w.load(ctx, r)
	case ownership.Remove:
		w.copies.Unfollow(r.ID)
		answer.Err = w.o.Journal.Remove(ctx, r.ID)
	case ownership.SetAside:
		w.copies.Unfollow(r.ID)
		w.o.Log.Warn("this node's log of a room is set aside: it is kept and never served", "room", r.ID, "why", e.Why)
		answer.Err = w.o.Journal.SetAside(ctx, r.ID, e.Why)
	}
	if answer.Err != nil && w.ctx.Err() == nil && e.Do != ownership.Create {
		w.o.Log.Warn("the journal could not "+e.Do.String()+" a room", "room", r.ID, "err", answer.Err)
		w.failed(answer.Err)
	}
	return answer
}

// store executes an effect of the store that is not batched with those of other rooms.
func (w *Owner) store(r *Room, e ownership.Effect) (answer ownership.Event) {
	ctx, cancel := clock.WithTimeout(w.ctx, w.o.Clock, w.o.Timeout)
	defer cancel()
	if e.Do == ownership.Release {
		result, err := w.releaseRow(ctx, e.From.Epoch, e.To, w.strike(r, e), *r.Kept)
		if err != nil && w.ctx.Err() == nil && !errors.Is(err, record.ErrPermanent) {
			w.o.Log.Warn("a room could not be given away: trying again", "room", r.ID, "err", err)
		}
		return rowAnswer(result, err)
	}
	// The row comes first: a claim that expects it then fails if the room was released again since.
	rows, err := w.o.Store.Rows(ctx, []room.ID{r.ID})
	var row record.Row
	var checkpoint record.Checkpoint
	if err == nil {
		row = rows[0]
		checkpoint, err = w.o.Store.Checkpoint(ctx, r.ID)
	}
	if errors.Is(err, record.ErrNotFound) {
		return ownership.Event{Outcome: ownership.NoRow}
	}
	var kept record.Kept
	if err == nil {
		kept, err = core.DecodeKept(checkpoint.Data)
	}
	if err != nil {
		return ownership.Event{Err: fmt.Errorf("the checkpoint of room %s: %w", r.ID, err)}
	}
	r.Header, r.Kept, r.claimed = kept.Header, &kept, true
	return ownership.Event{Log: logOf(kept), Row: row}
}

func (w *Owner) releaseRow(ctx context.Context, from, to record.Epoch, strike *record.Strike, kept record.Kept) (record.RowResult, error) {
	data, err := core.EncodeKept(kept)
	if err != nil {
		return record.RowResult{}, err
	}
	return w.o.Store.ReleaseRow(ctx, w.o.Self.Boot, record.Release{
		Room: kept.Header.ID, FromEpoch: from, Epoch: to, Strike: strike, Nonce: crand.Text(),
		Checkpoint: record.Checkpoint{Point: record.Point{Epoch: kept.Epoch, Seq: kept.Last()}, Data: data},
	})
}

// storeEnd has a room's end stored, unless the room's row is not that of this process at the epoch.
func (w *Owner) storeEnd(f record.Final, e record.Epoch, answer func(ownership.Event)) {
	if w.o.StoreEnd == nil {
		answer(ownership.Event{})
		return
	}
	f.By = record.Writer{Epoch: e, Boot: w.o.Self.Boot}
	err := w.o.StoreEnd(f, func(err error) {
		switch {
		case errors.Is(err, record.ErrMovedOn):
			answer(ownership.Event{Outcome: ownership.Moved})
		case err != nil:
			answer(ownership.Event{Outcome: ownership.Refused, Why: err.Error()})
		default:
			answer(ownership.Event{})
		}
	})
	if err != nil {
		w.o.Log.Warn("a result waits in the journal", "room", f.Room, "err", err)
		answer(ownership.Event{Err: err})
	}
}

// abandon ends a room that cannot be brought back. A room that has ended keeps its end.
func (w *Owner) abandon(r *Room, e ownership.Effect, answer func(ownership.Event)) {
	f, err := w.endOf(*r.Kept, e.Why)
	if err != nil {
		w.o.Log.Error("a room has ended and its end cannot be made out: its log is set aside", "room", r.ID, "err", err)
		answer(ownership.Event{Outcome: ownership.Refused, Why: fmt.Sprintf("%s; it has ended, and its end cannot be made out: %v", e.Why, err)})
		return
	}
	w.storeEnd(f, e.To, answer)
}

// endOf is the end of a room that cannot be brought back: the one that it has come to, or else an abort.
func (w *Owner) endOf(kept record.Kept, why string) (record.Final, error) {
	reason := "the game failed and could not be brought back"
	switch {
	case core.EndedAt(kept) > 0:
		w.o.Log.Error("a room that has ended cannot be brought back: its end is stored and its log is set aside", "room", kept.Header.ID, "why", why)
		final, err := w.rooms.End(kept)
		final.Events = core.Events(kept)
		return final, err
	case logOf(kept).Unborn:
		w.o.Log.Info("a room that nobody was told of is ended", "room", kept.Header.ID, "why", why)
		reason = why
	default:
		w.o.Log.Error("a room cannot be brought back: it is aborted and its log is set aside", "room", kept.Header.ID, "why", why)
	}
	final, err := core.Abandon(kept, reason)
	if err != nil {
		w.o.Log.Error("its replay cannot be made", "room", kept.Header.ID, "err", err)
	}
	final.Events = core.Events(kept)
	return final, nil
}

func (w *Owner) check(r *Room) ownership.Event {
	if lacks := w.rooms.CanRun(*r.Kept); lacks != "" {
		return ownership.Event{Verdict: ownership.Lacks, Why: lacks}
	}
	return ownership.Event{Verdict: ownership.Runs}
}

// replay runs a room's log again, in parallel with those of other rooms. A log during whose run a process has died is run alone, so that
// no other room is suspected if this process dies too.
func (w *Owner) replay(r *Room) ownership.Event {
	w.noteStrike(r)
	if w.rooms.Suspected(r.ID) {
		w.replays.Lock()
		defer w.replays.Unlock()
	} else {
		w.replays.RLock()
		defer w.replays.RUnlock()
		w.slots <- struct{}{}
		defer func() { <-w.slots }()
	}
	if err := w.ctx.Err(); err != nil {
		return ownership.Event{Err: err}
	}
	v := w.rooms.Revive(*r.Kept)
	r.Cargo = v
	verdicts := [...]ownership.Verdict{
		actor.Runs: ownership.Runs, actor.Lacks: ownership.Lacks, actor.Diverged: ownership.Diverged, actor.Dead: ownership.Dead,
	}
	answer := ownership.Event{Verdict: verdicts[v.Verdict], Why: v.Why}
	if v.Over {
		answer.Verdict = ownership.RunsOver
	}
	return answer
}

// start lets a room run that was made or replayed.
func (w *Owner) start(r *Room, e record.Epoch, standby string) {
	if begin := r.begin; begin != nil {
		r.begin = nil
		if r.Header.Durability != room.Memory {
			w.copies.Lead(r.Header, e, standby, nil, false)
		}
		begin()
		return
	}
	w.copies.Lead(r.Header, e, standby, r.Kept, !r.yielded && !r.claimed && !r.stopped || w.rooms.Suspected(r.ID))
	if r.Kept != nil && r.Kept.Doubt != record.Whole {
		w.counts(r.ID, e)
	}
	v, _ := r.Cargo.(actor.Revival)
	w.moves.started(r, standby)
	handed := r.yielded && standby != "" && standby == r.follows
	r.Cargo, r.Kept, r.ahead, r.follows, r.passed = nil, nil, nil, "", false
	w.rooms.Resume(v, e, handed)
}

// write is a row's write that waits for the store.
type write[T any] struct {
	what   T
	answer func(ownership.Event)
}

// put queues a write. Without a store it answers at once that it is done.
func put[T any](w *Owner, b *batcher[write[T]], what T, answer func(ownership.Event)) {
	if w.o.Store == nil {
		answer(ownership.Event{})
		return
	}
	b.put(write[T]{what, answer})
}

// rowWriter returns a function that writes many rows at once and answers each.
func rowWriter[T any](w *Owner, rows func(context.Context, record.BootID, []T) ([]record.RowResult, error)) func([]write[T]) {
	return func(some []write[T]) {
		all := make([]T, len(some))
		for i, one := range some {
			all[i] = one.what
		}
		ctx, cancel := clock.WithTimeout(w.ctx, w.o.Clock, w.o.Timeout)
		defer cancel()
		found, err := rows(ctx, w.o.Self.Boot, all)
		if err != nil && w.ctx.Err() == nil {
			w.o.Log.Warn("rooms wait for their rows in the store", "err", err)
			w.failed(err)
		}
		for i, one := range some {
			var result record.RowResult
			if err == nil {
				result = found[i]
			}
			one.answer(rowAnswer(result, err))
		}
	}
}

// rowAnswer makes the answer to one row's write. Err is the error of the whole call.
func rowAnswer(result record.RowResult, err error) ownership.Event {
	if err != nil {
		return ownership.Event{Err: err}
	}
	e := ownership.Event{Row: result.Row}
	switch {
	case errors.Is(result.Err, record.ErrNotFound):
		e.Outcome = ownership.NoRow
	case result.Err != nil:
		e.Outcome = ownership.Moved
	}
	return e
}

// batcher processes items in batches. Items that arrive while a batch is processed go into the next.
type batcher[T any] struct {
	most  int
	spawn func(func()) bool
	work  func([]T)

	mu      sync.Mutex
	waiting []T
	working int // size of the batch under way
	busy    bool
}

// put queues an item. The queue is bounded because each room has at most one item in it.
func (b *batcher[T]) put(one T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = append(b.waiting, one)
	if !b.busy {
		b.busy = b.spawn(b.run)
	}
}

func (b *batcher[T]) run() {
	for {
		b.mu.Lock()
		some := b.waiting[:min(len(b.waiting), b.most)]
		b.waiting = b.waiting[len(some):]
		b.working, b.busy = len(some), len(some) > 0
		b.mu.Unlock()
		if len(some) == 0 {
			return
		}
		b.work(some)
	}
}

func (b *batcher[T]) depth() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting) + b.working
}
