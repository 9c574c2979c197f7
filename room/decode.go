package room

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/roomring/roomring/room/strict"
)

// decode reads an action as the room's runtime does: by package strict, or as the first runtime did, whose logs must come
// to what they came to.
func (c *Core) decode(raw json.RawMessage, into any) error {
	if c.runtime() < 2 {
		return decodeFolded(raw, into)
	}
	return strict.Decode(raw, into)
}

// foldingDecoder reads one JSON value after another. It is used again because a json.Decoder begins with
// a buffer larger than most actions.
type foldingDecoder struct {
	src bytes.Reader
	*json.Decoder
}

var foldingDecoders = sync.Pool{New: func() any {
	d := new(foldingDecoder)
	d.Decoder = json.NewDecoder(&d.src)
	d.DisallowUnknownFields()
	return d
}}

// decodeFolded decodes exactly one value. Unknown fields are errors that name them; the names of fields may be spelt in
// upper and lower case.
func decodeFolded(raw json.RawMessage, into any) error {
	d := foldingDecoders.Get().(*foldingDecoder)
	d.src.Reset(raw)
	if err := d.Decode(into); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return fmt.Errorf("field %q: cannot be a %s", wrong.Field, wrong.Value)
		}
		return errors.New(trimJSON(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more than one JSON value")
	}
	d.src.Reset(nil)
	foldingDecoders.Put(d) // after an error it may hold a rest of raw, and is not used again
	return nil
}

func trimJSON(err error) string {
	msg := err.Error()
	if rest, ok := bytes.CutPrefix([]byte(msg), []byte("json: ")); ok {
		return string(rest)
	}
	return msg
}
