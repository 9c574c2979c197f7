package edge_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/edge"
)

const patience = 2 * time.Second

var (
	errAway = errors.New("away")
	errOver = errors.New("over")
)

// names are the actions as the stories below write them.
var names = map[edge.Action]string{
	edge.Find: "find", edge.Attach: "attach", edge.Open: "open", edge.Mute: "mute", edge.Detach: "detach", edge.Depart: "depart",
	edge.Forget: "forget", edge.Alarm: "alarm", edge.Answer: "answer", edge.End: "end",
}

func tell(effects []edge.Effect) string {
	var out []string
	for _, f := range effects {
		s := names[f.Do]
		switch f.Do {
		case edge.Find:
			s += fmt.Sprintf(" within %v", f.Wait)
			if f.Node != "" {
				s += " at " + f.Node
			}
		case edge.Attach:
			s += fmt.Sprintf(" %d at %s", f.Route, f.Node)
		case edge.Open, edge.Detach, edge.Depart:
			s += fmt.Sprintf(" %d", f.Route)
		case edge.Forget:
			s += " " + f.Node
		case edge.Alarm:
			s += fmt.Sprintf(" %v", f.At)
		case edge.Answer, edge.End:
			if f.Err != nil {
				s += ": " + f.Err.Error()
			}
		}
		if f.Coming {
			s += " coming"
		}
		if f.Again {
			s += " again"
		}
		if f.Free {
			s += " free"
		}
		if f.Discard {
			s += " discard"
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

// states are the states as the stories below write them.
var states = map[edge.State]string{edge.Looking: "looking", edge.Attaching: "attaching", edge.Live: "live", edge.Leaving: "leaving", edge.Over: "over"}

type line struct {
	at   time.Duration
	e    edge.Event
	want string // the effects, and the state after them
}

// Each of these is the beginning of a story, up to the point that it is named after.
var (
	looking   = []line{{0, edge.Event{What: edge.Begin}, "find within 0s; looking"}}
	attaching = append(looking[:1:1], line{0, edge.Event{What: edge.Found, Node: "b"}, "attach 1 at b; attaching"})
	attached  = append(attaching[:2:2], line{0, edge.Event{What: edge.Attached, Route: 1}, "open 1 free, answer; attaching"})
	live      = append(attached[:3:3], line{0, edge.Event{What: edge.Welcomed, Route: 1, Epoch: 5}, "; live"})
	again     = append(live[:4:4],
		line{9 * time.Second, edge.Event{What: edge.Lost, Route: 1, Err: errAway}, "mute, forget b, alarm 11s, find within 40ms again; looking"},
		line{9 * time.Second, edge.Event{What: edge.Found, Node: "c"}, "attach 2 at c again; attaching"},
		line{9 * time.Second, edge.Event{What: edge.Attached, Route: 2}, "; attaching"})
)

func TestStories(t *testing.T) {
	for name, story := range map[string][]line{
		"a new client whose room cannot be found in time": append(looking[:1:1],
			line{0, edge.Event{What: edge.Missed, Err: errAway}, "find within 40ms; looking"},
			line{0, edge.Event{What: edge.Missed, Err: errAway}, "find within 80ms; looking"},
			line{0, edge.Event{What: edge.Missed, Err: errAway}, "find within 160ms; looking"},
			line{patience, edge.Event{What: edge.Missed, Err: errAway}, "find within 250ms; looking"},
			line{patience + 1, edge.Event{What: edge.Missed, Err: errAway}, "end discard, answer: the room was not found in time: away; over"}),
		"a new client whose room does not exist": append(looking[:1:1],
			line{0, edge.Event{What: edge.Missed, Err: errOver, Final: true}, "end discard, answer: over; over"}),
		"a new client that no longer waits": append(attaching[:2:2],
			line{0, edge.Event{What: edge.GaveUp}, "detach 1, end discard, answer: the room was not found in time; over"},
			line{0, edge.Event{What: edge.Attached, Route: 1}, "detach 1; over"}),
		"an attach may take as long as its caller waits": append(attaching[:2:2],
			line{time.Hour, edge.Event{What: edge.Due}, "; attaching"},
			line{time.Hour, edge.Event{What: edge.Attached, Route: 1}, "open 1 free, answer; attaching"}),
		"a node that does not have the room": append(attaching[:2:2],
			line{0, edge.Event{What: edge.Refused, Route: 1, Err: errAway}, "detach 1, mute, forget b, find within 40ms; looking"}),
		"a room that turns the client away": append(attaching[:2:2],
			line{0, edge.Event{What: edge.Refused, Route: 1, Err: errOver, Final: true}, "detach 1, end discard, answer: over; over"}),
		"a room that ends the session before it accepts it": append(attaching[:2:2],
			line{0, edge.Event{What: edge.Ended, Route: 1, Err: errOver}, "detach 1, end discard, answer: over; over"}),
		"a welcome before the acceptance": append(attaching[:2:2],
			line{0, edge.Event{What: edge.Welcomed, Route: 1, Epoch: 1}, "open 1 free, answer; live"},
			line{0, edge.Event{What: edge.Attached, Route: 1}, "; live"}),
		"a route that is lost before the welcome": append(attached[:3:3],
			line{0, edge.Event{What: edge.Lost, Route: 1, Err: errAway}, "mute, forget b, alarm 2s, find within 40ms; looking"},
			line{0, edge.Event{What: edge.Found, Node: "c"}, "attach 2 at c; attaching"},
			line{0, edge.Event{What: edge.Attached, Route: 2}, "open 2 free; attaching"},
			line{0, edge.Event{What: edge.Welcomed, Route: 2, Epoch: 1}, "alarm 0s; live"}),
		"a client that goes": append(live[:4:4],
			line{0, edge.Event{What: edge.Close, Discard: true}, "detach 1, end discard; over"},
			line{0, edge.Event{What: edge.Close, Discard: true}, "; over"},
			line{0, edge.Event{What: edge.Ended, Route: 1, Err: errOver}, "; over"}),
		"a room that is over": append(live[:4:4],
			line{0, edge.Event{What: edge.Ended, Route: 1, Err: errOver}, "end: over; over"}),
		"a room that moves": append(again[:7:7],
			line{9 * time.Second, edge.Event{What: edge.Welcomed, Route: 2, Epoch: 6}, "open 2 again, alarm 0s; live"},
			line{9 * time.Second, edge.Event{What: edge.Lost, Route: 1, Err: errAway}, "; live"}),
		"a room that moves on before it has welcomed the client": append(again[:7:7],
			line{9 * time.Second, edge.Event{What: edge.Lost, Route: 2, Err: errAway}, "mute, forget c, find within 80ms again; looking"},
			line{11*time.Second - 1, edge.Event{What: edge.Due}, "alarm 11s; looking"},
			line{11 * time.Second, edge.Event{What: edge.Due}, "end: the room was not found in time: away; over"}),
		"a room that does not welcome the client again in time": append(again[:7:7],
			line{11 * time.Second, edge.Event{What: edge.Due}, "detach 2, end: the room was not found in time; over"}),
		"a room that moves to a node that is named": append(live[:4:4],
			line{0, edge.Event{What: edge.Lost, Route: 1, Node: "d", Err: errAway}, "mute, forget b, alarm 2s, find within 0s at d again; looking"},
			line{0, edge.Event{What: edge.Found, Node: "d"}, "attach 2 at d coming again; attaching"},
			line{0, edge.Event{What: edge.Refused, Route: 2, Node: "b", Err: errAway}, "detach 2, mute, forget d, find within 80ms at b again; looking"},
			line{0, edge.Event{What: edge.Found, Node: "b"}, "attach 3 at b coming again; attaching"},
			line{0, edge.Event{What: edge.Refused, Route: 3, Err: errAway}, "detach 3, mute, forget b, find within 160ms again; looking"},
			line{0, edge.Event{What: edge.Missed, Node: "c", Err: errAway}, "attach 4 at c coming again; attaching"},
			line{0, edge.Event{What: edge.Lost, Route: 4, Err: errAway}, "mute, forget c, find within 250ms again; looking"},
			line{0, edge.Event{What: edge.Found, Node: "c"}, "attach 5 at c again; attaching"}),
		"a room in an older epoch": append(again[:7:7],
			line{9 * time.Second, edge.Event{What: edge.Welcomed, Route: 2, Epoch: 4}, "detach 2, mute, forget c, find within 80ms again; looking"}),
		"a room whose epoch rises, and which is then found as it was before": append(live[:4:4],
			line{0, edge.Event{What: edge.Raised, Route: 1, Epoch: 7}, "; live"},
			line{0, edge.Event{What: edge.Raised, Route: 1, Epoch: 6}, "; live"}, // of a turn that is told again
			line{9 * time.Second, edge.Event{What: edge.Lost, Route: 1, Err: errAway}, "mute, forget b, alarm 11s, find within 40ms again; looking"},
			line{9 * time.Second, edge.Event{What: edge.Found, Node: "c"}, "attach 2 at c again; attaching"},
			line{9 * time.Second, edge.Event{What: edge.Raised, Route: 1, Epoch: 9}, "; attaching"}, // late, and never taken in
			line{9 * time.Second, edge.Event{What: edge.Welcomed, Route: 2, Epoch: 6}, "detach 2, mute, forget c, find within 80ms again; looking"},
			line{9 * time.Second, edge.Event{What: edge.Found, Node: "b"}, "attach 3 at b again; attaching"},
			line{9 * time.Second, edge.Event{What: edge.Welcomed, Route: 3, Epoch: 7}, "open 3 again, alarm 0s; live"}),
		"two welcomes for one attach": append(live[:4:4],
			line{0, edge.Event{What: edge.Welcomed, Route: 1, Epoch: 5}, "detach 1, mute, forget b, alarm 2s, find within 40ms again; looking"}),
		"a client that leaves": append(live[:4:4],
			line{0, edge.Event{What: edge.Leave}, "depart 1; leaving"},
			line{0, edge.Event{What: edge.Leave}, "; leaving"},
			line{0, edge.Event{What: edge.Ended, Route: 1, Err: errOver}, "end: over; over"}),
		"a client that leaves while its room moves": append(again[:7:7],
			line{9 * time.Second, edge.Event{What: edge.Leave}, "; attaching"},
			line{9 * time.Second, edge.Event{What: edge.Welcomed, Route: 2, Epoch: 6}, "open 2 again, alarm 0s, depart 2; leaving"},
			line{9 * time.Second, edge.Event{What: edge.Lost, Route: 2, Err: errAway}, "mute, forget c, alarm 11s, find within 40ms again; looking"}),
		"a node that stops": append(again[:7:7],
			line{9 * time.Second, edge.Event{What: edge.Stopped}, "detach 2, end: the node looks for rooms no longer; over"}),
		"a node that stops while the session is live": append(live[:4:4],
			line{0, edge.Event{What: edge.Stopped}, "; live"}),
		"too many acts on a route that is not the present one": append(again[:7:7],
			line{9 * time.Second, edge.Event{What: edge.Close, Route: 1, Err: errOver}, "; attaching"},
			line{9 * time.Second, edge.Event{What: edge.Close, Route: 2, Err: errOver}, "detach 2, end: over; over"}),
	} {
		t.Run(name, func(t *testing.T) {
			m := edge.New(patience)
			for i, l := range story {
				if got := tell(m.Step(l.at, l.e)) + "; " + states[m.State()]; got != l.want {
					t.Fatalf("line %d, %+v:\n got %s\nwant %s", i, l.e, got, l.want)
				}
			}
		})
	}
}

// TestActsAgain sends acts before and after the welcome of a second route. At the welcome the room has applied five acts.
func TestActsAgain(t *testing.T) {
	m := edge.New(patience)
	for _, l := range again {
		m.Step(l.at, l.e)
	}
	step := func(cseq uint64, want bool) {
		t.Helper()
		if route, got := m.Act(cseq); got != want || got && route != 2 {
			t.Errorf("act %d: %v, by route %d", cseq, got, route)
		}
	}
	step(1, false)
	m.Step(9*time.Second, edge.Event{What: edge.Welcomed, Route: 2, Epoch: 6, CSeq: 5})
	step(8, false) // sent before the client read the welcome
	step(7, false)
	step(3, true) // sent again for its answer
	step(3, false)
	step(4, true)
	step(6, true)
	step(6, false)
	step(5, true)
	step(7, true)
	step(9, true) // a gap that the client made
}
