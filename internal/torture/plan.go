package torture

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Plan says what breaks when. The page docs/RELIABILITY.md describes its text.
type Plan struct{ Faults []Fault }

// Fault is one line of a plan.
type Fault struct {
	At   time.Duration // since the games began
	Kind string        // one of kinds
	How  string        // of the store: stop, crash, kill or freeze
	A, B string        // names of nodes; B only of a cut; "store" may stand in a cut; "all" where a kind takes it
	One  bool          // of a cut: only what goes from A to B
	Part int           // percent, of lose and drop
	For  time.Duration // until it is undone
}

// kind is what a kind of fault takes and needs.
type kind struct {
	node   bool          // it names a node
	all    bool          // or all
	part   int           // its percentage, where none is said; 0: it has none
	preset time.Duration // how long, where that is not said; 0: it has no length
	needs  need
	weight int // how often it is drawn
}

// need is what a run must have for a kind of fault.
type need uint8

const (
	needsNothing    need = iota
	needsNodes           // a cluster of its own
	needsStore           // a PostgreSQL of its own
	needsNamespaces      // networks of the nodes' own
	needsDisks           // root, on Linux
	needsStandbys        // a cluster of its own, with a second node for every room
)

var kinds = map[string]kind{
	"kill":   {node: true, preset: 2 * time.Second, needs: needsNodes, weight: 6},
	"freeze": {node: true, preset: 3 * time.Second, needs: needsNodes, weight: 5},
	"drain":  {node: true, preset: time.Second, needs: needsNodes, weight: 4},
	"roll":   {needs: needsNodes, weight: 1},
	"join":   {needs: needsNodes, weight: 1},
	"starve": {preset: 5 * time.Second, needs: needsNodes, weight: 1},
	"drop":   {part: 50, weight: 3},
	"store":  {preset: 3 * time.Second, needs: needsStore, weight: 5},
	"cut":    {node: true, preset: 3 * time.Second, needs: needsNamespaces, weight: 8},
	"lose":   {node: true, all: true, part: 10, preset: 5 * time.Second, needs: needsNamespaces, weight: 2},
	"fill":   {node: true, preset: 3 * time.Second, needs: needsDisks, weight: 2},
	"wipe":   {node: true, preset: 2 * time.Second, needs: needsStandbys, weight: 4},
}

// Kinds are the names of all kinds of faults.
func Kinds() []string { return sortedKeys(kinds) }

var storeFaults = []string{"stop", "crash", "kill", "freeze"}

// String is the fault as a line of a plan.
func (f Fault) String() string {
	words := []string{"at", f.At.String(), f.Kind}
	for _, w := range []string{f.How, f.A} {
		if w != "" {
			words = append(words, w)
		}
	}
	if f.B != "" {
		if f.One {
			words = append(words, ">")
		}
		words = append(words, f.B)
	}
	if f.Part > 0 {
		words = append(words, fmt.Sprintf("%d%%", f.Part))
	}
	if f.For > 0 {
		words = append(words, "for", f.For.String())
	}
	return strings.Join(words, " ")
}

// String is the plan as its text.
func (p *Plan) String() string {
	var b strings.Builder
	for _, f := range p.Faults {
		b.WriteString(f.String() + "\n")
	}
	return b.String()
}

// ParsePlan reads a plan. The error names the line.
func ParsePlan(r io.Reader) (*Plan, error) {
	p := new(Plan)
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		f, err := parseFault(words)
		if err != nil {
			return nil, fmt.Errorf("line %d: %q: %w", n, strings.TrimSpace(text), err)
		}
		p.Faults = append(p.Faults, f)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(p.Faults, func(a, b Fault) int { return int(a.At - b.At) })
	return p, nil
}

func parseFault(words []string) (f Fault, err error) {
	if len(words) < 3 || words[0] != "at" {
		return f, fmt.Errorf("a line reads: at TIME FAULT …, such as: at 10s kill n2 for 3s")
	}
	if f.At, err = time.ParseDuration(words[1]); err != nil || f.At < 0 {
		return f, fmt.Errorf("%q is no time: write 90s or 1m30s", words[1])
	}
	f.Kind = words[2]
	k, known := kinds[f.Kind]
	if !known {
		return f, fmt.Errorf("%q is no fault: choose one of %s", f.Kind, strings.Join(Kinds(), ", "))
	}
	rest := words[3:]
	if i := slices.Index(rest, "for"); i >= 0 {
		if i+2 != len(rest) || k.preset == 0 {
			return f, fmt.Errorf("for TIME comes last, and not with %s", f.Kind)
		}
		if f.For, err = time.ParseDuration(rest[i+1]); err != nil || f.For <= 0 {
			return f, fmt.Errorf("%q is no time: write 90s or 1m30s", rest[i+1])
		}
		rest = rest[:i]
	} else {
		f.For = k.preset
	}
	return f, f.parseArguments(k, rest)
}

// parseArguments reads what stands between a fault's kind and its time.
func (f *Fault) parseArguments(k kind, rest []string) error {
	if k.part > 0 {
		f.Part = k.part
		if n := len(rest); n > 0 && strings.HasSuffix(rest[n-1], "%") {
			part, err := strconv.Atoi(strings.TrimSuffix(rest[n-1], "%"))
			if err != nil || part < 1 || part > 100 {
				return fmt.Errorf("%q is no share: write 1%% to 100%%", rest[n-1])
			}
			f.Part, rest = part, rest[:n-1]
		}
	}
	switch {
	case f.Kind == "store":
		if len(rest) != 1 || !slices.Contains(storeFaults, rest[0]) {
			return fmt.Errorf("say how the store breaks: %s", strings.Join(storeFaults, ", "))
		}
		f.How = rest[0]
		return nil
	case f.Kind == "cut" && len(rest) == 3 && rest[1] == ">":
		f.A, f.B, f.One = rest[0], rest[2], true
		return nil
	case f.Kind == "cut" && len(rest) == 2:
		f.A, f.B = rest[0], rest[1]
		return nil
	case k.node && len(rest) == 1:
		f.A = rest[0]
		return nil
	case k.node:
		return fmt.Errorf("name one node, such as n2")
	case len(rest) > 0:
		return fmt.Errorf("%s takes no %q", f.Kind, strings.Join(rest, " "))
	}
	return nil
}

// have says what a run has, for its plan.
type have struct {
	nodes, store, namespaces, disks, standbys bool
	why                                       map[need]string // why not
}

func (h have) lacks(n need) (why string) {
	if has := map[need]bool{needsNothing: true, needsNodes: h.nodes, needsStore: h.store, needsNamespaces: h.namespaces, needsDisks: h.disks, needsStandbys: h.standbys}; has[n] {
		return ""
	}
	return h.why[n]
}

// choosePlan returns the plan that can be carried out, and what of it cannot, with the reasons.
func (r *run) choosePlan() (*Plan, []string, error) {
	p := r.o.Plan
	h := r.has()
	if p == nil {
		var skipped []string
		names := r.o.Faults
		if len(names) == 0 {
			names = Kinds()
		}
		if r.o.Quiet {
			names = nil
		}
		for _, name := range names {
			k, known := kinds[name]
			if !known {
				return nil, nil, fmt.Errorf("%q is no fault: choose of %s", name, strings.Join(Kinds(), ", "))
			}
			if why := h.lacks(k.needs); why != "" {
				skipped = append(skipped, name+": "+why)
			}
		}
		names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return h.lacks(kinds[name].needs) != "" })
		return draw(r.rand(1), r.o, names), skipped, nil
	}
	able, skipped := new(Plan), []string(nil)
	for _, f := range p.Faults {
		if why := h.lacks(kinds[f.Kind].needs); why != "" {
			skipped = append(skipped, f.String()+": "+why)
			continue
		}
		if err := r.checkNames(f); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", f, err)
		}
		able.Faults = append(able.Faults, f)
	}
	return able, skipped, nil
}

// checkNames checks that a fault's nodes are some that the run has, or may have by then.
func (r *run) checkNames(f Fault) error {
	for _, name := range []string{f.A, f.B} {
		number, err := strconv.Atoi(strings.TrimPrefix(name, "n"))
		switch {
		case name == "", name == "all" && kinds[f.Kind].all, name == "store" && f.Kind == "cut" && r.o.Store == "postgres":
		case err != nil || !strings.HasPrefix(name, "n") || number < 1 || number > r.o.Nodes+r.joining():
			return fmt.Errorf("there is no node %q: the nodes are n1 to n%d, and those that join before", name, r.o.Nodes)
		}
	}
	return nil
}

// joining is how many nodes the plan adds.
func (r *run) joining() (n int) {
	if r.o.Plan != nil {
		for _, f := range r.o.Plan.Faults {
			if f.Kind == "join" {
				n++
			}
		}
	}
	return n
}

// maxJoined bounds the nodes that drawn plans add.
const maxJoined = 2

// draw makes a plan of these kinds of faults. The same source draws the same plan.
func draw(rng *rand.Rand, o *Options, names []string) *Plan {
	p := new(Plan)
	names = slices.Sorted(slices.Values(names))
	total := 0
	for _, name := range names {
		total += kinds[name].weight
	}
	if total == 0 {
		return p
	}
	joined, free := 0, map[string]time.Duration{} // when a target is whole again
	for at, tries := o.Every/2, 0; at < o.For; tries++ {
		if tries == maxTries {
			at, tries = at+o.Every, 0
			continue
		}
		n := rng.IntN(total)
		name := names[slices.IndexFunc(names, func(name string) bool { n -= kinds[name].weight; return n < 0 })]
		f := Fault{At: at.Round(time.Millisecond), Kind: name}
		f.fill(rng, o)
		targets := f.targets(o)
		if f.Kind == "join" && joined == maxJoined || slices.ContainsFunc(targets, func(t string) bool { return free[t] > at }) {
			continue // something else, at the same time
		}
		if f.Kind == "join" {
			joined++
		}
		for _, t := range targets {
			free[t] = at + 2*f.For + breath
		}
		p.Faults = append(p.Faults, f)
		tries = 0
		if rng.IntN(5) > 0 { // else two at once
			at += time.Duration((0.25 + 1.5*rng.Float64()) * float64(o.Every))
		}
	}
	return p
}

// breath is how long, beside the length of a fault, a target of drawn faults is left alone after it: what never recovers proves nothing.
const breath = 2 * time.Second

// maxTries bounds how often something else is drawn because all that was drawn has not recovered; then time goes on.
const maxTries = 20

// targets are what the fault takes away.
func (f *Fault) targets(o *Options) (all []string) {
	switch f.Kind {
	case "store", "drop", "starve", "join":
		return []string{f.Kind}
	case "roll":
		for i := range o.Nodes {
			all = append(all, fmt.Sprintf("n%d", i+1))
		}
	case "kill", "freeze", "drain", "wipe", "fill":
		return []string{f.A}
	case "cut", "lose":
		return []string{"cable " + f.A}
	}
	return all
}

// fill draws a fault's details.
func (f *Fault) fill(rng *rand.Rand, o *Options) {
	k := kinds[f.Kind]
	node := func() string { return fmt.Sprintf("n%d", 1+rng.IntN(o.Nodes)) }
	f.Part = k.part
	if k.preset > 0 {
		// From half a second to thirty, the short ones more often; all of them end well before the run does.
		longest := min(30*time.Second, max(time.Second, o.For/4))
		f.For = time.Duration(float64(500*time.Millisecond) * math.Pow(float64(longest)/float64(500*time.Millisecond), rng.Float64())).Round(time.Millisecond)
	}
	if k.node {
		f.A = node()
	}
	switch f.Kind {
	case "store":
		f.How = storeFaults[rng.IntN(len(storeFaults))]
	case "cut":
		switch rng.IntN(4) {
		case 0: // from all others
		case 1:
			f.One = true
			fallthrough
		case 2:
			for f.B = node(); f.B == f.A && o.Nodes > 1; f.B = node() {
			}
		case 3:
			if o.Store == "postgres" {
				f.B = "store"
			}
		}
		if f.B == f.A {
			f.B, f.One = "", false
		}
	}
}
