package loadtest

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestThresholdsThatAreWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                   "write METRIC>VALUE",
		"act.p99":            "write METRIC>VALUE",
		"act.p99=50ms":       "write METRIC>VALUE",
		"act.p99>50ms extra": "write METRIC>VALUE",
		"act.p99>-1ms":       "write METRIC>VALUE",
		"act.p99>50":         "a time has a unit",
		"act.p99>50%":        "a time has a unit",
		"act>50ms":           "after act. comes",
		"act.p101>5ms":       "from p0 to p100",
		"act.median>5ms":     "after act. comes",
		"join.p9.9.9>5ms":    "after join. comes",
		"acts<200":           "acts is a rate",
		"acts.p99<200/s":     "acts is a rate",
		"joins>5ms":          "joins is a rate",
		"errors>1ms":         "errors is a number or a share",
		"errors.p99>1":       "errors is a number or a share",
		"latency.p99>5ms":    "there is no metric latency",
	} {
		_, err := ParseThreshold(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, which lacks %q", text, err, want)
		}
	}
}

// measured is a report of a hundred acts that took 1 to 100 ms.
func measured() *Report {
	r := &Report{Act: newLatency(), Join: newLatency(), Late: newLatency(), Acts: Acts{Due: 110, Dropped: 11, Sent: 99, Answered: 99, Refused: map[string]int{"late": 3}, PerSecond: 99}}
	for i := range 100 {
		r.Act.record(time.Duration(i+1) * time.Millisecond)
	}
	r.Joins = Joins{Tried: 101, Done: 100, PerSecond: 10}
	r.Errors = map[string]int{"join: 429": 1, "closed 1006": 1}
	return r
}

func TestThresholdsJudge(t *testing.T) {
	t.Parallel()
	r := measured()
	for text, failed := range map[string]bool{
		"act.p99>99.5ms":  false,
		"act.p99>98ms":    true,
		"act.p50>=0.05s":  true,
		" act.max > 99ms": true,
		"act.min<2ms":     true,
		"act.mean>60ms":   false,
		"acts<100/s":      true,
		"joins<=10/s":     true,
		"errors>1":        true,
		"errors>1%":       false, // 2 of 200
		"errors>=1%":      true,
		"refused>3":       false,
		"refused>3%":      true,
		"dropped>9%":      true,
		"join.p99>10s":    true, // nothing was measured
	} {
		threshold, err := ParseThreshold(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if v := threshold.judge(r); v.Failed != failed || v.Value == "" {
			t.Errorf("%q came to %+v", text, v)
		}
	}
	none, err := ParseThreshold("refused>1%")
	if err != nil {
		t.Fatal(err)
	}
	if v := none.judge(&Report{}); !v.Failed || v.Value != "nothing was measured" {
		t.Errorf("of nothing it says %+v", v)
	}
}

func TestReportIsJSONWithItsDistribution(t *testing.T) {
	t.Parallel()
	r := measured()
	r.Act.record(-time.Second) // a clock that was set back
	r.Act.record(time.Hour)
	var out bytes.Buffer
	if err := r.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	var in struct {
		Act struct {
			Count        int
			P50          float64 `json:"p50_ms"`
			Distribution []struct {
				P     float64
				UpTo  float64 `json:"up_to_ms"`
				Count int
			}
		}
		Join struct{ Distribution []any }
	}
	if err := json.Unmarshal(out.Bytes(), &in); err != nil {
		t.Fatal(err)
	}
	last := in.Act.Distribution[len(in.Act.Distribution)-1]
	if in.Act.Count != 102 || in.Act.P50 < 49 || in.Act.P50 > 51 || last.P != 100 || last.Count != 102 || last.UpTo < 590_000 || in.Join.Distribution == nil {
		t.Errorf("the report says %s", out.String())
	}
}

func FuzzParseThreshold(f *testing.F) {
	for _, text := range []string{"act.p99>50ms", "errors>0.1%", "acts<190/s", "join.max>=1m", "dropped>3", "act.p99.9>1e3ms", "µs>µs"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		threshold, err := ParseThreshold(text)
		if err != nil {
			return
		}
		if v := threshold.judge(measured()); v.Threshold != strings.TrimSpace(text) || v.Value == "" {
			t.Errorf("%q came to %+v", text, v)
		}
		if _, err := json.Marshal(threshold.judge(&Report{Act: newLatency(), Join: newLatency()})); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}
