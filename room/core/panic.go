package core

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/view"
)

// Panic is a panic of the game's, kept for the operator. Its value may hold game state; its stack does not.
type Panic struct {
	Call  string // the game's method
	Value string
	Stack string // functions and lines
	View  string // what no view may hold was shown: which field and why, without its value
}

func (p *Panic) Error() string { return "the game panicked in " + p.Call }

// newPanic describes the panic that the calling deferred function has recovered from. Go's own traces also print the
// arguments of each function, and those may be hidden facts.
func newPanic(call string, v any) *Panic {
	var stack strings.Builder
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		fmt.Fprintf(&stack, "%s\n\t%s:%d\n", f.Function, f.File, f.Line)
	}
	p := &Panic{Call: call, Value: fmt.Sprint(v), Stack: stack.String()}
	if err, ok := v.(*view.Error); ok {
		p.View = err.Error()
	}
	return p
}

// contained calls a method of the game's outside of every input, where a panic must not end the room: nothing
// in the log would say why. The error is a *Panic.
func catchPanic(method string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanic(method, v)
		}
	}()
	return f()
}

func (c *Core) abort(p *Panic) {
	c.panicked = p
	c.endRoom(record.Aborted, "the game failed in "+p.Call)
}

// guard runs code that calls the game's view methods, which may panic.
func (c *Core) guardView(what string, f func()) {
	defer func() {
		if v := recover(); v != nil {
			c.abort(newPanic(what, v))
		}
	}()
	f()
}
