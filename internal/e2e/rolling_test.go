package e2e

import (
	"context"
	"database/sql"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/cli"
	"github.com/roomring/roomring/persist/pgtest"
)

// door is a plain balancer in front of a team: the node that the request names, or else the next in turn, and another one
// when that one is away or draining.
type door struct {
	*server // its address, for everything that players do
	turn    atomic.Uint32
}

func (c *team) door() *door {
	d := &door{}
	front := httptest.NewServer(cli.Balance(func(r *http.Request) []string {
		first := int(d.turn.Add(1))
		if i := slices.IndexFunc(c.nodes, func(n *server) bool { return n.Node == r.URL.Query().Get("node") }); i >= 0 {
			first = i
		}
		all := make([]string, len(c.nodes))
		for i := range all {
			all[i] = c.nodes[(first+i)%len(all)].URL
		}
		return all
	}))
	c.t.Cleanup(func() { front.CloseClientConnections(); front.Close() })
	d.server = &server{t: c.t, log: &logBuffer{}, ready: ready{URL: front.URL}}
	return d
}

// TestRollingRestart restarts all three nodes, one after another, under live games. Nobody loses an acknowledged
// move, and every game ends with its right result, once. It is run on both stores.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); newTeam(t, 3).rollingRestart() })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); newTeamOn(t, pgtest.New(t).URL(t), 3).rollingRestart() })
}

func (c *team) rollingRestart() {
	t := c.t
	c.start()
	front := c.door()
	games := steadyGames(t, sized(20, 20, 200))
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	matches := make([]*match, len(games))
	each(len(games), 50, func(i int) {
		m, err := front.seat(ctx, games[i])
		if err != nil {
			t.Errorf("game %d: %v", games[i].row, err)
		}
		matches[i] = m
		if m != nil {
			m.think = 250 * time.Millisecond // long enough a game for three restarts
		}
	})
	if t.Failed() {
		return
	}
	wait := playAll(ctx, t, matches)
	front.amid(ctx, matches, 0.1)
	for _, n := range c.nodes {
		code, took := n.stop()
		text := n.log.String()
		if code != 0 || strings.Contains(text, "level=ERROR") || !strings.Contains(text, "no room is left here") {
			t.Errorf("%s stopped with %d", n.Node, code)
		}
		share := playedShare(matches)
		t.Logf("%s was stopped in %v, with %.0f %% of the moves played", n.Node, took.Round(time.Millisecond), 100*share)
		if share > 0.95 {
			t.Errorf("the games were nearly over when %s was stopped: this proves little", n.Node)
		}
		n.start()
		c.whole(len(c.nodes))
	}
	wait()
	var sockets, whole, resent int
	for _, m := range matches {
		for _, p := range m.players {
			st := p.Stats()
			sockets, whole, resent = sockets+st.Sockets-1, whole+st.States-1, resent+st.Resent
			p.Close()
		}
	}
	checkStored(t, matches)
	t.Logf("%d games through three restarts: %d times a player was welcomed again, %d of them with a whole view, %d acts were sent again", len(matches), sockets, whole, resent)
	if sockets == 0 {
		t.Error("the restarts hit nobody")
	}
}

// deadAddress is an address where nobody listens.
func deadAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestAStopIsKnownThoughTheStoreIsSlow keeps the store busy while a node stops. The others must not take the node for one
// that may come back with rooms.
func TestAStopIsKnownThoughTheStoreIsSlow(t *testing.T) {
	t.Parallel()
	c := newTeam(t, 2).start()
	stays, goes := c.nodes[0], c.nodes[1]
	db, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(c.store, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stays.until(patience(t), "the store is held up", func() bool {
		_, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
		return err == nil
	})
	goes.until(patience(t), "a heartbeat is held up", func() bool { return goes.metric("roomring_store_silent_seconds") > 3.1 })
	stopped := make(chan int)
	go func() {
		code, _ := goes.stop()
		stopped <- code
	}()
	goes.until(patience(t), "it has given its rooms away", func() bool { return strings.Contains(goes.log.String(), "no room is left here") })
	time.Sleep(5500 * time.Millisecond) // so that nothing is left of the time that the stop's parts share
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if code := <-stopped; code != exitOK {
		t.Errorf("it ended with %d", code)
	}
	stays.until(patience(t), "the node that stopped is on nobody's list", func() bool { return len(stays.sees("")) == 1 })
}
