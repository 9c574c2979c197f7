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

// Generous is crowded, with everybody rated by whatever they play.
var Generous = slices.Clip(slices.Concat(Crowded, []string{
	"--rate-guests", "--rated-min-time", "0", "--rated-per-opponent", "0", "--leaderboard-min-games", "1",
}))

// Crowded are limits that keep a crowd on one address from being taken for an attack.
var Crowded = []string{
	"--requests-per-second", "0", "--refusals-per-second", "0", "--rooms-per-second", "10000", "--guests-per-second", "10000", "--lists-per-second", "10000", "--unclaimed-seats", "0", "--room-share", "100", "--replays-per-second", "10000", "--leaderboards-per-second", "10000", "--leaderboard-cache", "0", "--max-sockets-per-address", "100000",
	"--messages-per-second", "10000",
}

// longVariable, when set, has tests do as much as make soak wants of them.
const longVariable = "ROOMRING_LONG"

// Sized is how much of something a test does: little with -short, and as much as it ever may when longVariable is set.
func Sized(short, usual, long int) int {
	switch {
	case os.Getenv(longVariable) != "":
		return long
	case testing.Short():
		return short
	}
	return usual
}

// Server is one real process of this binary.
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
	By http.RoundTripper // what takes requests and sockets there; nil: http.DefaultTransport

	GossipAt, Joins    string                   // of a cluster's node
	Away               bool                     // rooms are made at other nodes
	Within             func(func() error) error // where the process is started, if not on this network
	DoorURL, DoorAdmin string                   // where it is reached then
}

// LogBuffer keeps what a process logs, and shows it when its test fails.
type LogBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *LogBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *LogBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// NewServer prepares a process on a port of its own, which stays the same over restarts.
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

// nextPort counts through the ports below those that the system gives to outgoing connections (32768 and
// up on Linux): a port stays the server's own while it is down between a kill and the next start.
var nextPort atomic.Uint32

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

// Start runs the process until it is ready.
func (s *Server) Start() *Server {
	s.T.Helper()
	s.Spawn()
	for end := time.Now().Add(StartCeiling); ; time.Sleep(5 * time.Millisecond) {
		if s.ReadIn() {
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

// ReadIn takes over what the process's ready file says, if it is there.
func (s *Server) ReadIn() bool {
	text, err := os.ReadFile(s.Dir + ".ready")
	if err != nil || json.Unmarshal(text, &s.Ready) != nil || s.PID != s.Cmd.Process.Pid {
		return false
	}
	if s.DoorURL != "" {
		s.URL, s.AdminAt = s.DoorURL, s.DoorAdmin
	}
	return true
}

// Spawn runs the process and does not wait.
func (s *Server) Spawn() {
	s.T.Helper()
	exe, err := os.Executable()
	if err != nil {
		s.T.Fatal(err)
	}
	exe = cmp.Or(s.Exe, exe)
	args := append([]string{"serve", "--data-dir", s.Dir, "--ready-file", s.Dir + ".ready"}, s.Args...)
	if s.Joins != "" {
		args = append(args, "--join", s.Joins)
	}
	s.Cmd = &exec.Cmd{
		Path: exe, Args: append([]string{"roomring"}, args...), Stdout: s.Log, Stderr: s.Log,
		Env: append(append(os.Environ(), "ROOMRING_TEST_GAMES=1"), s.Env...), Dir: s.T.TempDir(),
		SysProcAttr: EndsWithTests(),
	}
	start := s.Cmd.Start
	if s.Within != nil {
		start = func() error { return s.Within(s.Cmd.Start) }
	}
	if err := start(); err != nil {
		s.T.Fatal(err)
	}
	cmd, ended := s.Cmd, make(chan struct{})
	s.Ended = ended
	go func() { _ = cmd.Wait(); close(ended) }()
}

// Kill is a crash: SIGKILL.
func (s *Server) Kill() {
	if s.Cmd != nil {
		_ = s.Cmd.Process.Kill()
		<-s.Ended
	}
}

// Stop is a deploy: SIGTERM. It returns the exit code and how long it took.
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

// Wait waits for the process to end by itself and returns its exit code.
func (s *Server) Wait() int {
	s.T.Helper()
	select {
	case <-s.Ended:
	case <-time.After(StartCeiling):
		s.T.Fatal("the server goes on")
	}
	return s.Cmd.ProcessState.ExitCode()
}

// Runs reports whether the process does.
func (s *Server) Runs() bool {
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

// Call sends a request to the public server, held to the API's description.
func (s *Server) Call(method, path string, body, into any) int {
	s.T.Helper()
	return s.CallAt(s.URL, method, path, "", body, into)
}

// AtAdmin sends a request to the admin server.
func (s *Server) AtAdmin(method, path string, body, into any) int {
	s.T.Helper()
	return s.CallAt(s.AdminAt, method, path, "", body, into)
}

func (s *Server) CallAt(base, method, path, token string, body, into any) int {
	s.T.Helper()
	code, err := s.TryAt(base, method, path, token, body, into)
	if err != nil {
		s.T.Fatalf("%s %s: %v", method, path, err)
	}
	return code
}

func (s *Server) TryAt(base, method, path, token string, body, into any) (int, error) {
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
	c := apitest.Client(s.T) // holds request and answer to docs/openapi.yaml
	c.Transport, c.Timeout = apitest.Transport(s.T, s.By), time.Minute
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

// RoomInfo is the room object of the API, as far as tests look at it.
type RoomInfo struct {
	ID    string `json:"id"`
	Game  string `json:"game"`
	URL   string `json:"ws_url"`
	Code  string `json:"code"`
	Phase string `json:"phase"`
	Node  string `json:"node"`
	Epoch uint64 `json:"epoch"`
}

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
		if !s.Away {
			return info
		}
		if info.Node != s.Node {
			return s.At(info)
		}
	}
}

// Join brings a client into a room. It gives up after a minute without the server.
func (s *Server) Join(info RoomInfo, o client.Options) *client.Client {
	s.T.Helper()
	c, err := s.TryJoin(info, o)
	if err != nil {
		s.T.Fatalf("joining: %v", err)
	}
	return c
}

func (s *Server) TryJoin(info RoomInfo, o client.Options) (*client.Client, error) {
	o.URL = info.URL
	if s.By != nil {
		o.HTTP = &http.Client{Transport: s.By}
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

// Result waits until a room's result is in the store: 202 and 503 say not yet.
func (s *Server) Result(id string) StoredResult {
	s.T.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var raw []byte
		code := s.Call("GET", "/v1/results/"+id, nil, &raw)
		if code == http.StatusForbidden { // it was private
			code = s.AtAdmin("GET", "/admin/v1/results/"+id, nil, &raw)
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

// Replayed runs a stored replay again, by the command.
func (s *Server) Replayed(id string) {
	s.T.Helper()
	var raw []byte
	code := s.Call("GET", "/v1/replays/"+id, nil, &raw)
	if code == http.StatusForbidden { // it was private
		code = s.AtAdmin("GET", "/admin/v1/replays/"+id, nil, &raw)
	}
	if code != http.StatusOK {
		s.T.Fatalf("the replay of %s: %d %s", id, code, raw)
	}
	games, err := Builtin()
	if err != nil {
		s.T.Fatal(err)
	}
	if err := cli.Replay(io.Discard, games, raw); err != nil {
		s.T.Fatalf("the replay of %s: %v", id, err)
	}
}

// EncodingOf gives every other of a series the other encoding.
func EncodingOf(i int) wire.Encoding { return wire.Encoding(i % 2) }

// Patience is a ceiling for what should take moments.
func Patience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func Mentions(text string, words ...string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// Main runs the tests of one folder. They may run this very binary as `roomring`, and as what others names: nothing else is built and
// linked. Folders take turns: on two processors tests that watch what happens in seconds are surer so.
func Main(m *testing.M, others map[string]func()) {
	commands := map[string]func(){"roomring": func() { roomring.Main(games()...) }}
	maps.Copy(commands, others)
	if _, command := commands[filepath.Base(os.Args[0])]; !command {
		waitForTurn()
	}
	testscript.Main(m, commands)
}

// StartCeiling is how long a script waits for a server to be ready on a busy machine.
const StartCeiling = 60 * time.Second

const (
	ExitOK     = cli.ExitOK
	ExitFailed = cli.ExitFailed
	ExitUsage  = cli.ExitUsage
)

type Ready = node.Ready

// Extra are the games beside those of the command roomring, that tests play.
var Extra []*room.Rules

// games are those of the program under test.
func games() []*room.Rules {
	return append([]*room.Rules{chess.Rules(), snakes.Rules(), liarsdice.Rules()}, Extra...)
}

// Run carries out a command line in this process.
func Run(args []string, out, errs io.Writer) int { return cli.Run(games(), args, out, errs) }

func Builtin() (*core.Games, error) { return core.NewGames(games()...) }

// devStatus is what roomring dev says of a node's process.
type devStatus struct {
	Node  string   `json:"node"`
	PID   int      `json:"pid"`
	State DevState `json:"state"`
	URL   string   `json:"url"`
	Admin string   `json:"admin"`
}

type DevState string

const (
	DevRunning DevState = "running"
	DevPaused  DevState = "paused"
	DevStopped DevState = "stopped"
)

// Ceiling bounds every wait on a busy machine.
const Ceiling = 30 * time.Second

// Edit changes a database by hand, and must change something.
func Edit(t *testing.T, path, query string, args ...any) {
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

// CreateHere makes a room that this node has.
func (s *Server) CreateHere(game string, options any) RoomInfo {
	s.T.Helper()
	for {
		if info := s.Create(game, options); info.Node == s.Node {
			return info
		}
	}
}

// Until polls for what must come to be.
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

// Amid waits until a share of all moves has been acknowledged.
func (s *Server) Amid(ctx context.Context, matches []*Match, share float64) {
	s.T.Helper()
	s.Until(ctx, "in the middle of the games", func() bool { return PlayedShare(matches) >= share })
}

// PlayedShare is how much of all games has been played.
func PlayedShare(matches []*Match) float64 {
	played, total := 0, 0
	for _, m := range matches {
		played, total = played+int(m.Played.Load()), total+len(strings.Fields(m.G.Moves))
	}
	return float64(played) / float64(total)
}
