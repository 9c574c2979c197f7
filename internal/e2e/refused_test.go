package e2e

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomring/roomring/room/wire"
)

// TestAFloodOfRefusedActsFillsNoDisk has one guest send megabytes that the game refuses. They come to little in the data
// folder and in the replay, and the room goes on after a kill as if nothing had been.
func TestAFloodOfRefusedActsFillsNoDisk(t *testing.T) {
	t.Parallel()
	const (
		acts  = 320
		burst = 16 // acts sent before their answers are read, of 32 that may wait for one
		share = 10 // what is sent must be so many times what is kept
	)
	s := newServer(t, "--messages-per-second", "10000", "--bytes-per-second", "100000000", "--address-bytes-per-second", "0", "--room-bytes-per-second", "0").start()
	s.shutDown()
	before := s.folderSize()
	s.start()
	info := s.create("chess", map[string]any{"bot": 1, "white": "first"})
	c := dial(t, info.URL, wire.JSON)
	w := c.hello(wire.Hello{Client: "a", Name: "Ann", Attempt: 1})

	letters, sent := rand.New(rand.NewPCG(1, 2)), 0
	data := make([]string, acts+1) // by cseq
	for from := 1; from <= acts; from += burst {
		for cseq := from; cseq < from+burst; cseq++ {
			data[cseq] = fmt.Sprintf(`{"move":%q}`, noise(letters, w.Limits.Message-64))
			sent += len(data[cseq])
			c.act(uint64(cseq), data[cseq])
		}
		for cseq := from; cseq < from+burst; cseq++ {
			if no, refused := c.answer().(wire.Reject); !refused || no.CSeq != uint64(cseq) {
				t.Fatalf("act %d was answered %+v", cseq, no)
			}
		}
	}
	s.kill()
	s.start()

	c = dial(t, s.at(info).URL, wire.JSON)
	if w := c.hello(wire.Hello{Client: "a", Token: w.Token, Attempt: 2}); w.CSeq != acts {
		t.Errorf("welcomed back at %d, should be %d", w.CSeq, acts)
	}
	c.act(acts, data[acts])
	if no, refused := c.answer().(wire.Reject); !refused || no.CSeq != acts {
		t.Errorf("the last act sent again was answered %+v", no)
	}
	c.act(acts+1, `{"move":"e4"}`)
	if yes, ok := c.answer().(wire.Ack); !ok || yes.CSeq != acts+1 {
		t.Errorf("a legal move after them was answered %+v", yes)
	}
	s.shutDown()
	if grown := s.folderSize() - before; grown > int64(sent/share) {
		t.Errorf("%d refused acts, %d bytes of data, left %d bytes in the data folder", acts, sent, grown)
	} else {
		t.Logf("%d bytes sent, %d kept", sent, grown)
	}

	s.start()
	c = dial(t, s.at(info).URL, wire.JSON)
	c.hello(wire.Hello{Client: "a", Token: w.Token, Attempt: 3})
	c.act(acts+2, `{"resign":true}`)
	if yes, ok := c.answer().(wire.Ack); !ok || yes.CSeq != acts+2 {
		t.Errorf("resigning was answered %+v", yes)
	}
	s.result(info.ID)
	var replay []byte
	if code := s.call("GET", "/v1/replays/"+info.ID, nil, &replay); code != http.StatusOK || len(replay) > sent/share {
		t.Errorf("%d: the replay has %d bytes of %d sent", code, len(replay), sent)
	}
	s.replayed(info.ID)
}

// noise is text that cannot be packed well.
func noise(from *rand.Rand, size int) string {
	var b strings.Builder
	for range size {
		b.WriteByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[from.IntN(64)])
	}
	return b.String()
}

// shutDown stops the process, which puts the write-ahead logs into their databases.
func (s *server) shutDown() {
	s.t.Helper()
	if code, _ := s.stop(); code != exitOK {
		s.t.Fatalf("stopped with %d", code)
	}
}

// folderSize is how many bytes the files of the data folder have.
func (s *server) folderSize() (size int64) {
	s.t.Helper()
	err := filepath.WalkDir(s.dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		about, err := e.Info()
		if err == nil {
			size += about.Size()
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return size
}
