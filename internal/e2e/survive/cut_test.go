package survive_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/cli"
	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/apitest"
)

// ledgerVariable names the environment variable that adds the game "ledger" to a process.
const ledgerVariable = "ROOMRING_TEST_LEDGER"

func init() {
	if os.Getenv(ledgerVariable) != "" {
		e2e.ExtraGames = append(e2e.ExtraGames, ledger())
	}
}

// ledger is a tally that keeps as little of its log as possible.
func ledger() *room.Rules {
	return room.MustDefine(room.Spec{
		Name: "ledger", Version: 1, MaxPlayers: 4, LogBytes: room.MinLogBytes, Linger: 200 * time.Millisecond,
	}, func() *e2e.Tally { return &e2e.Tally{} })
}

// TestARoomWhoseLogWasCut plays on over a socket after the log was cut, survives a kill and ends. The replay says where it begins.
func TestARoomWhoseLogWasCut(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...)
	s.Env = append(s.Env, ledgerVariable+"=1")
	s.Start()
	info := s.Create("ledger", nil)
	c := e2e.Dial(t, info.URL, wire.JSON)
	token := c.Hello(wire.Hello{Client: "a", Name: "Ann", Attempt: 1}).Token
	const acts = 60 // each is a twentieth of what is kept
	add := `{"add":1,"why":"` + strings.Repeat("x", room.MinLogBytes/20) + `"}`
	cseq := uint64(0)
	var last wire.Ack
	play := func(n int) {
		t.Helper()
		for range n {
			cseq++
			c.Act(cseq, add)
			ack, taken := c.Answer().(wire.Ack)
			if !taken || ack.CSeq != cseq {
				t.Fatalf("act %d was answered %+v", cseq, ack)
			}
			last = ack
		}
	}
	play(acts)
	if index := s.Inspect(info.ID).Index; index <= acts+4 {
		t.Fatalf("the room is at %d: no cut has taken an index", index)
	}
	s.Kill()
	s.Start()

	c = e2e.Dial(t, s.Via(info).URL, wire.CBOR)
	if w := c.Hello(wire.Hello{Client: "a", Token: token, Attempt: 2}); w.CSeq != acts || w.Epoch != 2 {
		t.Errorf("welcomed back at act %d, epoch %d", w.CSeq, w.Epoch)
	}
	if view, err := wire.ToJSON(wire.CBOR, e2e.Hear[wire.State](c).View); err != nil || string(view) != `{"count":60,"signals":0}` {
		t.Errorf("the view after the kill is %s (%v)", view, err)
	}
	c.Act(acts, add)
	if again := c.Answer(); again != last {
		t.Errorf("the last act sent again was answered %+v, first %+v", again, last)
	}
	play(acts)
	cseq++
	c.Act(cseq, `{"add":2,"finish":true}`)
	over := e2e.Hear[wire.Over](c)
	if r := s.Result(info.ID); r.End != "finished" || r.Result.Summary != "They counted to 122" {
		t.Errorf("the result is %+v", r)
	}
	replaysFrom(s, info.ID, ledger(), over.Seq)
}

// replaysFrom compares the three forms of a replay whose beginning is not kept.
func replaysFrom(s *e2e.Server, id string, rules *room.Rules, end uint64) {
	t := s.T
	t.Helper()
	get := func(accept string) []byte {
		t.Helper()
		req, err := http.NewRequestWithContext(e2e.WaitContext(t), "GET", s.URL+"/v1/replays/"+id, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		res, err := apitest.Client(t).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("the replay as %s: %d %s %v", accept, res.StatusCode, body, err)
		}
		return body
	}
	var log struct {
		Entries []struct {
			Seq  uint64 `json:"seq"`
			Kind string `json:"kind"`
		} `json:"entries"`
	}
	e2e.MustDecode(t, get("application/json"), &log)
	from := log.Entries[0].Seq
	if from < 100 || log.Entries[0].Kind != "cut" {
		t.Errorf("it begins with a %s at %d", log.Entries[0].Kind, from)
	}
	for i, e := range log.Entries {
		if e.Seq != from+uint64(i) {
			t.Fatalf("entry %d has the index %d", from+uint64(i), e.Seq)
		}
	}

	lines := strings.Split(strings.TrimSpace(string(get("application/x-ndjson"))), "\n")
	var first, last struct {
		T    string `json:"t"`
		Seq  uint64 `json:"seq"`
		Kind string `json:"kind"`
		View json.RawMessage
	}
	e2e.MustDecode(t, []byte(lines[0]), &first)
	e2e.MustDecode(t, []byte(lines[len(lines)-1]), &last)
	if first.T != "state" || first.Seq != from || first.Kind != "cut" || len(first.View) == 0 || last.Seq != end {
		t.Errorf("what was shown goes from\n%s\nto\n%s\nthe log from %d, and the game ended at %d", lines[0], lines[len(lines)-1], from, end)
	}

	games, err := core.NewGames(rules)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := cli.Replay(&out, games, get("application/octet-stream")); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	if said := out.String(); !e2e.Mentions(said, "what lies before is not kept", "the result is the recorded one") {
		t.Errorf("roomring replay says\n%s", said)
	}
}
