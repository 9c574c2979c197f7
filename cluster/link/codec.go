package link

import (
	"errors"
	"fmt"
	"sync"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	pb "google.golang.org/protobuf/proto"
)

// All batches have the same fields.
const (
	fieldFrames = 1
	fieldPing   = 2 // pong in what the dialled node sends
)

// codec is protobuf's codec, except for batches: a batch is encoded frame by frame as frames are queued, and decoded
// frame by frame, so that no batch is ever held as messages. The bytes on the wire are the same.
type codec struct{ encoding.CodecV2 }

var batchCodec = codec{encoding.GetCodecV2(proto.Name)}

// sent is an outgoing batch. The codec owns its buffer once it is passed to Marshal.
type sent struct{ buf *[]byte }

// received is an incoming batch. Its reader frees it.
type received struct{ mem.Buffer }

func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if batch, ok := v.(sent); ok {
		return mem.BufferSlice{mem.NewBuffer(batch.buf, chunks)}, nil
	}
	return c.CodecV2.Marshal(v)
}

func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	if batch, ok := v.(*received); ok {
		batch.Buffer = data.MaterializeToBuffer(mem.DefaultBufferPool())
		return nil
	}
	return c.CodecV2.Unmarshal(data, v)
}

// chunkSize is the size in bytes at which a batch is complete and the next one begins.
const chunkSize = 64 << 10

// chunks is the pool of buffers for batches.
var chunks = &chunkPool{sync.Pool{New: func() any { return new(make([]byte, 0, chunkSize+chunkSize/4)) }}}

type chunkPool struct{ pool sync.Pool }

func (p *chunkPool) Get(n int) *[]byte {
	buf := p.pool.Get().(*[]byte)
	if cap(*buf) < n {
		*buf = make([]byte, 0, n)
	}
	*buf = (*buf)[:n]
	return buf
}

// Put drops buffers that a large frame has grown.
func (p *chunkPool) Put(buf *[]byte) {
	if cap(*buf) <= 2*chunkSize {
		p.pool.Put(buf)
	}
}

// appendFrame adds a frame to a batch. The size is that of a call of pb.Size just before.
func appendFrame(batch []byte, frame pb.Message, size int) ([]byte, error) {
	batch = protowire.AppendTag(batch, fieldFrames, protowire.BytesType)
	batch = protowire.AppendVarint(batch, uint64(size))
	return pb.MarshalOptions{UseCachedSize: true}.MarshalAppend(batch, frame)
}

// appendPing adds a ping or a pong to a batch.
func appendPing(batch []byte, ping uint64) []byte {
	batch = protowire.AppendTag(batch, fieldPing, protowire.VarintType)
	return protowire.AppendVarint(batch, ping)
}

var errBatch = errors.New("the peer sent something that is not a batch of frames")

// eachFrame decodes a batch and calls frame and ping for what it contains. It skips fields that a newer peer may have
// added.
func eachFrame(batch []byte, frame func([]byte) error, ping func(uint64)) error {
	for len(batch) > 0 {
		number, kind, n := protowire.ConsumeTag(batch)
		if n < 0 {
			return errBatch
		}
		batch = batch[n:]
		switch {
		case number == fieldFrames && kind == protowire.BytesType:
			var b []byte
			if b, n = protowire.ConsumeBytes(batch); n < 0 {
				return errBatch
			}
			if err := frame(b); err != nil {
				return fmt.Errorf("%w: %w", errBatch, err)
			}
		case number == fieldPing && kind == protowire.VarintType:
			var v uint64
			if v, n = protowire.ConsumeVarint(batch); n < 0 {
				return errBatch
			}
			ping(v)
		default:
			if n = protowire.ConsumeFieldValue(number, kind, batch); n < 0 {
				return errBatch
			}
		}
		batch = batch[n:]
	}
	return nil
}
