// Package torture plays games on a cluster, breaks what can break meanwhile, and checks that nothing was lost: what clients recorded
// against the logs and results that the store has in the end. It sees the cluster from outside, by its clients' protocol and its APIs.
//
// The parts: cluster and network are the nodes; play and log are the clients and what they note; plan and faults are what breaks; check is
// the judge; measure and report are the figures.
package torture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// Options say what is tormented, and how. Run completes zero values where a default is stated.
type Options struct {
	Games   *core.Games       // of this program
	Play    []string          // names of the games to play; none: all that have Legal
	Setup   map[string]string // options of a game as JSON, by its name
	Rooms   int               // at a time; 0 means 12
	Players int               // in a room, as far as its game takes them; 0 means 2
	Longest time.Duration     // how long a room may live before it is closed; 0 means 60 s
	Pause   time.Duration     // between the acts of a room; 0 means 100 ms
	For     time.Duration     // how long faults happen; 0 means 60 s
	Settle  time.Duration     // how long rooms may take to end after that, and everything else once more; 0 means 20 s
	Seed    uint64            // of faults and games
	Plan    *Plan             // nil: drawn by Seed
	Faults  []string          // kinds of faults that may be drawn; none: all that can be done here and lose nothing
	Quiet   bool              // no faults at all
	Every   time.Duration     // mean time between drawn faults; 0 means 5 s
	Command string            // runs this again, for the report

	Nodes      int      // of the cluster to start; 0 means 3
	Dir        string   // its folder, which must be empty or new; empty: a temporary one
	Keep       bool     // leave the temporary folder in any case; else it is left only if something was found
	Store      string   // "sqlite", "postgres" for one of its own, or a URL; empty means sqlite
	Namespaces bool     // each node has a network of its own; needs root on Linux
	Serve      []string // more flags for every node

	URLs       []string // of the nodes of a running cluster, to join that; no node is started then
	AdminURLs  []string // of their admin APIs, in the same order
	AdminToken string   // of these
	Token      string   // that may create rooms there; empty: none is needed

	Log io.Writer // gets a line for each fault and what goes wrong, as it happens; nil: nobody does
}

// joins reports whether somebody else's cluster is played on.
func (o *Options) joins() bool { return len(o.URLs) > 0 }

func (o *Options) complete() error {
	for _, d := range []struct {
		is     *time.Duration
		preset time.Duration
	}{{&o.Pause, 100 * time.Millisecond}, {&o.For, time.Minute}, {&o.Settle, 20 * time.Second}, {&o.Every, 5 * time.Second}, {&o.Longest, time.Minute}} {
		if *d.is == 0 {
			*d.is = d.preset
		}
	}
	if o.Rooms == 0 {
		o.Rooms = 12
	}
	if o.Players == 0 {
		o.Players = 2
	}
	if o.Nodes == 0 {
		o.Nodes = 3
	}
	if o.Store == "" {
		o.Store = "sqlite"
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	switch {
	case o.joins() && len(o.AdminURLs) != len(o.URLs):
		return errors.New("give the address of the admin API of each node: what is legal in a room is seen there")
	case o.joins() && o.Namespaces:
		return errors.New("nodes of a running cluster have their networks already")
	}
	return nil
}

// run is one run of the command.
type run struct {
	o       *Options
	games   []game
	cluster *cluster
	store   storeServer // nil: somebody else's, or a file
	dir     string

	began0   time.Time
	calm     context.Context // ends when faults are over and rooms are to end
	patience context.Context // ends when rooms are closed that have not ended
	verdict  context.Context // ends when what the store has not told by then counts as missing

	world     sync.RWMutex // a fault that must happen alone holds it
	storeBusy sync.Mutex   // one fault of the store at a time
	rolling   sync.Mutex   // one rolling restart at a time

	mu     sync.Mutex
	logMu  sync.Mutex
	living map[room.ID]*live
	report Report
}

// Run torments a cluster until the time is over or ctx ends, heals it, checks everything and reports. The error says that it could not begin.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	r := &run{o: &o, began0: time.Now(), living: map[room.ID]*live{}}
	r.report.Seed, r.report.Command = o.Seed, o.Command
	var err error
	if r.games, r.report.Lacking, err = chooseGames(&o); err != nil {
		return nil, err
	}
	plan, skipped, err := r.choosePlan()
	if err != nil {
		return nil, err
	}
	r.report.Skipped = skipped
	stop, err := r.open(ctx, plan)
	if err != nil {
		stop()
		return nil, err
	}
	r.torment(ctx, plan)
	stop()
	r.readLogs()
	r.tidy()
	r.report.finish()
	return &r.report, nil
}

// open starts the cluster, or finds the one that runs. The function that it returns stops what was started.
func (r *run) open(ctx context.Context, plan *Plan) (stop func(), err error) {
	var undo []func()
	stop = func() {
		for _, f := range slices.Backward(undo) {
			f()
		}
	}
	if r.o.joins() {
		r.cluster = joinCluster(r.o)
		return stop, r.cluster.whole(ctx)
	}
	if err := r.folder(); err != nil {
		return stop, err
	}
	var w *wires
	if r.o.Namespaces {
		if w, err = newWires(); err != nil {
			return stop, err
		}
		undo = append(undo, w.close)
	}
	url := r.o.Store
	switch url {
	case "sqlite":
		url = "sqlite:" + filepath.Join(r.dir, "store.db")
	case "postgres":
		if r.store, err = newStoreServer(w); err != nil {
			return stop, err
		}
		undo = append(undo, r.store.remove)
		url = r.store.url()
	}
	if r.cluster, err = newCluster(r.o, r.dir, url, newNetwork(r.o, w), r.violate); err != nil {
		return stop, err
	}
	undo = append(undo, func() {
		for _, err := range r.cluster.stop() {
			r.violate(Violation{Rule: RuleNodes, Text: err.Error()})
		}
	})
	disks, err := r.disks(plan)
	undo = append(undo[:len(undo)-1], disks, undo[len(undo)-1])
	if err != nil {
		return stop, err
	}
	return stop, r.cluster.start(ctx)
}

// folder makes the run's folder.
func (r *run) folder() (err error) {
	if r.o.Dir == "" {
		r.dir, err = os.MkdirTemp("", "roomring-torture-")
		return err
	}
	if r.dir, err = filepath.Abs(r.o.Dir); err != nil {
		return err
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	if files, err := os.ReadDir(r.dir); err != nil || len(files) > 0 {
		return errors.Join(err, fmt.Errorf("the folder %s is not empty: give another", r.dir))
	}
	return nil
}

// tidy removes a temporary folder, unless somebody will want to read the nodes' logs.
func (r *run) tidy() {
	if r.dir == "" || r.o.Dir != "" {
		return
	}
	if r.o.Keep || len(r.report.Violations) > 0 {
		r.report.Dir = r.dir
		return
	}
	_ = os.RemoveAll(r.dir) // what stays is in the system's temporary folder
}

// torment plays and breaks until the time is over or ctx ends, and then heals and lets rooms end.
func (r *run) torment(ctx context.Context, plan *Plan) {
	calm, cancel := context.WithTimeout(ctx, r.o.For)
	defer cancel()
	r.calm = calm
	// What follows the faults goes on when ctx ends, for the sake of the report; each part of it is bounded.
	after, done := context.WithCancel(context.WithoutCancel(ctx))
	defer done()
	patience, impatient := context.WithCancel(after)
	defer impatient()
	verdict, condemn := context.WithCancel(after)
	defer condemn()
	r.patience, r.verdict = patience, verdict

	r.began0 = time.Now()
	var players, others sync.WaitGroup
	players.Go(func() { r.playAll(after) })
	others.Go(func() { r.watchOwners(after) })
	r.breakAll(calm, after, plan)
	r.report.Took = r.since()
	r.heal(after)
	defer time.AfterFunc(r.o.Settle, impatient).Stop()
	defer time.AfterFunc(2*r.o.Settle+startCeiling, condemn).Stop()
	if ctx.Err() != nil {
		impatient()
	}
	players.Wait()
	done()
	others.Wait()
}

// since is how long the run has lasted.
func (r *run) since() time.Duration { return time.Since(r.began0) }

// enough reports whether no more games are to begin.
func (r *run) enough() bool { return r.calm.Err() != nil }

// rand returns a random source for one part of the run, so that the parts do not influence each other.
func (r *run) rand(part uint64) *rand.Rand { return rand.New(rand.NewPCG(r.o.Seed, part)) }

func (r *run) pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// note says what happens, as it happens.
func (r *run) note(format string, args ...any) {
	r.logMu.Lock()
	defer r.logMu.Unlock()
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " ")
	_, _ = fmt.Fprintf(r.o.Log, "%8.3fs %s\n", r.since().Seconds(), text) // who watches may have gone
}

// violate notes a violation.
func (r *run) violate(v Violation) {
	r.mu.Lock()
	r.report.Violations = append(r.report.Violations, v)
	r.mu.Unlock()
	r.note("VIOLATION %v", v)
}

// began notes a room that is there from now on.
func (r *run) began(l *live) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.living[l.id] = l
	r.report.Counts.Rooms++
}

// end forgets a room that was checked.
func (r *run) end(l *live) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.living, l.id)
}

// rooms are those that are being played.
func (r *run) rooms() []*live {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]*live, 0, len(r.living))
	for _, id := range sortedKeys(r.living) {
		all = append(all, r.living[id])
	}
	return all
}
