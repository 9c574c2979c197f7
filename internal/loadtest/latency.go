package loadtest

import (
	"encoding/json"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// longest bounds what a histogram keeps; longer times count as this.
const longest = 10 * time.Minute

// Latency is a distribution of times, to three digits.
type Latency struct{ h *hdrhistogram.Histogram }

func newLatency() Latency {
	return Latency{hdrhistogram.New(1, longest.Microseconds(), 3)}
}

func (l Latency) record(d time.Duration) {
	_ = l.h.RecordValue(max(1, min(d, longest).Microseconds())) // it is within the bounds
}

// Count is how many times there are.
func (l Latency) Count() int { return int(l.h.TotalCount()) }

// stat is a statistic in milliseconds, by its name in thresholds; NaN if there are no times.
func (l Latency) stat(name string) float64 {
	if l.h.TotalCount() == 0 {
		return math.NaN()
	}
	var us float64
	switch name {
	case "min":
		us = float64(l.h.Min())
	case "mean":
		us = l.h.Mean()
	case "max":
		us = float64(l.h.Max())
	default:
		p, _ := percentile(name)
		us = float64(l.h.ValueAtPercentile(p))
	}
	return us / 1000
}

// at is a percentile, for people.
func (l Latency) at(p float64) time.Duration {
	return time.Duration(l.h.ValueAtPercentile(p)) * time.Microsecond
}

// MarshalJSON writes milliseconds, and the whole distribution by percentiles that come closer and closer to 100.
func (l Latency) MarshalJSON() ([]byte, error) {
	type step struct {
		Percentile float64 `json:"p"`
		UpTo       float64 `json:"up_to_ms"`
		Count      int64   `json:"count"`
	}
	out := map[string]any{"count": l.Count()}
	steps := []step{}
	if l.Count() > 0 {
		for key, stat := range map[string]string{"min_ms": "min", "mean_ms": "mean", "p50_ms": "p50", "p90_ms": "p90", "p95_ms": "p95", "p99_ms": "p99", "p999_ms": "p99.9", "max_ms": "max"} {
			out[key] = l.stat(stat)
		}
		for _, b := range l.h.CumulativeDistribution() {
			steps = append(steps, step{b.Quantile, float64(b.ValueAt) / 1000, b.Count})
		}
	}
	out["distribution"] = steps
	return json.Marshal(out)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
