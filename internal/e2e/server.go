package e2e

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"maps"
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

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/roomring/roomring"
	"github.com/roomring/roomring/internal/cli"
	"github.com/roomring/roomring/internal/node"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/games/liarsdice"
	"github.com/roomring/roomring/room/games/snakes"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/apitest"
	"github.com/roomring/roomring/web/client"
)

// GenerousLimits is CrowdLimits with settings that rate everybody by every game.
var GenerousLimits = slices.Clip(slices.Concat(CrowdLimits, []string{
	"--rate-guests", "--rated-min-time", "0", "--rated-per-opponent", "0", "--leaderboard-min-games", "1",
}))

// CrowdLimits are settings with which a crowd on one address is not taken for an attack.
var CrowdLimits = []string{
	"--requests-per-second", "0", "--refusals-per-second", "0", "--rooms-per-second", "10000", "--guests-per-second", "10000", "--lists-per-second", "10000", "--unclaimed-seats", "0", "--room-share", "100", "--replays-per-second", "10000", "--leaderboards-per-second", "10000", "--leaderboard-cache", "0", "--max-sockets-per-address", "100000",
	"--messages-per-second", "10000",
}

// longVariable names the environment variable that, when set, makes tests run as long as `make soak` wants.
const longVariable = "ROOMRING_LONG"

// Sized chooses how much of something a test does: long when longVariable is set, otherwise short with -short, otherwise usual.
func Sized(short, usual, long int) int {
	switch {
	case os.Getenv(longVariable) != "":
		return long
	case testing.Short():
		return short
	}
	return usual
}

// Server is one real server process. It can be stopped and started again on the same ports and folder.
type Server struct {
	T     *testing.T
	Exe   string // the program; empty: this binary
	Dir   string // its data folder
	Args  []string
	Env   []string
	Cmd   *exec.Cmd
	Log   *LogBuffer
	Ended chan struct{}
	Ready
	Transport http.RoundTripper // carries requests and the sockets of Join; nil: http.DefaultTransport

	GossipAt, JoinAddrs    string                   // of a cluster's node
	CreateElsewhere        bool                     // Create returns rooms of other nodes, reached through this one
	StartIn                func(func() error) error // starts the process on another network; nil: on this one
	ProxyURL, ProxyAdminAt string                   // addresses that lead to that network
}

// LogBuffer holds what a process logs. It is safe for concurrent use.
type LogBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write appends to the log.
func (l *LogBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String returns the whole log.
func (l *LogBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// NewServer prepares a process with its own ports and data folder, which stay the same when it is restarted. The process is killed when the
// test ends. If the test fails, the end of its log is shown.
func NewServer(t *testing.T, args ...string) *Server {
	t.Helper()
	s := &Server{T: t, Dir: filepath.Join(t.TempDir(), "data"), Log: &LogBuffer{}}
	s.Args = append([]string{"--listen", FreePort(t), "--admin-listen", FreePort(t)}, args...)
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			text := s.Log.String()
			t.Logf("the server's log:\n%s", text[max(0, len(text)-8000):])
		}
	})
	return s
}

// nextPort counts through the ports below those that the system gives to outgoing connections (32768 and up on Linux). So nobody
// takes a server's port while it is down between a kill and the next start.
var nextPort atomic.Uint32

// FreePort returns a loopback address with a port that is free and is not returned again soon.
func FreePort(t *testing.T) string {
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

// Start starts the process and waits until it is ready.
func (s *Server) Start() *Server {
	s.T.Helper()
	s.Spawn()
	for end := time.Now().Add(StartCeiling); ; time.Sleep(5 * time.Millisecond) {
		if s.ReadReadyFile() {
			return s
		}
		select {
		case <-s.Ended:
			s.T.Fatalf("the server ended: %v\n%s", s.Cmd.ProcessState, s.Log)
		default:
		}
		if time.Now().After(end) {
			s.T.Fatalf("the server is not ready after %v", StartCeiling)
		}
	}
}

// ReadReadyFile sets Ready from the process's ready file. It reports whether the file is there and is of this process.
func (s *Server) ReadReadyFile() bool {
	text, err := os.ReadFile(s.Dir + ".ready")
	if err != nil || json.Unmarshal(text, &s.Ready) != nil || s.PID != s.Cmd.Process.Pid {
		return false
	}
	if s.ProxyURL != "" {
		s.URL, s.AdminAt = s.ProxyURL, s.ProxyAdminAt
	}
	return true
}

// Spawn starts the process and does not wait until it is ready.
func (s *Server) Spawn() {
	s.T.Helper()
	exe, err := os.Executable()
	if err != nil {
		s.T.Fatal(err)
	}
	exe = cmp.Or(s.Exe, exe)
	args := append([]string{"serve", "--data-dir", s.Dir, "--ready-file", s.Dir + ".ready"}, s.Args...)
	if s.JoinAddrs != "" {
		args = append(args, "--join", s.JoinAddrs)
	}
	s.Cmd = &exec.Cmd{
		Path: exe, Args: append([]string{"roomring"}, args...), Stdout: s.Log, Stderr: s.Log,
		Env: append(append(os.Environ(), "ROOMRING_TEST_GAMES=1"), s.Env...), Dir: s.T.TempDir(),
		SysProcAttr: DieWithParent(),
	}
	start := s.Cmd.Start
	if s.StartIn != nil {
		start = func() error { return s.StartIn(s.Cmd.Start) }
	}
	if err := start(); err != nil {
		s.T.Fatal(err)
	}
	cmd, ended := s.Cmd, make(chan struct{})
	s.Ended = ended
	go func() { _ = cmd.Wait(); close(ended) }()
}

// Kill ends the process by SIGKILL, as a crash does, and waits for its end.
func (s *Server) Kill() {
	if s.Cmd != nil {
		_ = s.Cmd.Process.Kill()
		<-s.Ended
	}
}

// Stop ends the process by SIGTERM, as a deploy does. It returns the exit code and how long the stop took.
func (s *Server) Stop() (code int, took time.Duration) {
	s.T.Helper()
	begin := time.Now()
	if err := s.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.T.Fatal(err)
	}
	select {
	case <-s.Ended:
	case <-time.After(30 * time.Second):
		s.T.Fatal("the server does not stop after SIGTERM")
	}
	return s.Cmd.ProcessState.ExitCode(), time.Since(begin)
}

// Wait waits until the process ends by itself, and returns its exit code.
func (s *Server) Wait() int {
	s.T.Helper()
	select {
	case <-s.Ended:
	case <-time.After(StartCeiling):
		s.T.Fatal("the server goes on")
	}
	return s.Cmd.ProcessState.ExitCode()
}

// IsRunning reports whether the process has been started and has not ended.
func (s *Server) IsRunning() bool {
	if s.Cmd == nil {
		return false
	}
	select {
	case <-s.Ended:
		return false
	default:
		return true
	}
}

// Call sends a request to the public API as CallAt does, without a token.
func (s *Server) Call(method, path string, body, into any) int {
	s.T.Helper()
	return s.CallAt(s.URL, method, path, "", body, into)
}

// CallAdmin sends a request to the admin API as CallAt does, without a token.
func (s *Server) CallAdmin(method, path string, body, into any) int {
	s.T.Helper()
	return s.CallAt(s.AdminAt, method, path, "", body, into)
}

// CallAt is TryCallAt that fails the test on an error.
func (s *Server) CallAt(base, method, path, token string, body, into any) int {
	s.T.Helper()
	code, err := s.TryCallAt(base, method, path, token, body, into)
	if err != nil {
		s.T.Fatalf("%s %s: %v", method, path, err)
	}
	return code
}

// TryCallAt sends a request with body as JSON; nil sends none. It decodes the JSON of the answer into into, copies the raw bytes if into is a
// *[]byte, and ignores the answer's body if into is nil. It returns the status code. The test fails if the request or the answer differs
// from docs/openapi.yaml.
func (s *Server) TryCallAt(base, method, path, token string, body, into any) (int, error) {
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
	c := apitest.Client(s.T)
	c.Transport, c.Timeout = apitest.Transport(s.T, s.Transport), time.Minute
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

// RoomInfo is the room object of the API, with the fields that tests read.
type RoomInfo struct {
	ID    string `json:"id"`
	Game  string `json:"game"`
	URL   string `json:"ws_url"`
	Code  string `json:"code"`
	Phase string `json:"phase"`
	Node  string `json:"node"`
	Epoch uint64 `json:"epoch"`
}

// Create makes a room. Options are encoded as JSON; nil sends none. With CreateElsewhere it makes rooms until another node owns one.
func (s *Server) Create(game string, options any) (info RoomInfo) {
	s.T.Helper()
	body := map[string]any{"game": game}
	if options != nil {
		body["options"] = options
	}
	for {
		if code := s.Call("POST", "/v1/rooms", body, &info); code != http.StatusCreated {
			s.T.Fatalf("creating a room of %s: %d", game, code)
		}
		if !s.CreateElsewhere {
			return info
		}
		if info.Node != s.Node {
			return s.Via(info)
		}
	}
}

// Join connects a client to a room. The client is closed when the test ends.
func (s *Server) Join(info RoomInfo, o client.Options) *client.Client {
	s.T.Helper()
	c, err := s.TryJoin(info, o)
	if err != nil {
		s.T.Fatalf("joining: %v", err)
	}
	return c
}

// TryJoin is Join that returns the error.
func (s *Server) TryJoin(info RoomInfo, o client.Options) (*client.Client, error) {
	o.URL = info.URL
	if s.Transport != nil {
		o.HTTP = &http.Client{Transport: s.Transport}
	}
	if o.MaxDelay == 0 {
		o.MaxDelay = 250 * time.Millisecond
	}
	c, err := client.Dial(s.T.Context(), o)
	if err == nil {
		s.T.Cleanup(c.Close)
	}
	return c, err
}

// Result waits until a room's result is in the store, and returns it. The server answers 202 or 503 until then.
func (s *Server) Result(id string) StoredResult {
	s.T.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var raw []byte
		code := s.Call("GET", "/v1/results/"+id, nil, &raw)
		if code == http.StatusForbidden { // it was private
			code = s.CallAdmin("GET", "/admin/v1/results/"+id, nil, &raw)
		}
		switch {
		case code == http.StatusOK:
			var r StoredResult
			if err := json.Unmarshal(raw, &r); err != nil {
				s.T.Fatalf("the result of %s: %v: %s", id, err, raw)
			}
			return r
		case code != http.StatusAccepted && code != http.StatusServiceUnavailable || time.Now().After(end):
			s.T.Fatalf("the result of %s: %d %s", id, code, raw)
		}
	}
}

// StoredResult is the result object of the API, with the fields that tests read.
type StoredResult struct {
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

// CheckReplay downloads the replay of a room and runs it as `roomring replay` does.
func (s *Server) CheckReplay(id string) {
	s.T.Helper()
	var raw []byte
	code := s.Call("GET", "/v1/replays/"+id, nil, &raw)
	if code == http.StatusForbidden { // it was private
		code = s.CallAdmin("GET", "/admin/v1/replays/"+id, nil, &raw)
	}
	if code != http.StatusOK {
		s.T.Fatalf("the replay of %s: %d %s", id, code, raw)
	}
	games, err := BuiltinGames()
	if err != nil {
		s.T.Fatal(err)
	}
	if err := cli.Replay(io.Discard, games, raw); err != nil {
		s.T.Fatalf("the replay of %s: %v", id, err)
	}
}

// EncodingOf returns JSON for even numbers and CBOR for odd ones.
func EncodingOf(i int) wire.Encoding { return wire.Encoding(i % 2) }

// WaitContext returns a context that ends after two minutes: a ceiling for what should take moments.
func WaitContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// Mentions reports whether the text has all the words.
func Mentions(text string, words ...string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// Main runs the tests of one folder. The tests can run this binary as `roomring`, and under the names in others, so that no other program
// is built. Folders take turns, because tests that watch what happens within seconds fail more often when they share two processors.
func Main(m *testing.M, others map[string]func()) {
	commands := map[string]func(){"roomring": func() { roomring.Main(games()...) }}
	maps.Copy(commands, others)
	if _, command := commands[filepath.Base(os.Args[0])]; !command {
		waitForTurn()
	}
	testscript.Main(m, commands)
}

// StartCeiling bounds the wait for a server to start, or to end by itself, on a busy machine.
const StartCeiling = 60 * time.Second

// Exit codes of the command.
const (
	ExitOK     = cli.ExitOK
	ExitFailed = cli.ExitFailed
	ExitUsage  = cli.ExitUsage
)

// Ready is what a server writes to its ready file.
type Ready = node.Ready

// ExtraGames are games that only tests play. Processes have them in addition to the games of the command roomring.
var ExtraGames []*room.Rules

// games returns the games of the program under test.
func games() []*room.Rules {
	return append([]*room.Rules{chess.Rules(), snakes.Rules(), liarsdice.Rules()}, ExtraGames...)
}

// Run runs a command of roomring in this process and returns its exit code.
func Run(args []string, out, errs io.Writer) int { return cli.Run(games(), args, out, errs) }

// BuiltinGames returns the games of the program under test.
func BuiltinGames() (*core.Games, error) { return core.NewGames(games()...) }

// devStatus is what `roomring dev` says about a node's process.
type devStatus struct {
	Node  string   `json:"node"`
	PID   int      `json:"pid"`
	State DevState `json:"state"`
	URL   string   `json:"url"`
	Admin string   `json:"admin"`
}

// DevState is the state of a node's process under `roomring dev`.
type DevState string

// States of a node's process.
const (
	DevRunning DevState = "running"
	DevPaused  DevState = "paused"
	DevStopped DevState = "stopped"
)

// Ceiling bounds every wait on a busy machine.
const Ceiling = 30 * time.Second

// EditDatabase runs a statement on a SQLite file.
func EditDatabase(t *testing.T, path, query string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// CreateHere makes rooms until this node owns one, and returns that one.
func (s *Server) CreateHere(game string, options any) RoomInfo {
	s.T.Helper()
	for {
		if info := s.Create(game, options); info.Node == s.Node {
			return info
		}
	}
}

// Until polls until ok returns true. It fails the test when ctx ends.
func (s *Server) Until(ctx context.Context, what string, ok func() bool) {
	s.T.Helper()
	for !ok() {
		select {
		case <-ctx.Done():
			s.T.Fatalf("never %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// WaitForShare waits until a share of all moves has been acknowledged.
func (s *Server) WaitForShare(ctx context.Context, matches []*Match, share float64) {
	s.T.Helper()
	s.Until(ctx, "in the middle of the games", func() bool { return PlayedShare(matches) >= share })
}

// PlayedShare returns the share of all moves that has been acknowledged, from 0 to 1.
func PlayedShare(matches []*Match) float64 {
	played, total := 0, 0
	for _, m := range matches {
		played, total = played+int(m.Played.Load()), total+len(strings.Fields(m.Game.Moves))
	}
	return float64(played) / float64(total)
}
