package play_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/wire"
)

// TestBadMessages sends messages that break the protocol. The server closes with 4400 and a reason, and the room does not notice.
func TestBadMessages(t *testing.T) {
	t.Parallel()
	badMessages(e2e.NewServer(t, e2e.GenerousLimits...).Start())
}

func badMessages(s *e2e.Server) {
	t := s.T
	cbor := func(text string) []byte {
		b, err := wire.AppendCBORFromJSON(nil, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for what, bad := range map[string]struct {
		encoding wire.Encoding
		msg      []byte
		reason   string
	}{
		"malformed JSON":             {wire.JSON, []byte(`{"t":"act","cseq":1,`), "malformed JSON"},
		"two objects on one line":    {wire.JSON, []byte(`{"t":"resync"} {"t":"resync"}`), "newline"},
		"no object":                  {wire.JSON, []byte(`[1]`), "malformed"},
		"text that is not UTF-8":     {wire.JSON, []byte("{\"t\":\"ping\",\"echo\":\"\xff\"}"), "UTF-8"},
		"an echo nested too deep":    {wire.JSON, []byte(`{"t":"ping","echo":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`), "nested"},
		"half an emoji in an echo":   {wire.JSON, []byte(`{"t":"ping","echo":"\ud83c"}`), "echo"},
		"a null":                     {wire.JSON, []byte(`{"t":"ping","echo":null}`), "echo"},
		"a key twice in an echo":     {wire.JSON, []byte(`{"t":"ping","echo":{"a":1,"a":2}}`), "stands twice"},
		"a key twice in a CBOR echo": {wire.CBOR, []byte("\xa2\x61t\x64ping\x64echo\xa2\x61a\x01\x61a\x02"), "stands twice"},
		"a field twice":              {wire.JSON, []byte(`{"t":"act","cseq":1,"data":1,"data":1}`), "stands twice"},
		"a name in capitals":         {wire.JSON, []byte(`{"T":"resync"}`), "t:"},
		"unknown type":               {wire.JSON, []byte(`{"t":"fly"}`), "unknown type"},
		"no type":                    {wire.JSON, []byte(`{"cseq":1}`), "t:"},
		"wrong type of a field":      {wire.JSON, []byte(`{"t":"act","cseq":"1","data":1}`), "cseq"},
		"missing field":              {wire.JSON, []byte(`{"t":"act","data":1}`), "cseq"},
		"echo too long":              {wire.JSON, []byte(`{"t":"ping","echo":"` + strings.Repeat("a", 70) + `"}`), "echo"},
		"nothing":                    {wire.JSON, nil, "empty"},
		"white space alone":          {wire.JSON, []byte(" \r\n\n"), "empty"},
		"nothing in CBOR":            {wire.CBOR, nil, "empty"},
		"more than 32 fields":        {wire.JSON, []byte(`{"t":"ping"` + manyFields(32) + `}`), "32 fields"},
		"an unknown field twice":     {wire.JSON, []byte(`{"t":"ping","x":1,"x":2}`), "stands twice"},
		"data that is not UTF-8":     {wire.JSON, []byte("{\"t\":\"act\",\"cseq\":1,\"data\":\"\xff\"}"), "UTF-8"},
		"malformed CBOR":             {wire.CBOR, []byte{0xa1, 0x61}, "malformed CBOR"},
		"CBOR with a byte string":    {wire.CBOR, []byte{0xa1, 0x61, 't', 0x41, 1}, "t:"},
		"unknown type in CBOR":       {wire.CBOR, cbor(`{"t":"fly"}`), "unknown type"},
		"wrong type of a CBOR field": {wire.CBOR, cbor(`{"t":"act","cseq":-1,"data":1}`), "cseq"},
	} {
		t.Run(what, func(t *testing.T) {
			s := s.ForTest(t)
			info := s.Create("chess", map[string]any{"bot": 1, "white": "first"})
			in := e2e.Dial(t, info.URL, bad.encoding)
			w := in.Hello(wire.Hello{Client: "a", Name: "Ann"})
			before := s.Inspect(info.ID)

			stranger := e2e.Dial(t, info.URL, bad.encoding)
			stranger.Write(bad.msg)
			stranger.ClosesWith(wire.CloseBadMessage, bad.reason)
			if now := s.Inspect(info.ID); now.Index != before.Index {
				t.Errorf("a stranger's bad message took the room from index %d to %d", before.Index, now.Index)
			}

			in.Write(bad.msg)
			in.ClosesWith(wire.CloseBadMessage, bad.reason)
			s.WaitOffline(info.ID, w.Player)
			if now := s.Inspect(info.ID); now.Index != before.Index+1 { // the detach
				t.Errorf("a player's bad message took the room from index %d to %d", before.Index, now.Index)
			}
		})
	}
}

// manyFields returns this many unknown fields.
func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"x%d":%d`, i, i)
	}
	return b.String()
}

// TestWhatAMessageMayHold sends blank lines and unknown fields with any value. The server accepts them.
func TestWhatAMessageMayHold(t *testing.T) {
	t.Parallel()
	takesUnknownFields(e2e.NewServer(t).Start())
}

func takesUnknownFields(s *e2e.Server) {
	info := s.Create("tally", nil)
	for e, odd := range [][]string{
		wire.JSON: {
			"\n{\"t\":\"resync\"}\r\n\r\n\n", `{"t":"resync"` + manyFields(31) + `}`, `{"t":"resync","x":{"a":1,"a":null,"b":"\ud83c"}}`,
			`{"t":"resync","T":"act","x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`,
		},
		wire.CBOR: {
			"\xbf\x61t\x66resync\xff", "\xa2\x61t\x66resync\x61x\xf7", "\xa2\x61t\x66resync\x61x\xa2\x01\x41a\x01\xc1\x01",
			"\xa2\x61t\x66resync\x61x" + strings.Repeat("\x81", 1000) + "\x80",
		},
	} {
		c := e2e.Dial(s.T, info.URL, wire.Encoding(e))
		c.Hello(wire.Hello{Client: "a", As: wire.AsSpectator})
		e2e.Hear[wire.State](c)
		for _, msg := range odd {
			c.Write([]byte(msg))
			e2e.Hear[wire.State](c)
		}
	}
}

// TestBadHellos sends hellos that are refused before they reach the room.
func TestBadHellos(t *testing.T) {
	t.Parallel()
	badHellos(e2e.NewServer(t, e2e.GenerousLimits...).Start())
}

func badHellos(s *e2e.Server) {
	t := s.T
	info := s.Create("chess", nil)
	before := s.Inspect(info.ID).Index
	for msg, reason := range map[string]string{
		`{"t":"hello"}`:                                                          "client",
		`{"t":"hello","client":7}`:                                               "client",
		`{"t":"hello","client":"a","attempt":-1}`:                                "attempt",
		`{"t":"hello","client":"a","as":"king"}`:                                 "as",
		`{"t":"hello","client":"a","resume":{"epoch":1}}`:                        "resume.seq",
		`{"t":"hello","client":"a","resume":[1,2]}`:                              "resume",
		`{"t":"hello","client":"a","resume":{"seq":1,"seq":1}}`:                  "resume",
		`{"t":"hello","client":"a","code":"` + strings.Repeat("a", 65) + `"}`:    "code",
		`{"t":"hello","client":"a","name":"` + strings.Repeat("a", 257) + `"}`:   "name",
		`{"t":"hello","client":"a","token":"` + strings.Repeat("a", 4097) + `"}`: "token",
		`{"t":"hello","client":"a","token":null}`:                                "token",
		`{"t":"hello","client":"` + strings.Repeat("a", 129) + `"}`:              "client",
		`{"t":"act","cseq":1,"data":1}`:                                          "first message must be hello",
		`{"t":"hello","client":"a","code":"` + "\x01" + `"}`:                     "malformed",
		`{"t":"hello","client":"a","name":"\u0007","name":"b"}`:                  "name",
		`{"t":"hello","client":"a","attempt":1e400}`:                             "attempt",
		`{"t":"hello","client":"a","attempt":1,"client":"b"}`:                    "client",
		`{"t":"hello","client":"a","as":"player","attempt":"first"}`:             "attempt",
	} {
		c := e2e.Dial(t, info.URL, wire.JSON)
		c.Write([]byte(msg))
		c.ClosesWith(wire.CloseBadMessage, reason)
	}
	if now := s.Inspect(info.ID).Index; now != before {
		t.Errorf("the room went from index %d to %d", before, now)
	}
}

// TestUnknownSubprotocol offers an unknown subprotocol. The socket opens, as a browser needs it to, and its close names the subprotocols
// to offer.
func TestUnknownSubprotocol(t *testing.T) { t.Parallel(); unknownSubprotocol(e2e.NewServer(t).Start()) }

func unknownSubprotocol(s *e2e.Server) {
	t := s.T
	info := s.Create("chess", nil)
	for _, offer := range [][]string{nil, {"roomring.v9.json"}, {"chat", "superchat"}} {
		c := e2e.DialAs(t, info.URL, wire.JSON, offer...)
		if len(offer) > 0 && c.Ws.Subprotocol() != offer[0] {
			t.Errorf("offered %q, echoed %q", offer, c.Ws.Subprotocol())
		}
		c.ClosesWith(wire.CloseBadMessage, wire.SubprotocolJSON)
	}
	c := e2e.Dial(t, info.URL, wire.JSON)
	if err := c.TryWrite(websocket.MessageBinary, []byte(`{"t":"hello","client":"a"}`)); err != nil {
		t.Fatal(err)
	}
	c.ClosesWith(wire.CloseBadMessage, "JSON")
}

// TestRefusedActionChangesNothing compares the whole state before and after a refused action.
func TestRefusedActionChangesNothing(t *testing.T) {
	t.Parallel()
	refusedActionChangesNothing(e2e.NewServer(t).Start())
}

func refusedActionChangesNothing(s *e2e.Server) {
	t := s.T
	info := s.Create("chess", map[string]any{"bot": 1, "white": "first"})
	c := e2e.Dial(t, info.URL, wire.JSON)
	c.Hello(wire.Hello{Client: "a", Name: "Ann"})
	before := s.Inspect(info.ID)
	for i, bad := range []struct{ data, code string }{
		{`{"move":"e5"}`, "illegal_move"}, {`{"move":""}`, "bad_action"}, {`{"fly":true}`, "bad_action"}, {`7`, "bad_action"},
		{`{"draw":"accept"}`, "no_offer"}, {`null`, "bad_action"}, {`{"move":["e4"]}`, "bad_action"},
	} {
		c.Act(uint64(i+1), bad.data)
		r, refused := c.Answer().(wire.Reject)
		if !refused || r.CSeq != uint64(i+1) || r.Code != bad.code || r.Reason == "" {
			t.Errorf("%s: answered %+v, should be refused as %s", bad.data, r, bad.code)
		}
	}
	if now := s.Inspect(info.ID); string(now.State) != string(before.State) || now.Phase != before.Phase {
		t.Errorf("the state changed from\n%s\nto\n%s", before.State, now.State)
	}
}

// TestSameActAgain sends acts twice in every possible way. The first answer comes again, and the act has no second effect.
func TestSameActAgain(t *testing.T) {
	t.Parallel()
	for e, name := range []string{"json", "cbor"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sameActAgain(e2e.NewServer(t).Start(), wire.Encoding(e))
		})
	}
}

func sameActAgain(s *e2e.Server, e wire.Encoding) {
	t := s.T
	info := s.Create("tally", nil)
	c := e2e.Dial(t, info.URL, e)
	token := c.Hello(wire.Hello{Client: "a", Name: "Ann", Attempt: 1}).Token
	const acts = 40
	var first [acts + 1]string
	for i := uint64(1); i <= acts; i++ {
		c.Act(i, fmt.Sprintf(`{"add":%d}`, 1+i%2*9)) // every second act is refused
		first[i] = fmt.Sprintf("%+v", c.Answer())
	}
	again := func(where string, seqs ...uint64) {
		t.Helper()
		before := s.Inspect(info.ID)
		for _, i := range seqs {
			c.Act(i, `{"add":9}`) // other data makes no difference: the number counts
			if got := fmt.Sprintf("%+v", c.Answer()); got != first[i] {
				t.Errorf("%s: act %d was answered %s, first %s", where, i, got, first[i])
			}
		}
		if now := s.Inspect(info.ID); now.Index != before.Index || string(now.State) != string(before.State) {
			t.Errorf("%s: the room went from index %d to %d, from %s to %s", where, before.Index, now.Index, before.State, now.State)
		}
	}
	again("on the same socket", acts)
	again("among the last 32", acts-31, acts-16, acts-1)
	c.Act(acts-32, `{"add":1}`) // older than what the room remembers
	c.Act(acts, `{"add":9}`)    // its answer would come after newer ones
	if got := fmt.Sprintf("%+v", c.Answer()); got != first[acts] {
		t.Errorf("an act older than the last 32 answers is answered %s", got)
	}
	c.Bye()
	c = e2e.Dial(t, info.URL, e)
	if w := c.Hello(wire.Hello{Client: "a", Token: token, Attempt: 2}); w.CSeq != acts {
		t.Errorf("welcome says act %d was the last, should be %d", w.CSeq, acts)
	}
	again("from a new socket", acts-31, acts-1, acts)

	s.Kill()
	s.Start()
	c = e2e.Dial(t, info.URL, e)
	w := c.Hello(wire.Hello{Client: "a", Token: token, Attempt: 3})
	if w.CSeq != acts || w.Epoch != 2 {
		t.Errorf("after a kill the welcome says act %d, epoch %d", w.CSeq, w.Epoch)
	}
	again("after a kill", acts-31, acts-1, acts)
	c.Act(acts+1, `{"add":1}`)
	if a, ok := c.Answer().(wire.Ack); !ok || a.CSeq != acts+1 {
		t.Errorf("the next act is answered %+v", a)
	}
	var state struct{ Count int }
	if err := json.Unmarshal(s.Inspect(info.ID).State, &state); err != nil || state.Count != acts/2+1 {
		t.Errorf("the count is %d (%v), should be %d", state.Count, err, acts/2+1)
	}
}

// TestTwoTabs connects two clients of one player, and an older attempt of one client that arrives late.
func TestTwoTabs(t *testing.T) {
	t.Parallel()
	twoTabs(e2e.NewServer(t, e2e.GenerousLimits...).Start())
}

func twoTabs(s *e2e.Server) {
	t := s.T
	info := s.Create("tally", nil)
	one := e2e.Dial(t, info.URL, wire.JSON)
	token := one.Hello(wire.Hello{Client: "one", Name: "Ann", Attempt: 5}).Token

	late := e2e.Dial(t, info.URL, wire.JSON)
	late.Write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "one", Token: token, Attempt: 4}))
	late.ClosesWith(wire.CloseReplaced)
	one.Act(1, `{"add":1}`)
	if a, ok := one.Answer().(wire.Ack); !ok {
		t.Fatalf("after a late older attempt the client is answered %+v", a)
	}

	two := e2e.Dial(t, info.URL, wire.CBOR)
	if w := two.Hello(wire.Hello{Client: "two", Token: token, Attempt: 1}); w.Seat != 0 || w.CSeq != 0 {
		t.Errorf("the second tab is welcomed as %+v", w)
	}
	one.ClosesWith(wire.CloseReplaced)
	two.Act(1, `{"add":2}`)
	if a, ok := two.Answer().(wire.Ack); !ok {
		t.Fatalf("the newer client is answered %+v", a)
	}
	var state struct{ Count int }
	if err := json.Unmarshal(s.Inspect(info.ID).State, &state); err != nil || state.Count != 3 {
		t.Errorf("the count is %d (%v), should be 3", state.Count, err)
	}
}

// TestGapInCSeq skips a cseq. The server closes with 4104 and the room stays as it was.
func TestGapInCSeq(t *testing.T) { t.Parallel(); gapInCSeq(e2e.NewServer(t).Start()) }

func gapInCSeq(s *e2e.Server) {
	t := s.T
	info := s.Create("tally", nil)
	c := e2e.Dial(t, info.URL, wire.JSON)
	w := c.Hello(wire.Hello{Client: "a", Attempt: 1})
	before := s.Inspect(info.ID)
	c.Write([]byte(`{"t":"act","cseq":2,"data":{"add":1}}` + "\n" + `{"t":"act","cseq":1,"data":{"add":1}}`))
	c.ClosesWith(wire.CloseGap)
	s.WaitOffline(info.ID, w.Player)
	if now := s.Inspect(info.ID); now.Index != before.Index+1 || string(now.State) != string(before.State) {
		t.Errorf("the gap took the room from index %d to %d, from %s to %s", before.Index, now.Index, before.State, now.State)
	}
	c = e2e.Dial(t, info.URL, wire.JSON)
	c.Hello(wire.Hello{Client: "a", Token: w.Token, Attempt: 2})
	c.Act(1, `{"add":1}`)
	if a, ok := c.Answer().(wire.Ack); !ok {
		t.Errorf("after the gap act 1 is answered %+v", a)
	}
}

// TestViewNobodyMaySee has a game show what no view may hold. The room is aborted, the reason names the field, and other rooms go on.
func TestViewNobodyMaySee(t *testing.T) {
	t.Parallel()
	viewNobodyMaySee(e2e.NewServer(t, e2e.GenerousLimits...).Start())
}

func viewNobodyMaySee(s *e2e.Server) {
	t := s.T
	other := s.Create("tally", nil)
	stays := e2e.Dial(t, other.URL, wire.JSON)
	stays.Hello(wire.Hello{Client: "other"})
	for show, named := range map[string]string{"null": "view: inner.thing[1]: is null", "huge": "view: inner.big: is an integer beyond"} {
		info := s.Create("tally", nil)
		c := e2e.Dial(t, info.URL, wire.JSON)
		c.Hello(wire.Hello{Client: "a"})
		c.Act(1, fmt.Sprintf(`{"show":%q}`, show))
		if over := e2e.Hear[wire.Over](c); over.End != "aborted" || over.Reason == "" {
			t.Errorf("%s: over %+v", show, over)
		}
		c.ClosesWith(wire.CloseOver)
		if r := s.Result(info.ID); r.End != "aborted" {
			t.Errorf("%s: stored as %+v", show, r)
		}
		if log := s.Log.String(); !e2e.Mentions(log, named, info.ID) {
			t.Errorf("%s: the log does not name the field %s", show, named)
		}
	}
	stays.Act(1, `{"add":1}`)
	if a, ok := stays.Answer().(wire.Ack); !ok {
		t.Errorf("another room answers %+v", a)
	}
}

// TestUnknownAndFinishedRooms asks for unknown and finished rooms by socket and by HTTP.
func TestUnknownAndFinishedRooms(t *testing.T) {
	t.Parallel()
	unknownAndFinishedRooms(e2e.NewServer(t, e2e.GenerousLimits...).Start())
}

func unknownAndFinishedRooms(s *e2e.Server) {
	t := s.T
	base := strings.Replace(s.URL, "http", "ws", 1) + "/v1/rooms/"
	hello := wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "a"})

	unknown := e2e.Dial(t, base+"0123456789abcdef/ws", wire.JSON)
	unknown.Write(hello)
	unknown.ClosesWith(wire.CloseNoRoom)
	e2e.Dial(t, base+"nonsense/ws", wire.JSON).ClosesWith(wire.CloseNoRoom, "16 characters")
	for _, path := range []string{"/v1/rooms/", "/v1/results/", "/v1/replays/"} {
		for id, want := range map[string]int{"0123456789abcdef": 404, "nonsense": 400, "%00": 400, strings.Repeat("a", 300): 400} {
			if code := s.Call("GET", path+id, nil, nil); code != want {
				t.Errorf("GET %s%s: %d, should be %d", path, id, code, want)
			}
		}
	}

	info := s.Create("tally", nil)
	c := e2e.Dial(t, info.URL, wire.JSON)
	c.Hello(wire.Hello{Client: "a"})
	c.Act(1, `{"finish":true}`)
	told := e2e.Hear[wire.Over](c)
	c.ClosesWith(wire.CloseOver)
	r := s.Result(info.ID)
	if r.End != "finished" || r.Result.Reason != "enough" {
		t.Errorf("the result is %+v", r)
	}
	testwait.Until(t, "the room has left memory", func() bool {
		return s.CallAdmin("GET", "/admin/v1/rooms/"+info.ID, nil, nil) == http.StatusNotFound
	})
	alone := told
	alone.Alone = true
	for _, e := range []wire.Encoding{wire.JSON, wire.CBOR} {
		late := e2e.Dial(t, info.URL, e)
		joined := wire.AppendHello(nil, e, wire.Hello{Client: "late"})
		if e == wire.JSON {
			joined = append(joined, '\n')
		}
		late.Write(wire.AppendAct(joined, e, wire.Act{CSeq: 1, Data: []byte(`{"add":1}`)})) // an act that nobody answers
		code, _, before := late.Closed()
		if len(before) != 1 || fmt.Sprintf("%+v", before[0]) != fmt.Sprintf("%+v", alone) || code != wire.CloseOver {
			t.Errorf("who comes late hears %+v and %d, those there heard %+v", before, code, told)
		}
	}
	var seen e2e.RoomInfo
	if code := s.Call("GET", "/v1/rooms/"+info.ID, nil, &seen); code != http.StatusOK || seen.Phase != "over" {
		t.Errorf("GET of the finished room: %d %+v", code, seen)
	}
}

// TestBadRequestsNameTheField sends bad HTTP requests. Each answer names the field that is wrong.
func TestBadRequestsNameTheField(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	long := strings.Repeat("x", 300)
	for _, bad := range []struct{ path, body, field, detail string }{
		{"/v1/rooms", `{"game":"go"}`, "game", "/v1/games"},
		{"/v1/rooms", `{}`, "game", ""},
		{"/v1/rooms", `{"game":"chess","options":{"clock":{"initial_ms":0}}}`, "options", "clock.initial_ms"},
		{"/v1/rooms", `{"game":"chess","options":{"colour":"white"}}`, "options", "colour"},
		{"/v1/rooms", `{"game":"chess","options":[]}`, "options", ""},
		{"/v1/rooms", `{"game":"chess","name":"` + long + `"}`, "name", "64 bytes"},
		{"/v1/rooms", `{"game":7}`, "game", ""},
		{"/v1/rooms", `{"game":"chess","privat":true}`, "privat", ""},
		{"/v1/matchmake", `{"game":"go"}`, "game", "/v1/games"},
		{"/v1/matchmake", `{"game":"chess","options":{"fen":"x"}}`, "options", "fen"},
		{"/v1/matchmake", `{"game":"chess","ticket":"1"}`, "ticket", "at least 16 characters"},
		{"/v1/matchmake", `{"game":"chess","ticket":"` + long + `"}`, "ticket", "128 bytes"},
		{"/v1/guest", `{"name":"` + long + `"}`, "name", ""},
	} {
		var p struct {
			Type, Detail, Field string
			Status              int
		}
		code := s.Call("POST", bad.path, json.RawMessage(bad.body), &p)
		if code != http.StatusBadRequest || p.Status != code || p.Field != bad.field || !e2e.Mentions(p.Detail, bad.detail) {
			t.Errorf("POST %s %.80s: %d %+v, should name %q and say %q", bad.path, bad.body, code, p, bad.field, bad.detail)
		}
	}
}
