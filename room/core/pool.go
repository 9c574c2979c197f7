package core

import (
	"bytes"
	"encoding/json"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// PoolKey is the same for options that come to the same: a room of the one will do for who asked for the other. It opens the
// game with them to see what Turn.Options makes of them, so it costs as much as that; a game that reads its options
// otherwise is told apart by what they say, however it is spelt. Options that the game refuses have a pool of their own.
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

// CanonicalOptions is the same for options that say the same, however they are spelt.
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
