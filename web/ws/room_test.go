package ws_test

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/ws"
)

// tally is the game of these tests: players add to a sum, and the one who makes it 100 wins.
type tally struct{ Sum int }

type tallyView struct {
	Sum int `json:"sum"`
}

func (g *tally) Act(t *room.Turn, by room.Player, add int) error {
	if add < 1 {
		return room.Refuse("too_small", "add at least 1")
	}
	if g.Sum += add; g.Sum >= 100 {
		t.Finish(room.Result{Reason: "hundred", Summary: by.Name + " wins"})
	}
	t.Broadcast("added", add)
	return nil
}

func (g *tally) View(room.Viewer) tallyView { return tallyView{g.Sum} }

// realRooms are rooms of the real directory.
type realRooms struct{ *actor.Directory }

func (r realRooms) Info(_ context.Context, id room.ID) (actor.Info, error) {
	return r.Directory.Info(id)
}

func newRooms(t testing.TB) (realRooms, room.ID) {
	t.Helper()
	games, err := core.NewGames(room.MustDefine(room.Spec{Name: "tally", Version: 1, MaxPlayers: 8, SharedView: true}, func() *tally { return &tally{} }))
	if err != nil {
		t.Fatal(err)
	}
	d, err := actor.NewDirectory(actor.Options{Games: games, Owner: actor.Alone{Store: func(record.Final, func()) {}}, Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Shutdown(context.Background()) })
	info, err := d.Create(t.Context(), actor.Create{Game: "tally"})
	if err != nil {
		t.Fatal(err)
	}
	return realRooms{d}, info.ID
}

// TestPlayInARealRoom goes from socket to core and back, in both encodings at once.
func TestPlayInARealRoom(t *testing.T) {
	rooms, id := newRooms(t)
	e := newEndpoint(t, func(o *ws.Options) { o.Rooms = rooms })
	for i, enc := range []wire.Encoding{wire.JSON, wire.CBOR} {
		watcher := e.dial(t, id, 1-enc)
		watcher.hello(wire.Hello{Client: "w" + strconv.Itoa(i), As: wire.AsSpectator})
		until[wire.State](watcher)

		c := e.dial(t, id, enc)
		c.hello(wire.Hello{Client: "c" + strconv.Itoa(i), Name: "Ann"})
		w := until[wire.Welcome](c)
		if w.Room != string(id) || w.Game != "tally" || w.Seat != i || w.Node != "n1" || w.Heartbeat != 10_000 || w.Limits.Message != 16<<10 || w.Token == "" {
			t.Errorf("welcome %+v", w)
		}
		until[wire.State](c)
		c.act(1, `0`)
		if r := until[wire.Reject](c); r.Code != "too_small" || r.CSeq != 1 {
			t.Errorf("reject %+v", r)
		}
		c.act(2, `20`)
		turn := until[wire.Turn](c)
		patch, err := wire.ToJSON(enc, turn.Patch)
		if want := `{"sum":` + strconv.Itoa(20*(i+1)) + `}`; err != nil || string(patch) != want {
			t.Errorf("patch %s, %v; want %s", patch, err, want)
		}
		ack := until[wire.Ack](c)
		if seen := until[wire.Turn](watcher); ack.Seq != turn.Seq || seen.Seq != turn.Seq || string(seen.Events[0].Data) != "20" {
			t.Errorf("ack %+v, turn %+v, the watcher saw %+v", ack, turn, seen)
		}

		again := e.dial(t, id, enc) // the same page after its socket broke
		again.hello(wire.Hello{Client: "c" + strconv.Itoa(i), Attempt: 1, Token: w.Token, Resume: &wire.Resume{Epoch: w.Epoch, Seq: w.Seq}})
		back := until[wire.Welcome](again)
		if !back.Recovered || back.CSeq != 2 || back.Player != w.Player {
			t.Errorf("welcome back %+v", back)
		}
		if missed := until[wire.Turn](again); missed.Seq != turn.Seq {
			t.Errorf("missed turn %+v", missed)
		}
		again.act(2, `20`)
		if same := until[wire.Ack](again); same != ack {
			t.Errorf("the second answer %+v, the first %+v", same, ack)
		}
		c.closed(wire.CloseReplaced)
		again.act(4, `1`)
		again.closed(wire.CloseGap)
	}
}

func TestTheGameEndsOnEverySocket(t *testing.T) {
	rooms, id := newRooms(t)
	e := newEndpoint(t, func(o *ws.Options) { o.Rooms = rooms })
	c, w := e.dial(t, id, wire.CBOR), e.dial(t, id, wire.JSON)
	c.hello(wire.Hello{Client: "c", Name: "Ann"})
	w.hello(wire.Hello{Client: "w", As: wire.AsSpectator})
	until[wire.State](w)
	c.act(1, `100`)
	until[wire.Ack](c)
	for _, x := range []*wsClient{c, w} {
		if over := until[wire.Over](x); over.End != "finished" || !strings.Contains(string(over.Result), "Ann wins") {
			t.Errorf("%+v", over)
		}
	}
}

func TestTooManyUnansweredActs(t *testing.T) {
	rooms, id := newRooms(t)
	e := newEndpoint(t, func(o *ws.Options) { o.Rooms = rooms })
	c := e.dial(t, id, wire.JSON)
	c.hello(wire.Hello{Client: "c"})
	until[wire.State](c)
	var batch []string
	for i := range uint64(100) {
		batch = append(batch, string(wire.AppendAct(nil, wire.JSON, wire.Act{CSeq: i + 1, Data: json.RawMessage("0")})))
	}
	c.send([]byte(strings.Join(batch, "\n")))
	var err error
	for err == nil {
		err = c.read() // whether it is too many depends on how fast the room is; nothing else may happen
		if len(c.have) > 0 {
			if r, ok := c.have[len(c.have)-1].(wire.Reject); ok && r.CSeq == 100 {
				return
			}
		}
	}
	if !strings.Contains(err.Error(), "4429") || errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
