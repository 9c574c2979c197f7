package edge_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/edge"
	"github.com/roomring/roomring/room/record"
)

// FuzzMachine sends events in any order, from present, former and unknown routes, and checks the effects against what a
// session promises.
func FuzzMachine(f *testing.F) {
	f.Add([]byte{0, 1, 14, 1, 24, 33, 35, 1, 60, 7, 0, 1, 14, 1, 24, 33, 60, 3})
	f.Add([]byte{12, 1, 0, 1, 24, 33, 43, 1, 40, 1, 0, 1, 24, 1, 60, 2, 24, 1})
	f.Fuzz(func(t *testing.T, data []byte) { newTrial(t).run(data) })
}

// TestAnyOrder does the same with events drawn at random.
func TestAnyOrder(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	data := make([]byte, 400)
	for range 3000 {
		_, _ = random.Read(data)
		newTrial(t).run(data)
	}
}

// trial is one machine and the state that its effects have led to.
type trial struct {
	t        *testing.T
	m        edge.Machine
	now      time.Duration
	story    []string
	finding  bool   // a Find has no answer yet
	tried    uint64 // the newest route
	present  uint64 // the route that is attached or being attached; 0: none
	epoch    record.Epoch
	held     map[uint64]bool // the routes by which a room may have the session
	opens    map[uint64]int  // how often each route was opened
	first    uint64          // the first act that the room had not applied at the welcome of the present route; 0: every act goes there
	next     uint64          // the next act that the route must get
	acts     map[uint64]bool // the acts that the route got
	answers  int
	ends     int
	welcomes int
}

func newTrial(t *testing.T) *trial {
	return &trial{t: t, m: edge.New(patience), held: map[uint64]bool{}, opens: map[uint64]int{}}
}

// often is how many of 96 byte values stand for each event; the others stand for acts.
var often = map[edge.Happening]int{
	edge.Found: 12, edge.Attached: 8, edge.Welcomed: 10, edge.Lost: 6, edge.Missed: 2, edge.Refused: 2, edge.Leave: 2, edge.Due: 2,
	edge.Ended: 1, edge.Close: 1, edge.GaveUp: 1, edge.Stopped: 1,
}

// drawn returns the event that a byte stands for; 0: an act.
func drawn(b byte) edge.Happening {
	n := int(b % 96)
	for what := edge.Found; what <= edge.Due; what++ {
		if n -= often[what]; n < 0 {
			return what
		}
	}
	return 0
}

// run reads two bytes for each event: its kind, and its route or act.
func (x *trial) run(data []byte) {
	x.step(edge.Event{What: edge.Begin})
	for i := 0; i+1 < len(data); i += 2 {
		what, arg := drawn(data[i]), data[i+1]
		if what == 0 {
			x.act(uint64(arg%12) + 1)
			continue
		}
		x.now += time.Duration(arg>>6) * 50 * time.Millisecond
		e := edge.Event{
			What: what, Route: x.present, Node: "b", Err: errors.New("why"), Final: arg%16 == 1, Discard: arg&8 > 0,
			Epoch: record.Epoch(arg >> 5), CSeq: record.CSeq(arg >> 6),
		}
		if arg%4 == 0 {
			e.Route = uint64(arg>>2) % 16 // any route, perhaps one that never existed
		}
		if what == edge.Found || what == edge.Missed {
			if !x.finding {
				continue // the shell answers only what it was asked
			}
			x.finding = false
		}
		x.step(e)
	}
}

func (x *trial) act(cseq uint64) {
	route, ok := x.m.Act(cseq)
	if !ok {
		return
	}
	x.say("act %d by %d", cseq, route)
	if route != x.present || x.opens[route] == 0 {
		x.fail("it goes by a route that is not open")
	}
	switch {
	case x.first == 0:
		return
	case x.acts[cseq] && cseq < x.next:
		x.fail("it went there before")
	case cseq > x.next && x.next == x.first:
		x.fail("%d comes first", x.next)
	case cseq == x.next:
		x.next++
	}
	x.acts[cseq] = true
}

func (x *trial) step(e edge.Event) {
	before := x.m.State()
	late := e.What == edge.Attached && e.Route != x.present // the room of a former route has the session after all
	if x.held[e.Route] = late || x.held[e.Route]; !x.held[e.Route] {
		delete(x.held, e.Route)
	}
	effects := x.m.Step(x.now, e)
	x.say("%v %+v: %s; %s", x.now, e, tell(effects), states[x.m.State()])
	if e.What == edge.Welcomed && before == edge.Attaching && x.m.State() >= edge.Live && x.m.State() < edge.Over {
		x.welcomed(e)
	}
	if e.Route == x.present && (e.What == edge.Lost || e.What == edge.Ended || e.What == edge.Refused) {
		delete(x.held, e.Route) // the room no longer has the session
	}
	for _, f := range effects {
		x.effect(f)
	}
	if late && x.held[e.Route] {
		x.fail("that room keeps the session")
	}
	if x.ends > 0 != (x.m.State() == edge.Over) {
		x.fail("%d ends", x.ends)
	}
	if x.m.State() == edge.Over {
		if len(x.held) > 0 {
			x.fail("rooms still have the session: %v", x.held)
		}
		if x.answers != 1 {
			x.fail("the caller that began it got %d answers", x.answers)
		}
	}
}

func (x *trial) welcomed(e edge.Event) {
	if e.Route != x.present {
		x.fail("it is welcomed by a route that is not its own")
	}
	if e.Epoch < x.epoch {
		x.fail("the client goes back from epoch %d", x.epoch)
	}
	x.epoch = e.Epoch
	if x.welcomes++; x.welcomes > 1 {
		x.first = uint64(e.CSeq) + 1
		x.next, x.acts = x.first, map[uint64]bool{}
	}
}

func (x *trial) effect(f edge.Effect) {
	if x.ends > 0 && f.Do != edge.Detach && f.Do != edge.Answer {
		x.fail("an effect after the end")
	}
	switch f.Do {
	case edge.Find:
		if x.finding {
			x.fail("two searches at once")
		}
		x.finding = true
	case edge.Attach:
		if f.Route <= x.tried || x.held[x.present] {
			x.fail("route %d after %d", f.Route, x.tried)
		}
		x.tried, x.present = f.Route, f.Route
		x.held[f.Route] = true
	case edge.Open:
		if x.opens[f.Route]++; x.opens[f.Route] > 1 || f.Route != x.present {
			x.fail("route %d is opened twice, or late", f.Route)
		}
	case edge.Mute:
		x.present = 0
	case edge.Detach:
		delete(x.held, f.Route)
	case edge.Answer:
		x.answers++
	case edge.End:
		x.ends++
	}
}

func (x *trial) say(format string, args ...any) {
	x.story = append(x.story, fmt.Sprintf(format, args...))
}

func (x *trial) fail(format string, args ...any) {
	x.t.Helper()
	x.t.Fatalf("%s\n%s", fmt.Sprintf(format, args...), strings.Join(x.story, "\n"))
}
