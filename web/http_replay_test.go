package web_test

import (
	"bytes"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/roomring/roomring/room"
)

// A replay of any length is served in the memory of a piece of it, as a file and as JSON.
func TestLongReplayIsServedAsAStream(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(20)) // so that what is in use is close to what is needed
	a := startAPI(t, nil)
	final := playedGame(t)
	packer, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	noise := bytes.Repeat([]byte("0123456789abcdef"), 1<<10)
	act := room.Entry{Index: 6, Epoch: 1, Input: room.Input{Kind: room.KindAct, Player: "ann", Data: append(append([]byte{'"'}, noise...), '"')}}
	one, err := room.EncodeEntries(nil, act)
	if err != nil {
		t.Fatal(err)
	}
	frame := packer.EncodeAll(bytes.Repeat(one, 32), nil)
	long := append(room.Parts{}, final.Replay...)
	for range 128 {
		long = append(long, frame) // 64 MiB in all when it is unpacked
	}
	a.records.replays[roomID] = long
	for accept, least := range map[string]int64{"application/octet-stream": int64(long.Len()), "application/json": 64 << 20} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", a.url+"/v1/replays/"+string(roomID), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		peak := &peak{}
		n, err := io.Copy(peak, res.Body)
		_ = res.Body.Close()
		if err != nil || n < least {
			t.Errorf("%s: %d bytes of %d, %v", accept, n, least, err)
		}
		if peak.highest > peak.lowest+24<<20 {
			t.Errorf("%s: memory grew by %d MiB", accept, (peak.highest-peak.lowest)>>20)
		}
		if accept == "application/json" && !strings.Contains(string(peak.last), `"final":`) {
			t.Errorf("it ends with %q", peak.last)
		}
	}
}

// peak reads and forgets, and looks at the memory in use as it goes.
type peak struct {
	read            int
	lowest, highest uint64
	last            []byte
}

func (p *peak) Write(b []byte) (int, error) {
	if p.last = append(p.last[:0], b...); p.read>>20 != (p.read+len(b))>>20 || p.lowest == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		p.highest = max(p.highest, m.HeapAlloc)
		if p.lowest == 0 || m.HeapAlloc < p.lowest {
			p.lowest = m.HeapAlloc
		}
	}
	p.read += len(b)
	return len(b), nil
}

func TestReplayThatBreaksOffIsSeenToBeBroken(t *testing.T) {
	a := startAPI(t, nil)
	whole := playedGame(t).Replay.Join()
	a.records.replays[roomID] = room.Parts{whole, []byte("rubbish")}
	for _, accept := range []string{"application/json", "application/x-ndjson"} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", a.url+"/v1/replays/"+string(roomID), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			if res.StatusCode == http.StatusOK {
				_, err = io.ReadAll(res.Body)
			}
			_ = res.Body.Close()
			if err == nil && res.StatusCode == http.StatusOK {
				t.Errorf("%s: a damaged replay was served as a whole one", accept)
			}
		}
	}
}
