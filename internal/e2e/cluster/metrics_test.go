package cluster_test

import (
	"context"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// scraped is what a node serves at /metrics.
type scraped struct {
	help    map[string]string             // by metric
	samples map[string]map[string]float64 // by metric, then by labels as they are written
}

// scrape reads /metrics as Prometheus would.
func scrape(s *e2e.Server) scraped {
	s.T.Helper()
	var text []byte
	if code := s.CallAdmin("GET", "/metrics", nil, &text); code != http.StatusOK {
		s.T.Fatalf("GET /metrics: %d", code)
	}
	out := scraped{map[string]string{}, map[string]map[string]float64{}}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if help, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, words, _ := strings.Cut(help, " ")
			out.help[name] = words
		}
		found := regexp.MustCompile(`^(\w+)(?:\{(.*)\})? (\S+)$`).FindStringSubmatch(line)
		if found == nil {
			continue
		}
		value, err := strconv.ParseFloat(found[3], 64)
		if err != nil {
			s.T.Fatalf("%s: %v", line, err)
		}
		if out.samples[found[1]] == nil {
			out.samples[found[1]] = map[string]float64{}
		}
		out.samples[found[1]][found[2]] = value
	}
	return out
}

// sum returns the sum of all samples of a metric.
func (m scraped) sum(name string) (sum float64) {
	for v := range maps.Values(m.samples[name]) {
		sum += v
	}
	return sum
}

// TestMetricsOfACluster plays in a cluster, stops a node, and reads the metrics of every node. Exactly the metrics of docs/METRICS.md are
// there, and the numbers match what has happened.
func TestMetricsOfACluster(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "hook")
	if err := os.WriteFile(secret, []byte("whsec_"+strings.Repeat("a", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Rooms with standbys are not given to the store. Nobody takes the webhook, so that there is something to count.
	c := e2e.NewTeam(t, 3, append(slices.Clone(e2e.OneJournal), "--webhook", "http://127.0.0.1:9", "--webhook-secret-file", secret)...).Start()
	ctx := e2e.WaitContext(t)
	matches := make([]*e2e.Match, 0, 6)
	for i, g := range e2e.SteadyGames(t, 6) {
		at := ""
		if i == 0 {
			at = c.Nodes[1].Node // at least one room must move from n2
		}
		m, err := c.Nodes[i%3].SeatAt(ctx, at, g, c.Nodes[0], c.Nodes[2])
		if err != nil {
			t.Fatal(err)
		}
		matches = append(matches, m)
	}
	// Only a watcher is at n2, which stops. The watcher does not leave when it is told to, so n2 stays for the two seconds that clients have.
	watcher := e2e.Dial(t, c.Nodes[1].Via(matches[0].Room).URL, wire.JSON)
	watcher.Hello(wire.Hello{Client: "watcher", As: wire.AsSpectator})
	sockets := []int{len(matches), 1, len(matches)}
	remote := make([]int, 3) // how many of them are in rooms of other nodes
	for i, n := range c.Nodes {
		for _, m := range matches[:sockets[i]] {
			if m.Room.Node != n.Node {
				remote[i]++
			}
		}
	}
	for i, n := range c.Nodes {
		n.Until(ctx, n.Node+" has measured its links", func() bool {
			m := scrape(n)
			up, measured := m.sum("roomring_link_up"), 0
			for v := range maps.Values(m.samples["roomring_link_rtt_seconds"]) {
				if v > 0 && v < 10 {
					measured++
				}
			}
			return up == 2 && measured == 2
		})
		m := scrape(n)
		if active := m.samples["roomring_cluster_members"]; active[`state="active"`] != 3 || len(active) != 3 || m.sum("roomring_cluster_members") != 3 {
			t.Errorf("%s: members %v", n.Node, active)
		}
		if shares := m.samples["roomring_ring_share"]; len(shares) != 3 || math.Abs(m.sum("roomring_ring_share")-1) > 1e-9 {
			t.Errorf("%s: shares %v", n.Node, shares)
		}
		if open, far := m.sum("roomring_sockets"), m.sum("roomring_sessions_remote"); open != float64(sockets[i]) || far != float64(remote[i]) {
			t.Errorf("%s: %v sockets, %v of them in rooms elsewhere; there are %d and %d", n.Node, open, far, sockets[i], remote[i])
		}
		if _, begun := m.samples["roomring_game_panics_total"][`game="chess"`]; !begun {
			t.Errorf("%s: the panics of chess do not begin at 0", n.Node)
		}
	}
	for _, m := range matches { // these moves cross links
		if _, err := m.Players[0].Act(ctx, map[string]string{"move": strings.Fields(m.Game.Moves)[0]}); err != nil {
			t.Fatal(err)
		}
		m.Game.Moves = strings.Join(strings.Fields(m.Game.Moves)[1:], " ")
	}
	if m := scrape(c.Nodes[0]); m.sum("roomring_link_sent_bytes_total") == 0 || m.sum("roomring_link_received_bytes_total") == 0 {
		t.Errorf("n1 has seen no traffic: %v sent, %v received", m.samples["roomring_link_sent_bytes_total"], m.samples["roomring_link_received_bytes_total"])
	}
	stopAndCount(c, ctx, matches)
	for _, m := range matches {
		if _, err := m.Players[0].Act(ctx, map[string]bool{"resign": true}); err != nil {
			t.Errorf("game %d after the move: %v", m.Game.Row, err)
		}
		c.Nodes[0].Result(m.Room.ID)
		m.Players[0].Close()
		m.Players[1].Close()
	}
	kicked := c.Nodes[0].Create("tally", nil)
	player := c.Nodes[2].Join(c.Nodes[2].Via(kicked), client.Options{}).Welcome().Player
	if code := c.Nodes[2].CallAdmin("POST", "/admin/v1/rooms/"+kicked.ID+"/kick", map[string]string{"player": player}, nil); code != http.StatusNoContent {
		t.Errorf("kicking: %d", code)
	}
	c.Nodes[0].Until(ctx, "every socket is closed", func() bool { return c.Nodes[0].Metric("roomring_sockets") == 0 })
	describes(c.Nodes[0], c.Nodes[2])
}

// stopAndCount stops n2. The others take its rooms.
func stopAndCount(c *e2e.Team, ctx context.Context, matches []*e2e.Match) {
	t := c.T
	stopped := c.Nodes[1]
	theirs := 0.0
	for _, m := range matches {
		if m.Room.Node == stopped.Node {
			theirs++
		}
	}
	if err := stopped.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	stopped.Until(ctx, stopped.Node+" says that it has released its rooms", func() bool {
		if !stopped.IsRunning() {
			t.Fatalf("%s has gone without a word", stopped.Node)
		}
		return stopped.Metric("roomring_rooms_released_total") == theirs
	})
	left := []*e2e.Server{c.Nodes[0], c.Nodes[2]}
	left[0].Until(ctx, "the others have claimed its rooms", func() bool {
		return left[0].Metric("roomring_rooms_claimed_total")+left[1].Metric("roomring_rooms_claimed_total") == theirs
	})
	left[0].Until(ctx, "all clients are in their rooms again", func() bool {
		return left[0].Metric("roomring_edge_reattach_total")+left[1].Metric("roomring_edge_reattach_total") >= 2*theirs
	})
	for _, n := range left {
		n.Until(ctx, n.Node+" sees that a member has gone", func() bool {
			m := scrape(n)
			return m.samples["roomring_cluster_members"][`state="active"`] == 2 && len(m.samples["roomring_ring_share"]) == 2 && m.sum("roomring_link_up") == 1
		})
	}
}

// describes compares the documented metrics with those that nodes of a cluster serve. One of the nodes has ended rooms and sockets.
func describes(s *e2e.Server, more ...*e2e.Server) {
	s.T.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "METRICS.md"))
	if err != nil {
		s.T.Fatal(err)
	}
	documented := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(roomring_\\w+)` \\|.*\\| (.*) \\|$").FindAllStringSubmatch(string(page), -1) {
		documented[row[1]] = row[2]
	}
	there := map[string]bool{}
	for _, n := range append(more, s) {
		m := scrape(n)
		for name, help := range m.help {
			if strings.HasPrefix(name, "roomring_") && documented[name] != help {
				s.T.Errorf("%s serves %s (%s), documented is %q", n.Node, name, help, documented[name])
			}
			there[name] = true
		}
		for name := range m.samples {
			there[name] = true
		}
	}
	for name := range documented {
		if !there[name] {
			s.T.Errorf("%s is documented, and no node serves it", name)
		}
	}
	operations, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "OPERATIONS.md"))
	if err != nil {
		s.T.Fatal(err)
	}
	for where, name := range asked(s.T, string(operations)) {
		if !there[name] {
			s.T.Errorf("%s: no node serves %s", where, name)
		}
	}
}

// asked returns the metrics that the alarms and the dashboard query, with the place of each.
func asked(t *testing.T, operations string) map[string]string {
	names := map[string]string{}
	alarms, _, _ := strings.Cut(operations[strings.Index(operations, "\n## Alarms"):], "\n## Plan")
	for _, name := range regexp.MustCompile(`\b(?:roomring|process|go)_\w+`).FindAllString(alarms, -1) {
		names["alarm "+name] = name
	}
	for _, p := range dashboard(t) {
		for _, target := range p.Targets {
			for _, name := range regexp.MustCompile(`\b(?:roomring|process|go)_\w+`).FindAllString(target.Expr, -1) {
				names[p.Title+" "+name] = name
			}
		}
	}
	if len(names) < 50 {
		t.Errorf("only %d metrics are asked for", len(names))
	}
	return names
}

// panel is a panel of the dashboard.
type panel struct {
	Title   string
	Targets []struct{ Expr string }
}

func dashboard(t *testing.T) []panel {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "grafana", "roomring.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct{ Panels []panel }
	e2e.MustDecode(t, raw, &board)
	return board.Panels
}
