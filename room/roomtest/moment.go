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
	final    string // how the room ended, with a checksum; empty before
	views    []shownView
	sent     []message
	snapshot record.Snapshot // empty between two ticks
}

// shownView is the view of one viewer.
type shownView struct {
	viewer room.Viewer
	json   string
}

// message is one output of the room, and its receivers.
type message struct {
	to, json string
}

func (m *moment) String() string { return fmt.Sprintf("input %d (%s)", m.index, describe(m.in)) }

// describe names an input in the words of a game author.
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

// viewers are the players who have seats, and a spectator.
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

// viewOf is a viewer's view at the moment.
func (m *moment) viewOf(p room.PlayerID) string {
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
			err = fmt.Errorf("%s panics: %v%s", call, v, panicLine(string(debug.Stack())))
		}
	}()
	return explained(f())
}

// explained gives a panic that the runtime has caught its value and line, which a server keeps to itself.
func explained(err error) error {
	if p, ok := errors.AsType[*core.Panic](err); ok {
		if p.View != "" {
			return errors.New("what View shows cannot be sent: " + p.View)
		}
		return fmt.Errorf("%s panics: %s%s", p.Call, p.Value, panicLine(p.Stack))
	}
	return err
}

// panicLine is the file and line that panicked, as a stack names it, or empty.
func panicLine(stack string) string {
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

// viewing says whose views an observation holds.
type viewing int

const (
	noViews       viewing = iota
	distinctViews         // one of all that Spec.SharedView says are the same
	allViews              // everybody's
)

// observe collects everything that can be observed of the room after in.
func observe(machine *core.Core, in core.Input, views viewing) (m moment, err error) {
	m.in, m.index, m.deadline = in, machine.Point().Seq, deadlineOf(machine)
	if f := machine.Final(); f != nil {
		sum := f.Sum()
		m.final = string(f.End) + " " + hex.EncodeToString(sum[:])
	}
	m.sent = messagesOf(machine.Commit(m.index))
	if m.state, err = stateOf(machine); err != nil || views == noViews {
		return m, err
	}
	who := viewers(machine)
	if views == distinctViews && machine.Rules().Spec().SharedView {
		who = []room.Viewer{room.Spectator}
	}
	for _, v := range who {
		view, err := lookAs(machine, v)
		if err != nil {
			return m, err
		}
		m.views = append(m.views, shownView{v, view})
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

// messagesOf writes outputs as text, so that two runs can be compared.
func messagesOf(outputs []core.Output) []message {
	var out []message
	say := func(to string, frames ...*core.Frame) {
		for _, f := range frames {
			if f != nil {
				out = append(out, message{to, withoutEpoch(f)})
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
			out = append(out, message{"rematch", string(o.Options)})
		case core.SeatLost:
			out = append(out, message{"end of session of " + string(o.Player), string(o.Reason)})
		}
	}
	return out
}

// withoutEpoch is a message but for the epoch. The first turn in an epoch tells it, and when spectators, who are not in the log, had
// their last turn, a snapshot does not say.
func withoutEpoch(f *core.Frame) string {
	return strings.Replace(string(f.Bytes(wire.JSON)), fmt.Sprintf(`"epoch":%d,`, f.Epoch), "", 1)
}

func watching(to core.Recipient) string {
	if to.Player == "" {
		return "a spectator"
	}
	return ""
}

// differs says how two observations of the same moment differ, or is empty.
func (m *moment) differs(o *moment) string {
	if what := m.stateDiffers(o); what != "" {
		return what
	}
	if m.final != o.final {
		return fmt.Sprintf("different ends: %s and %s", m.final, o.final)
	}
	for i := range min(len(m.sent), len(o.sent)) {
		a, b := m.sent[i], o.sent[i]
		if a.to != b.to {
			return fmt.Sprintf("different messages: a %s and a %s", a.to, b.to)
		}
		if d := diffJSON(a.json, b.json); d != nil {
			return fmt.Sprintf("different messages: in the %s %v", a.to, d)
		}
	}
	if len(m.sent) != len(o.sent) {
		return fmt.Sprintf("different messages: %d and %d of them", len(m.sent), len(o.sent))
	}
	return ""
}

// stateDiffers is differs without messages and the room's end.
func (m *moment) stateDiffers(o *moment) string {
	if d := diffJSON(m.state, o.state); d != nil {
		return "different states: " + d.String()
	}
	if m.deadline != o.deadline {
		return fmt.Sprintf("different timers: the next is due at %s and %s", m.deadline, o.deadline)
	}
	for _, s := range o.views {
		i := slices.IndexFunc(m.views, func(x shownView) bool { return x.viewer == s.viewer })
		if i < 0 {
			continue
		}
		if d := diffJSON(m.views[i].json, s.json); d != nil {
			return fmt.Sprintf("different views of %s: %v", nameOf(s.viewer), d)
		}
	}
	return ""
}
