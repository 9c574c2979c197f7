package relay

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// Peers prove who they are, but a broken or a newer one may say anything. What it says must harm nobody but its own
// sessions.

// anyNumber draws what a peer may put where a number belongs.
func anyNumber() *rapid.Generator[uint64] {
	return rapid.OneOf(rapid.Uint64Range(0, 5), rapid.SampledFrom([]uint64{math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64}))
}

func anyText() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"", "p", "q", "a player", strings.Repeat("x", 5000), "\x00", "{}"})
}

func anyBytes() *rapid.Generator[[]byte] {
	return rapid.OneOf(rapid.SampledFrom([][]byte{
		nil, []byte(`{"add":1}`), []byte(`{"add":-1}`), []byte("null"), []byte(strings.Repeat("[", 9999)), {0xbf, 0xff}, {0xb7},
		[]byte(`{"t":"state","seq":1,"view":{}}`), {0xff, 0xfe},
	}), rapid.SliceOfN(rapid.Byte(), 0, 40))
}

func anyPoint() *rapid.Generator[*linkpb.Point] {
	return rapid.Custom(func(t *rapid.T) *linkpb.Point {
		if rapid.Bool().Draw(t, "none") {
			return nil
		}
		return &linkpb.Point{Epoch: anyNumber().Draw(t, "epoch"), Seq: anyNumber().Draw(t, "seq")}
	})
}

func anyEdgeFrame(rooms ...room.ID) *rapid.Generator[*linkpb.EdgeFrame] {
	return rapid.Custom(func(t *rapid.T) *linkpb.EdgeFrame {
		f := &linkpb.EdgeFrame{Session: anyNumber().Draw(t, "session")}
		switch rapid.IntRange(0, 8).Draw(t, "what") {
		case 0:
		case 1:
			f.What = &linkpb.EdgeFrame_Resync{}
		case 2:
			f.What = &linkpb.EdgeFrame_Leave{Leave: &linkpb.Nothing{}}
		case 3:
			f.What = &linkpb.EdgeFrame_Detach{}
		case 4, 5:
			f.What = &linkpb.EdgeFrame_Act{Act: &linkpb.Act{Cseq: anyNumber().Draw(t, "cseq"), Data: anyBytes().Draw(t, "data")}}
		default:
			f.What = &linkpb.EdgeFrame_Attach{Attach: &linkpb.Attach{
				Room: string(rapid.SampledFrom(rooms).Draw(t, "room")), Encoding: uint32(anyNumber().Draw(t, "encoding")),
				Player: anyText().Draw(t, "player"), Name: anyText().Draw(t, "name"), Client: anyText().Draw(t, "client"),
				Attempt: anyNumber().Draw(t, "attempt"), Spectate: rapid.Bool().Draw(t, "spectate"), Code: anyText().Draw(t, "code"),
				Resume: anyPoint().Draw(t, "resume"), HeartbeatMs: int64(anyNumber().Draw(t, "heartbeat")),
				LimitMessage: int64(anyNumber().Draw(t, "message")), LimitRate: int64(anyNumber().Draw(t, "rate")), LimitBytes: int64(anyNumber().Draw(t, "bytes")),
				Token: anyText().Draw(t, "token"), Again: rapid.Bool().Draw(t, "again"),
			}}
		}
		return f
	})
}

func anyOwnerFrame() *rapid.Generator[*linkpb.OwnerFrame] {
	return rapid.Custom(func(t *rapid.T) *linkpb.OwnerFrame {
		f := &linkpb.OwnerFrame{Sessions: rapid.SliceOfN(anyNumber(), 0, 20).Draw(t, "sessions")}
		switch rapid.IntRange(0, 8).Draw(t, "what") {
		case 0:
		case 1, 2:
			f.What = &linkpb.OwnerFrame_Attached{}
		case 3:
			f.What = &linkpb.OwnerFrame_Refused{Refused: &linkpb.Refused{
				NotHere: rapid.Bool().Draw(t, "here"), Moved: rapid.Bool().Draw(t, "moved"),
				Code: uint32(anyNumber().Draw(t, "code")), Reason: anyText().Draw(t, "reason"), Over: anyBytes().Draw(t, "over"),
			}}
		case 4:
			f.What = &linkpb.OwnerFrame_Welcomed{Welcomed: &linkpb.Welcomed{
				Point: anyPoint().Draw(t, "point"), Cseq: anyNumber().Draw(t, "cseq"), From: anyNumber().Draw(t, "from"),
			}}
		case 5, 6:
			f.What = &linkpb.OwnerFrame_Say{Say: &linkpb.Say{
				Frame: anyBytes().Draw(t, "frame"), Fate: linkpb.Fate(anyNumber().Draw(t, "fate")),
				Seq: anyNumber().Draw(t, "seq"), Events: uint32(anyNumber().Draw(t, "events")),
			}}
		case 7:
			f.What = &linkpb.OwnerFrame_View{View: &linkpb.View{Frame: anyBytes().Draw(t, "view"), Seq: anyNumber().Draw(t, "seq")}}
		case 8:
			f.What = &linkpb.OwnerFrame_End{End: &linkpb.End{
				Moved: rapid.Bool().Draw(t, "moved"), Code: uint32(anyNumber().Draw(t, "code")), Reason: anyText().Draw(t, "reason"),
				Over: anyBytes().Draw(t, "over"), Discard: rapid.Bool().Draw(t, "discard"),
			}}
		}
		return f
	})
}

// crossed is a frame as it comes off the wire, which no string that is no UTF-8 does.
func crossed[F proto.Message](t *rapid.T, f F) F {
	raw, err := proto.Marshal(f)
	if err == nil {
		err = proto.Unmarshal(raw, f)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestHostileEdge has an edge say anything to an owner, beside one that is well.
func TestHostileEdge(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, "a", "b", "x")
		defer w.close()
		w.connect("a", "b")
		id := w.create("b", "adding")
		well := w.join("a", id, w.hello("well"), actor.OutboxOptions{})
		sink := &deafEnd[*linkpb.OwnerFrame]{}
		h := w.nodes["b"].owner.open(sink)
		for _, f := range rapid.SliceOfN(anyEdgeFrame(id, "", "nowhere", room.ID(strings.Repeat("i", 5000))), 0, 60).Draw(rt, "frames") {
			h.Frame(crossed(rt, f))
		}
		well.act(added{Add: 1})
		well.wait("its own act counts", func(g *guest) bool { return len(g.pending) == 0 })
		if h.mu.Lock(); len(h.sessions) > 8 {
			rt.Errorf("%d sessions of 8 numbers", len(h.sessions))
		}
		h.mu.Unlock()
		h.Down(errLinkLost)
		testwait.Until(t, "nothing of the edge is left", func() bool {
			h.mu.Lock()
			defer h.mu.Unlock()
			look, err := w.nodes["b"].Inspect(context.Background(), id, actor.Look{})
			return err == nil && h.attaching == 0 && len(look.Sessions) == 1
		})
		h.Frame(&linkpb.EdgeFrame{Session: 1, What: &linkpb.EdgeFrame_Attach{Attach: &linkpb.Attach{Room: string(id), Spectate: true}}})
		well.check()
		well.leaveQuietly()
	})
}

// deafEnd is the end of a link to nobody.
type deafEnd[F proto.Message] struct {
	mu   sync.Mutex
	sent int
}

func (d *deafEnd[F]) Peer() link.Peer { return link.Peer{Node: "x"} }
func (d *deafEnd[F]) Defer(f F)       { d.Send(f) }
func (d *deafEnd[F]) Send(f F) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sent++
	if _, err := proto.Marshal(f); err != nil {
		panic(fmt.Sprintf("a frame that no link can carry: %v", err))
	}
}

// TestHostileOwner has an owner say anything to an edge whose clients read on.
func TestHostileOwner(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, "a", "b")
		defer w.close()
		edge := w.nodes["a"].edge
		edge.o.Reattach = 50 * time.Millisecond
		w.put("somewhere", "x", nil)
		s := edge.open(&deafEnd[*linkpb.EdgeFrame]{})
		ctx, cancel := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		for i := range 4 {
			clients.Go(func() { listen(ctx, edge, wire.Encoding(i%2), i) })
		}
		testwait.Until(t, "all clients ask", func() bool { return edge.Remote() == 4 })
		for _, f := range rapid.SliceOfN(anyOwnerFrame(), 0, 60).Draw(rt, "frames") {
			s.Frame(crossed(rt, f))
			if rapid.IntRange(0, 9).Draw(rt, "rest") == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		cancel()
		clients.Wait()
		testwait.Until(t, "no session is left of clients that have gone", func() bool { return edge.Remote() == 0 })
		s.Frame(&linkpb.OwnerFrame{Sessions: []uint64{1}, What: &linkpb.OwnerFrame_Say{Say: &linkpb.Say{}}})
		s.Down(errLinkLost)
	})
}

// listen is a client that acts and reads what it is told until ctx ends.
func listen(ctx context.Context, edge *Edge, e wire.Encoding, i int) {
	wake := make(chan struct{}, 1)
	box := actor.NewOutbox(actor.OutboxOptions{Encoding: e, MaxBytes: 100, Wake: func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	}})
	name := fmt.Sprint("p", i)
	session, err := edge.Attach(ctx, "somewhere", actor.Hello{Player: room.PlayerID(name), Client: record.ClientID(name), Attempt: 1}, box)
	if err != nil {
		return
	}
	defer session.Detach()
	for cseq := uint64(1); ; cseq++ {
		for n := 1; n > 0; {
			_, n = box.Take(nil, 100)
		}
		if _, over := box.End(); over || session.Act(ctx, wire.Act{CSeq: cseq, Data: []byte("{}")}) != nil {
			return
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return
		}
	}
}

// FuzzEdgeFrame finds frames by their bytes.
func FuzzEdgeFrame(f *testing.F) {
	w := newWorld(f, "a", "b")
	id := w.create("b", "adding")
	attach, _ := proto.Marshal(&linkpb.EdgeFrame{Session: 1, What: &linkpb.EdgeFrame_Attach{Attach: &linkpb.Attach{Room: string(id), Player: "p", Client: "c"}}})
	act, _ := proto.Marshal(&linkpb.EdgeFrame{Session: 1, What: &linkpb.EdgeFrame_Act{Act: &linkpb.Act{Cseq: 1, Data: []byte(`{"add":1}`)}}})
	f.Add(protowire.AppendBytes(protowire.AppendBytes(nil, attach), act))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		h := w.nodes["b"].owner.open(&deafEnd[*linkpb.OwnerFrame]{})
		defer h.Down(errLinkLost)
		for len(raw) > 0 {
			one, n := protowire.ConsumeBytes(raw)
			if n < 0 {
				return
			}
			raw = raw[n:]
			var frame linkpb.EdgeFrame
			if proto.Unmarshal(one, &frame) == nil {
				h.Frame(&frame)
			}
		}
	})
}
