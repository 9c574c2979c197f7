package node

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/roomring/roomring/web/metrics"
)

// described returns the metrics of a node in a cluster, without reading their values.
var update = flag.Bool("update", false, "write docs/METRICS.md")

func described() []metrics.Described {
	n := &Node{metrics: metrics.New()}
	n.registerGauges()
	n.metrics.Cluster(metrics.Cluster{})
	return n.metrics.Described()
}

// TestMetricsPage checks that docs/METRICS.md lists exactly the metrics of the program. With -update it writes the page.
func TestMetricsPage(t *testing.T) {
	var page strings.Builder
	page.WriteString(metricsHead)
	for _, m := range described() {
		labels := "–"
		if len(m.Labels) > 0 {
			labels = "`" + strings.Join(m.Labels, "`, `") + "`"
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", m.Name, m.Kind, labels, m.Help)
	}
	path := filepath.Join("..", "..", "docs", "METRICS.md")
	if *update {
		if err := os.WriteFile(path, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != page.String() {
		t.Errorf("docs/METRICS.md is out of date (%v): go test ./internal/node -run TestMetricsPage -update", err)
	}
}

const metricsHead = `# Metrics

What a node tells Prometheus at ` + "`GET /metrics`" + ` on its admin listener, beside the numbers of the Go runtime (` + "`go_…`" + `) and of
the process (` + "`process_…`" + `). Labels are names of games, nodes, kinds, routes and codes, never of players or rooms. The metrics of links,
gossip and ring are there when the node is part of a cluster. A dashboard for Grafana is in deploy/grafana/roomring.json.

This page is generated: ` + "`go test ./internal/node -run TestMetricsPage -update`" + `.

| metric | kind | labels | what it says |
|---|---|---|---|
`

// TestMetricNames checks that names follow Prometheus' conventions for units, and that each help says something.
func TestMetricNames(t *testing.T) {
	for _, m := range described() {
		if (m.Kind == "counter") != strings.HasSuffix(m.Name, "_total") {
			t.Errorf("%s is a %s: a counter's name ends in _total, and no other's", m.Name, m.Kind)
		}
		if m.Kind == "histogram" && !strings.HasSuffix(m.Name, "_seconds") {
			t.Errorf("%s has no unit", m.Name)
		}
		name, help := strings.TrimSuffix(m.Name, "_total"), strings.ToLower(m.Help)
		for unit, said := range map[string]string{"_seconds": "second", "_bytes": "bytes"} {
			if strings.HasSuffix(name, unit) != strings.Contains(help, said) {
				t.Errorf("%s: unit and help (%s) do not agree", m.Name, m.Help)
			}
		}
		if !strings.HasSuffix(m.Help, ".") || len(m.Help) < 15 {
			t.Errorf("%s: the help %q", m.Name, m.Help)
		}
	}
}

type panel struct {
	Type, Title string
	Targets     []struct{ Expr string }
}

// dashboard reads deploy/grafana. TestMetricsOfACluster checks that a cluster has the metrics it asks for.
func dashboard(t *testing.T) []panel {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "deploy", "grafana", "roomring.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct{ Panels []panel }
	if err := json.Unmarshal(raw, &board); err != nil {
		t.Fatal(err)
	}
	return board.Panels
}

// TestDashboard checks that every panel has a query, and that some panel shows each metric of a cluster.
func TestDashboard(t *testing.T) {
	t.Parallel()
	var everything strings.Builder
	for _, p := range dashboard(t) {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%s has no query", p.Title)
		}
		for _, target := range p.Targets {
			everything.WriteString(target.Expr + "\n")
		}
	}
	of, alone := metrics.New(), metrics.New().Described()
	of.Cluster(metrics.Cluster{})
	for _, m := range of.Described() {
		if !slices.ContainsFunc(alone, func(d metrics.Described) bool { return d.Name == m.Name }) && !strings.Contains(everything.String(), m.Name) {
			t.Errorf("no panel shows %s", m.Name)
		}
	}
}
