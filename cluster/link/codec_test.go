package link

import (
	"errors"
	"io"
	"testing"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/room/clock"
)

type count struct{ frames, downs int }

func (c *count) Frame(*linkpb.OwnerFrame) { c.frames++ }
func (c *count) Down(error)               { c.downs++ }

// readAll reads one batch and then the end of the stream.
func readAll(batch []byte) (count, error) {
	o := Options{Clock: clock.System()}
	s := newStream(Peer{}, &o, o.Queue, new(traffic))
	var c count
	pending := true
	read(s, func(v any) error {
		if !pending {
			return io.EOF
		}
		pending = false
		return batchCodec.Unmarshal(mem.BufferSlice{mem.SliceBuffer(batch)}, v)
	}, edgeReads, &c)
	return c, s.err
}

func FuzzBatch(f *testing.F) {
	good, err := proto.Marshal(&linkpb.OwnerBatch{Frames: []*linkpb.OwnerFrame{{Sessions: []uint64{1, 2}, What: &linkpb.OwnerFrame_Say{Say: &linkpb.Say{Frame: []byte("x")}}}}, Pong: 7})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-3])
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := readAll(b)
		if c.downs != 1 {
			t.Errorf("%d Downs", c.downs)
		}
		var whole linkpb.OwnerBatch
		if proto.Unmarshal(b, &whole) != nil {
			return // this decoder may be more lenient about fields that it skips
		}
		known := 0
		for _, f := range whole.GetFrames() {
			if f.GetWhat() != nil {
				known++
			}
		}
		if errors.Is(err, errBatch) || c.frames != known {
			t.Errorf("protobuf reads %d frames; we read %d: %v", known, c.frames, err)
		}
	})
}

// TestPingsAreBounded has a peer that pings and does not read the answers.
func TestPingsAreBounded(t *testing.T) {
	o := Options{Clock: clock.System(), Queue: 1 << 10, Message: 1 << 20}
	s := newStream(Peer{}, &o, o.Queue, new(traffic))
	var pings []byte
	for range 10_000 {
		pings = appendPing(pings, 1)
	}
	batches := 10
	read(s, func(v any) error {
		if batches--; batches < 0 {
			return io.EOF
		}
		return batchCodec.Unmarshal(mem.BufferSlice{mem.SliceBuffer(pings)}, v)
	}, edgeReads, new(count))
	if s.err != errQueue { //nolint:errorlint // it is not wrapped
		t.Errorf("the stream ended with %v", s.err)
	}
	if n := s.Queued(); n > 1<<10+16 {
		t.Errorf("%d bytes were queued", n)
	}
}

func TestUnknownFramesAreSkipped(t *testing.T) {
	batch, err := proto.Marshal(&linkpb.OwnerBatch{Frames: []*linkpb.OwnerFrame{
		{Sessions: []uint64{1}},
		{Sessions: []uint64{1}, What: &linkpb.OwnerFrame_End{End: &linkpb.End{}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	batch = append(batch, 0xf8, 0x07, 1)                            // a field of a newer batch
	batch = append(batch, 0x0a, 6, 0x0a, 1, 1, 0xfa, 0x07, 0)       // a frame of a newer kind
	if c, err := readAll(batch); c.frames != 1 || err != errEnded { //nolint:errorlint // it is not wrapped
		t.Errorf("%d frames, %v", c.frames, err)
	}
}
