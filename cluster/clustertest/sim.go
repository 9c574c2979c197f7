package clustertest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Sim is a cluster in virtual time. Only one goroutine may use it.
type Sim struct {
	now   time.Duration
	queue queue
	rng   *rand.Rand // nil: a story, which has no chance
	odds  odds

	nodes     []*node
	store     *store
	shelf     []*folder    // unmounted; each may come back
	destroyed []*folder    // lost for good
	lost      []lostFolder // stories only
	rooms     []*truth
	byID      map[room.ID]*truth
	cuts      map[[2]*node]time.Duration // messages from one to the other are lost until then
	lags      map[[2]*node]time.Duration // messages from one to the other take so much longer; stories only
	arrives   map[[2]*life]time.Duration // of the last message from one to the other
	boots     int
	folders   int

	trace  func(Line)
	failed *Failure
}

// Failure is an invariant that did not hold.
type Failure struct {
	At   time.Duration
	Room room.ID // "": the failure concerns a node
	Why  string
}

func (f *Failure) Error() string { return fmt.Sprintf("%s: %s: %s", stamp(f.At), f.Room, f.Why) }

func newSim(rng *rand.Rand) *Sim {
	s := &Sim{rng: rng, byID: map[room.ID]*truth{}, cuts: map[[2]*node]time.Duration{}, lags: map[[2]*node]time.Duration{}, arrives: map[[2]*life]time.Duration{}}
	s.store = newStore(s)
	return s
}

// fail records the first broken invariant and ends the run.
func (s *Sim) fail(id room.ID, why string, args ...any) {
	if s.failed == nil {
		s.failed = &Failure{s.now, id, fmt.Sprintf(why, args...)}
		s.say("", id, "FAILED: "+why, args...)
	}
}

// after runs do once d has passed.
func (s *Sim) after(d time.Duration, do func()) { s.queue.push(s.now+d, do) }

// run executes what is queued up to a time.
func (s *Sim) run(until time.Duration) {
	for s.failed == nil {
		at, do := s.queue.pop(until)
		if do == nil {
			s.now = max(s.now, until)
			return
		}
		s.now = max(s.now, at)
		do()
	}
}

// chance reports true with a probability of in10000 in ten thousand; in a story never.
func (s *Sim) chance(in10000 int) bool {
	return s.rng != nil && in10000 > 0 && s.rng.IntN(10000) < in10000
}

// between draws a duration; a story always takes the shortest.
func (s *Sim) between(shortest, longest time.Duration) time.Duration {
	if s.rng == nil || longest <= shortest {
		return shortest
	}
	return shortest + time.Duration(s.rng.Int64N(int64(longest-shortest)))
}

func (s *Sim) pick(n int) int {
	if s.rng == nil {
		return 0
	}
	return s.rng.IntN(n)
}

func (s *Sim) truth(id room.ID) *truth {
	t := s.byID[id]
	if t == nil {
		t = &truth{id: id, served: map[record.Epoch]*life{}, length: 1 << 30}
		s.byID[id] = t
		s.rooms = append(s.rooms, t)
	}
	return t
}

// ring returns the process that the ring gives a room; nil: the ring is empty.
func (s *Sim) ring(id room.ID) *life {
	var best *life
	var most uint64
	for _, n := range s.nodes {
		if n.life == nil || n.life.draining {
			continue
		}
		if h := mix(string(id), n.name); best == nil || h > most {
			best, most = n.life, h
		}
	}
	return best
}

// mix hashes both strings: FNV-1a with a final mix.
func mix(a, b string) uint64 {
	h := uint64(14695981039346656037)
	for _, s := range [...]string{a, "~", b} {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
	}
	h ^= h >> 29
	h *= 0xbf58476d1ce4e5b9
	return h ^ h>>32
}

// queue is a binary heap of pending work, ordered by time and then by age.
type queue struct {
	all []timed
	n   uint64
}

type timed struct {
	at time.Duration
	n  uint64
	do func()
}

func (a timed) before(b timed) bool { return a.at < b.at || a.at == b.at && a.n < b.n }

func (q *queue) push(at time.Duration, do func()) {
	q.n++
	q.all = append(q.all, timed{at, q.n, do})
	for i := len(q.all) - 1; i > 0; {
		up := (i - 1) / 2
		if !q.all[i].before(q.all[up]) {
			return
		}
		q.all[i], q.all[up] = q.all[up], q.all[i]
		i = up
	}
}

// pop removes and returns the next work if it is due by until, else nil.
func (q *queue) pop(until time.Duration) (time.Duration, func()) {
	if len(q.all) == 0 || q.all[0].at > until {
		return 0, nil
	}
	first, last := q.all[0], len(q.all)-1
	q.all[0] = q.all[last]
	q.all[last] = timed{}
	q.all = q.all[:last]
	for i := 0; ; {
		least := i
		for _, down := range [...]int{2*i + 1, 2*i + 2} {
			if down < last && q.all[down].before(q.all[least]) {
				least = down
			}
		}
		if least == i {
			return first.at, first.do
		}
		q.all[i], q.all[least] = q.all[least], q.all[i]
		i = least
	}
}

// Line is one line of a story.
type Line struct {
	At   time.Duration
	Node string  // "": the line concerns no node
	Room room.ID // "": the line concerns no room
	Text string
}

func (l Line) String() string {
	return fmt.Sprintf("%8s  %-2s %-4s %s", stamp(l.At), l.Node, l.Room, l.Text)
}

func stamp(at time.Duration) string { return fmt.Sprintf("%.3f", at.Seconds()) }

func (s *Sim) say(node string, id room.ID, text string, args ...any) {
	if s.trace != nil {
		s.trace(Line{s.now, node, id, fmt.Sprintf(text, args...)})
	}
}

// sayStep writes a line about a step of a machine.
func (s *Sim) sayStep(l *life, id room.ID, e ownership.Event, to ownership.State, effects []ownership.Effect) {
	if s.trace == nil {
		return
	}
	wants := make([]string, len(effects))
	for i, e := range effects {
		wants[i] = e.String()
	}
	text := l.describe(id, e)
	if len(wants) > 0 {
		text += " → " + strings.Join(wants, ", ")
	}
	s.say(l.node.name, id, "%s  (%s)", text, to)
}
