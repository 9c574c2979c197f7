package actor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// fickle is a player whose connection breaks again and again, and who resends what has no answer.
type fickle struct {
	n       *node
	id      room.ID
	name    string
	rng     *rand.Rand
	attempt uint64
	acked   int
	seen    record.Point // the last turn or view
	sum     float64
}

const actsEach = 60

// play connects until every act is acknowledged.
func (f *fickle) play() error {
	for f.acked < actsEach {
		if err := f.connect(); err != nil {
			return err
		}
	}
	return nil
}

// connect is one socket's life: it sends some acts, reads some answers, and breaks.
func (f *fickle) connect() error {
	f.attempt++
	h := hello(f.name)
	h.Attempt = f.attempt
	if f.seen.Seq > 0 && f.rng.IntN(4) > 0 {
		h.Resume = new(f.seen)
	}
	c := newClient(f.n.t, actor.OutboxOptions{MaxBytes: 200 + f.rng.IntN(2000)})
	s, err := f.n.Attach(context.Background(), f.id, h, c.box)
	if err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	defer s.Detach()
	if f.rng.IntN(10) == 0 {
		return nil
	}
	next, limit := f.acked, f.acked+1+f.rng.IntN(actor.MaxUnanswered)
	for ; next < min(limit, actsEach); next++ {
		err := s.Act(context.Background(), wire.Act{CSeq: uint64(next + 1), Data: json.RawMessage(`{"add":1,"pad":"` + strings.Repeat("x", f.rng.IntN(100)) + `"}`)})
		if errors.Is(err, actor.ErrEnded) {
			break
		}
		if err != nil {
			return fmt.Errorf("act: %w", err)
		}
	}
	return f.listen(c, time.Duration(f.rng.IntN(20))*time.Millisecond)
}

// listen checks all that comes until the socket breaks.
func (f *fickle) listen(c *client, life time.Duration) error {
	over := time.After(life)
	for {
		c.read()
		for _, m := range c.got {
			if err := f.receive(m); err != nil {
				return err
			}
		}
		c.got = c.got[:0]
		select {
		case <-c.wake:
		case <-over:
			return nil
		}
	}
}

func (f *fickle) receive(m message) error {
	switch m.kind() {
	case "welcome":
		if at := m.num("cseq"); at < f.acked {
			return fmt.Errorf("welcome says cseq %d, %d were acknowledged", at, f.acked)
		}
		f.seen.Epoch = record.Epoch(m.num("epoch"))
	case "ack":
		if f.acked = max(f.acked, m.num("cseq")); m.num("cseq") > actsEach {
			return fmt.Errorf("ack %v", m)
		}
	case "state":
		f.seen.Seq = room.Index(m.num("seq"))
		return f.saw(m["view"].(map[string]any)["sum"])
	case "turn":
		if seq := room.Index(m.num("seq")); seq <= f.seen.Seq {
			return fmt.Errorf("turn %d after %d", seq, f.seen.Seq)
		}
		f.seen.Seq = room.Index(m.num("seq"))
		if patch, ok := m["patch"].(map[string]any); ok {
			if sum, ok := patch["sum"]; ok {
				return f.saw(sum)
			}
		}
	}
	return nil
}

// saw checks that the player never sees an older state.
func (f *fickle) saw(sum any) error {
	now := sum.(float64)
	if now < f.sum {
		return fmt.Errorf("the sum went back from %v to %v", f.sum, now)
	}
	f.sum = now
	return nil
}

// TestFicklePlayers breaks connections at random moments while commits stall: each act has its effect once.
func TestFicklePlayers(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	n := newNode(t, func(o *setup) { o.Uncommitted = 64; o.Mailbox = 16 })
	defer n.stop()
	var players sync.WaitGroup
	var ids []room.ID
	for i := range 4 {
		id := n.create(actor.Create{Game: "counter"})
		ids = append(ids, id)
		for p := range uint64(2) {
			f := &fickle{n: n, id: id, name: fmt.Sprint("p", p), rng: rand.New(rand.NewPCG(seed, uint64(i)*2+p))}
			players.Go(func() {
				if err := f.play(); err != nil {
					t.Errorf("room %s, player %s: %v", id, f.name, err)
				}
			})
		}
	}
	done := make(chan struct{})
	var disk sync.WaitGroup
	disk.Go(func() {
		rng := rand.New(rand.NewPCG(seed, 99))
		for {
			n.journal.hold(true)
			time.Sleep(time.Duration(rng.IntN(5)) * time.Millisecond)
			n.journal.hold(false)
			select {
			case <-done:
				return
			case <-time.After(time.Duration(rng.IntN(3)) * time.Millisecond):
			}
		}
	})
	players.Wait()
	close(done)
	disk.Wait()
	for _, id := range ids {
		look, err := n.Inspect(t.Context(), id, actor.Look{View: &room.Spectator})
		if want := fmt.Sprintf(`"sum":%d`, 2*actsEach); err != nil || !strings.Contains(string(look.View), want) {
			t.Errorf("room %s ends with %s, %v; want %s", id, look.View, err, want)
		}
	}
}
