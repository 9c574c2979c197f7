package cluster_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// times is how often the tests of this file do what they measure. bench/figures.py sets it; each prints lines that begin with FIGURE.
func times(t *testing.T) int {
	t.Helper()
	text := os.Getenv("ROOMRING_FIGURES")
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// figure prints one measured value.
func figure(t *testing.T, name string, value float64) {
	t.Helper()
	t.Logf("FIGURE %s %.1f", name, value)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// served is a client that notes when it hears of its room again at a later epoch, which is what a death is for it.
type served struct {
	room   e2e.RoomInfo
	client *client.Client

	mu    sync.Mutex
	epoch uint64 // of the last welcome
	node  string // that has the room, by the last welcome
	since uint64 // a welcome at a later epoch is waited for
	at    time.Time
}

func (s *served) received(m wire.ServerMessage) {
	w, ok := m.(wire.Welcome)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch, s.node = w.Epoch, w.Node; s.at.IsZero() && w.Epoch > s.since {
		s.at = time.Now()
	}
}

// inTurn carries sockets to the nodes in turn, and past those that are gone or leave.
type inTurn struct {
	nodes []*e2e.Server
	turn  atomic.Uint32
}

// RoundTrip implements http.RoundTripper.
func (a *inTurn) RoundTrip(r *http.Request) (res *http.Response, err error) {
	first := int(a.turn.Add(1))
	for i := range a.nodes {
		base, bad := url.Parse(a.nodes[(first+i)%len(a.nodes)].URL)
		if bad != nil {
			return nil, bad
		}
		try := r.Clone(r.Context())
		try.URL.Scheme, try.URL.Host, try.Host = base.Scheme, base.Host, base.Host
		res, err = http.DefaultTransport.RoundTrip(try)
		if err == nil && res.StatusCode != http.StatusServiceUnavailable {
			return res, nil
		}
		if err == nil {
			_ = res.Body.Close()
			err = fmt.Errorf("%s", res.Status)
		}
	}
	return nil, err
}

// open is a field of snakes in which something happens at every tick for as long as a test takes.
var open = map[string]any{"walls": false, "width": 128, "height": 128, "bots": 4, "rounds": 20, "round_s": 900, "start_s": 1, "pause_s": 1}

// TestFiguresOfADeathWithAThousandRooms kills one of two nodes again and again, each time when it has all rooms. Every room has a client,
// which must hear of it again. With ROOMRING_FIGURES these are 1,000 rooms of chess and 100 of snakes.
func TestFiguresOfADeathWithAThousandRooms(t *testing.T) {
	t.Parallel()
	chess, snakes := 30, 3
	if os.Getenv("ROOMRING_FIGURES") != "" {
		chess, snakes = 1000, 100
	}
	c := e2e.NewTeam(t, 2).Start()
	way := &http.Client{Transport: &inTurn{nodes: c.Nodes}}
	join := func(s *served, name string, trace *client.Trace) *client.Client {
		return c.Nodes[0].Join(s.room, client.Options{Encoding: wire.CBOR, Name: name, MaxDelay: 200 * time.Millisecond, HTTP: way, Trace: trace})
	}
	all := make([]*served, chess+snakes)
	e2e.ForEach(len(all), 16, func(i int) {
		s := &served{}
		all[i] = s
		if i >= chess {
			s.room = c.Nodes[i%2].Create("snakes", open)
		} else {
			s.room = c.Nodes[i%2].Create("chess", map[string]any{"white": "first", "clock": map[string]any{"initial_ms": 86_400_000}})
		}
		s.client = join(s, fmt.Sprintf("s%d", i), &client.Trace{Received: s.received})
		if i < chess {
			black := join(s, fmt.Sprintf("b%d", i), nil)
			s.play(t, s.client, black)
			black.Close()
		}
	})
	t.Cleanup(func() {
		for _, s := range all {
			s.client.Close()
		}
	})
	// The first death brings all rooms to one node. From then on each dying node has all of them.
	for round := range times(t) + 1 {
		dies, lives := c.Nodes[round%2], c.Nodes[(round+1)%2]
		dies.Until(e2e.WaitContext(t), "each room would go on without "+dies.Node, func() bool {
			var loss struct{ Wait []struct{ Rooms int } }
			code, err := dies.TryCallAt(dies.AdminAt, http.MethodGet, "/admin/v1/nodes/"+dies.Node+"/loss", "", nil, &loss)
			return err == nil && code == http.StatusOK && len(loss.Wait) == 0
		})
		var hit []*served
		for _, s := range all {
			if s.await() == dies.Node {
				hit = append(hit, s)
			}
		}
		at := time.Now()
		dies.Kill()
		took := make([]time.Duration, len(hit))
		for i, s := range hit {
			lives.Until(e2e.WaitContext(t), "room "+s.room.ID+" goes on", func() bool { return s.took(at, &took[i]) })
		}
		if round > 0 {
			if len(hit) < len(all) {
				t.Errorf("%s had only %d of %d rooms", dies.Node, len(hit), len(all))
			}
			slices.Sort(took)
			t.Logf("%s dies with %d rooms: %s", dies.Node, len(all), spread(took))
			figure(t, "served", milliseconds(took[len(took)-1]))
		}
		dies.Start()
		c.WaitWhole(2)
	}
	for _, s := range all {
		if st := s.client.Stats(); st.Mismatches > 0 || st.Lost > 0 {
			t.Errorf("the client of %s has missed something: %+v", s.room.ID, st)
		}
	}
}

// play makes a few moves of chess, so that there is a log to go on from.
func (s *served) play(t *testing.T, players ...*client.Client) {
	ctx, cancel := context.WithTimeout(t.Context(), e2e.Ceiling)
	defer cancel()
	for i, move := range []string{"e4", "e5", "Nf3", "Nc6", "Bb5", "a6"} {
		if _, err := players[i%2].Act(ctx, map[string]string{"move": move}); err != nil {
			t.Errorf("room %s: %s: %v", s.room.ID, move, err)
		}
	}
}

// await begins to wait for the next epoch at which the client is welcomed, and returns the node that has the room.
func (s *served) await() (node string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since, s.at = s.epoch, time.Time{}
	return s.node
}

// took reports whether the client was welcomed again, and how long after a time.
func (s *served) took(from time.Time, into *time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if *into = s.at.Sub(from); s.at.IsZero() {
		return false
	}
	return true
}

// TestFiguresOfANodeThatJoins starts a fourth node beside three that have 500 rooms, of which 50 tick, and measures how long after the
// time in which the ring must be stable its share is there, and the longest gap between turns. TestAJoiningNodeGetsItsShareOfLivingRooms
// checks the same with fewer rooms, so this does nothing without ROOMRING_FIGURES.
func TestFiguresOfANodeThatJoins(t *testing.T) {
	if os.Getenv("ROOMRING_FIGURES") == "" {
		return
	}
	for range times(t) {
		t.Run("join", func(t *testing.T) {
			c := e2e.NewTeam(t, 3, e2e.DefaultTimeouts...).Start()
			e2e.ForEach(450, 16, func(i int) { c.Nodes[i%3].Create("chess", nil) })
			watchers := watch(c, 50)
			n4 := c.Add()
			for _, w := range watchers {
				w.begin()
			}
			n4.Start()
			c.WaitWhole(4)
			stable := time.Now().Add(10 * time.Second)
			before := planned(n4)
			n4.Until(e2e.WaitContext(t), "all rooms are where the ring has them", func() bool { return planned(n4) == 0 })
			took := max(time.Since(stable), 0)
			list := gaps(t, watchers)
			missedNothing(t, watchers)
			t.Logf("%d rooms were to change, and had %v after the ring was stable: %s", before, took.Round(time.Millisecond), spread(list))
			figure(t, "share", milliseconds(took))
			for _, gap := range list {
				figure(t, "gap", milliseconds(gap))
			}
		})
	}
}
