package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"github.com/roomring/roomring/internal/child"
)

// Struck is a fault that has happened.
type Struck struct {
	Line string        `json:"line"`
	At   time.Duration `json:"at"`
	Took time.Duration `json:"took"` // until it was undone
	Err  string        `json:"error,omitempty"`
}

// blow is the moment at which a node was killed or told to stop, or a time in which a cable was cut, for the figures.
type blow struct {
	kind  string // kill, drain or cut
	node  string
	at    time.Duration
	until time.Duration // of a cut: when it was healed
}

// breakAll carries the plan out. It returns when everything that it broke is whole again, which calm's end hastens.
func (r *run) breakAll(calm, after context.Context, plan *Plan) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for i, f := range plan.Faults {
		select {
		case <-calm.Done():
			return
		case <-time.After(f.At - r.since()):
		}
		rng := r.rand(100_000 + uint64(i))
		wg.Go(func() { r.strike(calm, after, f, rng) })
	}
	<-calm.Done()
}

// strike does one fault and undoes it.
func (r *run) strike(calm, after context.Context, f Fault, rng *rand.Rand) {
	if f.Kind == "wipe" {
		r.world.Lock() // what it takes away must be whole elsewhere
		defer r.world.Unlock()
	} else {
		r.world.RLock()
		defer r.world.RUnlock()
	}
	if calm.Err() != nil {
		return
	}
	s := Struck{Line: f.String(), At: r.since()}
	r.note("%s", f)
	err := r.doFault(calm, after, f, rng)
	if s.Took = r.since() - s.At; err != nil {
		s.Err = err.Error()
		r.note("%s: %v", f, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Faults = append(r.report.Faults, s)
	r.report.Counts.Faults++
}

func (r *run) doFault(calm, after context.Context, f Fault, rng *rand.Rand) error {
	switch f.Kind {
	case "store":
		return r.breakStore(calm, f)
	case "starve":
		return r.starve(calm, f)
	case "drop":
		return r.drop(f, rng)
	case "join":
		return r.join(after)
	case "roll":
		return r.roll(calm, after)
	case "cut", "lose":
		return r.cut(calm, f)
	}
	s := r.cluster.find(f.A)
	if s == nil {
		return fmt.Errorf("there is no node %s yet", f.A)
	}
	s.busy.Lock()
	defer s.busy.Unlock()
	switch f.Kind {
	case "kill":
		return r.kill(calm, after, s, f.For)
	case "wipe":
		return r.wipe(calm, after, s, f.For)
	case "freeze":
		return r.freeze(calm, s, f)
	case "drain":
		return r.drain(calm, after, s, f.For)
	case "fill":
		return r.fill(calm, s, f)
	}
	return fmt.Errorf("nobody knows how to %s", f.Kind)
}

// hit notes a blow.
func (r *run) hit(b blow) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.blows = append(r.report.blows, b)
}

func (r *run) kill(calm, after context.Context, s *server, away time.Duration) error {
	if s.running() == nil {
		return errors.New("it does not run")
	}
	r.hit(blow{kind: "kill", node: s.name, at: r.since()})
	s.kill()
	r.pause(calm, away)
	return r.back(after, s)
}

// back starts a node and waits until it is ready. Other faults may keep it from that for as long as they go on.
func (r *run) back(after context.Context, s *server) error {
	ctx, cancel := context.WithCancel(after)
	defer cancel()
	defer context.AfterFunc(r.calm, func() { time.AfterFunc(startCeiling, cancel) })()
	if err := s.await(ctx); err != nil {
		r.violate(Violation{Rule: RuleNodes, Text: fmt.Sprintf("%s does not come back: %v: %s", s.name, err, s.lastLine())})
		return err
	}
	r.note("%s is back", s.name)
	return nil
}

func (r *run) freeze(calm context.Context, s *server, f Fault) error {
	p := s.running()
	if p == nil {
		return errors.New("it does not run")
	}
	if err := p.Signal(child.Pause); err != nil {
		return err
	}
	r.pause(calm, f.For)
	return p.Signal(child.Resume)
}

// drain tells a node to give its rooms away and stop, as a deploy does, and starts it again after a while.
func (r *run) drain(calm, after context.Context, s *server, away time.Duration) error {
	if s.running() == nil {
		return errors.New("it does not run")
	}
	r.hit(blow{kind: "drain", node: s.name, at: r.since()})
	if err := s.terminate(); err != nil {
		r.violate(Violation{Rule: RuleNodes, Text: fmt.Sprintf("%s: %v: %s", s.name, err, s.lastLine())})
	}
	r.note("%s is gone", s.name)
	r.pause(calm, away)
	return r.back(after, s)
}

// roll drains one node after another and starts each again, as a deploy of a new version does.
func (r *run) roll(calm, after context.Context) error {
	r.rolling.Lock()
	defer r.rolling.Unlock()
	var errs []error
	for _, s := range r.cluster.all() {
		if calm.Err() != nil {
			break
		}
		s.busy.Lock()
		errs = append(errs, r.drain(calm, after, s, 0))
		s.busy.Unlock()
	}
	return errors.Join(errs...)
}

// join adds a node.
func (r *run) join(after context.Context) error {
	s, err := r.cluster.add()
	if err != nil {
		return err
	}
	s.busy.Lock()
	defer s.busy.Unlock()
	return r.back(after, s)
}

// drop breaks the sockets of a part of the clients, as a bad network does.
func (r *run) drop(f Fault, rng *rand.Rand) error {
	for _, l := range r.rooms() {
		for _, g := range l.present() {
			if rng.IntN(100) < f.Part {
				g.Drop()
			}
		}
	}
	return nil
}

// breakStore takes the store away for a while.
func (r *run) breakStore(calm context.Context, f Fault) error {
	r.storeBusy.Lock()
	defer r.storeBusy.Unlock()
	do, undo := r.store.stop, r.store.start
	switch f.How {
	case "crash":
		do = r.store.crash
	case "kill":
		do = r.store.kill
	case "freeze":
		do, undo = r.store.pause, r.store.resume
	}
	if err := do(); err != nil {
		return errors.Join(err, undo())
	}
	r.pause(calm, f.For)
	if err := undo(); err != nil {
		return err
	}
	r.note("the store is back")
	return nil
}

// starve takes the processors away by busy loops, twice as many as there are processors.
func (r *run) starve(calm context.Context, f Fault) error {
	var all []*child.Process
	defer func() {
		for _, p := range all {
			p.Kill()
		}
	}()
	for range 2 * runtime.NumCPU() {
		p, err := child.Start(exec.Command("/bin/sh", "-c", "while :; do :; done"), nil)
		if err != nil {
			return err
		}
		all = append(all, p)
	}
	r.pause(calm, f.For)
	return nil
}

// cut cuts cables, or makes one lossy, for a while. Of two cuts of one cable at a time the first that ends ends both.
func (r *run) cut(calm context.Context, f Fault) error {
	do, undo, err := r.wireFault(f)
	if err != nil {
		return err
	}
	at := r.since()
	if err := do(); err != nil {
		return errors.Join(err, undo())
	}
	r.pause(calm, f.For)
	if f.Kind == "cut" {
		r.hit(blow{kind: "cut", node: f.A, at: at, until: r.since()})
	}
	return undo()
}

// wireFault returns how a fault of the network is done and undone.
func (r *run) wireFault(f Fault) (do, undo func() error, err error) {
	w := r.cluster.net.wires
	host := func(name string) int {
		if name == "store" {
			return r.store.host()
		}
		if s := r.cluster.find(name); s != nil {
			return s.host
		}
		return 0
	}
	if f.Kind == "lose" {
		var hosts []int
		for _, s := range r.cluster.all() {
			if f.A == "all" || f.A == s.name {
				hosts = append(hosts, s.host)
			}
		}
		lose := func(percent int) error {
			var errs []error
			for _, h := range hosts {
				errs = append(errs, w.Lose(h, percent))
			}
			return errors.Join(errs...)
		}
		return func() error { return lose(f.Part) }, func() error { return lose(0) }, nil
	}
	a, b := host(f.A), host(f.B) // b is 0, all others, if there is no B
	switch {
	case a == 0 || f.B != "" && b == 0:
		return nil, nil, errors.New("there is no such node yet")
	case f.One:
		return func() error { return w.Cut(a, b) }, func() error { return w.Heal(a, b) }, nil
	}
	return func() error { return errors.Join(w.Cut(a, b), w.Cut(b, a)) }, func() error { return errors.Join(w.Heal(a, b), w.Heal(b, a)) }, nil
}

// heal makes everything whole that its own fault could not, and waits until the nodes see each other.
func (r *run) heal(after context.Context) {
	if r.store != nil {
		if err := r.store.start(); err != nil {
			r.violate(Violation{Rule: RuleNodes, Text: "PostgreSQL does not come back: " + err.Error()})
		}
	}
	if !r.o.joins() {
		for _, s := range r.cluster.all() {
			if s.running() == nil {
				_ = r.back(after, s) // it is a violation if it does not
			}
		}
	}
	if err := r.cluster.whole(after); err != nil {
		r.violate(Violation{Rule: RuleNodes, Text: "after the faults were undone " + err.Error()})
		return
	}
	r.note("everything is whole again: rooms may end")
}
