package actor

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// PanicInfo is a game's panic, for the operator alone: Value may hold what is hidden from players.
type PanicInfo struct {
	Room    room.ID    `json:"room"`
	Game    string     `json:"game"`
	Version int        `json:"version"`
	Index   room.Index `json:"index"` // of the input that caused it; 0: none, the room was being opened
	Kind    string     `json:"kind"`  // of that input
	Call    string     `json:"call"`  // the game's method
	Value   string     `json:"value"` // what it panicked with, at most PanicValue bytes
	View    string     `json:"view,omitempty"`
	Stack   string     `json:"stack"`
	At      time.Time  `json:"at"`
}

// Bounds of what is kept of panics.
const (
	PanicValue  = 4 << 10 // bytes of a panic's value
	keptPanics  = 64      // rooms that a node remembers
	loggedValue = 200     // bytes of a panic's value in the log, where it is shown there
)

// panics remembers the last rooms of a node that panics have ended, because such a room leaves memory at once.
type panics struct {
	o *Options

	mu   sync.Mutex // held for moments only
	last []Inspection
}

func (k *panics) add(i Inspection) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.last) == keptPanics {
		k.last = append(k.last[:0], k.last[1:]...)
	}
	k.last = append(k.last, i)
}

// of is a room as its game's panic left it, or nil.
func (k *panics) of(id room.ID) *Inspection {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, found := range slices.Backward(k.last) {
		if found.Info.ID == id {
			return &found
		}
	}
	return nil
}

// Panicked is a room of this node as a panic of its game left it, or nil. The room may have left memory. Only the operator may
// see it.
func (d *Directory) Panicked(id room.ID) *Inspection { return d.panics.of(id) }

// note logs a game's panic and keeps it for the operator. The value may hold hidden state, so the log has it only with
// Options.ShowPanics; for a view that cannot be shown the log names the field. Left is the room as it is now.
func (k *panics) note(left Inspection, h record.Header, p *core.Panic, e core.Entry, msg string) {
	info := PanicInfo{
		Room: h.ID, Game: h.Game, Version: h.Version, Index: e.Index, Call: p.Call,
		Value: cut(p.Value, PanicValue), View: p.View, Stack: p.Stack, At: k.o.Wall().UTC(),
	}
	attrs := []any{"room", h.ID, "game", h.Game, "version", h.Version}
	if e.Index > 0 {
		info.Kind = e.Kind.Name()
		attrs = append(attrs, "index", e.Index, "kind", info.Kind)
	}
	attrs = append(attrs, "call", p.Call)
	switch {
	case p.View != "":
		attrs = append(attrs, "view", p.View)
	case k.o.ShowPanics:
		attrs = append(attrs, "value", cut(p.Value, loggedValue))
	default:
		attrs = append(attrs, "value", "withheld: roomring admin room "+string(h.ID)+" shows it")
	}
	left.Panic, left.Unavailable = &info, "the game has panicked"
	k.add(left)
	k.o.Log.Error(msg, append(attrs, "stack", p.Stack)...)
}

// cut is a text's first n bytes and an ellipsis, or all of it.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
