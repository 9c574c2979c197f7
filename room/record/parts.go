package record

import (
	"bytes"
	"io"
	"slices"
)

// Parts are the bytes of a replay in consecutive pieces. A long log is kept, stored and sent without a copy of the whole.
// The pieces are shared and must not be changed.
type Parts [][]byte

// Len is the total length in bytes.
func (p Parts) Len() int {
	n := 0
	for _, part := range p {
		n += len(part)
	}
	return n
}

// Reader reads the parts in order.
func (p Parts) Reader() io.Reader {
	readers := make([]io.Reader, len(p))
	for i, part := range p {
		readers[i] = bytes.NewReader(part)
	}
	return io.MultiReader(readers...)
}

// Join copies the parts into one slice.
func (p Parts) Join() []byte { return slices.Concat(p...) }

// Split groups the parts into pieces of at most size bytes each. It never cuts a part: one larger than size is a piece of its
// own. The result has at least one piece, which may be empty.
func (p Parts) Split(size int) []Parts {
	pieces, from, n := []Parts{}, 0, 0
	for i, part := range p {
		if i > from && n+len(part) > size {
			pieces, from, n = append(pieces, p[from:i]), i, 0
		}
		n += len(part)
	}
	return append(pieces, p[from:])
}
