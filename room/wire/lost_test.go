package wire_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/roomring/roomring/room/wire"
)

// TestWithLostEqualsAppendState adds the number afterwards and compares with a state that was encoded with it.
func TestWithLostEqualsAppendState(t *testing.T) {
	views := []string{`{}`, `5`, `null`, `"a,\"check\":7"`, `{"check":5}`, `{"lost":1,"t":"turn"}`, `[{"check":1}]`, `"}"`, `{"a":{"b":[1,2,{"check":9}]}}`}
	rapid.Check(t, func(t *rapid.T) {
		e := rapid.SampledFrom([]wire.Encoding{wire.JSON, wire.CBOR}).Draw(t, "encoding")
		view := []byte(rapid.SampledFrom(views).Draw(t, "view"))
		if e == wire.CBOR {
			view, _ = wire.AppendCBORFromJSON(nil, view)
		}
		m := wire.State{Seq: rapid.Uint64().Draw(t, "seq"), View: view}
		if rapid.Bool().Draw(t, "checked") {
			m.Check = new(rapid.Uint32().Draw(t, "check"))
		}
		plain := wire.AppendState(nil, e, m)
		before := bytes.Clone(plain)
		m.Lost = rapid.Uint64().Draw(t, "lost")
		if got, want := wire.WithLost(e, plain, m.Lost), wire.AppendState(nil, e, m); !bytes.Equal(got, want) {
			t.Fatalf("WithLost gave %q, AppendState %q", got, want)
		}
		if !bytes.Equal(plain, before) {
			t.Fatal("the message, which others share, was changed")
		}
	})
}

func TestWithLostLeavesOthersAlone(t *testing.T) {
	for _, m := range []string{``, `{`, `{}`, `[]`, `{"t":5}`, `{"t":"turn","seq":1}`, `{"t":"state","seq":1,"view":{},"lost":3}`, `{"t":"state"} {}`} {
		if got := wire.WithLost(wire.JSON, []byte(m), 9); string(got) != m {
			t.Errorf("%q became %q", m, got)
		}
		if raw, err := wire.AppendCBORFromJSON(nil, json.RawMessage(m)); err == nil && !bytes.Equal(wire.WithLost(wire.CBOR, raw, 9), raw) {
			t.Errorf("%q was changed in CBOR", m)
		}
	}
}
