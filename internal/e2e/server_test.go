package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/cli"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/apitest"
	"github.com/roomring/roomring/web/client"
)

// generous is crowded, with everybody rated by whatever they play.
var generous = slices.Clip(slices.Concat(crowded, []string{
	"--rate-guests", "--rated-min-time", "0", "--rated-per-opponent", "0", "--leaderboard-min-games", "1",
}))

// crowded are limits that keep a crowd on one address from being taken for an attack.
var crowded = []string{
	"--requests-per-second", "0", "--refusals-per-second", "0", "--rooms-per-second", "10000", "--guests-per-second", "10000", "--lists-per-second", "10000", "--unclaimed-seats", "0", "--room-share", "100", "--replays-per-second", "10000", "--leaderboards-per-second", "10000", "--leaderboard-cache", "0", "--max-sockets-per-address", "100000",
	"--messages-per-second", "10000",
}

// longVariable, when set, has tests do as much as make soak wants of them.
const longVariable = "ROOMRING_LONG"

// sized is how much of something a test does: little with -short, and as much as it ever may when longVariable is set.
func sized(short, usual, long int) int {
	switch {
	case os.Getenv(longVariable) != "":
		return long
	case testing.Short():
		return short
	}
	return usual
}

// server is one real process of this binary.
type server struct {
	t     *testing.T
	exe   string // the program; empty: this binary
	dir   string // its data folder
	args  []string
	env   []string
	cmd   *exec.Cmd
	log   *logBuffer
	ended chan struct{}
	ready
	by http.RoundTripper // what takes requests and sockets there; nil: http.DefaultTransport

	gossipAt, joins    string                   // of a cluster's node
	away               bool                     // rooms are made at other nodes
	within             func(func() error) error // where the process is started, if not on this network
	doorURL, doorAdmin string                   // where it is reached then
}

// logBuffer keeps what a process logs, and shows it when its test fails.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// newServer prepares a process on a port of its own, which stays the same over restarts.
func newServer(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{t: t, dir: filepath.Join(t.TempDir(), "data"), log: &logBuffer{}}
	s.args = append([]string{"--listen", freePort(t), "--admin-listen", freePort(t)}, args...)
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			text := s.log.String()
			t.Logf("the server's log:\n%s", text[max(0, len(text)-8000):])
		}
	})
	return s
}

// nextPort counts through the ports below those that the system gives to outgoing connections (32768 and
// up on Linux): a port stays the server's own while it is down between a kill and the next start.
var nextPort atomic.Uint32

func freePort(t *testing.T) string {
	t.Helper()
	const first, last = 15_000, 31_000
	nextPort.CompareAndSwap(0, rand.Uint32N(last-first))
	for range last - first {
		addr := fmt.Sprintf("127.0.0.1:%d", first+nextPort.Add(1)%(last-first))
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = l.Close()
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}

// start runs the process until it is ready.
func (s *server) start() *server {
	s.t.Helper()
	s.spawn()
	for end := time.Now().Add(startCeiling); ; time.Sleep(5 * time.Millisecond) {
		if s.readIn() {
			return s
		}
		select {
		case <-s.ended:
			s.t.Fatalf("the server ended: %v\n%s", s.cmd.ProcessState, s.log)
		default:
		}
		if time.Now().After(end) {
			s.t.Fatalf("the server is not ready after %v", startCeiling)
		}
	}
}

// readIn takes over what the process's ready file says, if it is there.
func (s *server) readIn() bool {
	text, err := os.ReadFile(s.dir + ".ready")
	if err != nil || json.Unmarshal(text, &s.ready) != nil || s.PID != s.cmd.Process.Pid {
		return false
	}
	if s.doorURL != "" {
		s.URL, s.AdminAt = s.doorURL, s.doorAdmin
	}
	return true
}

// spawn runs the process and does not wait.
func (s *server) spawn() {
	s.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	exe = cmp.Or(s.exe, exe)
	args := append([]string{"serve", "--data-dir", s.dir, "--ready-file", s.dir + ".ready"}, s.args...)
	if s.joins != "" {
		args = append(args, "--join", s.joins)
	}
	s.cmd = &exec.Cmd{
		Path: exe, Args: append([]string{"roomring"}, args...), Stdout: s.log, Stderr: s.log,
		Env: append(append(os.Environ(), "ROOMRING_TEST_GAMES=1"), s.env...), Dir: s.t.TempDir(),
		SysProcAttr: endsWithTests(),
	}
	start := s.cmd.Start
	if s.within != nil {
		start = func() error { return s.within(s.cmd.Start) }
	}
	if err := start(); err != nil {
		s.t.Fatal(err)
	}
	cmd, ended := s.cmd, make(chan struct{})
	s.ended = ended
	go func() { _ = cmd.Wait(); close(ended) }()
}

// kill is a crash: SIGKILL.
func (s *server) kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

// stop is a deploy: SIGTERM. It returns the exit code and how long it took.
func (s *server) stop() (code int, took time.Duration) {
	s.t.Helper()
	begin := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		s.t.Fatal("the server does not stop after SIGTERM")
	}
	return s.cmd.ProcessState.ExitCode(), time.Since(begin)
}

// wait waits for the process to end by itself and returns its exit code.
func (s *server) wait() int {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(startCeiling):
		s.t.Fatal("the server goes on")
	}
	return s.cmd.ProcessState.ExitCode()
}

// runs reports whether the process does.
func (s *server) runs() bool {
	if s.cmd == nil {
		return false
	}
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// call sends a request to the public server, held to the API's description.
func (s *server) call(method, path string, body, into any) int {
	s.t.Helper()
	return s.callAt(s.URL, method, path, "", body, into)
}

// admin sends a request to the admin server.
func (s *server) admin(method, path string, body, into any) int {
	s.t.Helper()
	return s.callAt(s.AdminAt, method, path, "", body, into)
}

func (s *server) callAt(base, method, path, token string, body, into any) int {
	s.t.Helper()
	code, err := s.tryAt(base, method, path, token, body, into)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return code
}

func (s *server) tryAt(base, method, path, token string, body, into any) (int, error) {
	var payload io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		payload = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, base+path, payload)
	if err != nil {
		return 0, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	c := apitest.Client(s.t) // holds request and answer to docs/openapi.yaml
	c.Transport, c.Timeout = apitest.Transport(s.t, s.by), time.Minute
	res, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || into == nil {
		return res.StatusCode, err
	}
	if b, ok := into.(*[]byte); ok {
		*b = raw
		return res.StatusCode, nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return res.StatusCode, fmt.Errorf("%s: %w", raw, err)
	}
	return res.StatusCode, nil
}

// roomInfo is the room object of the API, as far as tests look at it.
type roomInfo struct {
	ID    string `json:"id"`
	Game  string `json:"game"`
	URL   string `json:"ws_url"`
	Code  string `json:"code"`
	Phase string `json:"phase"`
	Node  string `json:"node"`
	Epoch uint64 `json:"epoch"`
}

func (s *server) create(game string, options any) (info roomInfo) {
	s.t.Helper()
	body := map[string]any{"game": game}
	if options != nil {
		body["options"] = options
	}
	for {
		if code := s.call("POST", "/v1/rooms", body, &info); code != http.StatusCreated {
			s.t.Fatalf("creating a room of %s: %d", game, code)
		}
		if !s.away {
			return info
		}
		if info.Node != s.Node {
			return s.at(info)
		}
	}
}

// join brings a client into a room. It gives up after a minute without the server.
func (s *server) join(info roomInfo, o client.Options) *client.Client {
	s.t.Helper()
	c, err := s.tryJoin(info, o)
	if err != nil {
		s.t.Fatalf("joining: %v", err)
	}
	return c
}

func (s *server) tryJoin(info roomInfo, o client.Options) (*client.Client, error) {
	o.URL = info.URL
	if s.by != nil {
		o.HTTP = &http.Client{Transport: s.by}
	}
	if o.MaxDelay == 0 {
		o.MaxDelay = 250 * time.Millisecond
	}
	c, err := client.Dial(s.t.Context(), o)
	if err == nil {
		s.t.Cleanup(c.Close)
	}
	return c, err
}

// result waits until a room's result is in the store: 202 and 503 say not yet.
func (s *server) result(id string) storedResult {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var raw []byte
		code := s.call("GET", "/v1/results/"+id, nil, &raw)
		if code == http.StatusForbidden { // it was private
			code = s.admin("GET", "/admin/v1/results/"+id, nil, &raw)
		}
		switch {
		case code == http.StatusOK:
			var r storedResult
			if err := json.Unmarshal(raw, &r); err != nil {
				s.t.Fatalf("the result of %s: %v: %s", id, err, raw)
			}
			return r
		case code != http.StatusAccepted && code != http.StatusServiceUnavailable || time.Now().After(end):
			s.t.Fatalf("the result of %s: %d %s", id, code, raw)
		}
	}
}

type storedResult struct {
	Status  string `json:"status"`
	End     string `json:"end"`
	Unrated string `json:"unrated"`
	Result  struct {
		Reason   string `json:"reason"`
		Summary  string `json:"summary"`
		Outcomes []struct {
			Player string `json:"player"`
			Seat   int    `json:"seat"`
			Rank   int    `json:"rank"`
		} `json:"outcomes"`
		Data struct {
			PGN string `json:"pgn"`
			FEN string `json:"fen"`
		} `json:"data"`
	} `json:"result"`
}

// replayed runs a stored replay again, by the command.
func (s *server) replayed(id string) {
	s.t.Helper()
	var raw []byte
	code := s.call("GET", "/v1/replays/"+id, nil, &raw)
	if code == http.StatusForbidden { // it was private
		code = s.admin("GET", "/admin/v1/replays/"+id, nil, &raw)
	}
	if code != http.StatusOK {
		s.t.Fatalf("the replay of %s: %d %s", id, code, raw)
	}
	games, err := builtin()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cli.Replay(io.Discard, games, raw); err != nil {
		s.t.Fatalf("the replay of %s: %v", id, err)
	}
}

// encodingOf gives every other of a series the other encoding.
func encodingOf(i int) wire.Encoding { return wire.Encoding(i % 2) }

// patience is a ceiling for what should take moments.
func patience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func mentions(text string, words ...string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}
