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
	"github.com/roomring/roomring/room/record"
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

// survivorOwner is what a survivor needs of lifecycle.Owner.
type survivorOwner interface {
	Want(ctx context.Context, id room.ID) error
	Drain(ctx context.Context) error
	PutOff(id room.ID, wait time.Duration)
	Due(id room.ID) bool
	AllDue()
	ForgetReleased(still func(room.ID) bool)
}

// survivorStore is what it needs of Store.
type survivorStore interface {
	Released(ctx context.Context, after room.ID, limit int) ([]record.Row, error)
}

// survivorOptions make a survivor.
type survivorOptions struct {
	rooms interface {
		Info(id room.ID) (actor.Info, error)
	}
	owner survivorOwner
	store survivorStore
	node  string
	order func(id room.ID) []string // in which nodes inherit a room by the present ring
	call  func(ctx context.Context, node, method string, body []byte) ([]byte, error)

	sweep time.Duration // how often released rooms are looked for; 0 means 2 s
	ask   time.Duration // how long another node may take to claim rooms it is asked to; 0 means 2 s
	again time.Duration // how long a room that could not be claimed is left alone by sweeps; 0 means 30 s
	clock clock.Clock   // nil: one of its own
	log   *slog.Logger
}

// survivor says when somebody tries to take on a room that lies in the store: as soon as its node has released it, when a
// player asks for it, and when a sweep finds it. What follows is the owner's, and rows decide whose a room is: whatever a
// survivor believes of the ring or of other nodes can make a claim late or in vain, never double.
type survivor struct {
	o      survivorOptions
	ctx    context.Context // of sweeps and claims; ends with stop
	cancel context.CancelFunc
	wg     sync.WaitGroup
	wake   chan struct{} // holds one: sweep now

	mu      sync.Mutex
	stopped bool      // takes no more rooms
	untold  []room.ID // released here, their next node has not been told
	telling bool
}

func newSurvivor(o survivorOptions) *survivor {
	o.sweep = cmp.Or(o.sweep, 2*time.Second)
	o.ask = cmp.Or(o.ask, 2*time.Second)
	o.again = cmp.Or(o.again, 30*time.Second)
	if o.clock == nil {
		o.clock = clock.System()
	}
	if o.log == nil {
		o.log = slog.New(slog.DiscardHandler)
	}
	s := &survivor{o: o, wake: make(chan struct{}, 1)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// start begins to look for released rooms that the ring gives this node.
func (s *survivor) start() { s.spawn(s.sweeps) }

// spawn runs f until stop, which waits for it; false after stop.
func (s *survivor) spawn(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.wg.Go(f)
	}
	return !s.stopped
}

// changed has the next sweep come at once: the ring is another.
func (s *survivor) changed() {
	s.o.owner.AllDue()
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
	s.stopped = true
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
			s.o.owner.ForgetReleased(func(id room.ID) bool { return released[id] })
			return nil
		}
	}
}

// mine reports whether a sweep shall claim a room now.
func (s *survivor) mine(id room.ID) bool { return s.owner(id) == s.o.node && s.o.owner.Due(id) }

// claimQuietly claims for a sweep: what cannot be claimed is left alone for a while.
func (s *survivor) claimQuietly(id room.ID) {
	err := s.claim(s.ctx, id)
	if err == nil || s.ctx.Err() != nil || gone(err) || errors.Is(err, actor.ErrDraining) {
		return
	}
	s.o.owner.PutOff(id, s.o.again)
	s.o.log.Warn("a released room could not be taken on: another try follows", "room", id, "in", s.o.again, "err", err)
}

// gone reports whether an error of a claim says that the room is nobody's to claim.
func gone(err error) bool {
	return errors.Is(err, actor.ErrMovedOn) || errors.Is(err, ErrNoRow)
}

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

// claimHere brings a released room to this node; what was begun goes on when ctx ends.
func (s *survivor) claimHere(ctx context.Context, id room.ID) error {
	if _, err := s.o.rooms.Info(id); err == nil {
		return nil
	}
	return s.o.owner.Want(ctx, id)
}

// drain gives all rooms of this node away through the store. This node is off the ring when it is called. It returns nil
// when no room is left here, and the nodes that the ring names have been told.
func (s *survivor) drain(ctx context.Context) error {
	err := s.o.owner.Drain(ctx)
	for s.tellingOf() && clock.Sleep(ctx, s.o.clock, 5*time.Millisecond) {
	}
	return err
}

func (s *survivor) tellingOf() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.telling
}

// released hears of a room that the store has, and has the node that the ring names told. It does not block. That is a
// hint: who does not hear it sweeps.
func (s *survivor) released(id room.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.untold = append(s.untold, id)
	if !s.telling && !s.stopped {
		s.telling = true
		s.wg.Go(s.tell)
	}
}

// tell asks nodes to claim what has been released, those that come meanwhile in the next batch.
func (s *survivor) tell() {
	for {
		s.mu.Lock()
		some := s.untold[:min(len(s.untold), claimBatch)]
		s.untold = s.untold[len(some):]
		s.telling = len(some) > 0
		s.mu.Unlock()
		if len(some) == 0 {
			return
		}
		s.tellOf(some)
	}
}

func (s *survivor) tellOf(released []room.ID) {
	batches := map[string][]room.ID{}
	for _, id := range released {
		to := s.owner(id)
		batches[to] = append(batches[to], id)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	for node, ids := range batches {
		if node == "" || node == s.o.node {
			continue
		}
		wg.Go(func() {
			if _, err := s.ask(s.ctx, node, ids); err != nil {
				s.o.log.Debug("a node was not told of released rooms: it finds them by itself", "node", node, "err", err)
			}
		})
	}
}
