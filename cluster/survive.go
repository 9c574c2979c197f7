package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
)

// methodClaim asks a node to claim released rooms.
const methodClaim = "rooms.claim"

// claimBatch is how many rooms one claimRequest names at most.
const claimBatch = 256

type claimRequest struct {
	Rooms []room.ID `json:"rooms"`
}

// claimAnswer says of the rooms that could not be claimed why.
type claimAnswer struct {
	Refused map[room.ID]string `json:"refused,omitempty"`
}

// survivorRooms is what a survivor needs of actor.Directory.
type survivorRooms interface {
	Info(id room.ID) (actor.Info, error)
	Drain()
	Release(ctx context.Context, give actor.Give) error
	Adopt(ctx context.Context, kept room.Kept, claim func(ctx context.Context) (room.Epoch, error)) error
	GiveBack(ctx context.Context, id room.ID, give actor.Give) error
	ForgetReleased(still func(room.ID) bool)
}

// survivorStore is what it needs of Store.
type survivorStore interface {
	Row(ctx context.Context, id room.ID) (room.Row, error)
	Released(ctx context.Context, after room.ID, limit int) ([]room.Row, error)
	Release(ctx context.Context, kept room.Kept) error
	Checkpoint(ctx context.Context, id room.ID) (room.Kept, error)
	Claim(ctx context.Context, id room.ID, from room.Epoch) (room.Epoch, error)
}

// survivorOptions make a survivor.
type survivorOptions struct {
	rooms survivorRooms
	store survivorStore
	node  string
	boot  room.BootID
	order func(id room.ID) []string // in which nodes inherit a room by the present ring
	call  func(ctx context.Context, node, method string, body []byte) ([]byte, error)

	sweep  time.Duration // how often released rooms are looked for; 0 means 2 s
	claims int           // rooms claimed at a time; 0 means 8
	ask    time.Duration // how long another node may take to claim rooms it is asked to; 0 means 2 s
	again  time.Duration // how long a room that could not be claimed is left alone by sweeps; 0 means 30 s
	clock  clock.Clock   // nil: one of its own
	counts *counts       // nil: nobody wants to know
	log    *slog.Logger
}

// survivor moves rooms between nodes that stop and nodes that go on, by way of the store. Rows decide whose a room is:
// whatever a survivor believes of the ring or of other nodes can make a claim late or in vain, never double.
type survivor struct {
	o      survivorOptions
	ctx    context.Context // of sweeps and claims; ends with stop
	cancel context.CancelFunc
	wg     sync.WaitGroup
	slots  chan struct{} // one for each claim at work
	wake   chan struct{} // holds one: sweep now

	mu       sync.Mutex
	draining bool // takes no more rooms
	claiming map[room.ID]*claiming
	refused  map[room.ID]time.Duration // by the clock, when sweeps may try again
}

// claiming is a claim under way, which all who want the room wait for.
type claiming struct {
	done chan struct{}
	err  error
}

func newSurvivor(o survivorOptions) *survivor {
	o.sweep = cmp.Or(o.sweep, 2*time.Second)
	o.claims = cmp.Or(o.claims, 8)
	o.ask = cmp.Or(o.ask, 2*time.Second)
	o.again = cmp.Or(o.again, 30*time.Second)
	o.counts = cmp.Or(o.counts, new(counts))
	if o.clock == nil {
		o.clock = clock.System()
	}
	if o.log == nil {
		o.log = slog.New(slog.DiscardHandler)
	}
	s := &survivor{
		o: o, slots: make(chan struct{}, o.claims), wake: make(chan struct{}, 1),
		claiming: map[room.ID]*claiming{}, refused: map[room.ID]time.Duration{},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// start begins to look for released rooms that the ring gives this node.
func (s *survivor) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.draining { // stop waits for those that began before it alone
		s.wg.Go(s.sweeps)
	}
}

// changed has the next sweep come at once: the ring is another.
func (s *survivor) changed() {
	s.mu.Lock()
	clear(s.refused)
	s.mu.Unlock()
	s.poke()
}

func (s *survivor) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// stop ends sweeps and claims, and waits for them. A claim that is cut short is settled by the next start.
func (s *survivor) stop() {
	s.mu.Lock()
	s.draining = true
	s.mu.Unlock()
	s.cancel()
	s.wg.Wait()
}

func (s *survivor) sweeps() {
	every := clock.NewTicker(s.o.clock, s.o.sweep)
	defer every.Stop()
	for {
		if err := s.sweepOnce(); err != nil && s.ctx.Err() == nil {
			s.o.log.Warn("released rooms cannot be looked for now", "err", err)
		}
		select {
		case <-s.wake:
		case <-every.C:
		case <-s.ctx.Done():
			return
		}
	}
}

// sweepOnce claims every released room that the ring gives this node, and returns when that has come to an end.
func (s *survivor) sweepOnce() error {
	var wg sync.WaitGroup
	defer wg.Wait()
	released := map[room.ID]bool{}
	for after := room.ID(""); ; {
		rows, err := s.o.store.Released(s.ctx, after, claimBatch)
		if err != nil {
			return err
		}
		for _, row := range rows {
			after = row.Room
			released[row.Room] = true
			if s.mine(row.Room) {
				wg.Go(func() { s.claimQuietly(row.Room) })
			}
		}
		wg.Wait() // a page at a time, so that claims under way are few
		if len(rows) < claimBatch {
			s.o.rooms.ForgetReleased(func(id room.ID) bool { return released[id] })
			return nil
		}
	}
}

// mine reports whether a sweep shall claim a room now.
func (s *survivor) mine(id room.ID) bool {
	if s.owner(id) != s.o.node {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.draining && s.o.clock.Now() >= s.refused[id]
}

// claimQuietly claims for a sweep: what cannot be claimed is left alone for a while.
func (s *survivor) claimQuietly(id room.ID) {
	err := s.claim(s.ctx, id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if delete(s.refused, id); err == nil || s.ctx.Err() != nil || gone(err) {
		return
	}
	s.refused[id] = s.o.clock.Now() + s.o.again
	s.o.log.Warn("a released room could not be taken on: another try follows", "room", id, "in", s.o.again, "err", err)
}

// gone reports whether an error of a claim says that the room is nobody's to claim.
func gone(err error) bool { return errors.Is(err, actor.ErrMovedOn) || errors.Is(err, ErrNoRow) }

// claim brings a released room to the node that the ring names, or to this one if that node cannot take it, or, if both
// lack the game, to the first that can. When it returns nil the room is somewhere: locate it again. Errors:
// actor.ErrMovedOn when another node was first, an actor.ErrUnreachable with the reason, actor.ErrDraining when this node
// is stopping, ErrNoRow, and those of the store.
func (s *survivor) claim(ctx context.Context, id room.ID) error {
	order := s.o.order(id)
	if len(order) > 0 && s.askOne(ctx, order[0], id) {
		return nil
	}
	err := s.claimHere(ctx, id)
	if _, held := errors.AsType[*actor.HeldError](err); held && len(order) > 0 {
		for _, node := range order[1:] {
			if s.askOne(ctx, node, id) {
				return nil
			}
		}
	}
	return err
}

// askOne has another node claim a room.
func (s *survivor) askOne(ctx context.Context, node string, id room.ID) bool {
	if node == s.o.node {
		return false
	}
	refused, err := s.ask(ctx, node, []room.ID{id})
	return err == nil && len(refused) == 0
}

// owner is the node that the ring names; "" when it is empty.
func (s *survivor) owner(id room.ID) string {
	if order := s.o.order(id); len(order) > 0 {
		return order[0]
	}
	return ""
}

// ask has another node claim rooms, and returns what it refuses.
func (s *survivor) ask(ctx context.Context, node string, ids []room.ID) (map[room.ID]string, error) {
	body, err := json.Marshal(claimRequest{ids})
	if err != nil {
		return nil, err
	}
	ctx, cancel := clock.WithTimeout(ctx, s.o.clock, s.o.ask)
	defer cancel()
	if body, err = s.o.call(ctx, node, methodClaim, body); err != nil {
		return nil, err
	}
	var answer claimAnswer
	err = json.Unmarshal(body, &answer)
	return answer.Refused, err
}

// answerClaim is the other side of ask.
func (s *survivor) answerClaim(ctx context.Context, body []byte) ([]byte, error) {
	var want claimRequest
	if err := json.Unmarshal(body, &want); err != nil || len(want.Rooms) > claimBatch {
		return nil, fmt.Errorf("%s: it takes {\"rooms\": [...]} with at most %d ids: %w", methodClaim, claimBatch, cmp.Or(err, errTooManyIDs))
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	answer := claimAnswer{Refused: map[room.ID]string{}}
	for _, id := range want.Rooms {
		wg.Go(func() {
			if err := s.claimHere(ctx, id); err != nil {
				mu.Lock()
				defer mu.Unlock()
				answer.Refused[id] = err.Error()
			}
		})
	}
	wg.Wait()
	return json.Marshal(answer)
}

var errTooManyIDs = errors.New("too many ids")

// claimHere brings a released room to this node. Of several that want one room the first acts; its work goes on
// when ctx ends.
func (s *survivor) claimHere(ctx context.Context, id room.ID) error {
	if _, err := s.o.rooms.Info(id); err == nil {
		return nil
	}
	s.mu.Lock()
	c := s.claiming[id]
	if c == nil {
		if s.draining {
			s.mu.Unlock()
			return actor.ErrDraining
		}
		c = &claiming{done: make(chan struct{})}
		s.claiming[id] = c
		s.wg.Go(func() { s.run(id, c) })
	}
	s.mu.Unlock()
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *survivor) run(id room.ID, c *claiming) {
	select {
	case s.slots <- struct{}{}:
		c.err = s.adopt(id)
		<-s.slots
	case <-s.ctx.Done():
		c.err = actor.ErrDraining
	}
	s.mu.Lock()
	delete(s.claiming, id)
	s.mu.Unlock()
	close(c.done)
}

func (s *survivor) adopt(id room.ID) error {
	kept, err := s.o.store.Checkpoint(s.ctx, id)
	if err != nil {
		return err
	}
	err = s.o.rooms.Adopt(s.ctx, kept, func(ctx context.Context) (room.Epoch, error) {
		return s.compareAndSet(ctx, id, kept.Epoch)
	})
	if err == nil {
		s.o.counts.claimed.Add(1)
	}
	if held, ok := errors.AsType[*actor.HeldError](err); ok && !held.Released {
		s.giveBack(id)
	}
	return err
}

// giveBack releases a room whose rules this program turned out to have changed. What cannot be given back stays held here.
func (s *survivor) giveBack(id room.ID) {
	if err := s.o.rooms.GiveBack(s.ctx, id, s.release); err != nil {
		s.o.log.Warn("a room that cannot be run here could not be given back: it stays in this node's journal", "room", id, "err", err)
	}
}

// release is an actor.Give into the store.
func (s *survivor) release(ctx context.Context, kept room.Kept) error {
	err := s.o.store.Release(ctx, kept)
	if errors.Is(err, ErrMovedOn) {
		return fmt.Errorf("%w: %w", actor.ErrMovedOn, err)
	}
	return err
}

// compareAndSet claims a row, however often the store has to be asked until it is certain whose it is.
func (s *survivor) compareAndSet(ctx context.Context, id room.ID, from room.Epoch) (room.Epoch, error) {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		e, err := s.o.store.Claim(ctx, id, from)
		if errors.Is(err, ErrMovedOn) {
			e, err = s.whose(ctx, id, from)
		}
		if err == nil || errors.Is(err, actor.ErrMovedOn) {
			return e, err
		}
		s.o.log.Warn("a claim is open: asking the store again", "room", id, "err", err)
		if !clock.Sleep(ctx, s.o.clock, wait) {
			return 0, err
		}
	}
}

// whose reads the row that a claim did not move: it may have been moved by an earlier try whose answer was lost.
func (s *survivor) whose(ctx context.Context, id room.ID, from room.Epoch) (room.Epoch, error) {
	row, err := s.o.store.Row(ctx, id)
	switch {
	case errors.Is(err, ErrNoRow):
		return 0, actor.ErrMovedOn
	case err != nil:
		return 0, err
	case row.State == room.RowLive && row.Boot == s.o.boot && row.Epoch > from:
		return row.Epoch, nil
	}
	return 0, actor.ErrMovedOn
}

// drain gives all rooms of this node away through the store, and tells the nodes that the ring names. This node is off
// the ring when it is called. It returns nil when no room is left here.
func (s *survivor) drain(ctx context.Context) error {
	s.mu.Lock()
	s.draining = true
	s.mu.Unlock()
	s.o.rooms.Drain()
	told := make(chan room.ID, claimBatch-1)
	over := make(chan struct{})
	go func() {
		defer close(over)
		s.tell(ctx, told)
	}()
	err := s.o.rooms.Release(ctx, func(ctx context.Context, kept room.Kept) error {
		err := s.release(ctx, kept)
		if err == nil {
			s.o.counts.released.Add(1)
			told <- kept.Header.ID
		}
		return err
	})
	close(told)
	<-over
	return err
}

// tell asks the nodes that the ring names to claim what has been released. It is a hint: who does not hear it sweeps.
func (s *survivor) tell(ctx context.Context, released <-chan room.ID) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for id := range released {
		batches := map[string][]room.ID{s.owner(id): {id}}
		for n := len(released); n > 0; n-- { // what has come meanwhile
			more, ok := <-released
			if !ok {
				break
			}
			to := s.owner(more)
			batches[to] = append(batches[to], more)
		}
		for node, ids := range batches {
			if node == "" || node == s.o.node {
				continue
			}
			wg.Go(func() {
				if _, err := s.ask(ctx, node, ids); err != nil {
					s.o.log.Debug("a node was not told of released rooms: it finds them by itself", "node", node, "err", err)
				}
			})
		}
	}
}
