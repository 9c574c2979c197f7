package ownership

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// FuzzMachine sends events and answers in any order, including late and repeated ones.
func FuzzMachine(f *testing.F) {
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, data []byte) { disorder(t, data) })
}

func TestAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 300)
	for range 10_000 {
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		disorder(t, data)
	}
}

// chaos is a machine that gets events in any order, and what an observer knows of it.
type chaos struct {
	*testing.T
	m       *Machine
	data    []byte
	asked   []Effect // all effects since the room arrived
	kind    Kind     // of the event by which it arrived
	log     Log
	granted bool // the store has said that the room is this process's, or over
	free    bool // its log may be removed: the store has the room or its end, or nobody was told of the room
}

func disorder(t *testing.T, data []byte) {
	c := &chaos{T: t, m: New(&self), data: data}
	for len(c.data) > 0 {
		c.step(c.next())
		if t.Failed() {
			return
		}
	}
}

func (c *chaos) byte() int {
	if len(c.data) == 0 {
		return 0
	}
	b := c.data[0]
	c.data = c.data[1:]
	return int(b)
}

// next draws an event, most often the answer to a recent effect.
func (c *chaos) next() Event {
	if n := len(c.asked); n > 0 && c.byte()%4 > 0 {
		back := 0
		if c.byte()%4 == 0 {
			back = c.byte() % n
		}
		return c.answer(c.asked[n-1-back])
	}
	e := Event{Kind: Kind(1 + c.byte()%int(Forgot)), Memory: c.byte()%4 == 0, Log: c.log1(), Why: "so"}
	return e
}

func (c *chaos) log1() Log {
	l := Log{Epoch: record.Epoch(1 + c.byte()%3), Last: room.Index(c.byte() % 4)}
	l.Unborn = l.Last == 0
	if c.byte()%8 == 0 {
		l.Cut = "cut"
	}
	return l
}

func (c *chaos) answer(e Effect) Event {
	a := Event{Kind: Answer, N: e.N, Outcome: Outcome(c.byte() % 4), Verdict: Verdict(c.byte() % 5), Log: c.log1(), Why: "so"}
	a.Stopped.Last = room.Index(c.byte() % 4)
	switch c.byte() % 8 {
	case 0:
		a.Err = errors.New("away")
	case 1:
		a.Err = record.Permanent(errors.New("never"))
	}
	switch {
	case e.Do != Claim && e.Do != CreateRow && e.Do != Release && a.Outcome == Moved:
		a.Outcome = Won
	case a.Outcome == Moved:
		a.Row = rowOf([]string{[]string{"live", "released", "over"}[c.byte()%3], []string{"1", "2", "3", "4"}[c.byte()%4], []string{"me", "here", "former", "other"}[c.byte()%4]})
	}
	return a
}

func (c *chaos) step(e Event) {
	was := *c.m
	awaited := c.m.waiting(e.N)
	late := e.Kind == Answer && awaited == nil
	if e.Kind == Answer && !late {
		c.learn(e, awaited.op, awaited.pausing)
	}
	effects := c.m.Step(e)
	if was.state == Absent && c.m.state != Absent {
		c.kind, c.log, c.asked, c.granted, c.free = e.Kind, e.Log, nil, e.Kind == Made, false
	}
	if was.state == Ending && c.m.state == Asking { // it was wanted in between
		c.kind, c.asked, c.granted, c.free = Wanted, nil, false, false
	}
	if late {
		was.effects, c.m.effects = nil, nil
		if !reflect.DeepEqual(was, *c.m) || len(effects) > 0 {
			c.Errorf("an answer that nobody waits for changes %+v to %+v and has %v done", was, *c.m, effects)
		}
	}
	for _, e := range effects {
		c.check(e)
	}
	if c.m.state == Absent && (c.m.main.op != 0 || c.m.row.op != 0 || c.m.end.op != 0) {
		c.Errorf("the room is absent, and something is under way: %+v", *c.m)
	}
}

// learn records what an expected answer says.
func (c *chaos) learn(e Event, op Op, pausing bool) {
	if pausing || e.Err != nil {
		return
	}
	over := e.Outcome == Moved && e.Row.State == record.RowOver
	switch op {
	case Claim, CreateRow:
		c.granted = c.granted || e.Outcome == Won || over || e.Row.Boot == "me" && e.Row.State == record.RowLive
		c.free = c.free || e.Outcome != Won && (c.kind == Wanted || c.kind == Copied) || over
	case Store, Abandon:
		c.free = c.free || e.Outcome == Won
	case Release:
		c.free = c.free || e.Outcome == Won || over || e.Outcome == Moved && e.Row.State == record.RowReleased
	}
}

func (c *chaos) check(e Effect) {
	switch e.Do {
	case Start:
		if !c.granted {
			c.Errorf("it starts without a grant: %+v", *c.m)
		}
	case Remove:
		if !c.free && c.log.Last > 0 {
			c.Errorf("its log is removed, and is nowhere else: %+v", *c.m)
		}
	}
	if e.N == 0 || e.Do == Cancel {
		return
	}
	if c.m.waiting(e.N) == nil {
		c.Errorf("%s is asked for, and nobody waits for the answer: %+v", e, *c.m)
	}
	c.asked = append(c.asked, e)
}
