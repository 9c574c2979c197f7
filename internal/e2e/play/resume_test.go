package play_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// TestResumePoints resumes from every kind of point, before and after a crash. From a point in the room's history every later turn comes
// and none is missing. From any other point the whole view comes.
func TestResumePoints(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	r, end := resumePoints(s)
	s.Kill()
	s.Start()
	if now := r.connect(nil); now.Epoch != 2 || now.CSeq != uint64(len(r.turns)) || now.Recovered {
		t.Errorf("after a crash welcomed as %+v", now)
	}
	r.resume(1, end, true)    // the snapshots determine how far back resuming works
	r.resume(1, end+1, false) // the first epoch has no such index, though the room has
	r.resume(2, end+1, true)
	r.resume(2, end+1000, false)
	r.resume(3, end, false)
}

// resumePoints resumes from the points of one epoch and returns the last of them.
func resumePoints(s *e2e.Server) (r *resumer, end uint64) {
	r = &resumer{s: s, info: s.Create("tally", nil), hello: wire.Hello{Client: "a"}}
	w := r.connect(nil)
	r.hello.Token = w.Token
	for range 5 {
		r.act()
	}
	last := r.turns[4]
	for _, from := range []uint64{last, last - 1, w.Seq} {
		r.resume(1, from, true)
	}
	r.resume(1, last+1000, false)
	r.resume(2, last, false)
	r.resume(0, last, false)
	r.hangUp()
	return r, s.Inspect(r.info.ID).Index
}

// resumer is a client that comes back from points of its choice.
type resumer struct {
	*e2e.Socket
	s      *e2e.Server
	info   e2e.RoomInfo
	hello  wire.Hello
	player string
	turns  []uint64 // the indexes at which the room has said something
}

func (r *resumer) connect(from *wire.Resume) wire.Welcome {
	r.s.T.Helper()
	r.hello.Attempt++
	r.hello.Resume = from
	r.Socket = e2e.Dial(r.s.T, r.info.URL, e2e.EncodingOf(int(r.hello.Attempt)))
	w := r.Socket.Hello(r.hello)
	r.player = w.Player
	return w
}

func (r *resumer) hangUp() {
	r.s.T.Helper()
	r.Bye()
	r.s.WaitOffline(r.info.ID, r.player)
}

// act makes the room say something, and returns the messages up to the answer.
func (r *resumer) act() (heard []string) {
	r.s.T.Helper()
	r.Socket.Act(uint64(len(r.turns)+1), `{"add":1}`)
	for {
		m, err, ok := r.Next()
		if !ok || err != nil {
			r.s.T.Fatalf("after %v: %v", heard, err)
		}
		switch m := m.(type) {
		case wire.Turn:
			heard = append(heard, fmt.Sprint("turn ", m.Seq))
		case wire.State:
			heard = append(heard, "state")
		case wire.Ack:
			r.turns = append(r.turns, m.Seq)
			return heard
		case wire.Reject:
			r.s.T.Fatalf("refused: %+v", m)
		}
	}
}

// resume comes back from a point and checks what follows: every turn after it, or the whole view.
func (r *resumer) resume(epoch, seq uint64, good bool) {
	r.s.T.Helper()
	r.hangUp()
	if w := r.connect(&wire.Resume{Epoch: epoch, Seq: seq}); w.Recovered != good {
		r.s.T.Errorf("from %d/%d: recovered %v, should be %v", epoch, seq, w.Recovered, good)
	}
	var want []string
	for _, at := range r.turns {
		if good && at > seq {
			want = append(want, fmt.Sprint("turn ", at))
		}
	}
	if !good {
		want = []string{"state"}
	}
	heard := r.act()
	if want = append(want, fmt.Sprint("turn ", r.turns[len(r.turns)-1])); !slices.Equal(heard, want) {
		r.s.T.Errorf("from %d/%d: heard %v, should be %v", epoch, seq, heard, want)
	}
}

// TestSlowReaderCatchesUp stops reading while the room says a lot. The client then gets the newest whole view, and the right count of the
// events that it missed.
func TestSlowReaderCatchesUp(t *testing.T) {
	t.Parallel()
	slowReaderCatchesUp(e2e.NewServer(t, e2e.GenerousLimits...).Start())
}

func slowReaderCatchesUp(s *e2e.Server) {
	t := s.T
	info := s.Create("tally", nil)
	slow := e2e.Dial(t, info.URL, wire.JSON)
	slow.Hello(wire.Hello{Client: "slow"})
	loud := s.Join(info, client.Options{})
	const shouts = 400
	ctx := e2e.WaitContext(t)
	for range shouts {
		if _, err := loud.Act(ctx, e2e.TallyAction{Add: 1, Shout: 16000}); err != nil {
			t.Fatal(err)
		}
	}
	var heard, lost, states int
	for states == 0 || heard+lost < shouts {
		m, err, ok := slow.Next()
		if !ok || err != nil {
			t.Fatalf("after %d events and %d lost: %v", heard, lost, err)
		}
		switch m := m.(type) {
		case wire.Turn:
			heard += len(m.Events)
		case wire.State:
			lost += int(m.Lost)
			states++
		}
	}
	t.Logf("%d events heard, %d lost", heard, lost)
	if heard+lost != shouts || lost == 0 {
		t.Errorf("%d events heard and %d lost, together they should be %d", heard, lost, shouts)
	}
	slow.Write(wire.AppendResync(nil, wire.JSON))
	var view struct{ Count int }
	state := e2e.Hear[wire.State](slow)
	e2e.MustDecode(t, state.View, &view)
	if view.Count != shouts || state.Lost != 0 {
		t.Errorf("at last it sees %d and lost %d", view.Count, state.Lost)
	}
}
