package loadtest

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Threshold is a condition under which a run has failed, such as act.p99>50ms.
type Threshold struct {
	text   string
	metric string // act, join, acts, joins, errors, refused or dropped
	stat   string // of act and join: min, mean, max or a percentile such as p99.9
	op     string
	bound  float64 // milliseconds, a second, or a number
	share  bool    // bound is a percentage
}

// Metrics say what a threshold may be about, for help texts.
const Metrics = "act.STAT and join.STAT (a time; STAT is min, mean, max, or p50, p99.9 …), acts and joins (N/s), errors, refused and dropped (N or N%)"

var thresholdForm = regexp.MustCompile(`^\s*([a-z]+)(?:\.([a-z]+[0-9.]*))?\s*(<=|>=|<|>)\s*([0-9]+(?:\.[0-9]+)?)\s*(%|/s|ns|us|µs|ms|s|m)?\s*$`)

// ParseThreshold reads a condition of the form METRIC>VALUE; the operators are > >= < <=.
func ParseThreshold(text string) (Threshold, error) {
	fail := func(why string) (Threshold, error) {
		return Threshold{}, fmt.Errorf("threshold %q: %s", text, why)
	}
	m := thresholdForm.FindStringSubmatch(text)
	if m == nil {
		return fail("write METRIC>VALUE, such as act.p99>50ms or errors>0.1%; metrics are " + Metrics)
	}
	t := Threshold{text: strings.TrimSpace(text), metric: m[1], stat: m[2], op: m[3]}
	bound, err := strconv.ParseFloat(m[4], 64)
	if err != nil {
		return fail("that number is out of range")
	}
	t.bound = bound
	unit := m[5]
	switch t.metric {
	case "act", "join":
		if !knownStat(t.stat) {
			return fail("after " + t.metric + ". comes min, mean, max, or a percentile from p0 to p100, such as p99")
		}
		d, err := time.ParseDuration(m[4] + unit)
		if err != nil || unit == "" {
			return fail("a time has a unit, such as 50ms or 1.5s")
		}
		t.bound = ms(d)
	case "acts", "joins":
		if t.stat != "" || unit != "/s" {
			return fail(t.metric + " is a rate: write " + t.metric + "<200/s")
		}
	case "errors", "refused", "dropped":
		if t.stat != "" || unit != "" && unit != "%" {
			return fail(t.metric + " is a number or a share: write " + t.metric + ">10 or " + t.metric + ">0.1%")
		}
		t.share = unit == "%"
	default:
		return fail("there is no metric " + t.metric + "; metrics are " + Metrics)
	}
	return t, nil
}

func knownStat(stat string) bool {
	if stat == "min" || stat == "mean" || stat == "max" {
		return true
	}
	_, ok := percentile(stat)
	return ok
}

// percentile reads p99.9 and the like.
func percentile(stat string) (float64, bool) {
	number, ok := strings.CutPrefix(stat, "p")
	if !ok {
		return 0, false
	}
	p, err := strconv.ParseFloat(number, 64)
	return p, err == nil && p >= 0 && p <= 100
}

// Verdict is what a threshold came to.
type Verdict struct {
	Threshold string  `json:"threshold"`
	Value     string  `json:"value"` // for people; "nothing was measured" if so
	Number    float64 `json:"number"`
	Failed    bool    `json:"failed"`
}

// judge compares the report with the threshold. What was not measured has failed.
func (t Threshold) judge(r *Report) Verdict {
	value, unit := t.value(r)
	if math.IsNaN(value) {
		return Verdict{Threshold: t.text, Value: "nothing was measured", Failed: true}
	}
	v := Verdict{Threshold: t.text, Value: strconv.FormatFloat(value, 'f', -1, 64) + unit, Number: value}
	if unit != "" {
		v.Value = strconv.FormatFloat(math.Round(value*1000)/1000, 'f', -1, 64) + unit
	}
	switch t.op {
	case ">":
		v.Failed = value > t.bound
	case ">=":
		v.Failed = value >= t.bound
	case "<":
		v.Failed = value < t.bound
	case "<=":
		v.Failed = value <= t.bound
	}
	return v
}

// value is what was measured, in the unit of the bound.
func (t Threshold) value(r *Report) (value float64, unit string) {
	count := func(n, of int) (float64, string) {
		if !t.share {
			return float64(n), ""
		}
		if of == 0 {
			return math.NaN(), ""
		}
		return 100 * float64(n) / float64(of), "%"
	}
	switch t.metric {
	case "act":
		return r.Act.stat(t.stat), "ms"
	case "join":
		return r.Join.stat(t.stat), "ms"
	case "acts":
		return r.Acts.PerSecond, "/s"
	case "joins":
		return r.Joins.PerSecond, "/s"
	case "refused":
		return count(sum(r.Acts.Refused), r.Acts.Answered)
	case "dropped":
		return count(r.Acts.Dropped, r.Acts.Due)
	}
	return count(sum(r.Errors), r.Acts.Sent+r.Joins.Tried)
}
