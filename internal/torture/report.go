package torture

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Report is what a run came to.
type Report struct {
	Seed       uint64
	Command    string        // runs it again
	Dir        string        // with the nodes' logs; empty: it is gone
	Took       time.Duration // until the faults were undone
	Counts     Counts
	Faults     []Struck
	Skipped    []string    // faults that could not be done here, and why
	Lacking    []string    // games that cannot be played, for they have no Legal
	Violations []Violation // none: every check held

	Answers   Times // from an act to its answer
	Outages   Times // a client's waits in which its session broke or went on elsewhere
	Failovers Times // from SIGKILL of a room's owner to the next word of the room, for each of its clients
	Handovers Times // the longest wait of each client while its room's owner was told to stop
	Cuts      Times // the longest time without a turn of each client of a room that ticks, for each cut that it felt

	blows []blow
}

// Counts are how much was done.
type Counts struct {
	Faults   int `json:"faults"`
	Rooms    int `json:"rooms"`    // made
	Finished int `json:"finished"` // ended by their games
	Results  int `json:"results"`  // stored, finished or not
	Inputs   int `json:"inputs"`   // in the logs
	Clients  int `json:"clients"`
	Acts     int `json:"acts"`
	Acks     int `json:"acks"`
	Rejects  int `json:"rejects"`
	Resent   int `json:"resent"` // acts that were sent once more
	Turns    int `json:"turns"`
	States   int `json:"states"` // whole views
	Welcomes int `json:"welcomes"`
	Resumes  int `json:"resumes"` // welcomes after which nothing was missing
}

// OK reports whether every check held.
func (r *Report) OK() bool { return len(r.Violations) == 0 }

// finish sorts what is printed.
func (r *Report) finish() {
	slices.SortStableFunc(r.Faults, func(a, b Struck) int { return int(a.At - b.At) })
	for _, t := range []Times{r.Answers, r.Outages, r.Failovers, r.Handovers, r.Cuts} {
		slices.Sort(t)
	}
}

// Times are durations, of which people want to know the middle and the worst.
type Times []time.Duration

// quantile returns a value that a share of all does not exceed; 0 if there are none. The times must be sorted.
func (t Times) quantile(share float64) time.Duration {
	if len(t) == 0 {
		return 0
	}
	return t[min(len(t)-1, int(share*float64(len(t))))]
}

// summary is Times for programs, in milliseconds.
type summary struct {
	Count   int      `json:"count"`
	Median  float64  `json:"median_ms"`
	P99     float64  `json:"p99_ms"`
	Worst   float64  `json:"worst_ms"`
	Buckets []bucket `json:"buckets"`
}

// bucket counts the times up to a bound and above the one before.
type bucket struct {
	Up    float64 `json:"up_to_ms"`
	Count int     `json:"count"`
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// buckets counts the times by bounds that double, from 1 ms on.
func (t Times) buckets() []bucket {
	out := []bucket{}
	bound := time.Millisecond
	for i := 0; i < len(t); bound *= 2 {
		n := 0
		for ; i < len(t) && t[i] <= bound; i++ {
			n++
		}
		if n > 0 || len(out) > 0 {
			out = append(out, bucket{ms(bound), n})
		}
	}
	return out
}

// MarshalJSON writes a summary.
func (t Times) MarshalJSON() ([]byte, error) {
	return json.Marshal(summary{len(t), ms(t.quantile(0.5)), ms(t.quantile(0.99)), ms(t.quantile(1)), t.buckets()})
}

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		OK         bool        `json:"ok"`
		Seed       uint64      `json:"seed"`
		Command    string      `json:"command"`
		Dir        string      `json:"dir,omitempty"`
		Took       float64     `json:"took_ms"`
		Counts     Counts      `json:"counts"`
		Faults     []Struck    `json:"faults"`
		Skipped    []string    `json:"skipped"`
		Lacking    []string    `json:"games_without_legal"`
		Violations []Violation `json:"violations"`
		Answers    Times       `json:"answers"`
		Outages    Times       `json:"outages"`
		Failovers  Times       `json:"failovers"`
		Handovers  Times       `json:"handovers"`
		Cuts       Times       `json:"cuts"`
	}{r.OK(), r.Seed, r.Command, r.Dir, ms(r.Took), r.Counts, list(r.Faults), list(r.Skipped), list(r.Lacking), list(r.Violations), r.Answers, r.Outages, r.Failovers, r.Handovers, r.Cuts})
}

// list is never null in JSON.
func list[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

// MarshalJSON writes times in milliseconds.
func (s Struck) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Line string  `json:"line"`
		At   float64 `json:"at_ms"`
		Took float64 `json:"took_ms"`
		Err  string  `json:"error,omitempty"`
	}{s.Line, ms(s.At), ms(s.Took), s.Err})
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	c := r.Counts
	fmt.Fprintf(&b, "\nfaults    %d in %v%s\n", c.Faults, r.Took.Round(time.Second), r.faultsByKind())
	fmt.Fprintf(&b, "rooms     %d made, %d finished, %d results stored, %d inputs in their logs\n", c.Rooms, c.Finished, c.Results, c.Inputs)
	fmt.Fprintf(&b, "clients   %d, %d acts (%d acknowledged, %d refused, %d sent again), %d turns, %d whole views, %d welcomes (%d resumed)\n",
		c.Clients, c.Acts, c.Acks, c.Rejects, c.Resent, c.Turns, c.States, c.Welcomes, c.Resumes)
	for _, row := range []struct {
		name string
		t    Times
	}{{"answers", r.Answers}, {"outages", r.Outages}, {"failover", r.Failovers}, {"handover", r.Handovers}, {"cut", r.Cuts}} {
		fmt.Fprintf(&b, "%-9s median %v, 99%% %v, worst %v, of %d\n", row.name, round(row.t.quantile(0.5)), round(row.t.quantile(0.99)), round(row.t.quantile(1)), len(row.t))
	}
	for _, s := range r.Skipped {
		fmt.Fprintf(&b, "skipped   %s\n", s)
	}
	if len(r.Lacking) > 0 {
		fmt.Fprintf(&b, "not played: %s, whose games do not say what is legal (room.Advisor)\n", strings.Join(r.Lacking, ", "))
	}
	for _, s := range r.Faults {
		if s.Err != "" {
			fmt.Fprintf(&b, "trouble   %s: %s\n", s.Line, s.Err)
		}
	}
	for _, v := range r.Violations {
		fmt.Fprintf(&b, "VIOLATION %s\n", v)
	}
	if r.Dir != "" {
		fmt.Fprintf(&b, "logs      %s\n", r.Dir)
	}
	fmt.Fprintf(&b, "again     %s\n", r.Command)
	if r.OK() {
		b.WriteString("every check held\n")
	} else {
		fmt.Fprintf(&b, "%d VIOLATIONS\n", len(r.Violations))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// round leaves as many digits as people compare.
func round(d time.Duration) time.Duration {
	if d >= time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(100 * time.Microsecond)
}

// faultsByKind counts the faults, for people.
func (r *Report) faultsByKind() string {
	n := map[string]int{}
	for _, s := range r.Faults {
		n[strings.Fields(s.Line)[2]]++
	}
	var parts []string
	for _, kind := range sortedKeys(n) {
		parts = append(parts, fmt.Sprintf("%d %s", n[kind], kind))
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}
