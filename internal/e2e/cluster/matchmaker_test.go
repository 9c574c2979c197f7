package cluster_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/ring"
	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/web/client"
)

// matchmaker returns the node that makes the matches of a game, and the other nodes.
func matchmaker(c *e2e.Team, game string) (maker *e2e.Server, others []*e2e.Server) {
	var on []ring.Node
	for _, n := range c.Nodes {
		on = append(on, ring.Node{Name: n.Node})
	}
	name := ring.New(on).OwnerOf("match:" + game)
	for _, n := range c.Nodes {
		if n.Node == name {
			maker = n
		} else {
			others = append(others, n)
		}
	}
	return maker, others
}

// matchAsk is a request for a match, and its answer.
type matchAsk struct {
	at   *e2e.Server
	body map[string]any
	got  e2e.MatchedRoom
	took time.Duration
}

// ask sends the request once. It sends it again, as players do, only if it had to wait for as long as nodes may disagree.
func (a *matchAsk) ask(t *testing.T) {
	t.Helper()
	const agree = 5 * time.Second // cluster.Options.Forward
	for end := time.Now().Add(time.Minute); ; {
		begin := time.Now()
		code, err := a.at.TryCallAt(a.at.URL, "POST", "/v1/matchmake", "", a.body, &a.got)
		if a.took = time.Since(begin); err == nil && code == http.StatusOK {
			return
		}
		if code != http.StatusServiceUnavailable || a.took < agree || time.Now().After(end) {
			t.Errorf("%s answered %v after %v: %d, %v", a.at.Node, a.body, a.took, code, err)
			return
		}
	}
}

// pairOf returns two players who ask at two nodes for a game that nobody else wants.
func pairOf(n int, at []*e2e.Server) (pair [2]matchAsk) {
	options := map[string]any{"clock": map[string]any{"initial_ms": 60_000 + n}}
	for i := range pair {
		pair[i].at, pair[i].body = at[i], map[string]any{"game": "chess", "options": options, "ticket": e2e.Ticket(n, i)}
	}
	return pair
}

// TestAKilledMatchmakerKeepsNobodyWaiting kills the node that makes the matches while pairs ask at the two other nodes. Each request is
// answered without being repeated by its player, and no pair is split. A player who was answered before and asks again gets the same
// answer, though the matchmaker's memory is lost.
func TestAKilledMatchmakerKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3).Start()
	maker, others := matchmaker(c, "chess")

	var before [][2]matchAsk // in rooms of other nodes
	next := 0
	for ; len(before) < 3; next++ {
		pair := pairOf(next, others)
		for i := range pair {
			pair[i].ask(t)
		}
		if t.Failed() {
			t.FailNow()
		}
		if pair[0].got.Node == maker.Node {
			continue
		}
		for i := range pair { // so that the seats are taken, not reserved
			pair[i].at.Join(pair[i].at.Via(pair[i].got.RoomInfo), client.Options{Token: pair[i].got.Guest.Token})
		}
		before = append(before, pair)
	}

	var amid [][2]matchAsk
	var mu sync.Mutex
	var asking sync.WaitGroup
	enough := make(chan struct{})
	for range 4 {
		asking.Go(func() {
			for {
				select {
				case <-enough:
					return
				default:
				}
				mu.Lock()
				pair := pairOf(next, others)
				next++
				mu.Unlock()
				e2e.ForEach(2, 2, func(i int) { pair[i].ask(t) })
				mu.Lock()
				amid = append(amid, pair)
				mu.Unlock()
			}
		})
	}
	others[0].Until(e2e.WaitContext(t), "pairs have met", func() bool { mu.Lock(); defer mu.Unlock(); return len(amid) > 10 })
	maker.Kill()
	for _, n := range others {
		n.Until(e2e.WaitContext(t), "the matchmaker is off the ring", func() bool { return !slices.Contains(n.RingNames(), maker.Node) })
	}
	close(enough)
	asking.Wait()
	var longest time.Duration
	for _, pair := range amid {
		a, b := pair[0].got, pair[1].got
		longest = max(longest, pair[0].took, pair[1].took)
		if a.ID != b.ID && a.Node != maker.Node && b.Node != maker.Node {
			t.Errorf("a pair was split: %s at %s, %s at %s", a.ID, a.Node, b.ID, b.Node)
		}
	}
	t.Logf("%d pairs asked; the longest wait was %v", len(amid), longest)
	for _, pair := range before {
		for i := range pair {
			again := pair[i]
			again.ask(t)
			if again.got.ID != pair[i].got.ID {
				t.Errorf("who sits in %s asked again at %s and was put into %s", pair[i].got.ID, again.at.Node, again.got.ID)
			}
		}
	}
}
