package cluster_test

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
	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/persist/pgtest"
)

// door is a simple balancer in front of a team. It picks the node that the request names, or else the next in turn. If that node is away
// or draining, it picks another.
type door struct {
	*e2e.Server // its address, for everything that players do
	turn        atomic.Uint32
}

func newDoor(c *e2e.Team) *door {
	d := &door{}
	front := httptest.NewServer(cli.Balance(func(r *http.Request) []string {
		first := int(d.turn.Add(1))
		if i := slices.IndexFunc(c.Nodes, func(n *e2e.Server) bool { return n.Node == r.URL.Query().Get("node") }); i >= 0 {
			first = i
		}
		all := make([]string, len(c.Nodes))
		for i := range all {
			all[i] = c.Nodes[(first+i)%len(all)].URL
		}
		return all
	}))
	c.T.Cleanup(func() { front.CloseClientConnections(); front.Close() })
	d.Server = &e2e.Server{T: c.T, Log: &e2e.LogBuffer{}, Ready: e2e.Ready{URL: front.URL}}
	return d
}

// TestRollingRestart restarts all three nodes, one after another, during live games. No acknowledged move is lost, and every game ends
// with its right result, once. The test runs on both stores.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); rollingRestart(e2e.NewTeam(t, 3)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); rollingRestart(e2e.NewTeamOn(t, pgtest.New(t).URL(t), 3)) })
}

func rollingRestart(c *e2e.Team) {
	t := c.T
	c.Start()
	front := newDoor(c)
	games := e2e.SteadyGames(t, e2e.Sized(10, 10, 200))
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	matches := make([]*e2e.Match, len(games))
	e2e.ForEach(len(games), 50, func(i int) {
		m, err := front.Seat(ctx, games[i])
		if err != nil {
			t.Errorf("game %d: %v", games[i].Row, err)
		}
		matches[i] = m
		if m != nil {
			m.Think = 250 * time.Millisecond // makes games long enough for three restarts
		}
	})
	if t.Failed() {
		return
	}
	wait := e2e.PlayAll(ctx, t, matches)
	front.WaitForShare(ctx, matches, 0.1)
	for _, n := range c.Nodes {
		code, took := n.Stop()
		text := n.Log.String()
		if code != 0 || strings.Contains(text, "level=ERROR") || !strings.Contains(text, "no room is left here") {
			t.Errorf("%s stopped with %d", n.Node, code)
		}
		share := e2e.PlayedShare(matches)
		t.Logf("%s was stopped in %v, with %.0f %% of the moves played", n.Node, took.Round(time.Millisecond), 100*share)
		if share > 0.95 {
			t.Errorf("the games were nearly over when %s was stopped: this proves little", n.Node)
		}
		n.Start()
		c.WaitWhole(len(c.Nodes))
	}
	wait()
	var sockets, whole, resent int
	for _, m := range matches {
		for _, p := range m.Players {
			st := p.Stats()
			sockets, whole, resent = sockets+st.Sockets-1, whole+st.States-1, resent+st.Resent
			p.Close()
		}
	}
	e2e.CheckStored(t, matches)
	t.Logf("%d games through three restarts: %d times a player was welcomed again, %d of them with a whole view, %d acts were sent again", len(matches), sockets, whole, resent)
	if sockets == 0 {
		t.Error("the restarts hit nobody")
	}
}

// deadAddress returns an address where nobody listens.
func deadAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestAStopIsKnownThoughTheStoreIsSlow keeps the store busy while a node stops. The other nodes must not believe that the node may come
// back with rooms.
func TestAStopIsKnownThoughTheStoreIsSlow(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 2).Start()
	stays, goes := c.Nodes[0], c.Nodes[1]
	db, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(c.Store, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stays.Until(e2e.WaitContext(t), "the store is held up", func() bool {
		_, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
		return err == nil
	})
	goes.Until(e2e.WaitContext(t), "a heartbeat is held up", func() bool { return goes.Metric("roomring_store_silent_seconds") > 3.1 })
	stopped := make(chan int)
	go func() {
		code, _ := goes.Stop()
		stopped <- code
	}()
	goes.Until(e2e.WaitContext(t), "it has given its rooms away", func() bool { return strings.Contains(goes.Log.String(), "no room is left here") })
	time.Sleep(5500 * time.Millisecond) // uses up the time that the parts of the stop share
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if code := <-stopped; code != e2e.ExitOK {
		t.Errorf("it ended with %d", code)
	}
	stays.Until(e2e.WaitContext(t), "the node that stopped is on nobody's list", func() bool { return len(stays.KnownNodes("")) == 1 })
}
