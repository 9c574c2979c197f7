package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// foldingDecoder reads one JSON value after another. It is reused, because the first buffer of a json.Decoder is larger
// than most actions.
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

// DecodeFolded decodes exactly one value as rooms of the first runtime did. It ignores upper and lower case in the names of
// fields. An unknown field is an error that names it.
func DecodeFolded(raw json.RawMessage, into any) error {
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
	foldingDecoders.Put(d) // after an error it is not reused, because it may still hold a part of raw
	return nil
}

func trimJSON(err error) string {
	msg := err.Error()
	if rest, ok := bytes.CutPrefix([]byte(msg), []byte("json: ")); ok {
		return string(rest)
	}
	return msg
}
