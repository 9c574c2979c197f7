//go:build unix

// Package pgserver runs private PostgreSQL servers as child processes: for tests, and for what torments a cluster with its store. It needs
// PostgreSQL's own binaries (Debian: apt-get install postgresql), no running server and no configuration. Everything is under a temporary
// folder and ends with this process, however that ends.
package pgserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Patience is how long the package waits for a server at most.
const Patience = 60 * time.Second

// Options say where a server runs. The zero value is this machine's loopback.
type Options struct {
	Host  string                                                            // address to listen on; empty: 127.0.0.1. Whoever reaches it may do everything
	Start func(*exec.Cmd) error                                             // starts a process where Host is; nil: here
	Dial  func(ctx context.Context, network, addr string) (net.Conn, error) // connects to it; nil: from here
}

// Server is one private server. Only one goroutine at a time may call its methods.
type Server struct {
	o       Options
	dir     string // holds data, log and the socket
	bin     string
	account *syscall.Credential // nil: this process's own
	port    int
	options []string // of the server, beside those of every one
	process *exec.Cmd
	exited  chan struct{} // closed when process has exited
	janitor io.Closer
	names   atomic.Int64
}

// NewDatabase makes a new empty database and returns its URL.
func (s *Server) NewDatabase() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	conn, err := s.connect(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	name := fmt.Sprintf("test%d", s.names.Add(1))
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	return s.Address(name), nil
}

func (s *Server) connect(ctx context.Context) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(s.Address("postgres"))
	if err != nil {
		return nil, err
	}
	if s.o.Dial != nil {
		config.DialFunc = s.o.Dial
	}
	return pgx.ConnectConfig(ctx, config)
}

// Address is the URL of a database.
func (s *Server) Address(database string) string {
	return fmt.Sprintf("postgres://postgres@%s:%d/%s?sslmode=disable", s.o.Host, s.port, database)
}

// Start starts the server again on its data, on the same port, and waits until it answers.
func (s *Server) Start() error { return s.run() }

// Stop shuts the server down as an operator does: it rolls back transactions under way and tells its clients.
func (s *Server) Stop() error { return s.end(syscall.SIGINT) } // "fast" shutdown

// Crash shuts the server down without a checkpoint: it comes back by its log.
func (s *Server) Crash() error { return s.end(syscall.SIGQUIT) } // "immediate" shutdown

// Kill kills the server's first process with SIGKILL. The other processes notice that and end by themselves.
func (s *Server) Kill() error { return s.end(syscall.SIGKILL) }

func (s *Server) end(signal syscall.Signal) error {
	if err := s.process.Process.Signal(signal); err != nil {
		return fmt.Errorf("signal %v to PostgreSQL: %w", signal, err)
	}
	select {
	case <-s.exited:
		return nil
	case <-time.After(Patience):
		return fmt.Errorf("PostgreSQL has not ended %v after %v; its log:\n%s", Patience, signal, s.log())
	}
}

// Pause stops all of the server's processes where they are, until Resume: its connections stay open, and nothing answers.
func (s *Server) Pause() error { return s.signalAll(syscall.SIGSTOP) }

// Resume lets the processes go on.
func (s *Server) Resume() error { return s.signalAll(syscall.SIGCONT) }

// signalAll signals the first process, so that it starts no others meanwhile, and then its children.
func (s *Server) signalAll(signal syscall.Signal) error {
	first := s.process.Process.Pid
	if err := s.process.Process.Signal(signal); err != nil {
		return fmt.Errorf("signal %v to PostgreSQL: %w", signal, err)
	}
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(all) == 0 {
		return errors.Join(err, errors.New("PostgreSQL can be paused on Linux only"))
	}
	for _, name := range all {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		after := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:])) // a program's name may have blanks
		if len(after) > 1 && after[1] == strconv.Itoa(first) {
			_ = syscall.Kill(pid, signal) // it may have ended
		}
	}
	return nil
}

// Running reports whether the server's first process runs.
func (s *Server) Running() bool {
	select {
	case <-s.exited:
		return false
	default:
		return true
	}
}

// Port is where the server listens. It stays the same when it is started again.
func (s *Server) Port() int { return s.port }

// Command is one of PostgreSQL's programs, as the account of the server.
func (s *Server) Command(name string, args ...string) *exec.Cmd { return s.command(name, args...) }

// Remove ends the server and removes its data.
func (s *Server) Remove() {
	if s.janitor != nil {
		_ = s.janitor.Close() // it removes what it can
	}
}

// New makes a server with fresh data and starts it.
func New(o Options) (*Server, error) { return startBy(o, (*Server).initialise) }

// Replica makes a copy of the server that follows it by streaming, under a name for synchronous_standby_names.
func (s *Server) Replica(name string) (*Server, error) {
	return startBy(s.o, func(r *Server) error {
		r.options = []string{"-c", "synchronous_standby_names="} // its own setting, not the copied one, once it is promoted
		return runQuietly(r.command("pg_basebackup", "-D", r.data(), "-X", "stream", "-c", "fast", "--no-sync", "-R",
			"-d", fmt.Sprintf("host=%s port=%d user=postgres application_name=%s", s.o.Host, s.port, name)))
	})
}

// startBy makes a folder, has data made in it, and starts a server on them.
func startBy(o Options, fill func(*Server) error) (*Server, error) {
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	if o.Start == nil {
		o.Start = (*exec.Cmd).Start
	}
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	s := &Server{o: o, bin: bin}
	if err = s.makeFolder(); err == nil {
		err = fill(s)
	}
	if err == nil {
		s.port, err = FreePort()
	}
	if err == nil {
		err = s.run()
	}
	if err != nil {
		s.Remove()
		return nil, err
	}
	return s, nil
}

// initialise copies fresh data: making it takes several times as much work.
func (s *Server) initialise() error {
	from, err := pristine()
	if err != nil {
		return err
	}
	if err := runQuietly(s.as(exec.Command("cp", "-R", from.data(), s.data()))); err != nil {
		return err
	}
	return s.trustNeighbours()
}

// pristine has the data that all servers of this process begin with, and never runs. Its janitor removes it after this process.
var pristine = sync.OnceValues(func() (s *Server, err error) {
	s = &Server{}
	if s.bin, err = binaries(); err == nil {
		err = s.makeFolder()
	}
	if err == nil {
		err = runQuietly(s.command("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--wal-segsize=1"))
	}
	return s, err
})

// makeFolder makes the server's folder, for its account, and hires the janitor.
func (s *Server) makeFolder() (err error) {
	if s.account, err = Account(); err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "pgserver"); err != nil {
		return err
	}
	if s.janitor, err = Hire(s.dir, filepath.Join(s.data(), "postmaster.pid")); err != nil {
		return err
	}
	if s.account != nil {
		err = os.Chown(s.dir, int(s.account.Uid), int(s.account.Gid))
	}
	return err
}

// runQuietly runs a program that makes a server's data.
func runQuietly(by *exec.Cmd) error {
	if out, err := by.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", by.Path, err, out)
	}
	return nil
}

// trustNeighbours lets in whoever shares the server's network: initdb trusts this host alone.
func (s *Server) trustNeighbours() error {
	hba, err := os.OpenFile(filepath.Join(s.data(), "pg_hba.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(hba, "host all all %s/24 trust\n", s.o.Host)
	return errors.Join(err, hba.Close())
}

// run starts the server. After a kill the old server's children may hold its shared memory for a moment.
// Then the new server ends at once and is started again.
func (s *Server) run() error {
	deadline := time.Now().Add(Patience)
	for {
		err := s.launch()
		if err == nil {
			err = s.await(deadline)
		}
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (s *Server) launch() error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	s.process = s.command("postgres", "-D", s.data(), "-k", s.dir, "-p", strconv.Itoa(s.port),
		"-c", "listen_addresses="+s.o.Host, "-c", "max_connections=200")
	s.process.Args = append(s.process.Args, s.options...)
	s.process.Stdout, s.process.Stderr = log, log
	if err := s.o.Start(s.process); err != nil {
		return err
	}
	exited, cmd := make(chan struct{}), s.process
	s.exited = exited
	go func() { cmd.Wait(); close(exited) }() // ends with the process, which end or the janitor ends
	return nil
}

// await waits until the server answers or has exited.
func (s *Server) await(deadline time.Time) error {
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	for {
		conn, err := s.connect(ctx)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.exited:
			return fmt.Errorf("PostgreSQL has ended; its log:\n%s", s.log())
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not answer: %w; its log:\n%s", err, s.log())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	return s.as(exec.Command(filepath.Join(s.bin, name), args...))
}

// as has a program run by the server's account, in its folder.
func (s *Server) as(cmd *exec.Cmd) *exec.Cmd {
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.account, Setpgid: true}
	return cmd
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) log() string {
	f, err := os.Open(filepath.Join(s.dir, "log"))
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	var lines []string
	for scan := bufio.NewScanner(f); scan.Scan(); {
		lines = append(lines, scan.Text())
	}
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}

// janitor is a process that outlives this process. It waits for the end of its input, which the system closes when the
// process ends. Then it shuts the server down at once (SIGQUIT), whose process id is in the file $2, and removes its folder $1.
const janitor = `read line
pid=$(head -n 1 "$2" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null
for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
rm -rf "$1"`

// Hire starts a janitor: a process that outlives this one. Then it shuts down the process whose id is in a file, and removes a folder. It starts its work when its input is closed.
func Hire(dir, pidFile string) (io.Closer, error) {
	cmd := exec.Command("/bin/sh", "-c", janitor, "janitor", dir, pidFile)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return &closer{stdin, cmd}, cmd.Start()
}

// closer closes the janitor's input and waits until it has done its work.
type closer struct {
	stdin io.Closer
	cmd   *exec.Cmd
}

func (c *closer) Close() error {
	if err := c.stdin.Close(); err != nil {
		return err
	}
	return c.cmd.Wait()
}

// binaries finds the folder of PostgreSQL's programs, the newest version first.
func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	if len(found) > 0 {
		return filepath.Dir(found[0]), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", fmt.Errorf("no initdb in /usr/lib/postgresql/*/bin nor in PATH: apt-get install postgresql")
}

func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// Account is the user that runs the server, because PostgreSQL refuses to run as root.
func Account() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.ParseUint(u.Uid, 10, 32)
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("PostgreSQL refuses to run as root, and there is no user postgres or nobody")
}

// FreePort draws a port below those that systems give to clients, so that it stays free while the
// server is down, and above those that other tests try one after another.
func FreePort() (int, error) {
	const first, last = 31_000, 32_768
	for range 100 {
		port := first + rand.IntN(last-first)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("found no free port from %d to %d", first, last-1)
}
