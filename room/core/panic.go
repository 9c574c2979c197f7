package core

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/view"
)

// Panic is a panic of the game, kept for the operator. Its value may hold hidden game state; its stack does not.
type Panic struct {
	Call  string // the game's method that panicked
	Value string
	Stack string // functions and lines
	View  string // not empty: the view could not be shown; the field and the reason, without its value
}

func (p *Panic) Error() string { return "the game panicked in " + p.Call }

// newPanic describes the panic that the calling deferred function has recovered. Go's own stack traces also print the
// arguments of each function, which may be hidden facts.
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

// catchPanic calls a method of the game outside every input. A panic there must not end the room, because nothing in
// the log would explain the end. The error is a *Panic.
func catchPanic(method string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanic(method, v)
		}
	}()
	return f()
}

// abort ends the room because its game panicked.
func (c *Core) abort(p *Panic) {
	c.panicked = p
	c.endRoom(record.Aborted, "the game failed in "+p.Call)
}

// guardView runs code that calls the game's view methods. A panic aborts the room.
func (c *Core) guardView(f func()) {
	defer func() {
		if v := recover(); v != nil {
			c.abort(newPanic("View", v))
		}
	}()
	f()
}
