// Package loadtest plays a game with many clients against a running server and measures how it answers. It is an open loop: acts and
// joins are due at set times, whatever the server does, and latencies count from those times.
package loadtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/roomring/roomring/internal/play"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/wire"
)

// Options say what to play and how much of it. Numbers have to be more than 0 where nothing else is said.
type Options struct {
	Rules       *room.Rules
	RoomOptions json.RawMessage // of the rooms; none: the game's defaults
	Driver      Driver          // nil: players do what the game's Legal names, by the state that the admin API shows
	URLs        []string        // of the server's nodes, as players reach them; taken in turn

	Admins     []string // of the admin APIs, one of each process whose use is to be measured
	AdminToken string
	AdminGuess bool // Admins are a guess: without an answer there they are left out, if Driver is given

	Players    int
	Spectators int             // may be 0
	Rate       float64         // acts a second, of all players
	JoinRate   float64         // players a second that come into rooms
	For        time.Duration   // how long acts are measured, when players have come
	Patience   time.Duration   // after which what is not answered is an error
	Encodings  []wire.Encoding // taken in turn
	Seed       uint64

	Thresholds []Threshold
	Progress   io.Writer // gets a line a second
	Live       bool      // Progress is a terminal: the line is written over
}

// Validate says what is wrong with the options, in the words of the command.
func (o *Options) Validate() error {
	if o.Players < 1 || o.Spectators < 0 || o.For <= 0 || o.Patience <= 0 {
		return errors.New("--players must be at least 1, --spectators at least 0, and times more than 0")
	}
	if err := play.CheckOptions(o.Rules, o.RoomOptions); err != nil {
		return fmt.Errorf("--options: %w", err)
	}
	return nil
}

// run is a load test under way.
type run struct {
	o        Options
	begun    time.Time
	schedule schedule
	joins    pacer
	watchers pacer
	dealer   *dealer
	stats    *stats
	wires    *wires
	k        int // acts that have been due; of deal
	advise   adviser

	tables  sync.WaitGroup
	answers context.Context         // of acts: it ends when nobody waits for answers any more
	fail    context.CancelCauseFunc // ends the run with an error

	mu    sync.Mutex
	rooms map[room.ID]*table
	made  uint64 // tables
}

func (r *run) since() time.Duration { return time.Since(r.begun) }

// Run plays until the time is over, or ctx ends, and reports what was measured until then. An error says what could not be done, and
// there is no report then.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := checkFiles(&o); err != nil {
		return nil, err
	}
	ramp := time.Duration(float64(o.Players) / o.JoinRate * float64(time.Second))
	r := &run{
		o: o, schedule: schedule{o.Rate, ramp}, wires: newWires(), rooms: map[room.ID]*table{},
		joins: pacer{every: every(o.JoinRate)}, watchers: pacer{every: every(o.JoinRate)}, stats: newStats(ramp, ramp+o.For),
	}
	r.dealer = &dealer{most: int(max(1000, o.Rate)), since: r.since, dropped: r.stats.dropped, rng: rand.New(rand.NewPCG(o.Seed, 0))}
	if err := checkGame(ctx, r.wires.http, &r.o); err != nil {
		return nil, err
	}
	admin := &operator{o: &r.o, http: &http.Client{}}
	if err := r.chooseAdviser(ctx, admin); err != nil {
		return nil, err
	}
	return r.play(ctx, admin)
}

// files are open beside the players' sockets.
const files = 128

// checkFiles checks that there can be as many sockets as are wanted.
func checkFiles(o *Options) error {
	need := uint64(o.Players + o.Spectators + files)
	if most, known := openFiles(); known && need > most {
		return fmt.Errorf("%d players and %d spectators need %d open files, and this process may have %d: run ulimit -n %d before, or ask for fewer", o.Players, o.Spectators, need, most, need)
	}
	return nil
}

// chooseAdviser decides how players know what to do.
func (r *run) chooseAdviser(ctx context.Context, admin *operator) error {
	name := r.o.Rules.Spec().Name
	_, advises := r.o.Rules.Instance().Legal(room.Spectator)
	if r.o.Driver == nil && !advises {
		return fmt.Errorf("nobody knows how to play %s: give the game a Legal method (room.Advisor), or this program a driver (roomring.Program.Drivers)", name)
	}
	err := admin.check(ctx)
	if err != nil && r.o.Driver != nil && r.o.AdminGuess {
		r.o.Admins, err = nil, nil
	}
	if err != nil {
		return fmt.Errorf("%w; loadtest plays by what is legal in a room's state, which the admin API knows, unless this program has a driver for %s (roomring.Program.Drivers)", err, name)
	}
	r.advise = admin.advise
	if r.o.Driver != nil {
		r.advise = byDriver(r.o.Driver)
	}
	return nil
}

// errEnough ends a run that has no error.
var errEnough = errors.New("the run is over")

// play runs everything, and waits for its end.
func (r *run) play(ctx context.Context, admin *operator) (*Report, error) {
	// Players stay until the last answers are there, although nobody comes any more: here ends, with the cause of a failure.
	here, leave := context.WithCancelCause(context.WithoutCancel(ctx))
	defer leave(errEnough)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(errEnough)
	r.fail = func(err error) { stop(err) }
	r.answers = here
	r.begun = time.Now()

	var players, helpers sync.WaitGroup
	for n := range r.o.Players {
		s, at := &seat{r: r, n: n}, r.joins.reserve(0)
		players.Go(func() { s.play(here, at) })
	}
	for n := range r.o.Spectators {
		at := r.watchers.reserve(0)
		players.Go(func() { r.watch(here, n, at) })
	}
	use := newGauge(admin)
	watching, unwatch := context.WithCancel(ctx)
	helpers.Go(func() { r.progress(watching) })
	var own time.Duration
	r.deal(ctx, r.schedule.ramp)
	if ctx.Err() == nil {
		r.nobody(stop, false)
		helpers.Go(func() { use.watch(watching) })
		own = ownCPU()
		r.deal(ctx, r.schedule.ramp+r.o.For)
		use.read(here, false)
		own = ownCPU() - own
		r.nobody(stop, true)
	}
	took := r.since()
	unwatch()
	helpers.Wait()
	err := context.Cause(ctx)
	if err == nil || errors.Is(err, context.Canceled) {
		err = nil
		r.settle(here)
	}
	r.dealer.close()
	r.stats.locked(func() { r.stats.parted = true })
	leave(errEnough)
	players.Wait()
	r.tables.Wait()
	if err == nil && took < r.schedule.ramp {
		err = errors.New("interrupted while players were coming: nothing was measured")
	}
	if err != nil {
		return nil, err
	}
	return r.report(took, use, own), nil
}

// deal deals acts as they are due, until a time since the run began, or until ctx ends.
func (r *run) deal(ctx context.Context, until time.Duration) {
	for ; ; r.k++ {
		at := r.schedule.at(r.k)
		if at >= until || !r.sleepUntil(ctx, at) {
			break
		}
		r.stats.wasDue(at, r.since()-at)
		r.dealer.due(at)
	}
	r.sleepUntil(ctx, until)
}

// nobody ends a run in which no player has come in when all should have. Before the last time it lets those come who are still on
// their way.
func (r *run) nobody(stop context.CancelCauseFunc, last bool) {
	r.stats.mu.Lock()
	defer r.stats.mu.Unlock()
	if r.stats.joins.Done > 0 || len(r.stats.errs) == 0 && !last {
		return
	}
	text, most := "nobody has an answer yet", 0
	for e, n := range r.stats.errs {
		if n > most {
			text, most = e, n
		}
	}
	for _, advice := range r.stats.advice() {
		text += "; " + advice
	}
	stop(fmt.Errorf("no player has come in after %v: %s", r.since().Round(time.Second/10), text))
}

// settle waits until the last acts are answered.
func (r *run) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, r.o.Patience)
	defer cancel()
	for !r.dealer.idle() && clock.Sleep(ctx, nil, 10*time.Millisecond) {
	}
}

// table is that of a room, and is made if it is not there.
func (r *run) table(id room.ID) *table {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.rooms[id]
	if t == nil {
		r.made++
		t = &table{r: r, id: id, rng: rand.New(rand.NewPCG(r.o.Seed, r.made)), dealt: make(chan dealt, 1), wake: make(chan struct{}, 1)}
		r.rooms[id] = t
	}
	return t
}

// forget takes a table away that nobody plays at.
func (r *run) forget(t *table) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rooms[t.id] == t {
		delete(r.rooms, t.id)
	}
}

// anyTable draws a room that is being played; nil: there is none.
func (r *run) anyTable(rng *rand.Rand) *table {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.rooms) == 0 {
		return nil
	}
	n := rng.IntN(len(r.rooms))
	for _, t := range r.rooms {
		if n--; n < 0 {
			return t
		}
	}
	return nil
}

// socketURL is the address of a room for the n-th client.
func (r *run) socketURL(n int, id room.ID) string {
	return "ws" + strings.TrimPrefix(r.o.URLs[n%len(r.o.URLs)], "http") + "/v1/rooms/" + url.PathEscape(string(id)) + "/ws"
}
