package wire_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/roomring/roomring/room/wire"
)

// decodeAgain checks what must hold for any input: decoding does not panic, errors have the right type, and a decoded
// message is the same after it is written and read again, in both encodings.
func decodeAgain(t *testing.T, e wire.Encoding, raw []byte) ([]wire.ClientMessage, error) {
	got, err := readClient(e, raw)
	if err != nil {
		if _, ok := err.(*wire.ProtocolError); !ok {
			t.Fatalf("%T is no ProtocolError", err)
		}
	}
	for _, m := range got {
		for _, to := range encodings {
			if act, isAct := m.(wire.Act); isAct && act.Fault != nil {
				continue // there is no data to write
			}
			if _, isAct := m.(wire.Act); isAct && to == wire.CBOR {
				continue // numbers too large for both encodings may be rounded or refused
			}
			if p, isPing := m.(wire.Ping); isPing && (to == wire.CBOR || len(p.Echo) > 0) {
				continue
			}
			back, err := readClient(to, appendClient(nil, to, m))
			if err != nil || len(back) != 1 || !sameMessage(back[0], m) {
				t.Fatalf("%+v became %+v, %v", m, back, err)
			}
		}
	}
	return got, err
}

func sameMessage(a, b wire.ClientMessage) bool {
	x, ok := a.(wire.Act)
	y, _ := b.(wire.Act)
	if !ok {
		return reflect.DeepEqual(a, b)
	}
	var u, v any
	return x.CSeq == y.CSeq && (json.Unmarshal(x.Data, &u) == nil) == (json.Unmarshal(y.Data, &v) == nil) && reflect.DeepEqual(u, v)
}

func FuzzDecodeJSON(f *testing.F) {
	for _, m := range clientMessages() {
		f.Add(appendClient(nil, wire.JSON, m))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, _ := decodeAgain(t, wire.JSON, raw)
		for _, m := range got {
			if act, ok := m.(wire.Act); ok && act.Fault == nil && !json.Valid(act.Data) {
				t.Fatalf("%q is not JSON", act.Data)
			}
		}
		for range wire.DecodeServer(wire.JSON, raw) {
		}
	})
}

func FuzzDecodeCBOR(f *testing.F) {
	for _, m := range clientMessages() {
		f.Add(appendClient(nil, wire.CBOR, m))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := decodeAgain(t, wire.CBOR, raw)
		for _, m := range got {
			if act, ok := m.(wire.Act); ok && act.Fault == nil && !json.Valid(act.Data) {
				t.Fatalf("%q is not JSON", act.Data)
			}
		}
		for rest := raw; err == nil && len(rest) > 0; {
			var wrong error
			if rest, wrong = cbor.UnmarshalFirst(rest, new(cbor.RawMessage)); wrong != nil {
				t.Fatalf("%x was taken but is not well formed: %v", raw, wrong)
			}
		}
		for range wire.DecodeServer(wire.CBOR, raw) {
		}
	})
}
