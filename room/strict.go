package room

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// strictDecoder reads one JSON value after another. It is used again because a json.Decoder begins with
// a buffer larger than most actions.
type strictDecoder struct {
	src bytes.Reader
	*json.Decoder
}

var strictDecoders = sync.Pool{New: func() any {
	d := new(strictDecoder)
	d.Decoder = json.NewDecoder(&d.src)
	d.DisallowUnknownFields()
	return d
}}

// decodeStrict decodes exactly one value. Unknown fields are errors that name them.
func decodeStrict(raw json.RawMessage, into any) error {
	d := strictDecoders.Get().(*strictDecoder)
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
	strictDecoders.Put(d) // after an error it may hold a rest of raw, and is not used again
	return nil
}

func trimJSON(err error) string {
	msg := err.Error()
	if rest, ok := bytes.CutPrefix([]byte(msg), []byte("json: ")); ok {
		return string(rest)
	}
	return msg
}
