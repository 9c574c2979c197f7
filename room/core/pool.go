package core

import (
	"bytes"
	"encoding/json"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// PoolKey returns a key that is equal for options with the same meaning, so that their players can share rooms. It opens the
// game once to see what Turn.Options makes of the options, which costs as much as opening a room. For a game that does not use
// Turn.Options the key is CanonicalOptions. Options that the game refuses get keys of their own.
func PoolKey(r *room.Rules, options json.RawMessage) string {
	spec := r.Spec()
	if spec.CheckOptions(options) != nil {
		return "refused " + CanonicalOptions(options)
	}
	c := newCore(Config{Rules: r, Header: record.Header{Game: spec.Name, Version: spec.Version, Runtime: RuntimeVersion, Options: options}})
	c.decoded = []byte{}
	ready, err := c.Step(Input{Kind: KindOpen})
	if err != nil || ready.Refused != nil || c.panicked != nil {
		return "refused " + CanonicalOptions(options)
	}
	if len(c.decoded) == 0 {
		return CanonicalOptions(options)
	}
	return string(c.decoded)
}

// CanonicalOptions returns a text that is equal for options that are equal as JSON, however they are written.
func CanonicalOptions(options json.RawMessage) string {
	if plain, err := wire.CheckedJSON(options, wire.MaxDepth); err == nil {
		options = plain
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(options))
	d.UseNumber()
	if d.Decode(&v) != nil || v == nil {
		return "{}"
	}
	canonical, err := json.Marshal(v)
	if err != nil {
		return string(options)
	}
	return string(canonical)
}
