package loadtest

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/roomring/roomring/room/clock"
)

// progress prints a line a second until ctx ends.
func (r *run) progress(ctx context.Context) {
	if r.o.Progress == nil {
		return
	}
	begin, end := "", "\n"
	if r.o.Live {
		begin, end = "\r\x1b[K", ""
		defer io.WriteString(r.o.Progress, "\n")
	}
	for before := 0; clock.Sleep(ctx, nil, time.Second); {
		s := r.stats
		s.mu.Lock()
		what := "measuring"
		if r.since() < r.schedule.ramp {
			what = "players come"
		}
		line := fmt.Sprintf("%4.0fs %s: %d of %d players, %d rooms, %d acts/s, p99 %v, %d errors, %d dropped", r.since().Seconds(), what,
			s.players, r.o.Players, s.rooms.Made-s.rooms.Finished-s.rooms.Aborted-s.rooms.Closed, s.answers-before, round(s.second.at(99)), sum(s.errs), s.acts.Dropped)
		before = s.answers
		s.second.h.Reset()
		s.mu.Unlock()
		if _, err := io.WriteString(r.o.Progress, begin+line+end); err != nil {
			return // nobody reads it
		}
	}
}

// report gathers what was measured. Took is the time since the run began.
func (r *run) report(took time.Duration, use *gauge, own time.Duration) *Report {
	s := r.stats
	s.mu.Lock()
	defer s.mu.Unlock()
	measured := min(r.o.For, took-r.schedule.ramp)
	o := &r.o
	out := &Report{
		Game: o.Rules.Spec().Name, URLs: o.URLs, Seed: o.Seed, Players: o.Players, Spectators: o.Spectators, Rate: o.Rate, JoinRate: o.JoinRate,
		Ramp: Duration(r.schedule.ramp), Took: Duration(measured), Acts: s.acts, Joins: s.joins, Act: s.act, Join: s.join, Late: s.late,
		Deliveries: s.got, Bytes: Bytes{r.wires.in.Load(), r.wires.out.Load()}, Rooms: s.rooms, Closes: s.closes, Errors: s.errs,
		Servers: use.use(measured), Generator: ProcessUse{CPU: own.Seconds(), Cores: own.Seconds() / measured.Seconds()}, Verdicts: []Verdict{},
	}
	out.Acts.PerSecond = float64(s.acts.Answered) / measured.Seconds()
	out.Joins.PerSecond = float64(s.joins.Done) / took.Seconds()
	out.Deliveries.PerSecond = float64(s.got.Turns+s.got.States) / took.Seconds()
	out.OK = s.acts.Answered > 0
	for _, t := range o.Thresholds {
		v := t.judge(out)
		out.Verdicts = append(out.Verdicts, v)
		out.OK = out.OK && !v.Failed
	}
	out.Advice = append(s.advice(), out.doubts()...)
	return out
}

// advice says which settings of the server refused what, for people. The caller holds the lock.
func (s *stats) advice() []string {
	out := []string{}
	if len(s.limits) > 0 {
		flags := slices.Sorted(maps.Keys(s.limits))
		out = append(out, "the server's limits refused some of this, for all players come from one address: start it with "+strings.Join(flags, " ")+", where you may")
	}
	return out
}

// What is worth a word of doubt, as shares and times.
const (
	muchWaited  = 0.1
	muchDropped = 0.01
	muchLate    = 10 * time.Millisecond
)

// doubts say why figures may not be what they seem.
func (r *Report) doubts() (out []string) {
	acts := float64(max(1, r.Acts.Due))
	if r.Acts.Answered == 0 {
		out = append(out, "no act was answered: nothing was measured")
	}
	if share := float64(r.Acts.Dropped) / acts; share > muchDropped {
		out = append(out, fmt.Sprintf("%.0f%% of the acts were dropped, for no room could take them: offer fewer, or have more players", 100*share))
	}
	if share := float64(r.Acts.Waited) / acts; share > muchWaited {
		out = append(out, fmt.Sprintf("%.0f%% of the acts waited until a room could take them: the server answers slowly, or there are too few rooms for this rate", 100*share))
	}
	if r.Late.Count() > 0 && r.Late.at(99) > muchLate {
		out = append(out, fmt.Sprintf("this program itself was late with acts (p99 %v), which is in the latencies: give it a machine of its own, or offer less", round(r.Late.at(99))))
	}
	return out
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%s%s %s\n", name, strings.Repeat(".", max(1, 12-len(name))), fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(&b, "\n%s: %d players and %d spectators, %s acts/s offered for %v, seed %d\n\n", r.Game, r.Players, r.Spectators, number(r.Rate), round(time.Duration(r.Took)), r.Seed)
	line("joins", "%d of %d, %s/s   %s", r.Joins.Done, r.Joins.Tried, number(r.Joins.PerSecond), r.Join)
	line("acts", "%d of %d due, %s/s   %s", r.Acts.Answered, r.Acts.Due, number(r.Acts.PerSecond), r.Act)
	line("refused", "%d%s", sum(r.Acts.Refused), counts(r.Acts.Refused))
	line("dropped", "%d; %d waited for a room, %d were moot when their game ended", r.Acts.Dropped, r.Acts.Waited, r.Acts.Moot)
	line("deliveries", "%d turns, %d whole views, %d events (%d lost), %s/s", r.Deliveries.Turns, r.Deliveries.States, r.Deliveries.Events, r.Deliveries.Lost, number(r.Deliveries.PerSecond))
	line("bytes", "%s in, %s out", size(r.Bytes.In), size(r.Bytes.Out))
	line("rooms", "%d, of which %d finished, %d aborted, %d closed", r.Rooms.Made, r.Rooms.Finished, r.Rooms.Aborted, r.Rooms.Closed)
	line("closes", "%d%s", sum(r.Closes), counts(r.Closes))
	line("errors", "%d%s", sum(r.Errors), counts(r.Errors))
	for _, s := range r.Servers {
		line("server", "%s cores, %s   %s", number(s.Cores), size(s.Memory), s.Admin)
	}
	line("generator", "%s cores, late p99 %v", number(r.Generator.Cores), round(r.Late.at(99)))
	b.WriteString("\n")
	for _, v := range r.Verdicts {
		word := "ok"
		if v.Failed {
			word = "FAILED"
		}
		fmt.Fprintf(&b, "%-6s fail if %s: it is %s\n", word, v.Threshold, v.Value)
	}
	for _, a := range r.Advice {
		fmt.Fprintf(&b, "mind: %s\n", a)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// String tells the percentiles that people compare.
func (l Latency) String() string {
	if l.Count() == 0 {
		return "none"
	}
	return fmt.Sprintf("p50 %v  p95 %v  p99 %v  max %v", round(l.at(50)), round(l.at(95)), round(l.at(99)), round(l.at(100)))
}

// counts lists what was counted, most first.
func counts(n map[string]int) string {
	if len(n) == 0 {
		return ""
	}
	names := slices.SortedFunc(maps.Keys(n), func(a, b string) int {
		if n[a] != n[b] {
			return n[b] - n[a]
		}
		return strings.Compare(a, b)
	})
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%d %s", n[name], name))
	}
	return ": " + strings.Join(parts, ", ")
}

// round leaves as many digits as people compare.
func round(d time.Duration) time.Duration {
	if d >= time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}

// number is a number with as many digits as people compare.
func number(f float64) string {
	if f >= 100 {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprint(math.Round(f*100) / 100)
}

// size is a number of bytes for people.
func size(n int64) string {
	switch f := float64(n); {
	case f >= 1<<30:
		return fmt.Sprintf("%.1f GiB", f/(1<<30))
	case f >= 1<<20:
		return fmt.Sprintf("%.1f MiB", f/(1<<20))
	}
	return fmt.Sprintf("%.1f KiB", float64(n)/1024)
}
