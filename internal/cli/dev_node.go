package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/roomring/roomring/internal/child"
)

// devNode is one node of roomring dev. Its process may end and start again; its name stays.
type devNode struct {
	c                           *devCluster
	name                        string
	number                      int
	listen, admin, peer, gossip string // addresses, kept over restarts

	mu      sync.Mutex
	process *child.Process // nil: it was never started
}

// devState is the state of a node's process.
type devState string

const (
	devRunning devState = "running"
	devPaused  devState = "paused"
	devStopped devState = "stopped"
)

func (n *devNode) url() string      { return "http://" + n.listen }
func (n *devNode) adminURL() string { return "http://" + n.admin }

// noAddressLimits are flags for a machine on which all players, and all of an author's tests, come from one address.
var noAddressLimits = []string{
	"--requests-per-second", "0", "--refusals-per-second", "0", "--rooms-per-second", "0", "--guests-per-second", "0", "--codes-per-second", "0", "--lists-per-second", "0", "--unclaimed-seats", "0", "--room-share", "100", "--replays-per-second", "0", "--max-sockets-per-address", "0",
	"--max-connections-per-address", "0", "--address-bytes-per-second", "0",
}

// loopbackOrigins are those of pages that other servers on this machine serve, such as a bundler's.
const loopbackOrigins = "http://localhost:*,http://127.0.0.1:*,http://[::1]:*"

// devRatings are flags for a machine on which everybody is a guest, and a player wants to see how a game changes a rating.
var devRatings = []string{"--rate-guests", "--rated-min-time", "0", "--rated-per-opponent", "0", "--leaderboard-min-games", "1"}

// start starts the process. It does nothing if the process runs.
func (n *devNode) start(join string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running() {
		return nil
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	var keep []string
	if built := n.c.runs.Load(); built != nil {
		exe = built.path
		keep = []string{"--keep-state=" + strconv.FormatBool(built.keep)}
	}
	// The front speaks plain HTTP to the nodes' admin listeners, on loopback. So the flags override variables that ask for TLS.
	args := slices.Concat([]string{"serve", "--node", n.name, "--listen", n.listen, "--admin-listen", n.admin, "--admin-cert-file", "", "--admin-key-file", "",
		"--peer-listen", n.peer, "--gossip-listen", n.gossip, "--join", join,
		"--cluster-secret-file", n.c.secret, "--data-dir", filepath.Join(n.c.dir, n.name), "--store", n.c.store(),
		"--trusted-proxies", "127.0.0.1", "--allowed-origins", loopbackOrigins, "--show-panics", "--dev-tools", "--log-format", "short"}, noAddressLimits, devRatings, keep, n.c.pages(), n.c.o.Serve)
	log := &prefixWriter{prefix: devPrefix(n.number, n.name, n.c.colour), to: n.c.out}
	cmd := exec.Command(exe, args...)
	cmd.Args[0] = "roomring"
	cmd.Stdout, cmd.Stderr = log, log
	if n.process, err = child.Start(cmd, nil); err != nil {
		return fmt.Errorf("node %s cannot be started: %w", n.name, err)
	}
	return nil
}

// running reports whether the process runs. The caller holds mu.
func (n *devNode) running() bool { return n.process != nil && n.process.Running() }

func (n *devNode) state() devState {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case !n.running():
		return devStopped
	case n.process.Paused():
		return devPaused
	}
	return devRunning
}

func (n *devNode) pid() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.running() {
		return 0
	}
	return n.process.PID()
}

// signal sends signals to the process, in this order.
func (n *devNode) signal(signals ...syscall.Signal) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range signals {
		if !n.running() {
			return fmt.Errorf("node %s is not running: start it", n.name)
		}
		if err := n.process.Signal(s); err != nil {
			return fmt.Errorf("node %s: %w", n.name, err)
		}
	}
	return nil
}

// terminate tells the process to give its rooms away and stop. It resumes the process first, in case it is paused.
func (n *devNode) terminate() error { return n.signal(child.Resume, syscall.SIGTERM) }

// stop terminates the process, and kills it after 15 s.
func (n *devNode) stop() {
	n.mu.Lock()
	p := n.process
	n.mu.Unlock()
	if p == nil {
		return
	}
	if err := p.Terminate(15 * time.Second); errors.Is(err, child.ErrStuck) {
		p.Kill()
	}
}

// answers reports whether the node accepts players.
func (n *devNode) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	code, _, err := askReady(ctx, http.DefaultClient, n.url(), "")
	return err == nil && code == http.StatusOK
}

// devColours are the ANSI colours of nodes' logs: those that can be read on light and dark backgrounds.
var devColours = []int{36, 33, 35, 32, 34, 31}

// showsColours reports whether w is a terminal that shows colours, and NO_COLOR (no-color.org) is not set.
func showsColours(w io.Writer) bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// devPrefix returns the beginning of a node's log lines.
func devPrefix(number int, name string, colour bool) string {
	if !colour {
		return fmt.Sprintf("%-3s | ", name)
	}
	return fmt.Sprintf("\x1b[%dm%-3s |\x1b[0m ", devColours[number%len(devColours)], name)
}

// lineWriter lets many writers write whole lines to w, one at a time.
type lineWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lineWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// prefixWriter puts a prefix before each line of one process.
type prefixWriter struct {
	prefix string
	to     io.Writer
	rest   []byte // a line that has not ended yet
}

// maxDevLine bounds a line, in bytes without its prefix. A longer line is broken into several.
const maxDevLine = 64 << 10

func (p *prefixWriter) Write(b []byte) (int, error) {
	p.rest = append(p.rest, b...)
	for {
		piece, rest, ended := bytes.Cut(p.rest, []byte("\n"))
		switch {
		case len(piece) > maxDevLine:
			piece, rest = p.rest[:maxDevLine], p.rest[maxDevLine:]
		case !ended:
			return len(b), nil
		}
		line := slices.Concat([]byte(p.prefix), piece, []byte("\n"))
		p.rest = append(p.rest[:0], rest...)
		if _, err := p.to.Write(line); err != nil {
			return 0, err
		}
	}
}
