package roomtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"

	"github.com/roomring/roomring/internal/play"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// Bounds of the proof that turns tell nothing of what is hidden.
const (
	tellingTurns = 2 // turns of a game with the same kinds of inputs and events
	otherActions = 2 // actions that are tried in place of one
	mostLeaves   = 8 // values of an action that are altered
	otherSeeds   = 8 // seeds under which a told and a hidden value must always be equal
)

// turnsTellNothing proves that the messages of a turn, events above all, tell viewers nothing that is hidden from them before
// and after it. It steps a turn again with a hidden fact altered before it, with parts of the action altered, and with other
// seeds. If two outcomes differ only in what is hidden from a viewer, and the viewer sees the same, the viewer must also hear
// the same.
func (g *game) turnsTellNothing() error {
	if g.p.o.Hidden == nil {
		return nil
	}
	t := &turnProver{g: g, r: rand.New(rand.NewPCG(g.p.o.Seed, uint64(g.n)+1<<32)), looked: map[string]int{}}
	for i := 0; i < len(g.moments); {
		next := t.next(i)
		if next == len(g.moments) {
			break
		}
		if t.worthwhile(i, next) {
			if err := t.turn(i, next); err != nil {
				return fmt.Errorf("%v: %w", &g.moments[next], err)
			}
		}
		i = next
	}
	return nil
}

// turnProver proves that turns tell nothing hidden.
type turnProver struct {
	g      *game
	r      *rand.Rand
	looked map[string]int // turns by kinds of inputs and events
}

// next is the first moment after i from which a room can be restored.
func (t *turnProver) next(i int) int {
	for i++; i < len(t.g.moments) && len(t.g.moments[i].snapshot.Data) == 0; i++ {
	}
	return i
}

// worthwhile reports whether the inputs after moment i, up to moment end, make events of kinds that were looked at fewer than
// tellingTurns times. It leaves out the end of a game, which may make hidden facts known.
func (t *turnProver) worthwhile(i, end int) bool {
	var kinds strings.Builder
	events := false
	for _, m := range t.g.moments[i+1 : end+1] {
		if m.final != "" || m.in.Kind == core.KindEpoch {
			return false
		}
		kinds.WriteString(fmt.Sprintln(m.in.Kind, m.in.Name))
		for _, s := range m.sent {
			for _, e := range eventsIn(s.json) {
				events = true
				kinds.WriteString(fmt.Sprintln(e["name"]))
			}
		}
	}
	t.looked[kinds.String()]++
	return events && t.looked[kinds.String()] <= tellingTurns
}

func eventsIn(message string) []map[string]any {
	var turn struct {
		Events []map[string]any `json:"events"`
	}
	if !strings.Contains(message, `"events"`) || json.Unmarshal([]byte(message), &turn) != nil {
		return nil
	}
	return turn.Events
}

// outcome is the result of a turn.
type outcome struct {
	state  map[string]any
	views  map[room.PlayerID]string
	heard  map[room.PlayerID][]string
	hidden []Hidden
}

// turn proves the turn of the inputs after moment i, up to moment end.
func (t *turnProver) turn(i, end int) error {
	from := &t.g.moments[i]
	var ins []core.Input
	for _, m := range t.g.moments[i+1 : end+1] {
		ins = append(ins, m.in)
	}
	seed := t.g.cfg.Header.Seed
	plain := t.outcome(from.snapshot, ins, seed)
	if plain == nil {
		return nil
	}
	t.g.p.report.Told++
	if err := t.factsBefore(from, ins, plain); err != nil {
		return err
	}
	for n := range ins {
		if err := t.actions(from, ins, n, plain); err != nil {
			return err
		}
	}
	return t.luck(from, ins, plain)
}

// factsBefore alters facts that were hidden before the turn.
func (t *turnProver) factsBefore(from *moment, ins []core.Input, plain *outcome) error {
	state, err := decode([]byte(from.state))
	if err != nil {
		return err
	}
	for _, h := range t.hiddenIn(state.(map[string]any)) {
		steps, err := parsePath(h.Path)
		if err != nil {
			return err
		}
		old, err := valueAt(state, steps)
		if err != nil {
			return err
		}
		for _, other := range h.others(old, t.r) {
			raw, err := json.Marshal(replaceAt(state, steps, other))
			if err != nil {
				return err
			}
			snap, err := core.WithGame(from.snapshot, raw)
			if err != nil {
				return err
			}
			if err := plain.compare(t.outcome(snap, ins, t.g.cfg.Header.Seed)); err != nil {
				return err
			}
		}
	}
	return nil
}

// hiddenIn are the parts of a state that the author says are hidden, in order.
func (t *turnProver) hiddenIn(state map[string]any) []Hidden {
	hidden := t.g.p.o.Hidden(state)
	slices.SortStableFunc(hidden, func(a, b Hidden) int { return strings.Compare(a.Path, b.Path) })
	return hidden
}

// actions alters the parts of the nth input one by one, because an action may hold what is then hidden. If no altered part makes
// another state, it tries other actions.
func (t *turnProver) actions(from *moment, ins []core.Input, n int, plain *outcome) error {
	in := ins[n]
	data, err := decode(in.Data)
	if in.Kind != core.KindAct && in.Kind != core.KindSignal || err != nil {
		return nil
	}
	others := t.otherData(from, in)
	changed := false
	for _, leaf := range t.someLeaves(data) {
		old, _ := valueAt(data, leaf)
		for _, value := range append(valuesAt(others, leaf), alter(old)) {
			if reflect.DeepEqual(value, old) {
				continue
			}
			alt := t.instead(from, ins, n, replaceAt(data, leaf, value))
			if err := plain.compare(alt); err != nil {
				return err
			}
			if alt != nil && !reflect.DeepEqual(alt.state, plain.state) {
				changed = true
				break
			}
		}
	}
	for _, other := range others {
		if changed {
			break
		}
		if err := plain.compare(t.instead(from, ins, n, other)); err != nil {
			return err
		}
	}
	return nil
}

// otherData are other actions that the same player could have proposed.
func (t *turnProver) otherData(from *moment, in core.Input) (others []any) {
	if in.Kind != core.KindAct {
		return nil
	}
	for _, s := range from.views {
		if s.viewer.Player != in.Player {
			continue
		}
		for range otherActions {
			raw, err := t.proposal(from, s.viewer, json.RawMessage(s.json))
			if data, bad := decode(raw); err == nil && bad == nil {
				others = append(others, data)
			}
		}
	}
	return others
}

// proposal draws an action for a viewer who sees view: one of Act's, or one that Legal names.
func (t *turnProver) proposal(from *moment, v room.Viewer, view json.RawMessage) (json.RawMessage, error) {
	if act := t.g.p.o.Act; act != nil {
		return encode(act(t.r, room.Player{ID: v.Player, Seat: v.Seat}, view))
	}
	legal, _, err := core.LegalIn(t.g.p.rules, json.RawMessage(from.state), v)
	return play.Choose(t.r, legal), err
}

func valuesAt(all []any, steps []string) (out []any) {
	for _, v := range all {
		if x, err := valueAt(v, steps); err == nil {
			out = append(out, x)
		}
	}
	return out
}

// someLeaves are random paths to values in v that hold no other values.
func (t *turnProver) someLeaves(v any) [][]string {
	var leaves [][]string
	for path := range leavesOf(v) {
		steps, err := parsePath(path)
		if err == nil && path != "" {
			leaves = append(leaves, steps)
		}
	}
	slices.SortFunc(leaves, slices.Compare)
	t.r.Shuffle(len(leaves), func(i, j int) { leaves[i], leaves[j] = leaves[j], leaves[i] })
	return leaves[:min(len(leaves), mostLeaves)]
}

// leavesOf are the values in v that hold no other values, by their paths.
func leavesOf(v any) map[string]any {
	out := map[string]any{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch x := v.(type) {
		case map[string]any:
			for name, v := range x {
				walk(path+segment(name), v)
			}
		case []any:
			for i, v := range x {
				walk(fmt.Sprintf("%s[%d]", path, i), v)
			}
		default:
			out[strings.TrimPrefix(path, ".")] = v
		}
	}
	walk("", v)
	return out
}

// instead is the outcome with other data of the nth input.
func (t *turnProver) instead(from *moment, ins []core.Input, n int, data any) *outcome {
	raw, err := json.Marshal(data)
	if err != nil {
		return nil
	}
	ins = slices.Clone(ins)
	ins[n].Data = raw
	return t.outcome(from.snapshot, ins, t.g.cfg.Header.Seed)
}

// luck steps the turn with other seeds, and looks for values in events that always equal a hidden fact. This finds facts that
// the turn itself makes, which cannot be altered before it.
func (t *turnProver) luck(from *moment, ins []core.Input, plain *outcome) error {
	all := []*outcome{plain}
	suspects := plain.echoes()
	for n := 0; n < otherSeeds && len(suspects) > 0; n++ {
		var seed [32]byte
		for i := range seed {
			seed[i] = byte(t.r.Uint32())
		}
		other := t.outcome(from.snapshot, ins, seed)
		if other == nil {
			return nil
		}
		found := other.echoes()
		maps.DeleteFunc(suspects, func(e echo, _ any) bool { _, again := found[e]; return !again })
		all = append(all, other)
	}
	for _, e := range slices.SortedFunc(maps.Keys(suspects), echo.compare) {
		values := map[any]bool{}
		for _, o := range all {
			values[o.echoes()[e]] = true
		}
		if len(values) > 2 {
			return fmt.Errorf("%s is hidden from %s, but a message to %s tells it: field events%s is always the same, whatever the random source brings",
				e.fact, watcher(e.to), watcher(e.to), e.event)
		}
	}
	return nil
}

// echo is a value in an event that equals a fact hidden from the event's receiver.
type echo struct {
	to          room.PlayerID
	event, fact string
}

func (e echo) compare(o echo) int {
	return strings.Compare(string(e.to)+e.event+" "+e.fact, string(o.to)+o.event+" "+o.fact)
}

func watcher(p room.PlayerID) string {
	if p == "" {
		return "a spectator"
	}
	return string(p)
}

// echoes are the values in events that equal hidden facts.
func (o *outcome) echoes() map[echo]any {
	out := map[echo]any{}
	for _, h := range o.hidden {
		steps, err := parsePath(h.Path)
		if err != nil {
			continue
		}
		fact, err := valueAt(o.state, steps)
		if err != nil {
			continue
		}
		facts := leavesOf(fact)
		for to, heard := range o.heard {
			if slices.Contains(h.For, to) {
				continue
			}
			for i, message := range heard {
				for event, value := range eventLeaves(message) {
					for at, v := range facts {
						if _, flag := v.(bool); !flag && v != nil && v == value {
							path := h.Path
							if at != "" && at[0] != '[' {
								path += "."
							}
							out[echo{to, fmt.Sprintf("%s of message %d", event, i+1), path + at}] = v
						}
					}
				}
			}
		}
	}
	return out
}

// eventLeaves are the values in a message's events, without their names.
func eventLeaves(message string) map[string]any {
	if !strings.Contains(message, `"events"`) {
		return nil
	}
	v, err := decode([]byte(message))
	turn, ok := v.(map[string]any)
	if err != nil || !ok {
		return nil
	}
	leaves := leavesOf(turn["events"])
	maps.DeleteFunc(leaves, func(path string, _ any) bool { return strings.HasSuffix(path, "].name") })
	return leaves
}

// outcome restores a room and steps the inputs, while everybody who was connected listens. It is nil if an input is refused,
// fails or ends the room.
func (t *turnProver) outcome(snap record.Snapshot, ins []core.Input, seed [32]byte) *outcome {
	cfg := t.g.cfg
	cfg.Header.Seed = seed
	machine, err := restoreAs(cfg, snap)
	if err != nil || watch(machine) != nil {
		return nil
	}
	l := listener{core: machine, all: map[room.PlayerID]*knowledge{}, class: map[room.PlayerID]core.ClassID{}}
	machine.Commit(machine.Point().Seq)
	for _, s := range machine.Seats() {
		if s.Online && l.step(attachAgain(machine, s.Player)) != nil {
			return nil
		}
	}
	for _, heard := range l.all {
		heard.heard = nil
	}
	for _, in := range ins {
		before := machine.Point().Seq
		if l.step(in) != nil || machine.Point().Seq == before || machine.Final() != nil {
			return nil
		}
	}
	return t.look(machine, l.all)
}

// attachAgain is the input of a connected client that attaches once more.
func attachAgain(machine *core.Core, p room.PlayerID) core.Input {
	in := core.Input{Kind: core.KindAttach, At: machine.Now(), Player: p, Client: client}
	for _, c := range machine.Clients() {
		if c.Player == p && c.Client == client {
			in.Attempt = c.Attempt
		}
	}
	return in
}

func (t *turnProver) look(machine *core.Core, heard map[room.PlayerID]*knowledge) *outcome {
	raw, err := stateOf(machine)
	if err != nil {
		return nil
	}
	state, err := decode([]byte(raw))
	facts, ok := state.(map[string]any)
	if err != nil || !ok {
		return nil
	}
	o := &outcome{state: facts, hidden: t.hiddenIn(facts), views: map[room.PlayerID]string{}, heard: map[room.PlayerID][]string{}}
	for _, v := range viewers(machine) {
		if o.views[v.Player], err = lookAs(machine, v); err != nil {
			return nil
		}
		if l := heard[v.Player]; l != nil {
			o.heard[v.Player] = l.heard
		}
	}
	return o
}

// compare fails if a viewer hears something else in another outcome that differs only in what is hidden from the viewer.
func (o *outcome) compare(other *outcome) error {
	if other == nil || reflect.DeepEqual(o.state, other.state) {
		return nil
	}
	for _, p := range slices.Sorted(maps.Keys(o.views)) {
		if view, there := other.views[p]; !there || view != o.views[p] {
			continue
		}
		a, b := knowledge{name: watcher(p), heard: o.heard[p]}, knowledge{heard: other.heard[p]}
		leak := a.differs(&b)
		if leak == "" || diff("", o.knownTo(p), other.knownTo(p)) != nil {
			continue
		}
		path, x, y := o.differing(other, p)
		return fmt.Errorf("%s is hidden from %s, but %s when %s is %s and %s", path, watcher(p), leak, path, x, y)
	}
	return nil
}

// knownTo is the state without what is hidden from a viewer.
func (o *outcome) knownTo(p room.PlayerID) any {
	var known any = o.state
	for _, h := range o.hidden {
		if slices.Contains(h.For, p) {
			continue
		}
		steps, err := parsePath(h.Path)
		if err != nil {
			continue
		}
		if _, err := valueAt(known, steps); err == nil {
			known = replaceAt(known, steps, nil)
		}
	}
	return known
}

// differing is the first fact hidden from a viewer that differs in another outcome.
func (o *outcome) differing(other *outcome, p room.PlayerID) (path, here, there string) {
	for _, h := range o.hidden {
		steps, err := parsePath(h.Path)
		if err != nil || slices.Contains(h.For, p) {
			continue
		}
		a, errA := valueAt(o.state, steps)
		b, errB := valueAt(other.state, steps)
		if errA == nil && errB == nil && !reflect.DeepEqual(a, b) {
			return h.Path, show(a), show(b)
		}
	}
	d := diff("", o.state, other.state)
	return d.path, d.a, d.b
}
