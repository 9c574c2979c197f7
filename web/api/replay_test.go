package api_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/internal/webtest"
	"github.com/roomring/roomring/web/limit"
)

// TestLongReplayIsServedAsAStream checks that a replay of any length takes the memory of a piece of it, as a file and as JSON.
func TestLongReplayIsServedAsAStream(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(20)) // so that what is in use is close to what is needed
	a := webtest.StartAPI(t, nil)
	long := longReplay(t, 128) // 64 MiB in all when it is unpacked
	a.Records.Replays[webtest.RoomID] = long
	for accept, least := range map[string]int64{"application/octet-stream": int64(long.Len()), "application/json": 64 << 20} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", a.URL+"/v1/replays/"+string(webtest.RoomID), nil)
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
		if peak.highest > peak.lowest+40<<20 { // the whole is 64; a collector that gets no CPU lags behind
			t.Errorf("%s: memory grew by %d MiB", accept, (peak.highest-peak.lowest)>>20)
		}
		if accept == "application/json" && !strings.Contains(string(peak.last), `"final":`) {
			t.Errorf("it ends with %q", peak.last)
		}
	}
}

// longReplay is a replay of so many pieces of half a megabyte.
func longReplay(t *testing.T, pieces int) record.Parts {
	t.Helper()
	final := webtest.PlayedGame(t)
	packer, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	noise := bytes.Repeat([]byte("0123456789abcdef"), 1<<10)
	act := core.Entry{Index: 6, Epoch: 1, Input: core.Input{Kind: core.KindAct, Player: "ann", Data: append(append([]byte{'"'}, noise...), '"')}}
	one, err := core.EncodeEntries(nil, act)
	if err != nil {
		t.Fatal(err)
	}
	frame := packer.EncodeAll(bytes.Repeat(one, 32), nil)
	long := append(record.Parts{}, final.Replay...)
	for range pieces {
		long = append(long, frame)
	}
	return long
}

// TestReadersOfReplaysThatStallGiveWay checks that readers who take nothing hold up the others for no longer than they may stall.
func TestReadersOfReplaysThatStallGiveWay(t *testing.T) {
	a := webtest.StartAPI(t, func(o *api.Options) {
		o.Replays, o.ReplayStall, o.RequestTimeout = 2, 300*time.Millisecond, 30*time.Second
	})
	a.Records.Replays[webtest.RoomID] = longReplay(t, 24)
	for range 4 { // two at a time
		watcher(a)
	}
	a.Want(http.StatusOK, "GET", "/v1/replays/"+string(webtest.RoomID), "", "Accept: application/octet-stream")
	req, err := http.NewRequestWithContext(t.Context(), "GET", a.URL+"/v1/replays/"+string(webtest.RoomID), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if n, err := io.Copy(io.Discard, res.Body); res.StatusCode != http.StatusOK || err != nil || n < 12<<20 {
		t.Errorf("who reads gets %d and %d bytes, %v", res.StatusCode, n, err)
	}
}

// TestReadersOfReplaysWhoTakeNothingGiveTheirPlaces has readers stall in all places. Each that comes takes the place of one that stalls,
// never of one that reads, however many come.
func TestReadersOfReplaysWhoTakeNothingGiveTheirPlaces(t *testing.T) {
	a := webtest.StartAPI(t, func(o *api.Options) {
		o.Replays, o.Watchers, o.ReplayStall, o.RequestTimeout, o.ReplayRate = 1, 2, time.Minute, 30*time.Second, limit.Rate{PerSecond: -1}
	})
	a.Records.Replays[webtest.RoomID] = longReplay(t, 24)
	reader := watcher(a)
	_ = reader.(*net.TCPConn).SetReadBuffer(1 << 20)
	read := make(chan int64, 1)
	go func() { // an eighth of a second a step, so longer than those who come have patience with who takes nothing
		var all int64
		for {
			n, err := io.CopyN(io.Discard, reader, 512<<10)
			if all += n; err != nil {
				read <- all
				return
			}
			time.Sleep(125 * time.Millisecond)
		}
	}()
	for range 4 {
		watcher(a)
	}
	if n := <-read; n < 12<<20 {
		t.Errorf("who read all the time was cut off after %d bytes", n)
	}
}

// watcher asks for the replay as spectators saw it, and has read a byte of it.
func watcher(a *webtest.Site) net.Conn {
	a.T.Helper()
	nc, err := net.Dial("tcp", strings.TrimPrefix(a.URL, "http://"))
	if err != nil {
		a.T.Fatal(err)
	}
	a.T.Cleanup(func() { _ = nc.Close() })
	_ = nc.(*net.TCPConn).SetReadBuffer(4 << 10)
	_ = nc.SetDeadline(time.Now().Add(testwait.Ceiling))
	fmt.Fprintf(nc, "GET /v1/replays/%s HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\nConnection: close\r\n\r\n", webtest.RoomID)
	if _, err := nc.Read(make([]byte, 1)); err != nil {
		a.T.Fatalf("a reader has not had its turn: %v", err)
	}
	return nc
}

// peak throws away what it is written, and measures the memory in use meanwhile.
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
	a := webtest.StartAPI(t, nil)
	whole := webtest.PlayedGame(t).Replay.Join()
	a.Records.Replays[webtest.RoomID] = record.Parts{whole, []byte("rubbish")}
	for _, accept := range []string{"application/json", "application/x-ndjson"} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", a.URL+"/v1/replays/"+string(webtest.RoomID), nil)
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
