package wire_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"github.com/roomring/roomring/room/wire"
)

// TestBadDataFaultsOnlyTheAct checks that wrong data gives its act a fault, and that the messages around the act stay valid.
func TestBadDataFaultsOnlyTheAct(t *testing.T) {
	nest := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	many := make([]string, 100)
	for i := range many {
		many[i] = `"k` + strings.Repeat("x", i) + `":0`
	}
	for data, want := range map[string]wire.Fault{
		`"hello \ud83c"`:              {Code: wire.CodeText, Reason: "half a surrogate pair"},
		`{"a":["\udf8d\ud83c"]}`:      {Code: wire.CodeText, Reason: "half a surrogate pair"},
		`{"\ud83c":1}`:                {Code: wire.CodeText, Reason: "key must be Unicode"},
		`{"a":1,"a":1}`:               {Code: wire.CodeAction, Reason: `the key "a" stands twice`},
		`[{"x":{"a":1,"\u0061":{}}}]`: {Code: wire.CodeAction, Reason: `the key "a" stands twice`},
		`{` + strings.Join(append(many, many[50]), ",") + `}`: {Code: wire.CodeAction, Reason: "stands twice"},
		`1e999`:                  {Code: wire.CodeAction, Reason: "a number is too large"},
		strings.Repeat("9", 400): {Code: wire.CodeAction, Reason: "a number is too large"},
		nest(32):                 {Code: wire.CodeAction, Reason: "nested more than 32 deep"},
		nest(7000):               {Code: wire.CodeAction, Reason: "nested more than 32 deep"},
		`null`:                   {Code: wire.CodeAction, Reason: "must not be null"},
	} {
		refused(t, wire.JSON, []byte(`{"t":"ping"}`+"\n"+`{"t":"act","cseq":7,"data":`+data+`}`+"\n"+`{"t":"leave"}`), want)
	}
	refused(t, wire.JSON, []byte(`{"t":"ping"}`+"\n"+`{"t":"act","cseq":7}`+"\n"+`{"t":"leave"}`), wire.Fault{Code: wire.CodeAction, Reason: "is missing"})
	for data, want := range map[string]wire.Fault{
		"\x61\xff":                          {Code: wire.CodeText, Reason: "UTF-8"},
		"\xa1\x61\xff\x01":                  {Code: wire.CodeText, Reason: "UTF-8"},
		"\xa2\x61a\x01\x61a\x01":            {Code: wire.CodeAction, Reason: `the key "a" stands twice`},
		"\x41a":                             {Code: wire.CodeAction, Reason: "byte strings"},
		"\xc1\x01":                          {Code: wire.CodeAction, Reason: "tags"},
		"\x81\xf7":                          {Code: wire.CodeAction, Reason: "only true"},
		"\xf9\x7e\x00":                      {Code: wire.CodeAction, Reason: "finite"},
		"\xfa\x7f\x80\x00\x00":              {Code: wire.CodeAction, Reason: "finite"},
		"\x7f\x61a\x61b\xff":                {Code: wire.CodeAction, Reason: "chunks"},
		"\x5f\x41a\xff":                     {Code: wire.CodeAction, Reason: "byte strings"},
		"\xa1\x01\x02":                      {Code: wire.CodeAction, Reason: "key must be text"},
		"\xf6":                              {Code: wire.CodeAction, Reason: "must not be null"},
		strings.Repeat("\x81", 32) + "\x01": {Code: wire.CodeAction, Reason: "nested"},
		strings.Repeat("\x9f", 7000) + strings.Repeat("\xff", 7000): {Code: wire.CodeAction, Reason: "nested"},
	} {
		ping, leave := wire.AppendPing(nil, wire.CBOR, wire.Ping{}), wire.AppendLeave(nil, wire.CBOR)
		act := append([]byte("\xa3\x61t\x63act\x64cseq\x07\x64data"), data...)
		if err := cbor.Wellformed([]byte(data)); err != nil && len(data) < 1000 {
			t.Fatalf("%x: %v", data, err)
		}
		refused(t, wire.CBOR, bytes.Join([][]byte{ping, act, leave}, nil), want)
	}
}

// refused reads a ping, an act with a fault and a leave.
func refused(t *testing.T, e wire.Encoding, msg []byte, want wire.Fault) {
	t.Helper()
	got, err := readClient(e, msg)
	if err != nil || len(got) != 3 {
		t.Errorf("%.80q: %v, %v", msg, got, err)
		return
	}
	act, _ := got[1].(wire.Act)
	if act.CSeq != 7 || act.Data != nil || act.Fault == nil || act.Fault.Code != want.Code || !strings.Contains(act.Fault.Reason, want.Reason) {
		t.Errorf("%.80q: %+v %+v, want %+v", msg, act, act.Fault, want)
	}
}

// TestNestingUpToTheLimitIsAccepted nests 32 levels: the message itself and 31 levels of data.
func TestNestingUpToTheLimitIsAccepted(t *testing.T) {
	data := strings.Repeat("[", 31) + strings.Repeat("]", 31)
	for _, e := range encodings {
		got, err := readClient(e, wire.AppendAct(nil, e, wire.Act{CSeq: 1, Data: json.RawMessage(data)}))
		if err != nil || string(got[0].(wire.Act).Data) != data {
			t.Errorf("%v, %v", got, err)
		}
	}
}

func TestWholeNumbersInAnyForm(t *testing.T) {
	for spelt, want := range map[string]string{
		`1.0`: `1`, `4e0`: `4`, `1E+2`: `100`, `100e-2`: `1`, `0.5e1`: `5`, `-3.00`: `-3`, `0.0`: `0`, `-0.0`: `0`, `0e99999999999999999999`: `0`,
		`9007199254740991.0`: `9007199254740991`, `-9.007199254740991e15`: `-9007199254740991`,
		`9007199254740992.0`: `9007199254740992.0`, `1e300`: `1e300`, `1.5`: `1.5`, `15e-1`: `15e-1`, `1e-400`: `1e-400`,
		`9007199254740993`: `9007199254740993`, `18446744073709551615`: `18446744073709551615`,
		`{"a":[1.0, 2],"1.0":"1.0 \"2.0"}`: `{"a":[1, 2],"1.0":"1.0 \"2.0"}`,
	} {
		got, err := readClient(wire.JSON, []byte(`{"t":"act","cseq":10e-1,"data":`+spelt+`}`))
		if err != nil || got[0].(wire.Act).CSeq != 1 || string(got[0].(wire.Act).Data) != want {
			t.Errorf("%s: %+v, %v; want %s", spelt, got, err, want)
		}
	}
	for in, want := range map[string]wire.ClientMessage{
		`{"t":"hello","client":"x","attempt":1.0,"resume":{"epoch":2e0,"seq":30e-1}}`: wire.Hello{Client: "x", Attempt: 1, Resume: &wire.Resume{Epoch: 2, Seq: 3}},
		`{"t":"hello","client":"x","attempt":18446744073709551615}`:                   wire.Hello{Client: "x", Attempt: 1<<64 - 1},
	} {
		if got, err := readClient(wire.JSON, []byte(in)); err != nil || !sameMessage(got[0], want) {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
	}
	raw, _ := cbor.Marshal(map[string]any{"t": "act", "cseq": 3.0, "data": map[string]any{"count": 4.0, "half": 0.5}})
	if got, err := readClient(wire.CBOR, raw); err != nil || !sameMessage(got[0], wire.Act{CSeq: 3, Data: json.RawMessage(`{"count":4,"half":0.5}`)}) {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestPlainNumbersKeepTheirValue compares with rational numbers of any size.
func TestPlainNumbersKeepTheirValue(t *testing.T) {
	number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?`)
	rapid.Check(t, func(t *rapid.T) {
		in := number.Draw(t, "number")
		out, err := wire.CheckedJSON([]byte(in), 1)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := new(big.Rat).SetString(in)
		b, ok := new(big.Rat).SetString(string(out))
		if !ok || a.Cmp(b) != 0 {
			t.Fatalf("%s became %s", in, out)
		}
		small := a.IsInt() && new(big.Int).Abs(a.Num()).Cmp(big.NewInt(1<<53-1)) <= 0
		if _, ok := new(big.Int).SetString(string(out), 10); small && !ok {
			t.Fatalf("%s is whole and stands as %s", in, out)
		}
	})
}

// TestGameDataHasNoUnsafeIntegersInCBOR checks that large integers become floats. CBOR decoders in JavaScript refuse a message
// with an integer that no double holds exactly.
func TestGameDataHasNoUnsafeIntegersInCBOR(t *testing.T) {
	raw := wire.AppendTurn(nil, wire.CBOR, &wire.Turn{Seq: 1, Events: []wire.Event{{Name: "x", Data: json.RawMessage(`[9007199254740991,9007199254740992,-9007199254740993]`)}}})
	var got struct {
		Events []struct {
			Data []any `cbor:"data"`
		} `cbor:"events"`
	}
	if err := cbor.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	data := got.Events[0].Data
	if data[0] != uint64(1<<53-1) || data[1] != float64(1<<53) || data[2] != float64(-1<<53) {
		t.Errorf("%T %v", data, data)
	}
}
