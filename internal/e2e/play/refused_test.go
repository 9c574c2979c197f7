package play_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
)

// TestAFloodOfRefusedActsFillsNoDisk has one guest send megabytes that the game refuses. They add little to the data folder and to the
// replay, and the room goes on after a kill as before.
func TestAFloodOfRefusedActsFillsNoDisk(t *testing.T) {
	t.Parallel()
	const (
		acts  = 320
		burst = 16 // acts sent before their answers are read, of 32 that may wait for one
		share = 10 // the bytes sent must be at least this many times the bytes kept
	)
	s := e2e.NewServer(t, "--messages-per-second", "10000", "--bytes-per-second", "100000000", "--address-bytes-per-second", "0", "--room-bytes-per-second", "0").Start()
	shutDown(s)
	before := s.FolderSize()
	s.Start()
	info := s.Create("chess", map[string]any{"bot": 1, "white": "first"})
	c := e2e.Dial(t, info.URL, wire.JSON)
	w := c.Hello(wire.Hello{Client: "a", Name: "Ann", Attempt: 1})

	letters, sent := rand.New(rand.NewPCG(1, 2)), 0
	data := make([]string, acts+1) // by cseq
	for from := 1; from <= acts; from += burst {
		for cseq := from; cseq < from+burst; cseq++ {
			data[cseq] = fmt.Sprintf(`{"move":%q}`, noise(letters, w.Limits.Message-64))
			sent += len(data[cseq])
			c.Act(uint64(cseq), data[cseq])
		}
		for cseq := from; cseq < from+burst; cseq++ {
			if no, refused := c.Answer().(wire.Reject); !refused || no.CSeq != uint64(cseq) {
				t.Fatalf("act %d was answered %+v", cseq, no)
			}
		}
	}
	s.Kill()
	s.Start()

	c = e2e.Dial(t, s.Via(info).URL, wire.JSON)
	if w := c.Hello(wire.Hello{Client: "a", Token: w.Token, Attempt: 2}); w.CSeq != acts {
		t.Errorf("welcomed back at %d, should be %d", w.CSeq, acts)
	}
	c.Act(acts, data[acts])
	if no, refused := c.Answer().(wire.Reject); !refused || no.CSeq != acts {
		t.Errorf("the last act sent again was answered %+v", no)
	}
	c.Act(acts+1, `{"move":"e4"}`)
	if yes, ok := c.Answer().(wire.Ack); !ok || yes.CSeq != acts+1 {
		t.Errorf("a legal move after them was answered %+v", yes)
	}
	shutDown(s)
	if grown := s.FolderSize() - before; grown > int64(sent/share) {
		t.Errorf("%d refused acts, %d bytes of data, left %d bytes in the data folder", acts, sent, grown)
	} else {
		t.Logf("%d bytes sent, %d kept", sent, grown)
	}

	s.Start()
	c = e2e.Dial(t, s.Via(info).URL, wire.JSON)
	c.Hello(wire.Hello{Client: "a", Token: w.Token, Attempt: 3})
	c.Act(acts+2, `{"resign":true}`)
	if yes, ok := c.Answer().(wire.Ack); !ok || yes.CSeq != acts+2 {
		t.Errorf("resigning was answered %+v", yes)
	}
	s.Result(info.ID)
	var replay []byte
	if code := s.Call("GET", "/v1/replays/"+info.ID, nil, &replay); code != http.StatusOK || len(replay) > sent/share {
		t.Errorf("%d: the replay has %d bytes of %d sent", code, len(replay), sent)
	}
	s.CheckReplay(info.ID)
}

// noise is text that compresses badly.
func noise(from *rand.Rand, size int) string {
	var b strings.Builder
	for range size {
		b.WriteByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[from.IntN(64)])
	}
	return b.String()
}

// shutDown stops the process. Its databases then take in their write-ahead logs.
func shutDown(s *e2e.Server) {
	s.T.Helper()
	if code, _ := s.Stop(); code != e2e.ExitOK {
		s.T.Fatalf("stopped with %d", code)
	}
}
