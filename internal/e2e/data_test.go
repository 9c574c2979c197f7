package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/roomring/roomring/room/wire"
)

// notActions are data of an act that no action can be, by encoding: what some client's library may write all the same.
var notActions = [2]map[string]string{
	wire.JSON: {
		`"hello \ud83c"`:              "bad_text",
		`{"move":"e4\udc00"}`:         "bad_text",
		`{"\ud83c":1}`:                "bad_text",
		`{"move":"e4","move":"e4"}`:   "bad_action",
		`{"move":{"a":1,"\u0061":1}}`: "bad_action",
		`{"MOVE":"e4"}`:               "bad_action",
		`{"Move":"e4"}`:               "bad_action",
		`1e999`:                       "bad_action",
		strings.Repeat("9", 400):      "bad_action",
		strings.Repeat("[", 32) + strings.Repeat("]", 32):     "bad_action",
		strings.Repeat("[", 5000) + strings.Repeat("]", 5000): "bad_action",
		`null`: "bad_action",
	},
	wire.CBOR: {
		"\xa1\x64move\x62e\xff":                "bad_text",
		"\xa1\x63\xed\xa0\xbc\x01":             "bad_text", // half a surrogate pair, as some encoders have it
		"\xa2\x64move\x62e4\x64move\x62e4":     "bad_action",
		"\xa1\x64MOVE\x62e4":                   "bad_action",
		"\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00": "bad_action", // infinity
		"\xa1\x64move\xf7":                     "bad_action", // undefined
		"\x42e4":                               "bad_action", // bytes
		"\xc1\x01":                             "bad_action", // a tag
		"\xa1\x01\x02":                         "bad_action", // a number for a key
		"\xa1\x64move\x7f\x61e\x614\xff":       "bad_action", // text in chunks
		strings.Repeat("\x81", 5000) + "\x01":  "bad_action",
		"\xf6":                                 "bad_action",
	},
}

// TestDataThatNoActionCanBe is refused in its turn and nothing else happens: the session, the room and the acts around it
// go on.
func TestDataThatNoActionCanBe(t *testing.T) {
	t.Parallel()
	newServer(t, generous...).start().dataThatNoActionCanBe()
}

func (s *server) dataThatNoActionCanBe() {
	for e, all := range notActions {
		s := s
		info := s.create("chess", map[string]any{"bot": 1, "white": "first"})
		c := dial(s.t, info.URL, wire.Encoding(e))
		c.hello(wire.Hello{Client: "a", Name: "Ann"})
		cseq := uint64(0)
		for data, code := range all {
			cseq++
			before := s.inspect(info.ID)
			c.write(actWith(c.encoding, cseq, data))
			no, refused := c.answer().(wire.Reject)
			if !refused || no.CSeq != cseq || no.Code != code || no.Reason == "" || no.Seq != before.Index+1 {
				s.t.Errorf("%.60q: answered %+v, should be refused as %s at %d", data, no, code, before.Index+1)
			}
			if now := s.inspect(info.ID); string(now.State) != string(before.State) {
				s.t.Errorf("%.60q changed the state to %s", data, now.State)
			}
		}
		cseq++
		c.act(cseq, `{"move":"e4"}`)
		if ack, ok := c.answer().(wire.Ack); !ok || ack.CSeq != cseq {
			s.t.Errorf("the act after them: %+v", ack)
		}
	}
}

// actWith is an act around data that is written already, of a cseq below 24.
func actWith(e wire.Encoding, cseq uint64, data string) []byte {
	if e == wire.CBOR {
		return append(append([]byte("\xa3\x61t\x63act\x64cseq"), byte(cseq)), append([]byte("\x64data"), data...)...)
	}
	number, _ := json.Marshal(cseq)
	return []byte(`{"t":"act","cseq":` + string(number) + `,"data":` + data + `}`)
}

// TestRefusedDataOutlivesAKill: the answers to such acts are in the log like any other, and come again.
func TestRefusedDataOutlivesAKill(t *testing.T) {
	t.Parallel()
	s := newServer(t).start()
	info := s.create("chess", map[string]any{"bot": 1, "white": "first"})
	c := dial(t, info.URL, wire.JSON)
	token := c.hello(wire.Hello{Client: "a", Name: "Ann", Attempt: 1}).Token
	c.write(actWith(wire.JSON, 1, `"\ud83c"`))
	first := c.answer()
	c.act(2, `{"move":"e4"}`)
	if _, ok := c.answer().(wire.Ack); !ok {
		t.Fatal("the act after it was refused")
	}
	s.kill()
	s.start()
	c = dial(t, s.at(info).URL, wire.JSON)
	if w := c.hello(wire.Hello{Client: "a", Token: token, Attempt: 2}); w.CSeq != 2 {
		t.Errorf("welcomed back at %d", w.CSeq)
	}
	c.write(actWith(wire.JSON, 1, `"\ud83c"`))
	if again := c.answer(); again != first {
		t.Errorf("answered %+v first and %+v after a kill", first, again)
	}
}

// TestWholeNumbersHoweverSpelt: engines without integers write 1.0, in messages, actions and options.
func TestWholeNumbersHoweverSpelt(t *testing.T) {
	t.Parallel()
	newServer(t, generous...).start().wholeNumbersHoweverSpelt()
}

func (s *server) wholeNumbersHoweverSpelt() {
	t := s.t
	for e, say := range []func(string) []byte{
		func(text string) []byte { return []byte(text) },
		func(text string) []byte { b, _ := wire.AppendCBORFromJSON(nil, []byte(text)); return b },
	} {
		info := s.create("liarsdice", json.RawMessage(`{"players":2.0,"bots":1e0,"dice":50e-1,"wild_ones":true}`))
		c := dial(t, info.URL, wire.Encoding(e))
		c.write(say(`{"t":"hello","client":"x","name":"Ann","attempt":1.0}`))
		w := hear[wire.Welcome](c)
		// It may be the bot's turn: what a bid is refused with says whether its numbers were read.
		c.write(say(`{"t":"act","cseq":1e0,"data":{"bid":{"count":1.0,"face":4.0}}}`))
		if no, refused := c.answer().(wire.Reject); refused && (no.CSeq != 1 || no.Code == "bad_action") {
			t.Errorf("a bid: %+v", no)
		}
		c.write(say(`{"t":"act","cseq":2.0,"data":{"bid":{"count":1.5,"face":4}}}`))
		if no, refused := c.answer().(wire.Reject); !refused || no.Code != "bad_action" {
			t.Errorf("one and a half dice: %+v", no)
		}
		again := dial(t, info.URL, wire.Encoding(e))
		again.write(say(`{"t":"hello","client":"x","attempt":2.0,"token":"` + w.Token + `","resume":{"epoch":1.0,"seq":2e0}}`))
		hear[wire.Welcome](again)
	}
	for _, options := range []string{`{"dice":5.5}`, `{"dice":1e400}`, `{"dice":9007199254740993.0}`, `{"DICE":5}`, `{"dice":5,"dice":5}`} {
		if code := s.call("POST", "/v1/rooms", map[string]any{"game": "liarsdice", "options": json.RawMessage(options)}, nil); code != http.StatusBadRequest {
			t.Errorf("options %s: %d", options, code)
		}
	}
}

// spelling are options of chess that come to the same.
var spelling = []string{
	`{"clock":{"initial_ms":600000}}`,
	`{"clock":{"initial_ms":600000.0,"increment_ms":0}}`,
	`{"bot":false,"clock":{"increment_ms":0e5,"initial_ms":6e5},"takeback":false,"white":"random"}`,
}

// TestDefaultsThatAreSpeltOut are no other game: who asks with them and who asks without are put together, whichever node
// they ask.
func TestDefaultsThatAreSpeltOut(t *testing.T) {
	t.Parallel()
	c := newTeam(t, 2).start()
	met := map[string]int{}
	for i, options := range spelling[:2] {
		met[c.nodes[i%2].matched("chess", options)]++
	}
	if len(met) != 1 {
		t.Errorf("two players of the same were put into %v", met)
	}
	if third := c.nodes[0].matched("chess", spelling[2]); met[third] > 0 {
		t.Errorf("a third was put into %s too", third)
	} else if fourth := c.nodes[1].matched("chess", spelling[0]); fourth != third {
		t.Errorf("a third was put into %s and a fourth into %s", third, fourth)
	}
	if other := c.nodes[0].matched("chess", `{"clock":{"initial_ms":600001}}`); met[other] > 0 {
		t.Errorf("another clock was put into %s", other)
	}
}

// TestOptionsThatMeanTheSameAreOnePool asks of every game, with its defaults left out, spelt out, and as numbers with a point.
func TestOptionsThatMeanTheSameAreOnePool(t *testing.T) {
	t.Parallel()
	s := newServer(t, generous...).start()
	for game, asked := range map[string]struct{ same, others []string }{
		"chess": {[]string{
			`{}`, `{"white":"random","takeback":false,"bot":false,"grace_ms":60000.0}`,
			`{"clock":null,"bot":0.0}`, `{"fen":"rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1"}`,
			`{"grace_ms":6e4}`, `{}`,
		}, []string{`{"takeback":true}`, `{"grace_ms":60001}`}},
		"liarsdice": {[]string{
			`{}`, `{"dice":5.0}`, `{"players":6e0,"bots":0.0,"turn_ms":30000}`,
			`{"wild_ones":true,"spot_on":true,"reveal_ms":8e3,"start_ms":20000.0}`,
		}, []string{`{"dice":4}`, `{"wild_ones":false}`}},
		"snakes": {[]string{
			`{}`, `{"width":64.0,"height":4e1}`, `{"walls":true,"rounds":3,"round_s":120.0}`, `{"start_s":3.0,"pause_s":4,"bots":0}`,
		}, []string{`{"width":65}`, `{"walls":false}`}},
	} {
		seats := 100
		if game == "chess" {
			seats = 2
		}
		var first string
		for i, options := range asked.same {
			switch got := s.matched(game, options); {
			case i%seats == 0:
				first = got
			case got != first:
				t.Errorf("%s: who asks with %s does not meet who asked with %s", game, options, asked.same[i-1])
			}
		}
		for _, options := range asked.others {
			if got := s.matched(game, options); got == first {
				t.Errorf("%s: who asks with %s meets who asked with others", game, options)
			}
		}
	}
}

// matched is the room that a new player is put into.
func (s *server) matched(game, options string) string {
	s.t.Helper()
	var got roomInfo
	if code := s.call("POST", "/v1/matchmake", map[string]any{"game": game, "options": json.RawMessage(options)}, &got); code != http.StatusOK {
		s.t.Fatalf("%s, options %s: %d", game, options, code)
	}
	return got.ID
}
