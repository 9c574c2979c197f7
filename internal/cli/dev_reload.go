package cli

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// devRules is how the program stands to its source, for the admin page.
type devRules struct {
	Watching string       `json:"watching,omitempty"` // the module's folder; empty: nothing is rebuilt
	State    rulesState   `json:"state"`
	Message  string       `json:"message,omitempty"` // what the compiler says, or what went wrong
	Differ   []difference `json:"differ,omitempty"`  // rooms that the new rules play differently
	Rooms    int          `json:"rooms,omitempty"`   // that were tried
}

type rulesState string

const (
	rulesRunning    rulesState = "running"    // what runs is what is written
	rulesBuilding   rulesState = "building"   // a change is being compiled and tried
	rulesBroken     rulesState = "broken"     // it does not compile: the program before runs
	rulesAsking     rulesState = "asking"     // rooms would be played differently: a choice is awaited
	rulesRestarting rulesState = "restarting" // the nodes are being started with the new program
)

// difference is a room that the new rules play differently.
type difference struct {
	Room string `json:"room"`
	Game string `json:"game"`
	Why  string `json:"why"` // at which input, and how
}

// Choices for rooms that new rules play differently.
type rulesChoice string

const (
	chooseKeep rulesChoice = "keep" // they go on from their present state
	chooseOver rulesChoice = "over" // they end, and others like them begin
	chooseMend rulesChoice = "mend" // the program before runs on until the source changes again
)

// reloader restarts a cluster of roomring dev with each new program that its source makes.
type reloader struct {
	c       *devCluster
	source  *program
	choices chan rulesChoice

	mu    sync.Mutex
	rules devRules
	built [sha256.Size]byte // of the program that runs, once one was built here
	count int
}

func newReloader(c *devCluster, source *program) *reloader {
	return &reloader{c: c, source: source, choices: make(chan rulesChoice), rules: devRules{Watching: source.Module, State: rulesRunning}}
}

func (r *reloader) now() devRules {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rules
}

func (r *reloader) set(s rulesState, change func(*devRules)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rules = devRules{Watching: r.source.Module, State: s}
	if change != nil {
		change(&r.rules)
	}
}

// run rebuilds and restarts at each change until ctx ends.
func (r *reloader) run(ctx context.Context, changes <-chan struct{}) {
	for {
		select {
		case _, ok := <-changes:
			if !ok {
				return
			}
			for again := true; again; {
				again = r.change(ctx, changes)
			}
		case <-ctx.Done():
			return
		}
	}
}

// change takes the source as it is now. It reports whether the source has changed meanwhile.
func (r *reloader) change(ctx context.Context, changes <-chan struct{}) (again bool) {
	r.set(rulesBuilding, nil)
	r.count++
	bin := filepath.Join(r.c.dir, "bin", fmt.Sprintf("program%d", r.count))
	began := time.Now()
	sum, err := r.source.build(ctx, bin)
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil:
		r.c.say("%v\nThe program before runs on.", err)
		r.set(rulesBroken, func(s *devRules) { s.Message = err.Error() })
		return false
	case sum == r.built:
		_ = os.Remove(bin)
		r.set(rulesRunning, nil)
		return false
	}
	choice, again := r.choose(ctx, bin, changes)
	if choice == chooseMend || ctx.Err() != nil {
		return again
	}
	differ := r.now().Differ
	r.set(rulesRestarting, nil)
	if err := r.c.restart(ctx, bin, differ, choice); err != nil {
		r.c.say("%v", err)
		r.set(rulesBroken, func(s *devRules) { s.Message = err.Error() })
		return false
	}
	r.built = sum
	r.c.say("The program was built and started again in %v. Every table goes on.", time.Since(began).Round(10*time.Millisecond))
	r.set(rulesRunning, nil)
	return false
}

// choose tries the new program with every room that is played, and asks what to do if some would be played differently.
func (r *reloader) choose(ctx context.Context, bin string, changes <-chan struct{}) (choice rulesChoice, again bool) {
	differ, tried, err := r.c.tryRooms(ctx, bin)
	if err != nil {
		r.c.say("The rooms could not be tried with the new rules: %v", err)
	}
	if len(differ) == 0 {
		return chooseKeep, false
	}
	r.set(rulesAsking, func(s *devRules) { s.Differ, s.Rooms = differ, tried })
	r.c.say("%s", describe(differ, tried))
	select {
	case choice := <-r.choices:
		if choice == chooseMend {
			r.set(rulesBroken, func(s *devRules) { s.Message = "The program before runs until the source changes again." })
		}
		return choice, false
	case <-changes:
		return chooseMend, true
	case <-ctx.Done():
		return chooseMend, false
	}
}

// shownDifferences bounds the lines of describe.
const shownDifferences = 5

func describe(differ []difference, tried int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "The new rules play %d of %d rooms differently than they were played:\n", len(differ), tried)
	for _, d := range differ[:min(len(differ), shownDifferences)] {
		fmt.Fprintf(&b, "  room %s: %s\n", d.Room, d.Why)
	}
	if n := len(differ) - shownDifferences; n > 0 {
		fmt.Fprintf(&b, "  and %d more\n", n)
	}
	b.WriteString(`Choose here or on the admin page:
  k  keep their present state, and go on by the new rules
  o  end them, and start others with the same options
  m  mend: the program before runs until the source changes again`)
	return b.String()
}

// errNothingAsked says that a choice came while none was awaited.
var errNothingAsked = errors.New("no choice is awaited")

// answer makes a choice that is awaited.
func (r *reloader) answer(ctx context.Context, choice rulesChoice) error {
	if choice != chooseKeep && choice != chooseOver && choice != chooseMend {
		return fmt.Errorf("%q is no choice: give keep, over or mend", choice)
	}
	if r.now().State != rulesAsking {
		return errNothingAsked
	}
	select {
	case r.choices <- choice:
		return nil
	case <-time.After(time.Second):
		return errNothingAsked
	case <-ctx.Done():
		return ctx.Err()
	}
}

// listen takes choices from the terminal. It ends with the process.
func (r *reloader) listen(ctx context.Context, in io.Reader) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		letters := map[string]rulesChoice{"k": chooseKeep, "o": chooseOver, "m": chooseMend}
		word := strings.TrimSpace(lines.Text())
		if err := r.answer(ctx, cmp.Or(letters[word], rulesChoice(word))); err != nil && word != "" {
			r.c.say("%v", err)
		}
	}
	if err := lines.Err(); err != nil {
		r.c.say("The terminal cannot be read any more: %v", err)
	}
}

// devBinary is a program that was built here.
type devBinary struct {
	path string
	keep bool // rooms keep their state that it plays differently
}

// restart stops all nodes at once and starts them with another program. Rooms wait in their folders meanwhile.
func (c *devCluster) restart(ctx context.Context, bin string, differ []difference, choice rulesChoice) error {
	c.up.close()
	defer c.up.open()
	var lost []spare
	if choice == chooseOver {
		lost = c.endRooms(ctx, differ)
	}
	nodes := c.all()
	var wg sync.WaitGroup
	for _, n := range nodes {
		if n.state() != devStopped {
			wg.Go(n.stop)
		}
	}
	wg.Wait()
	before := c.runs.Swap(&devBinary{bin, choice == chooseKeep && len(differ) > 0})
	c.mu.Lock()
	join, ended := c.gossip(), c.ended
	c.mu.Unlock()
	if ended {
		return nil
	}
	for _, n := range nodes {
		if err := n.start(join); err != nil {
			return err
		}
	}
	if err := c.ready(ctx); err != nil {
		return fmt.Errorf("the new program does not serve: %w", err)
	}
	if before != nil {
		_ = os.Remove(before.path)
	}
	c.up.open()
	c.startOver(ctx, lost)
	return nil
}

// say tells the developer something, apart from the nodes' logs.
func (c *devCluster) say(format string, args ...any) {
	lines := strings.Split(fmt.Sprintf(format, args...), "\n")
	for i := range lines {
		lines[i] = printable(strings.ReplaceAll(lines[i], "\t", "    "))
	}
	fmt.Fprintf(c.out, "\n%s\n\n", strings.Join(lines, "\n"))
}
