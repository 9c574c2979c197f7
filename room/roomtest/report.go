package roomtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// Report counts what a proof rests on.
type Report struct {
	Games    int // random games
	Finished int // games that ended by Turn.Finish
	Inputs   int // inputs that entered the logs
	Accepted int // actions that the game accepted
	Refused  int // actions that the game refused
	Legal    int // accepted actions that Legal had named
	Restored int // snapshots from which a restored game went on
	Bad      int // wrong actions that were tried
	Altered  int // hidden facts that were altered
	Told     int // turns with events that were stepped again, to see whether they tell hidden facts

	Kinds    map[string]int    // inputs, by kind: act, timer, leave …
	Ends     map[string]int    // random games, by how they ended: finished and aborted by themselves, closed by the kit
	Codes    map[string]int    // refused actions, by code
	Events   map[string]int    // events that a viewer was sent, by name
	Players  map[int]int       // random games, by the number of players that took part
	Options  map[string]int    // random games, by their room's options
	Forms    map[string]Answer // actions that were proposed, by their form: {"do":"play","card"}
	Warnings []string          // what was hardly reached, so that little is proved of it
}

// Answer counts what became of actions of one form.
type Answer struct {
	Accepted, Refused int
	Code              string // of the last refusal
}

func newReport() Report {
	return Report{
		Kinds: map[string]int{}, Ends: map[string]int{}, Codes: map[string]int{}, Events: map[string]int{}, Players: map[int]int{},
		Options: map[string]int{}, Forms: map[string]Answer{},
	}
}

// String tells the report in a few lines.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d games (%d finished) of %d inputs: %d actions accepted (%d of them named by Legal), %d refused; %d snapshots restored, %d bad actions tried, %d hidden facts altered, %d turns listened to",
		r.Games, r.Finished, r.Inputs, r.Accepted, r.Legal, r.Refused, r.Restored, r.Bad, r.Altered, r.Told)
	for _, row := range []struct{ name, counts string }{
		{"ends", counted(r.Ends)}, {"inputs", counted(r.Kinds)}, {"refusals", counted(r.Codes)}, {"events", counted(r.Events)},
		{"players", counted(r.Players)}, {"options", counted(r.Options)},
	} {
		if row.counts != "" {
			fmt.Fprintf(&b, "\n  %s: %s", row.name, row.counts)
		}
	}
	return b.String()
}

// mostCounted bounds what one line of the report lists.
const mostCounted = 12

// counted lists what was counted, most first.
func counted[K interface{ ~string | ~int }](n map[K]int) string {
	keys := slices.SortedFunc(maps.Keys(n), func(a, b K) int {
		if n[a] != n[b] {
			return n[b] - n[a]
		}
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	var parts []string
	for i, k := range keys {
		if i == mostCounted {
			parts = append(parts, fmt.Sprintf("and %d more", len(keys)-i))
			break
		}
		parts = append(parts, fmt.Sprintf("%s %d×", brief(fmt.Sprint(k)), n[k]))
	}
	return strings.Join(parts, ", ")
}

// count adds what an input came to. The input is that of the newest moment.
func (g *game) count(in core.Input) {
	r, m := &g.p.report, g.last()
	r.Kinds[in.Kind.Name()]++
	for _, s := range m.sent {
		var turn struct{ Events []struct{ Name string } }
		if strings.HasPrefix(s.to, "turn of") && json.Unmarshal([]byte(s.json), &turn) == nil {
			for _, e := range turn.Events {
				r.Events[e.Name]++
			}
		}
	}
	if in.Kind != core.KindAct {
		return
	}
	code, _, refused := rejection(m.sent)
	if refused {
		r.Codes[code]++
	}
	form := formOf(in.Data)
	a, known := r.Forms[form]
	if !known && len(r.Forms) >= mostForms {
		return
	}
	if refused {
		a.Refused, a.Code = a.Refused+1, code
	} else {
		a.Accepted++
	}
	r.Forms[form] = a
}

// mostForms bounds the forms of actions that are told apart.
const mostForms = 64

// word is a text that says what to do, unlike one that is data.
var word = regexp.MustCompile(`^[a-z][a-z_-]{0,15}$`)

// formOf is an action without its data: the names of its fields, and the words in them.
func formOf(action json.RawMessage) string {
	var fields map[string]any
	if json.Unmarshal(action, &fields) != nil || fields == nil {
		var v any
		_ = json.Unmarshal(action, &v) // nothing is a form as well
		return fmt.Sprintf("%T", v)
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		part := fmt.Sprintf("%q", name)
		if text, ok := fields[name].(string); ok && word.MatchString(text) {
			part += fmt.Sprintf(":%q", text)
		}
		parts = append(parts, part)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// tally counts a random game that is played.
func (g *game) tally() {
	r := &g.p.report
	r.Games++
	r.Inputs += int(g.core.Point().Seq)
	r.Players[len(g.seated)]++
	r.Options[orNone(g.cfg.Header.Options)]++
	if f := g.core.Final(); f != nil {
		r.Ends[string(f.End)]++
		if f.End == record.Finished {
			r.Finished++
		}
	}
}

// warn finds what the random games hardly reached.
func (p *prover) warn() {
	r := &p.report
	add := func(format string, args ...any) { r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...)) }
	if r.Finished == 0 {
		add("no game finished, so nothing is proved of results: raise Options.Inputs (%d), or propose actions that lead to the end", p.o.Inputs)
	}
	var never []string
	for _, form := range slices.Sorted(maps.Keys(r.Forms)) {
		if a := r.Forms[form]; a.Accepted == 0 {
			never = append(never, fmt.Sprintf("%s (%d times, the last as %s)", form, a.Refused, a.Code))
		}
	}
	if len(never) > 0 {
		add("no action of these forms was ever accepted: %s", strings.Join(never, ", "))
	}
	if all := r.Accepted + r.Refused; r.Refused > all/2 {
		add("%d of %d actions were refused: propose more legal ones", r.Refused, all)
	}
	instance := p.rules.Instance().Game()
	if _, ok := instance.(room.TimerHandler); ok && r.Kinds["timer"] == 0 {
		add("Timer was never called: no timer came due")
	}
	if _, ok := instance.(room.Signaler); ok && p.o.Signals == nil {
		add("Signal was never called: draw signals with Options.Signals")
	}
	if p.o.Hidden == nil && !p.spec.SharedView {
		add("nothing is proved of what is hidden: name it with Options.Hidden, or set Spec.SharedView if everybody sees the same")
	}
}
