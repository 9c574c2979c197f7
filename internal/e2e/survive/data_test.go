package survive_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
)

// TestDataThatNoActionCanBe sends data that no action can have. It is refused in its turn and changes nothing else: the session, the room
// and the acts around it go on.
func TestDataThatNoActionCanBe(t *testing.T) {
	t.Parallel()
	e2e.NewServer(t, e2e.GenerousLimits...).Start().CheckInvalidActData()
}

// TestRefusedDataOutlivesAKill checks that the answers to such acts are in the log like any other, and come again after a kill.
func TestRefusedDataOutlivesAKill(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t).Start()
	info := s.Create("chess", map[string]any{"bot": 1, "white": "first"})
	c := e2e.Dial(t, info.URL, wire.JSON)
	token := c.Hello(wire.Hello{Client: "a", Name: "Ann", Attempt: 1}).Token
	c.Write(e2e.ActWith(wire.JSON, 1, `"\ud83c"`))
	first := c.Answer()
	c.Act(2, `{"move":"e4"}`)
	if _, ok := c.Answer().(wire.Ack); !ok {
		t.Fatal("the act after it was refused")
	}
	s.Kill()
	s.Start()
	c = e2e.Dial(t, s.Via(info).URL, wire.JSON)
	if w := c.Hello(wire.Hello{Client: "a", Token: token, Attempt: 2}); w.CSeq != 2 {
		t.Errorf("welcomed back at %d", w.CSeq)
	}
	c.Write(e2e.ActWith(wire.JSON, 1, `"\ud83c"`))
	if again := c.Answer(); again != first {
		t.Errorf("answered %+v first and %+v after a kill", first, again)
	}
}

// TestWholeNumbersHoweverSpelt writes whole numbers as 1.0 in messages, actions and options, as engines without integers do.
func TestWholeNumbersHoweverSpelt(t *testing.T) {
	t.Parallel()
	e2e.NewServer(t, e2e.GenerousLimits...).Start().CheckNumberSpellings()
}

// spelling are options of chess that mean the same.
var spelling = []string{
	`{"clock":{"initial_ms":600000}}`,
	`{"clock":{"initial_ms":600000.0,"increment_ms":0}}`,
	`{"bot":false,"clock":{"increment_ms":0e5,"initial_ms":6e5},"takeback":false,"white":"random"}`,
}

// TestDefaultsThatAreSpeltOut asks for matches with and without the defaults written out. Both kinds of players meet, at any nodes.
func TestDefaultsThatAreSpeltOut(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 2).Start()
	met := map[string]int{}
	for i, options := range spelling[:2] {
		met[matchedTo(c.Nodes[i%2], "chess", options)]++
	}
	if len(met) != 1 {
		t.Errorf("two players of the same were put into %v", met)
	}
	if third := matchedTo(c.Nodes[0], "chess", spelling[2]); met[third] > 0 {
		t.Errorf("a third was put into %s too", third)
	} else if fourth := matchedTo(c.Nodes[1], "chess", spelling[0]); fourth != third {
		t.Errorf("a third was put into %s and a fourth into %s", third, fourth)
	}
	if other := matchedTo(c.Nodes[0], "chess", `{"clock":{"initial_ms":600001}}`); met[other] > 0 {
		t.Errorf("another clock was put into %s", other)
	}
}

// TestOptionsThatMeanTheSameAreOnePool asks for every game with its defaults left out, written out, and written as numbers with a point.
func TestOptionsThatMeanTheSameAreOnePool(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
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
			switch got := matchedTo(s, game, options); {
			case i%seats == 0:
				first = got
			case got != first:
				t.Errorf("%s: who asks with %s does not meet who asked with %s", game, options, asked.same[i-1])
			}
		}
		for _, options := range asked.others {
			if got := matchedTo(s, game, options); got == first {
				t.Errorf("%s: who asks with %s meets who asked with others", game, options)
			}
		}
	}
}

// matchedTo returns the room that a new player is matched into.
func matchedTo(s *e2e.Server, game, options string) string {
	s.T.Helper()
	var got e2e.RoomInfo
	if code := s.Call("POST", "/v1/matchmake", map[string]any{"game": game, "options": json.RawMessage(options)}, &got); code != http.StatusOK {
		s.T.Fatalf("%s, options %s: %d", game, options, code)
	}
	return got.ID
}
