package loadtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/internal/play"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// table is a room with players of this run. Its goroutine works out what they may do before an act is due, so that what this costs
// delays no act. It runs while there are players.
type table struct {
	r     *run
	id    room.ID
	rng   *rand.Rand
	dealt chan dealt    // an act that is to be taken here
	wake  chan struct{} // somebody has a new view
	seq   atomic.Uint64 // the newest view

	mu      sync.Mutex
	players []*player
	cancel  context.CancelFunc // ends the goroutine; nil: it does not run
}

// saw notes that somebody has a view. The client's reader calls it.
func (t *table) saw(seq uint64) {
	for old := t.seq.Load(); seq > old && !t.seq.CompareAndSwap(old, seq); old = t.seq.Load() {
	}
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// add has a player play here.
func (t *table) add(ctx context.Context, p *player) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.players = append(t.players, p)
	if t.cancel == nil {
		ctx, t.cancel = context.WithCancel(ctx)
		t.r.tables.Go(func() { t.run(ctx) })
	}
}

// remove takes a player away, if it is not nil. A table without players ends.
func (t *table) remove(p *player) {
	t.mu.Lock()
	t.players = slices.DeleteFunc(t.players, func(other *player) bool { return other == p })
	last := len(t.players) == 0
	if last && t.cancel != nil {
		t.cancel()
		t.cancel = nil
	}
	t.mu.Unlock()
	if last {
		t.r.forget(t)
	}
}

// plan is what players of a room may do, as far as is known.
type plan struct {
	players []*player
	legal   [][]json.RawMessage
	seq     uint64 // of the state that it is for
	made    time.Time
}

const (
	planAge   = 200 * time.Millisecond // after which a plan of a game that ticks is made anew
	restLeast = 20 * time.Millisecond  // how often nobody is asked what they may do
	restMost  = 500 * time.Millisecond // after which they are asked again although nobody has seen anything new
	mostActs  = 8                      // of one player in a game that ticks, without an answer
)

// run works out what the players may do, offers the room to the dealer, and takes the acts that it is dealt, until ctx ends.
func (t *table) run(ctx context.Context) {
	ticks := t.r.o.Rules.Spec().TickRate > 0
	var acts sync.WaitGroup
	defer acts.Wait()
	for ctx.Err() == nil {
		p, err := t.think(ctx)
		if err != nil {
			t.r.fail(err)
			return
		}
		who, action := play.Draw(t.rng, p.legal)
		if action == nil {
			t.rest(ctx, p)
			continue
		}
		for action != nil && time.Since(p.made) < planAge || !ticks {
			act, ok := t.await(ctx, p, ticks)
			if !ok {
				break
			}
			by, doing := p.players[who], action
			by.outstanding.Add(1)
			if !ticks { // what comes next depends on the answer
				t.act(by, doing, act)
				t.r.dealer.block(-1)
				break
			}
			acts.Go(func() { t.act(by, doing, act) })
			t.r.dealer.block(-1)
			p.legal[who] = nil
			who, action = play.Draw(t.rng, p.legal)
		}
	}
}

// think asks what the players may do who have no act without an answer, for that may change it. If all have, it asks for those who have
// not too many.
func (t *table) think(ctx context.Context) (*plan, error) {
	p := &plan{made: time.Now(), seq: t.seq.Load()}
	t.mu.Lock()
	for _, most := range []int32{1, mostActs} {
		if len(p.players) > 0 {
			break
		}
		for _, one := range t.players {
			if one.outstanding.Load() < most {
				p.players = append(p.players, one)
			}
		}
	}
	all := len(t.players)
	t.mu.Unlock()
	if len(p.players) == 0 {
		if all > 0 {
			t.r.dealer.block(1)
			clock.Sleep(ctx, nil, restLeast)
			t.r.dealer.block(-1)
		}
		return p, nil
	}
	legal, seq, err := t.r.advise(ctx, t, p.players)
	if ctx.Err() != nil {
		return p, nil
	}
	p.legal, p.seq = legal, max(p.seq, seq)
	return p, err
}

// rest waits until somebody has seen something new, or for restMost.
func (t *table) rest(ctx context.Context, p *plan) {
	if !clock.Sleep(ctx, nil, restLeast) {
		return
	}
	most := time.NewTimer(restMost)
	defer most.Stop()
	for t.seq.Load() <= p.seq {
		select {
		case <-t.wake:
		case <-most.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// await offers the room and waits for an act. False: the plan is out of date, or ctx has ended.
func (t *table) await(ctx context.Context, p *plan, ticks bool) (dealt, bool) {
	t.r.dealer.offer(t)
	age := time.NewTimer(planAge)
	defer age.Stop()
	if !ticks {
		age.Stop() // a view that is newer than the plan ends it
	}
	for ticks || t.seq.Load() <= p.seq {
		select {
		case act := <-t.dealt:
			return act, true
		case <-t.wake:
			continue
		case <-age.C:
		case <-ctx.Done():
		}
		break
	}
	if t.r.dealer.withdraw(t) {
		return dealt{}, false
	}
	act := <-t.dealt // meanwhile
	if ctx.Err() != nil {
		t.r.dealer.giveBack(act)
		return dealt{}, false
	}
	return act, true
}

// act has a player act and notes the answer.
func (t *table) act(by *player, action json.RawMessage, act dealt) {
	r := t.r
	ctx, cancel := context.WithTimeoutCause(r.answers, r.o.Patience, fmt.Errorf("no answer after %v", r.o.Patience))
	defer cancel()
	_, err := by.Act(ctx, action)
	took := r.since() - act.due - act.excused
	by.outstanding.Add(-1)
	r.dealer.answered()
	closed, is := errors.AsType[*client.Closed](err)
	over := by.Over() || is && closed.Code == wire.CloseOver
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	r.stats.acted(act, took, err, over)
}
