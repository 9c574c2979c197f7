package loadtest

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/roomring/roomring/room/clock"
)

// gauge reads what the servers' processes use, from the metrics of their admin listeners.
type gauge struct {
	a *operator

	mu    sync.Mutex
	first map[string]float64 // CPU seconds by admin URL, when acts were first measured
	last  map[string]float64
	most  map[string]int64   // memory
	start map[string]float64 // when the process began
}

func newGauge(a *operator) *gauge {
	return &gauge{a: a, first: map[string]float64{}, last: map[string]float64{}, most: map[string]int64{}, start: map[string]float64{}}
}

// gaugeEvery is how often memory is read: each reading costs a server milliseconds.
const gaugeEvery = 5 * time.Second

// watch reads what the servers use from a time on, until ctx ends.
func (g *gauge) watch(ctx context.Context) {
	for first := true; ctx.Err() == nil; first = false {
		g.read(ctx, first)
		clock.Sleep(ctx, nil, gaugeEvery)
	}
}

func (g *gauge) read(ctx context.Context, first bool) {
	for _, base := range g.a.o.Admins {
		var text []byte
		if g.a.ask(ctx, base, "/metrics", &text) != nil {
			continue // the report then lacks it
		}
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
		cpu, memory, start := families["process_cpu_seconds_total"], families["process_resident_memory_bytes"], families["process_start_time_seconds"]
		if err != nil || len(cpu.GetMetric()) == 0 || len(memory.GetMetric()) == 0 || len(start.GetMetric()) == 0 {
			continue
		}
		g.note(base, first, value(start), value(cpu), int64(value(memory)))
	}
}

// note keeps a reading. A front of several nodes may have been answered by another process than before: then it says nothing.
func (g *gauge) note(base string, first bool, start, cpu float64, memory int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if first {
		g.start[base], g.first[base] = start, cpu
	}
	if g.start[base] == start {
		g.last[base], g.most[base] = cpu, max(g.most[base], memory)
	}
}

// value is that of a metric of one process.
func value(f *dto.MetricFamily) float64 {
	m := f.GetMetric()[0]
	return m.GetCounter().GetValue() + m.GetGauge().GetValue() // it is one of them
}

// use is what each server has used since the first reading, which was that long ago.
func (g *gauge) use(took time.Duration) []ServerUse {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := []ServerUse{}
	for _, base := range slices.Sorted(maps.Keys(g.first)) {
		cpu := g.last[base] - g.first[base]
		out = append(out, ServerUse{base, ProcessUse{cpu, cpu / took.Seconds(), g.most[base]}})
	}
	return out
}
