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
	m        *Machine
	data     []byte
	asked    []Effect     // all effects since the room arrived
	kind     Kind         // of the event by which it arrived
	some     bool         // something of the room is kept here
	promised record.Epoch // the highest epoch that the journal has, and that a row read before has shown
	again    record.Epoch // the same when a released row was read last
	granted  bool         // the store has said that the room is this process's, or over
	ended    bool         // the store has its end
	free     bool         // its log may be removed: the store has the room or its end, nobody was told of it, or others are its members
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
	e := Event{Kind: Kind(1 + c.byte()%int(Answer-1)), Memory: c.byte()%4 == 0, Log: c.log1(), Why: "so"}
	e.Folder, e.Epoch = []string{"other", "third"}[c.byte()%2], record.Epoch(1+c.byte()%4)
	return e
}

func (c *chaos) log1() Log {
	l := Log{Epoch: record.Epoch(1 + c.byte()%3), Last: room.Index(c.byte() % 4)}
	l.Unborn = l.Last == 0
	switch c.byte() % 8 {
	case 0:
		l.Cut = "cut"
	case 1:
		l.Doubt = record.Partial
	case 2:
		l.Doubt = record.Unsure
	}
	return l
}

func (c *chaos) answer(e Effect) Event {
	a := Event{Kind: Answer, N: e.N, Outcome: Outcome(c.byte() % 4), Verdict: Verdict(c.byte() % 5), Why: "so"}
	a.Stopped.Last = room.Index(c.byte() % 4)
	switch c.byte() % 8 {
	case 0:
		a.Err = errors.New("away")
	case 1:
		a.Err = record.Permanent(errors.New("never"))
	}
	if a.Outcome == Refused && e.Do != Store && e.Do != Abandon {
		a.Outcome = Won
	}
	switch e.Do {
	case ReadRow, Checkpoint:
		if a.Outcome != NoRow {
			a.Outcome, a.Row = Won, c.row(1)
		}
		a.Log = c.log1()
	case Load:
		a.Log = c.log1()
	case Claim, Change, CreateRow, Release:
		least := e.From.Epoch + 1
		if c.kind == Copied {
			least = max(least, e.To)
		}
		if a.Outcome == Moved {
			a.Row = c.row(least)
		}
	case Store, Abandon:
	default:
		if a.Outcome == Moved {
			a.Outcome = Won
		}
	}
	return a
}

// row draws a row at an epoch that is not lower than least.
func (c *chaos) row(least record.Epoch) record.Row {
	some := func(of ...string) string { return of[c.byte()%len(of)] }
	r := rowOf([]string{some("live", "live", "released", "over"), "0", some("me", "here", "former", "other")})
	r.Epoch = least + record.Epoch(c.byte()%4)
	if r.State == record.RowLive {
		r.Standby = some("", "here", "other", "third")
	}
	return r
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
		c.kind, c.some, c.promised, c.asked, c.granted, c.ended, c.free = e.Kind, e.Log.Last > 0, e.Log.Epoch, nil, e.Kind == Made, false, false
	}
	if c.m.state == Asking && c.m.main.op == Checkpoint && c.m.main.tries == 0 { // it was wanted: all begins anew
		c.kind, c.some, c.promised, c.asked, c.granted, c.ended, c.free = Wanted, false, 0, nil, false, false, false
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
	if c.m.state == Absent && (c.m.main.op != 0 || c.m.row.op != 0 || c.m.end.op != 0 || c.m.conf.op != 0) {
		c.Errorf("the room is absent, and something is under way: %+v", *c.m)
	}
}

// learn records what an expected answer says.
func (c *chaos) learn(e Event, op Op, pausing bool) {
	if pausing || e.Err != nil {
		return
	}
	if e.Log != (Log{}) && op != Checkpoint {
		c.some, c.promised = c.some || e.Log.Last > 0, e.Log.Epoch
	}
	over := e.Row.State == record.RowOver
	switch op {
	case ReadRow:
		c.granted = over
		released := e.Row.State == record.RowReleased
		c.free = over || e.Outcome != NoRow && !named(e.Row) && (e.Row.Epoch > c.promised || released && c.again == c.promised)
		if released {
			c.again = c.promised
		}
	case Claim, CreateRow, Change:
		won := e.Outcome == Won || e.Row.Boot == "me" && e.Row.State == record.RowLive
		c.granted = won || over
		c.free = over || !won && (c.kind == Copied || !named(e.Row) && (c.kind == Wanted || e.Outcome == Moved && e.Row.Epoch > c.promised))
	case Store, Abandon:
		c.ended = c.ended || e.Outcome == Won
	case Release:
		c.free = c.free || e.Outcome == Won || over || e.Outcome == Moved && e.Row.State == record.RowReleased
	}
}

func named(r record.Row) bool {
	return r.State == record.RowLive && (r.Folder == "here" || r.Standby == "here")
}

func (c *chaos) check(e Effect) {
	switch e.Do {
	case Fail: // the process ends
		c.data = nil
	case Start, Enter:
		if !c.granted {
			c.Errorf("it starts without a grant: %+v", *c.m)
		}
	case Remove:
		if !c.free && !c.ended && c.some {
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
