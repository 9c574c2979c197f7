package roomtest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// moment is everything that can be observed of a room after one input.
type moment struct {
	in       core.Input
	index    room.Index
	state    string // the game's snapshot
	deadline string
	final    string // the sum of the room's end
	views    []sight
	said     []speech
	snapshot record.Snapshot // empty between two ticks
}

// sight is what one viewer is shown.
type sight struct {
	viewer room.Viewer
	json   string
}

// speech is one message that left, and to whom.
type speech struct {
	to, json string
}

func (m *moment) String() string { return fmt.Sprintf("input %d (%s)", m.index, describe(m.in)) }

// describe names an input as a game author knows it.
func describe(in core.Input) string {
	s := in.Kind.Name()
	switch in.Kind {
	case core.KindTimer, core.KindSignal:
		s += " " + in.Name
	}
	if len(in.Data) > 0 {
		s += " " + brief(string(in.Data))
	}
	if in.Player != "" {
		s += " by " + string(in.Player)
	}
	if in.Kind == core.KindLeave && in.Reason != "" {
		s += " (" + in.Reason + ")"
	}
	return s
}

// viewers are those whom a view is made for.
func viewers(machine *core.Core) []room.Viewer {
	var out []room.Viewer
	for _, s := range machine.Seats() {
		out = append(out, room.Viewer{Player: s.Player, Seat: s.Seat})
	}
	return append(out, room.Spectator)
}

func nameOf(v room.Viewer) string {
	if v.Spectating() {
		return "a spectator"
	}
	return string(v.Player)
}

// sightOf is what a viewer is shown at the moment.
func (m *moment) sightOf(p room.PlayerID) string {
	for _, s := range m.views {
		if s.viewer.Player == p {
			return s.json
		}
	}
	return ""
}

// guard turns a panic in the game's own code into an error that names the call and the line.
func guard(call string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%s panics: %v%s", call, v, culprit(string(debug.Stack())))
		}
	}()
	return told(f())
}

// told lets a panic of the game's that the runtime has caught say what a server would keep to itself.
func told(err error) error {
	if p, ok := errors.AsType[*core.Panic](err); ok {
		if p.View != "" {
			return errors.New("what View shows cannot be sent: " + p.View)
		}
		return fmt.Errorf("%s panics: %s%s", p.Call, p.Value, culprit(p.Stack))
	}
	return err
}

// culprit is the line of a stack that panicked, by its function and place.
func culprit(stack string) string {
	lines := strings.Split(stack, "\n")
	at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "panic(") || l == "runtime.gopanic" })
	for i := at + 2; at >= 0 && i+1 < len(lines); i += 2 {
		if call := lines[i]; !strings.HasPrefix(call, "runtime.") && !strings.HasPrefix(call, "panic(") {
			place, _, _ := strings.Cut(strings.TrimSpace(lines[i+1]), " ")
			return " at " + place
		}
	}
	return ""
}

func stateOf(machine *core.Core) (state string, err error) {
	err = guard("Snapshot", func() error {
		raw, err := machine.GameState()
		state = string(raw)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("the game cannot be snapshot: %w", err)
	}
	return state, nil
}

func lookAs(machine *core.Core, v room.Viewer) (view string, err error) {
	err = guard("View for "+nameOf(v), func() error {
		raw, err := machine.WholeView(v)
		view = string(raw)
		if err != nil {
			return fmt.Errorf("what View shows %s cannot be sent: %w", nameOf(v), err)
		}
		return nil
	})
	return view, err
}

// sharpness is for whom an observer asks views.
type sharpness int

const (
	blind   sharpness = iota // for nobody
	sharp                    // for all who may see something of their own
	sharper                  // for all, even where Spec.SharedView says that they see the same
)

// observe notes everything about the room after in.
func observe(machine *core.Core, in core.Input, eyes sharpness) (m moment, err error) {
	m.in, m.index, m.deadline = in, machine.Point().Seq, deadlineOf(machine)
	if f := machine.Final(); f != nil {
		sum := f.Sum()
		m.final = string(f.End) + " " + hex.EncodeToString(sum[:])
	}
	m.said = utter(machine.Commit(m.index))
	if m.state, err = stateOf(machine); err != nil || eyes == blind {
		return m, err
	}
	who := viewers(machine)
	if eyes == sharp && machine.Rules().Spec().SharedView {
		who = []room.Viewer{room.Spectator}
	}
	for _, v := range who {
		view, err := lookAs(machine, v)
		if err != nil {
			return m, err
		}
		m.views = append(m.views, sight{v, view})
	}
	return m, nil
}

func deadlineOf(machine *core.Core) string {
	d, ok := machine.Deadline()
	if !ok {
		return "never"
	}
	return d.String()
}

// utter writes outputs down so that two runs can be compared.
func utter(outputs []core.Output) []speech {
	var out []speech
	say := func(to string, frames ...*core.Frame) {
		for _, f := range frames {
			if f != nil {
				out = append(out, speech{to, string(f.Bytes(wire.JSON))})
			}
		}
	}
	for _, o := range outputs {
		switch o := o.(type) {
		case core.Welcome:
			say(fmt.Sprintf("welcome of %s%s to class %d", o.To.Player, watching(o.To), o.Class), o.Frames...)
		case core.ClassChanged:
			say(fmt.Sprintf("move of %s to class %d", o.To.Player, o.Class), o.State)
		case core.Turned:
			say(fmt.Sprintf("turn of class %d", o.Class), o.Frame)
			for _, p := range slices.Sorted(maps.Keys(o.Private)) {
				say("turn of "+string(p), o.Private[p])
			}
		case core.Answered:
			say("answer to "+string(o.Player), o.Frame)
		case core.Ended:
			say("end", o.Frame)
		case core.RematchAgreed:
			out = append(out, speech{"rematch", string(o.Options)})
		case core.SeatLost:
			out = append(out, speech{"end of session of " + string(o.Player), string(o.Reason)})
		}
	}
	return out
}

func watching(to core.Recipient) string {
	if to.Player == "" {
		return "a spectator"
	}
	return ""
}

// differs says in what two observations of the same moment differ, or nothing.
func (m *moment) differs(o *moment) string {
	if what := m.moved(o); what != "" {
		return what
	}
	if m.final != o.final {
		return fmt.Sprintf("different ends: %s and %s", m.final, o.final)
	}
	for i := range min(len(m.said), len(o.said)) {
		a, b := m.said[i], o.said[i]
		if a.to != b.to {
			return fmt.Sprintf("different messages: a %s and a %s", a.to, b.to)
		}
		if d := diffJSON(a.json, b.json); d != nil {
			return fmt.Sprintf("different messages: in the %s %v", a.to, d)
		}
	}
	if len(m.said) != len(o.said) {
		return fmt.Sprintf("different messages: %d and %d of them", len(m.said), len(o.said))
	}
	return ""
}

// moved is differs without what was said and how the room ended.
func (m *moment) moved(o *moment) string {
	if d := diffJSON(m.state, o.state); d != nil {
		return "different states: " + d.String()
	}
	if m.deadline != o.deadline {
		return fmt.Sprintf("different timers: the next is due at %s and %s", m.deadline, o.deadline)
	}
	for _, s := range o.views {
		i := slices.IndexFunc(m.views, func(x sight) bool { return x.viewer == s.viewer })
		if i < 0 {
			continue
		}
		if d := diffJSON(m.views[i].json, s.json); d != nil {
			return fmt.Sprintf("different views of %s: %v", nameOf(s.viewer), d)
		}
	}
	return ""
}
