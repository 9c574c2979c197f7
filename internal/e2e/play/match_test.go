package play_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
)

// askAll asks the nodes for a match, one after another from the first on, until one answers with a seat. Nodes may be down.
func askAll(c *e2e.Team, ctx context.Context, first int, body map[string]any) (got e2e.RoomInfo) {
	for i := first; ctx.Err() == nil; i++ {
		base := "http://" + c.Nodes[i%len(c.Nodes)].Args[1] // the value of --listen; Ready may change meanwhile
		if code, err := c.Nodes[0].TryCallAt(base, "POST", "/v1/matchmake", "", body, &got); err == nil && code == http.StatusOK {
			return got
		}
		time.Sleep(10 * time.Millisecond)
	}
	c.T.Errorf("no seat for %v", body)
	return got
}

// TestPlayersMeetWhileNodesComeAndGo matches pairs that ask at different nodes at the same moment, again and again, while nodes start,
// join and stop. A player who asks again gets the same room.
func TestPlayersMeetWhileNodesComeAndGo(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 4)
	ctx := e2e.WaitContext(t)
	var phase atomic.Value // what the nodes are doing
	phase.Store("nodes start")
	type pair struct {
		rooms [2]e2e.RoomInfo
		while string
	}
	asks := func(p, i int) map[string]any {
		options := map[string]any{"clock": map[string]any{"initial_ms": 60_000 + p}} // options that no other pair uses
		return map[string]any{"game": "chess", "options": options, "ticket": e2e.Ticket(p, i)}
	}
	var pairs []pair
	enough, asked := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(asked)
		for p := 0; ; p++ {
			select {
			case <-enough:
				return
			default:
			}
			got := pair{while: phase.Load().(string)}
			e2e.ForEach(2, 2, func(i int) { got.rooms[i] = askAll(c, ctx, p+i, asks(p, i)) })
			pairs = append(pairs, got)
		}
	}()
	late, leaves := c.Nodes[3], c.Nodes[1]
	e2e.ForEach(3, 3, func(i int) { c.Nodes[i].Start() })
	c.WaitWhole(3)
	phase.Store("a node joins")
	late.Start()
	c.WaitWhole(4)
	phase.Store("a node stops")
	if code, _ := leaves.Stop(); code != 0 {
		t.Errorf("%s exits with %d", leaves.Node, code)
	}
	c.WaitWhole(3)
	close(enough)
	<-asked
	if len(pairs) == 0 {
		t.Fatal("nobody asked")
	}
	t.Logf("%d pairs asked", len(pairs))
	for p, got := range pairs {
		if got.rooms[0].ID != got.rooms[1].ID {
			t.Errorf("while %s: pair %d was put into two rooms, %s at %s and %s at %s", got.while, p, got.rooms[0].ID, got.rooms[0].Node, got.rooms[1].ID, got.rooms[1].Node)
		}
	}
	for p := max(0, len(pairs)-20); p < len(pairs); p++ {
		for i := range 2 {
			if again := askAll(c, ctx, p, asks(p, i)); again.ID != pairs[p].rooms[i].ID {
				t.Errorf("player %d of pair %d asked again and got %s instead of %s", i, p, again.ID, pairs[p].rooms[i].ID)
			}
		}
	}
}
