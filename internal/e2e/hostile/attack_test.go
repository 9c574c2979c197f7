package hostile_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
)

// strangers is one process of attackers.
type strangers struct {
	ctx    context.Context
	url    string // of the server
	gossip string
	known  []string // what the test tells them
	tokens sync.Map // attacker → string
	done   sync.Map // outcome → *atomic.Int64
}

// attackers maps the name of each attack to what one attacker does until ctx ends. If the function returns before, it is called again.
var attackers = map[string]func(x *strangers, i int){
	"refused": (*strangers).refused,
	"options": (*strangers).options,
	"lists":   (*strangers).lists,
	"halves":  (*strangers).halves,
	"codes":   (*strangers).codes,
	"seats":   (*strangers).seats,
	"rooms":   (*strangers).rooms,
	"boards":  (*strangers).boards,
	"gossip":  (*strangers).strangeGossip,
	"stalls":  (*strangers).stalls,
	"plain":   (*strangers).plain,
	"walks":   (*strangers).walks,
}

// strangersMain is the command `strangers NAME FORCE URL GOSSIP [KNOWN…]`. It ends when its standard input ends, and prints the outcomes
// of its attempts.
func strangersMain() {
	if len(os.Args) < 5 || attackers[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: strangers NAME FORCE URL GOSSIP [KNOWN…]")
		os.Exit(e2e.ExitUsage)
	}
	force, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(e2e.ExitUsage)
	}
	if err := e2e.RunAtIdlePriority(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(e2e.ExitFailed)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	x := &strangers{ctx: ctx, url: os.Args[3], gossip: os.Args[4], known: os.Args[5:]}
	var wg sync.WaitGroup
	for i := range force {
		wg.Go(func() {
			for ctx.Err() == nil {
				attackers[os.Args[1]](x, i)
			}
		})
	}
	wg.Wait()
	var all []string
	for what, n := range x.done.Range {
		all = append(all, fmt.Sprintf("%d × %v", n.(*atomic.Int64).Load(), what))
	}
	slices.Sort(all)
	fmt.Println(strings.Join(all, ", "))
}

// count counts the outcome of an attempt.
func (x *strangers) count(what string) {
	n, _ := x.done.LoadOrStore(what, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
}

// wait waits for a time, or until the attack is over.
func (x *strangers) wait(d time.Duration) {
	select {
	case <-x.ctx.Done():
	case <-time.After(d):
	}
}

// from returns a dialer with its own address on loopback.
func from(i int) *net.Dialer {
	return &net.Dialer{Timeout: e2e.Ceiling, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 9, byte(i/250), byte(1+i%250))}}
}

// client returns an HTTP client whose requests come from an address.
func (x *strangers) client(dialer *net.Dialer) *http.Client {
	return &http.Client{Timeout: e2e.Ceiling, Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 100}}
}

// asks sends requests and counts the answers, until the attack is over.
func (x *strangers) asks(c *http.Client, method, path string, body []byte) {
	defer c.CloseIdleConnections()
	for x.ctx.Err() == nil {
		x.ask(c, method, path, body)
	}
}

// ask sends one request and counts its answer.
func (x *strangers) ask(c *http.Client, method, path string, body []byte) {
	req, err := http.NewRequestWithContext(x.ctx, method, x.url+path, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.Do(req)
	if err != nil {
		if x.ctx.Err() == nil {
			x.count("no answer")
			x.wait(10 * time.Millisecond)
		}
		return
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	x.count(strconv.Itoa(res.StatusCode))
}

// socket opens one.
func (x *strangers) socket(dialer *net.Dialer, url string) *websocket.Conn {
	ws, _, err := websocket.Dial(x.ctx, url, &websocket.DialOptions{HTTPClient: x.client(dialer), Subprotocols: []string{wire.SubprotocolJSON}})
	if err != nil {
		x.count("no socket")
		x.wait(50 * time.Millisecond)
		return nil
	}
	ws.SetReadLimit(1 << 20)
	return ws
}

// refused sends 50 acts a second of 15 KB, which the game refuses, from one address. It comes back to its seat.
func (x *strangers) refused(i int) {
	ws := x.socket(from(0), x.known[i%len(x.known)])
	if ws == nil {
		return
	}
	defer ws.CloseNow()
	if ws.Write(x.ctx, websocket.MessageText, wire.AppendHello(nil, wire.JSON, wire.Hello{Client: fmt.Sprint(i), Attempt: uint64(time.Now().UnixMicro()), Token: x.token(i, "")})) != nil {
		return
	}
	go func() {
		for cseq := uint64(1); x.ctx.Err() == nil; cseq++ {
			act := wire.AppendAct(nil, wire.JSON, wire.Act{CSeq: cseq, Data: []byte(`{"add":10,"why":"` + strings.Repeat("x", 15<<10) + `"}`)})
			if ws.Write(x.ctx, websocket.MessageText, act) != nil {
				return
			}
			x.wait(20 * time.Millisecond)
		}
	}()
	for first := true; ; first = false {
		_, msg, err := ws.Read(x.ctx)
		if err != nil {
			if code := websocket.CloseStatus(err); x.ctx.Err() == nil {
				x.count(fmt.Sprintf("closed %d", code))
				x.wait(50 * time.Millisecond)
			}
			return
		}
		var welcome struct{ Token string }
		if first && json.NewDecoder(bytes.NewReader(msg)).Decode(&welcome) == nil {
			x.token(i, welcome.Token)
			x.count("seated")
		}
	}
}

// token returns the token that identifies an attacker since its first attempt. A token that it gets is kept for the next attempt.
func (x *strangers) token(i int, given string) string {
	if given != "" {
		x.tokens.Store(i, given)
	}
	text, _ := x.tokens.Load(i)
	token, _ := text.(string)
	return token
}

// options makes rooms whose options are large, from ten addresses.
func (x *strangers) options(i int) {
	x.asks(x.client(from(i%10)), "POST", "/v1/rooms", []byte(`{"game":"chess","options":{"white":"player:`+strings.Repeat("x", 63<<10)+`"}}`))
}

// lists asks for a page of one room, from one address.
func (x *strangers) lists(int) { x.asks(x.client(from(0)), "GET", "/v1/rooms?limit=1", nil) }

// halves opens sockets, sends half a frame and falls silent, from one address.
func (x *strangers) halves(int) {
	conn, err := from(0).DialContext(x.ctx, "tcp", strings.TrimPrefix(x.url, "http://"))
	if err != nil {
		x.count("no connection")
		x.wait(50 * time.Millisecond)
		return
	}
	defer conn.Close()
	_, _ = fmt.Fprintf(conn, "GET /v1/rooms/0000000000000000/ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: %s\r\n\r\n\x81\xfe\x00", strings.TrimPrefix(x.url, "http://"), wire.SubprotocolJSON)
	ended := context.AfterFunc(x.ctx, func() { _ = conn.Close() })
	defer ended()
	_, _ = io.Copy(io.Discard, conn)
	if x.ctx.Err() == nil {
		x.count("closed")
		x.wait(50 * time.Millisecond)
	}
}

// codes guesses join codes by WebSocket, from one address.
func (x *strangers) codes(i int) {
	ws := x.socket(from(0), x.known[0])
	if ws == nil {
		return
	}
	defer ws.CloseNow()
	_ = ws.Write(x.ctx, websocket.MessageText, wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "a", Code: fmt.Sprintf("%08d", i)}))
	for {
		if _, _, err := ws.Read(x.ctx); err != nil {
			if x.ctx.Err() == nil {
				x.count(fmt.Sprintf("closed %d", websocket.CloseStatus(err)))
			}
			return
		}
	}
}

// seats asks for matches and joins none. Each attacker has its own address.
func (x *strangers) seats(i int) {
	c := x.client(from(i))
	defer c.CloseIdleConnections()
	for x.ctx.Err() == nil {
		x.ask(c, "POST", "/v1/matchmake", fmt.Appendf(nil, `{"game":"chess","ticket":%q}`, rand.Text()))
	}
}

// rooms makes rooms and joins none. Each attacker has its own address.
func (x *strangers) rooms(i int) {
	x.asks(x.client(from(i)), "POST", "/v1/rooms", []byte(`{"game":"chess"}`))
}

// boards asks for a page far down a leaderboard, in the old way, and for the first page, in turn. Each attacker has its own address.
func (x *strangers) boards(i int) {
	path := "/v1/leaderboards/chess?limit=1"
	if i%2 == 0 {
		path += "&offset=290000"
	}
	x.asks(x.client(from(i)), "GET", path, nil)
}

// strangeGossip sends 19 MB to the gossip port without the secret, from ten addresses.
func (x *strangers) strangeGossip(i int) {
	conn, err := from(i%10).DialContext(x.ctx, "tcp", x.gossip)
	if err != nil {
		x.count("no connection")
		x.wait(50 * time.Millisecond)
		return
	}
	defer conn.Close()
	ended := context.AfterFunc(x.ctx, func() { _ = conn.Close() })
	defer ended()
	const label = "roomring"
	// memberlist's label, and the head of an encrypted message of 19 MiB
	_, err = conn.Write(append(append([]byte{244, byte(len(label))}, label...), 10, 0x01, 0x30, 0, 0))
	sent := 0
	for chunk := make([]byte, 64<<10); err == nil && sent < 19<<20; sent += len(chunk) {
		_, err = conn.Write(chunk)
	}
	if x.ctx.Err() == nil {
		x.count("turned away: " + strconv.FormatBool(err != nil))
		x.wait(50 * time.Millisecond)
	}
}
