package wire_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/roomring/roomring/room/wire"
)

var encodings = map[string]wire.Encoding{"json": wire.JSON, "cbor": wire.CBOR}

// frame is one server message of a test: how to append it, and the JSON it must give.
type frame struct {
	append func(e wire.Encoding) []byte
	want   string
	msg    wire.ServerMessage // what a client must read; views and patches are compared as JSON
}

// inEncoding converts JSON to e, as package view does before it calls this package.
func inEncoding(t testing.TB, e wire.Encoding, js string) []byte {
	if e == wire.JSON {
		return []byte(js)
	}
	raw, err := wire.AppendCBORFromJSON(nil, []byte(js))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func frames(t testing.TB) []frame {
	welcome := wire.Welcome{
		Room: "r", Game: "chess", Player: "p\"1", Seat: -1, Epoch: 3, Seq: 300, CSeq: 70000, Now: 9000, Heartbeat: 10000,
		Limits: wire.Limits{Message: 16384, Unanswered: 32, Rate: 60, Bytes: 65536}, Recovered: true, Node: "n", Token: "tok",
	}
	turn := wire.Turn{
		Seq: 1 << 40, Events: []wire.Event{{Name: "moved", Data: json.RawMessage(`{"a":[1,-2.5,"ü\n",null,true]}`)}, {Name: "bare"}},
		Check: new(uint32(4000000000)),
	}
	return []frame{
		{func(e wire.Encoding) []byte { return wire.AppendWelcome(nil, e, welcome) },
			`{"t":"welcome","room":"r","game":"chess","player":"p\"1","seat":-1,"epoch":3,"seq":300,"cseq":70000,"now":9000,"heartbeat":10000,"limits":{"message":16384,"unanswered":32,"rate":60,"bytes":65536},"recovered":true,"node":"n","token":"tok"}`, welcome},
		{func(e wire.Encoding) []byte {
			m := turn
			m.Patch = inEncoding(t, e, `{"b":null}`)
			return wire.AppendTurn(nil, e, &m)
		}, `{"t":"turn","seq":1099511627776,"patch":{"b":null},"events":[{"name":"moved","data":{"a":[1,-2.5,"ü\n",null,true]}},{"name":"bare"}],"check":4000000000}`, nil},
		{func(e wire.Encoding) []byte { return wire.AppendTurn(nil, e, &wire.Turn{Seq: 2}) }, `{"t":"turn","seq":2}`, wire.Turn{Seq: 2}},
		{func(e wire.Encoding) []byte { return wire.AppendTurn(nil, e, &wire.Turn{Epoch: 1 << 33, Seq: 2}) },
			`{"t":"turn","epoch":8589934592,"seq":2}`, wire.Turn{Epoch: 1 << 33, Seq: 2}},
		{func(e wire.Encoding) []byte {
			return wire.AppendState(nil, e, wire.State{Epoch: 3, Seq: 9, View: inEncoding(t, e, `{"x":1}`), Lost: 4, Check: new(uint32(0))})
		}, `{"t":"state","epoch":3,"seq":9,"view":{"x":1},"lost":4,"check":0}`, nil},
		{func(e wire.Encoding) []byte { return wire.AppendAck(nil, e, wire.Ack{CSeq: 1, Seq: 24}) },
			`{"t":"ack","cseq":1,"seq":24}`, wire.Ack{CSeq: 1, Seq: 24}},
		{func(e wire.Encoding) []byte {
			return wire.AppendReject(nil, e, wire.Reject{CSeq: 1, Seq: 2, Code: "illegal", Reason: "no\tway \x01"})
		}, `{"t":"reject","cseq":1,"seq":2,"code":"illegal","reason":"no\tway \u0001"}`, wire.Reject{CSeq: 1, Seq: 2, Code: "illegal", Reason: "no\tway \x01"}},
		{func(e wire.Encoding) []byte {
			return wire.AppendPong(nil, e, wire.Pong{Echo: json.RawMessage("[1,\n2]"), Time: 1700000000000})
		}, `{"t":"pong","echo":[1, 2],"time":1700000000000}`, nil},
		{func(e wire.Encoding) []byte { return wire.AppendMove(nil, e, wire.Move{Within: 500}) },
			`{"t":"move","within":500}`, wire.Move{Within: 500}},
		{func(e wire.Encoding) []byte {
			return wire.AppendOver(nil, e, wire.Over{Seq: 3, End: "finished", Result: json.RawMessage(`{"reason":"checkmate"}`)})
		}, `{"t":"over","seq":3,"end":"finished","result":{"reason":"checkmate"}}`,
			wire.Over{Seq: 3, End: "finished", Result: json.RawMessage(`{"reason":"checkmate"}`)}},
	}
}

func TestServerMessagesAreWrittenAndRead(t *testing.T) {
	for name, e := range encodings {
		for _, f := range frames(t) {
			raw := f.append(e)
			if e == wire.JSON && string(raw) != f.want {
				t.Errorf("got  %s\nwant %s", raw, f.want)
			}
			if e == wire.CBOR {
				oracle(t, raw)
			}
			js, err := wire.ToJSON(e, raw)
			if err != nil || !sameJSON(t, js, []byte(f.want)) {
				t.Errorf("%s: %s, %v; want %s", name, js, err, f.want)
			}
			if got := readServer(t, e, raw); f.msg != nil && !reflect.DeepEqual(got[0], f.msg) {
				t.Errorf("%s: read %+v, want %+v", name, got[0], f.msg)
			}
		}
	}
}

// oracle checks with an independent decoder that raw is valid CBOR without duplicate keys.
func oracle(t testing.TB, raw []byte) {
	t.Helper()
	mode, _ := cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, UTF8: cbor.UTF8RejectInvalid}.DecMode()
	var v map[string]any
	if err := mode.Unmarshal(raw, &v); err != nil {
		t.Errorf("%x: %v", raw, err)
	}
}

func sameJSON(t testing.TB, a, b []byte) bool {
	t.Helper()
	var x, y any
	if err := errors.Join(json.Unmarshal(a, &x), json.Unmarshal(b, &y)); err != nil {
		t.Errorf("%s, %s: %v", a, b, err)
	}
	return reflect.DeepEqual(x, y)
}

func readServer(t testing.TB, e wire.Encoding, raw []byte) (out []wire.ServerMessage) {
	t.Helper()
	for m, err := range wire.DecodeServer(e, raw) {
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		out = append(out, m)
	}
	return out
}

func readClient(e wire.Encoding, raw []byte) (out []wire.ClientMessage, err error) {
	for m, err := range wire.DecodeClient(e, raw) {
		if err != nil {
			return out, err
		}
		out = append(out, m)
	}
	return out, nil
}

func TestTurnCarriesPatchAndEvents(t *testing.T) {
	for name, e := range encodings {
		patch := inEncoding(t, e, `{"board":{"e4":null}}`)
		raw := wire.AppendTurn(nil, e, &wire.Turn{Seq: 5, Patch: patch, Events: []wire.Event{{Name: "x", Data: json.RawMessage(`[1]`)}}, Check: new(uint32(7))})
		got := readServer(t, e, raw)[0].(wire.Turn)
		if string(got.Patch) != string(patch) || got.Seq != 5 || *got.Check != 7 || got.Events[0].Name != "x" || string(got.Events[0].Data) != "[1]" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func clientMessages() []wire.ClientMessage {
	return []wire.ClientMessage{
		wire.Hello{Client: "c"},
		wire.Hello{Token: "t.o.k", Name: "Ann \"ä\"", As: wire.AsSpectator, Client: "c1", Attempt: 7, Code: "XY", Resume: &wire.Resume{Epoch: 2, Seq: 900}},
		wire.Act{CSeq: 1, Data: json.RawMessage(`{"move":"e2e4","n":-12,"f":0.1,"big":18446744073709551615,"deep":[[[]]],"z":null}`)},
		wire.Act{CSeq: 1 << 50, Data: json.RawMessage(`"😀\u0000\\"`)},
		wire.Ping{}, wire.Ping{Echo: json.RawMessage(`1.5`)}, wire.Resync{}, wire.Leave{},
	}
}

func appendClient(dst []byte, e wire.Encoding, m wire.ClientMessage) []byte {
	switch m := m.(type) {
	case wire.Hello:
		return wire.AppendHello(dst, e, m)
	case wire.Act:
		return wire.AppendAct(dst, e, m)
	case wire.Ping:
		return wire.AppendPing(dst, e, m)
	case wire.Resync:
		return wire.AppendResync(dst, e)
	}
	return wire.AppendLeave(dst, e)
}

func TestClientMessagesAreReadInBatches(t *testing.T) {
	for name, e := range encodings {
		var batch []byte
		for i, m := range clientMessages() {
			if i > 0 && e == wire.JSON {
				batch = append(batch, '\n')
			}
			batch = appendClient(batch, e, m)
		}
		got, err := readClient(e, batch)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want := clientMessages(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, want)
		}
	}
}

func TestBadJSON(t *testing.T) {
	act := func(data string) string { return `{"t":"act","cseq":1,"data":` + data + `}` }
	for in, want := range map[string]string{
		"":                               "empty",
		" \n":                            "empty",
		"x":                              "object",
		"[]":                             "object",
		"{":                              "key in quotes",
		`{"t"}`:                          "colon",
		`{"t":}`:                         "value",
		`{"t":"act","cseq":1,"data":1`:   "comma or }",
		`{"t":"act","cseq":1,"data":1,}`: "key in quotes",
		act("1") + act("2"):              "newline",
		act("1") + " x":                  "newline",
		act("1") + "\nx":                 "object",
		`{"t":"fly"}`:                    `t: unknown type "fly"`,
		`{"t":7}`:                        "t: must be a string",
		`{"cseq":1}`:                     "t: must be a string",
		`{"t":"act","t":"act","cseq":1,"data":1}`:                              `"t": stands twice`,
		`{"t":"act","\u0074":"x"}`:                                             `"t": stands twice`,
		`{"t":"act","cseq":"1","data":1}`:                                      "cseq: must be a whole number",
		`{"t":"act","cseq":1.5,"data":1}`:                                      "cseq: must be a whole number",
		`{"t":"act","cseq":-1,"data":1}`:                                       "cseq: must be a whole number",
		`{"t":"act","cseq":1e400,"data":1}`:                                    "cseq: must be a whole number",
		`{"t":"act","cseq":9007199254740992.0,"data":1}`:                       "cseq: must be a whole number",
		`{"t":"act","cseq":1,"data":1,"data":2}`:                               `"data": stands twice`,
		`{"t":"hello","client":"\ud800"}`:                                      "client: must be a string",
		`{"t":"ping","echo":null}`:                                             "echo: must not be null",
		`{"t":"ping","echo":"\ud800"}`:                                         "echo: text must be Unicode",
		`{"t":"ping","echo":{"a":1,"\u0061":2}}`:                               `echo: the key "a" stands twice`,
		`{"t":"ping","echo":1e999}`:                                            "echo: a number is too large",
		`{"t":"act","cseq":null,"data":1}`:                                     "cseq: must be a whole number",
		`{"t":"act","data":1}`:                                                 "cseq: must count from 1",
		`{"t":"hello"}`:                                                        "client: is missing",
		`{"t":"hello","client":5}`:                                             "client: must be a string",
		`{"t":"hello","client":"a\u0000"}`:                                     "client: holds a control character",
		`{"t":"hello","client":"c","as":"king"}`:                               `as: must be "player" or "spectator"`,
		`{"t":"hello","client":"c","resume":[]}`:                               "resume: must be an object",
		`{"t":"hello","client":"c","resume":null}`:                             "resume: must be an object",
		`{"t":"hello","client":"c","resume":{"epoch":1}}`:                      "resume.seq: is missing",
		`{"t":"hello","client":"c","resume":{"epoch":1,"seq":"2"}}`:            "resume.seq: must be",
		`{"t":"hello","client":"c","name":"` + strings.Repeat("n", 257) + `"}`: "name: is longer than 256",
		`{"t":"hello","client":"` + strings.Repeat("n", 129) + `"}`:            "client: is longer than 128",
		`{"t":"ping","echo":"` + strings.Repeat("n", 63) + `"}`:                "echo: is longer",
		act("\"\xff\""):                                                        "UTF-8",
		act(`"\x"`):                                                            "escape",
		act("\"\n\""):                                                          "control character",
		act(`"abc`):                                                            "does not end",
		act("01"):                                                              "comma",
		act("1."):                                                              "digit",
		act("-"):                                                               "digit",
		act("1e"):                                                              "digit",
		act("nul"):                                                             "value",
		act("NaN"):                                                             "value",
		`{"t":"ping"` + strings.Repeat(`,"a":1`, 2) + `}`:                      "stands twice",
		`{"t":"ping"` + manyFields(40) + `}`:                                   "more than 32 fields",
		`{"t":"` + strings.Repeat("x", 500) + `"}`:                             "…",
		"\xef\xbb\xbf" + act("1"):                                              "object",
	} {
		wantProtocolError(t, wire.JSON, []byte(in), want)
	}
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`,"f` + strings.Repeat("x", i) + `":0`)
	}
	return b.String()
}

func wantProtocolError(t *testing.T, e wire.Encoding, in []byte, want string) {
	t.Helper()
	_, err := readClient(e, in)
	pe, ok := errors.AsType[*wire.ProtocolError](err)
	if !ok || !strings.Contains(err.Error(), want) {
		t.Errorf("%q: %v, want a ProtocolError with %q", in, err, want)
	}
	if ok && len(pe.Error()) > 123 {
		t.Errorf("%q: reason of %d bytes does not fit a close frame", in, len(pe.Error()))
	}
}

func TestBadCBOR(t *testing.T) {
	enc := func(v any) []byte {
		raw, err := cbor.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	raw := func(data ...byte) []byte { return append([]byte("\xa3\x61t\x63act\x64cseq\x07\x64data"), data...) }
	act := func(data any) []byte { return enc(map[string]any{"t": "act", "cseq": 1, "data": data}) }
	for _, c := range []struct {
		in   []byte
		want string
	}{
		{nil, "empty"},
		{[]byte{0x80}, "must be a map"},
		{[]byte{0xa1}, "ends"},
		{[]byte{0xa1, 0x61}, "longer than the message"},
		{[]byte{0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "longer than the message"},
		{[]byte{0xba, 0xff, 0xff, 0xff, 0xff, 0x61, 't', 0}, "longer than the message"},
		{[]byte{0xa1, 0x01, 0x02}, "a key must be text"},
		{[]byte("\xa1\x61t\xff"), "no such item"},
		{append(act(1), 0x01), "must be a map"},
		{act(1)[:len(act(1))-1], "malformed CBOR"},
		{enc(map[string]any{"t": "act", "cseq": 1.5, "data": 1}), "cseq"},
		{enc(map[string]any{"t": "act", "cseq": float64(1 << 53), "data": 1}), "cseq"},
		{enc(map[string]any{"t": "hello", "client": []byte("c")}), "client: must be a string"},
		{enc(map[string]any{"t": "ping", "echo": cbor.RawMessage("\xa2\x61a\x01\x61a\x02")}), `echo: the key "a" stands twice`},
		{enc(map[string]any{"t": "ping", "echo": nil}), "echo: must not be null"},
		{raw(0xbf, 0x61, 'a', 0xff), "a key without a value"},
		{raw(0x7f, 0x41, 'a', 0xff), "a chunk of text"},
		{raw(0xf8, 0x10), "no such item"},
		{raw(0xc1, 0xff), "no such item"},
		{enc(map[string]any{"t": "act", "cseq": -1, "data": 1}), "cseq"},
		{append([]byte{0xa2}, []byte("\x61t\x64ping\x61t\x64ping")...), "stands twice"},
	} {
		wantProtocolError(t, wire.CBOR, c.in, c.want)
	}
}

func TestAcceptedInput(t *testing.T) {
	for in, n := range map[string]int{
		"{\"t\":\"ping\"}\n":                            1,
		" { \"t\" : \"ping\" ,\n \"new\" : [ ] }\r\n\n": 1,
		`{"new":{"t":"x"},"t":"leave"}`:                 1,
		"{\"t\":\"ping\"}\n{\"t\":\"ping\"}":            2,
	} {
		if got, err := readClient(wire.JSON, []byte(in)); err != nil || len(got) != n {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
	indefinite := []byte("\xbf\x61t\x63act\x64cseq\xfb\x40\x08\x00\x00\x00\x00\x00\x00\x64data\x9f\x01\xbf\xff\xff\xff")
	got, err := readClient(wire.CBOR, indefinite)
	if want := (wire.Act{CSeq: 3, Data: json.RawMessage(`[1,{}]`)}); err != nil || !reflect.DeepEqual(got, []wire.ClientMessage{want}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestMessagesBeforeAnErrorAreRead(t *testing.T) {
	got, err := readClient(wire.JSON, []byte("{\"t\":\"leave\"}\n{"))
	if err == nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestDecodingStopsWithItsCaller(t *testing.T) {
	n := 0
	for range wire.DecodeClient(wire.JSON, []byte("{\"t\":\"leave\"}\n{\"t\":\"leave\"}")) {
		n++
		break
	}
	if n != 1 {
		t.Error("went on")
	}
}

func TestUnknownServerMessagesAreSkipped(t *testing.T) {
	got := readServer(t, wire.JSON, []byte("{\"t\":\"later\"}\n{\"t\":\"ack\",\"cseq\":1,\"seq\":2,\"x\":[]}"))
	if !reflect.DeepEqual(got, []wire.ServerMessage{wire.Ack{CSeq: 1, Seq: 2}}) {
		t.Error(got)
	}
}

func TestBrokenEventDataKeepsTheMessageValid(t *testing.T) {
	raw := wire.AppendTurn(nil, wire.CBOR, &wire.Turn{Seq: 1, Events: []wire.Event{{Name: "x", Data: json.RawMessage(`{"a":[1,}`)}}})
	if js, err := wire.ToJSON(wire.CBOR, raw); err != nil || string(js) != `{"t":"turn","seq":1,"events":[{"name":"x","data":null}]}` {
		t.Errorf("%s, %v", js, err)
	}
}

func TestCloseCodes(t *testing.T) {
	if !wire.CloseGap.Retry() || wire.CloseOver.Retry() || wire.CloseNormal.Retry() {
		t.Error("only 4100 to 4199 ask to come back")
	}
}

// TestHotMessagesDoNotAllocate checks the messages that every turn sends.
func TestHotMessagesDoNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 4096)
	for name, e := range encodings {
		view := inEncoding(t, e, `{"board":"rnbq","clock":[1,2]}`)
		turn := &wire.Turn{Seq: 7, Patch: view, Events: []wire.Event{{Name: "moved", Data: json.RawMessage(`"e2e4"`)}}, Check: new(uint32(1))}
		for what, write := range map[string]func(){
			"turn":   func() { wire.AppendTurn(buf, e, turn) },
			"state":  func() { wire.AppendState(buf, e, wire.State{Seq: 7, View: view}) },
			"ack":    func() { wire.AppendAck(buf, e, wire.Ack{CSeq: 1, Seq: 2}) },
			"reject": func() { wire.AppendReject(buf, e, wire.Reject{CSeq: 1, Seq: 2, Code: "c", Reason: "r"}) },
		} {
			if n := testing.AllocsPerRun(100, write); n > 0 {
				t.Errorf("%s %s: %v allocations", name, what, n)
			}
		}
		act := wire.AppendAct(nil, e, wire.Act{CSeq: 5, Data: json.RawMessage(`{"move":"e2e4"}`)})
		n := testing.AllocsPerRun(100, func() {
			for range wire.DecodeClient(e, act) {
			}
		})
		if most := map[wire.Encoding]float64{wire.JSON: 1, wire.CBOR: 2}[e]; n > most {
			t.Errorf("%s act: %v allocations to decode, want at most %v", name, n, most)
		}
	}
}

func BenchmarkDecodeAct(b *testing.B) {
	for name, e := range encodings {
		act := wire.AppendAct(nil, e, wire.Act{CSeq: 5, Data: json.RawMessage(`{"move":"e2e4"}`)})
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for range wire.DecodeClient(e, act) {
				}
			}
		})
	}
}

func BenchmarkAppendTurn(b *testing.B) {
	buf := make([]byte, 0, 4096)
	for name, e := range encodings {
		turn := &wire.Turn{Seq: 7, Patch: inEncoding(b, e, `{"board":"rnbq","clock":[1,2]}`), Events: []wire.Event{{Name: "moved", Data: json.RawMessage(`"e2e4"`)}}}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				wire.AppendTurn(buf, e, turn)
			}
		})
	}
}
