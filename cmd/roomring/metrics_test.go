package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/roomring/roomring/web"
	"github.com/roomring/roomring/web/client"
)

// described are the metrics of a node in a cluster. None of them is asked for its value.
func described() []web.Described {
	n := &node{metrics: web.NewMetrics()}
	n.gauges()
	n.metrics.Cluster(web.ClusterMetrics{})
	return n.metrics.Described()
}

// TestMetricsPage holds docs/METRICS.md to the metrics that there are. With -update it writes the page.
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
		t.Errorf("docs/METRICS.md is out of date (%v): go test ./cmd/roomring -run TestMetricsPage -update", err)
	}
}

const metricsHead = `# Metrics

What a node tells Prometheus at ` + "`GET /metrics`" + ` on its admin listener, beside the numbers of the Go runtime (` + "`go_…`" + `) and of
the process (` + "`process_…`" + `). Labels are names of games, nodes, kinds, routes and codes, never of players or rooms. The metrics of links,
gossip and ring are there when the node is part of a cluster. A dashboard for Grafana is in deploy/grafana/roomring.json.

This page is generated: ` + "`go test ./cmd/roomring -run TestMetricsPage -update`" + `.

| metric | kind | labels | what it says |
|---|---|---|---|
`

// TestMetricNames have the units of Prometheus' conventions, and a help that says something.
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

// TestDashboard asks for nothing that a node does not have.
func TestDashboard(t *testing.T) {
	t.Parallel()
	s := newServer(t, generous...).start()
	info := s.create("tally", nil)
	c := s.join(info, client.Options{Name: "Ann"})
	if _, err := c.Act(patience(t), tallyAction{Add: 1}); err != nil {
		t.Fatal(err)
	}
	res, err := http.Get(s.AdminAt + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, m := range described() {
		there[m.Name] = true
		if m.Kind == "histogram" {
			there[m.Name+"_bucket"] = true
		}
	}
	for _, help := range regexp.MustCompile(`(?m)^# HELP (\S+) \S`).FindAllStringSubmatch(string(text), -1) {
		if strings.HasPrefix(help[1], "roomring_") && !there[help[1]] {
			t.Errorf("%s is served and not described", help[1])
		}
		there[help[1]] = true
	}
	raw, err := os.ReadFile(filepath.Join("..", "..", "deploy", "grafana", "roomring.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Type, Title string
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(raw, &board); err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, p := range board.Panels {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%s asks for nothing", p.Title)
		}
		for _, target := range p.Targets {
			for _, name := range regexp.MustCompile(`\b(?:roomring|go|process)_\w+`).FindAllString(target.Expr, -1) {
				asked++
				if !there[name] {
					t.Errorf("%s asks for %s, which no node has", p.Title, name)
				}
			}
		}
	}
	if asked < 30 {
		t.Errorf("only %d metrics are asked for", asked)
	}
}
