package record

import (
	"bytes"
	"io"
	"slices"
)

// Parts are the bytes of a replay in pieces that follow each other, so that a log of any length is kept, stored and sent
// without a copy of the whole. They are shared: nobody changes them.
type Parts [][]byte

// Len is how many bytes the parts have together.
func (p Parts) Len() int {
	n := 0
	for _, part := range p {
		n += len(part)
	}
	return n
}

// Reader reads the parts one after the other.
func (p Parts) Reader() io.Reader {
	readers := make([]io.Reader, len(p))
	for i, part := range p {
		readers[i] = bytes.NewReader(part)
	}
	return io.MultiReader(readers...)
}

// Join is the parts as one.
func (p Parts) Join() []byte { return slices.Concat(p...) }

// Split cuts p between parts into pieces of at most size bytes each; a larger part is a piece of its own. There is always
// one piece, which may be empty.
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
