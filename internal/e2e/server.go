package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/child"
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
	Ended <-chan struct{}
	Ready
	Transport http.RoundTripper // carries requests and the sockets of Join; nil: http.DefaultTransport

	GossipAt, JoinAddrs    string       // of a cluster's node
	CreateElsewhere        bool         // Create returns rooms of other nodes, reached through this one
	Enter                  func() error // puts the thread that starts the process into another network; nil: it stays in this one
	ProxyURL, ProxyAdminAt string       // addresses that lead to that network
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

// FreePort returns a loopback address with a port that is free and is not returned again soon.
func FreePort(t *testing.T) string {
	t.Helper()
	addr, err := child.FreePort("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return addr
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
	}
	p, err := child.Start(s.Cmd, s.Enter)
	if err != nil {
		s.T.Fatal(err)
	}
	s.Ended = p.Ended()
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
