package e2e

import (
	"context"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// scraped is what a node serves at /metrics.
type scraped struct {
	help    map[string]string             // by metric
	samples map[string]map[string]float64 // by metric, then by labels as they are written
}

// scrape reads /metrics as Prometheus would.
func (s *server) scrape() scraped {
	s.t.Helper()
	var text []byte
	if code := s.admin("GET", "/metrics", nil, &text); code != http.StatusOK {
		s.t.Fatalf("GET /metrics: %d", code)
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
			s.t.Fatalf("%s: %v", line, err)
		}
		if out.samples[found[1]] == nil {
			out.samples[found[1]] = map[string]float64{}
		}
		out.samples[found[1]][found[2]] = value
	}
	return out
}

// sum is of all samples of a metric.
func (m scraped) sum(name string) (sum float64) {
	for v := range maps.Values(m.samples[name]) {
		sum += v
	}
	return sum
}

// TestMetricsOfACluster plays and stops a node in a cluster, and reads the metrics of every node: those of
// docs/METRICS.md are there and no others, and the numbers are what has happened.
func TestMetricsOfACluster(t *testing.T) {
	t.Parallel()
	c := newTeam(t, 3).start()
	ctx := patience(t)
	matches := make([]*match, 0, 6)
	for i, g := range steadyGames(t, 6) {
		at := ""
		if i == 0 {
			at = c.nodes[1].Node // at least one is where it must move from
		}
		m, err := c.nodes[i%3].seatAt(ctx, at, g, c.nodes[0], c.nodes[2])
		if err != nil {
			t.Fatal(err)
		}
		matches = append(matches, m)
	}
	// At n2, which stops, is a watcher alone: it does not go when it is told to, so n2 stays for the two seconds that
	// clients have.
	watcher := dial(t, c.nodes[1].at(matches[0].room).URL, wire.JSON)
	watcher.hello(wire.Hello{Client: "watcher", As: wire.AsSpectator})
	sockets := []int{len(matches), 1, len(matches)}
	remote := make([]int, 3) // of them, in rooms elsewhere
	for i, n := range c.nodes {
		for _, m := range matches[:sockets[i]] {
			if m.room.Node != n.Node {
				remote[i]++
			}
		}
	}
	for i, n := range c.nodes {
		n.until(ctx, n.Node+" has measured its links", func() bool {
			m := n.scrape()
			up, measured := m.sum("roomring_link_up"), 0
			for v := range maps.Values(m.samples["roomring_link_rtt_seconds"]) {
				if v > 0 && v < 10 {
					measured++
				}
			}
			return up == 2 && measured == 2
		})
		m := n.scrape()
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
	for _, m := range matches { // a move that crosses links
		if _, err := m.players[0].Act(ctx, map[string]string{"move": strings.Fields(m.g.Moves)[0]}); err != nil {
			t.Fatal(err)
		}
		m.g.Moves = strings.Join(strings.Fields(m.g.Moves)[1:], " ")
	}
	if m := c.nodes[0].scrape(); m.sum("roomring_link_sent_bytes_total") == 0 || m.sum("roomring_link_received_bytes_total") == 0 {
		t.Errorf("n1 has seen no traffic: %v sent, %v received", m.samples["roomring_link_sent_bytes_total"], m.samples["roomring_link_received_bytes_total"])
	}
	c.stopAndCount(ctx, matches)
	for _, m := range matches {
		if _, err := m.players[0].Act(ctx, map[string]bool{"resign": true}); err != nil {
			t.Errorf("game %d after the move: %v", m.g.row, err)
		}
		c.nodes[0].result(m.room.ID)
		m.players[0].Close()
		m.players[1].Close()
	}
	kicked := c.nodes[0].create("tally", nil)
	player := c.nodes[2].join(c.nodes[2].at(kicked), client.Options{}).Welcome().Player
	if code := c.nodes[2].admin("POST", "/admin/v1/rooms/"+kicked.ID+"/kick", map[string]string{"player": player}, nil); code != http.StatusNoContent {
		t.Errorf("kicking: %d", code)
	}
	c.nodes[0].until(ctx, "every socket is closed", func() bool { return c.nodes[0].metric("roomring_sockets") == 0 })
	c.nodes[0].describes(c.nodes[2])
}

// stopAndCount stops n2, whose rooms the others take.
func (c *team) stopAndCount(ctx context.Context, matches []*match) {
	t := c.t
	stopped := c.nodes[1]
	theirs := 0.0
	for _, m := range matches {
		if m.room.Node == stopped.Node {
			theirs++
		}
	}
	if err := stopped.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	stopped.until(ctx, stopped.Node+" says that it has released its rooms", func() bool {
		if !stopped.runs() {
			t.Fatalf("%s has gone without a word", stopped.Node)
		}
		return stopped.metric("roomring_rooms_released_total") == theirs
	})
	left := []*server{c.nodes[0], c.nodes[2]}
	left[0].until(ctx, "the others have claimed its rooms", func() bool {
		return left[0].metric("roomring_rooms_claimed_total")+left[1].metric("roomring_rooms_claimed_total") == theirs
	})
	left[0].until(ctx, "all clients are in their rooms again", func() bool {
		return left[0].metric("roomring_edge_reattach_total")+left[1].metric("roomring_edge_reattach_total") >= 2*theirs
	})
	for _, n := range left {
		n.until(ctx, n.Node+" sees that a member has gone", func() bool {
			m := n.scrape()
			return m.samples["roomring_cluster_members"][`state="active"`] == 2 && len(m.samples["roomring_ring_share"]) == 2 && m.sum("roomring_link_up") == 1
		})
	}
}

// describes holds what is documented to what nodes of a cluster serve, of which one has ended rooms and sockets.
func (s *server) describes(more ...*server) {
	s.t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "METRICS.md"))
	if err != nil {
		s.t.Fatal(err)
	}
	documented := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(roomring_\\w+)` \\|.*\\| (.*) \\|$").FindAllStringSubmatch(string(page), -1) {
		documented[row[1]] = row[2]
	}
	there := map[string]bool{}
	for _, n := range append(more, s) {
		m := n.scrape()
		for name, help := range m.help {
			if strings.HasPrefix(name, "roomring_") && documented[name] != help {
				s.t.Errorf("%s serves %s (%s), documented is %q", n.Node, name, help, documented[name])
			}
			there[name] = true
		}
		for name := range m.samples {
			there[name] = true
		}
	}
	for name := range documented {
		if !there[name] {
			s.t.Errorf("%s is documented, and no node serves it", name)
		}
	}
	operations, err := os.ReadFile(filepath.Join("..", "..", "docs", "OPERATIONS.md"))
	if err != nil {
		s.t.Fatal(err)
	}
	for where, name := range asked(s.t, string(operations)) {
		if !there[name] {
			s.t.Errorf("%s: no node serves %s", where, name)
		}
	}
}

// asked are the metrics that alarms and the dashboard ask for, by where.
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

// panel is one of the dashboard.
type panel struct {
	Title   string
	Targets []struct{ Expr string }
}

func dashboard(t *testing.T) []panel {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "deploy", "grafana", "roomring.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct{ Panels []panel }
	mustDecode(t, raw, &board)
	return board.Panels
}
