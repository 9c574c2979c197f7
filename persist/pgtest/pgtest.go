//go:build unix

// Package pgtest runs private PostgreSQL servers for tests. It needs PostgreSQL's own binaries (Debian: apt-get
// install postgresql), no running server and no configuration. Everything is under a temporary folder and ends
// with the test binary, however that ends.
package pgtest

import (
	"bufio"
	"context"
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
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience is how long the package waits for a server at most.
const patience = 60 * time.Second

// Server is one private server. Only one goroutine at a time may call its methods.
type Server struct {
	dir     string // holds data, log and the socket
	bin     string
	account *syscall.Credential // nil: the test's own
	port    int
	options []string // of the server, beside those of every one
	process *exec.Cmd
	exited  chan struct{} // closed when process has exited
	janitor io.Closer
	names   atomic.Int64
}

var shared = sync.OnceValues(start)

// URL makes a new empty database on a server that all tests of the binary share, and returns its URL.
// The server is started at the first call and must not be stopped: use New for that.
func URL(tb testing.TB) string {
	tb.Helper()
	s, err := shared()
	if err != nil {
		tb.Fatal(err)
	}
	return s.URL(tb)
}

// New starts a server that the test may stop, kill and start again. It ends with the test.
func New(tb testing.TB) *Server {
	tb.Helper()
	s, err := start()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.remove)
	return s
}

// URL makes a new empty database and returns its URL.
func (s *Server) URL(tb testing.TB) string {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.address("postgres"))
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close(ctx)
	name := fmt.Sprintf("test%d", s.names.Add(1))
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		tb.Fatal(err)
	}
	return s.address(name)
}

// Ask runs one statement on the database of a URL, and reads its row into the variables if there are any.
func Ask(tb testing.TB, url, sql string, into ...any) {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), url)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close(context.Background())
	if len(into) == 0 {
		_, err = conn.Exec(tb.Context(), sql)
	} else {
		err = conn.QueryRow(tb.Context(), sql).Scan(into...)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// Dump returns a database that URL has made, as SQL that one connection can run at once.
func Dump(tb testing.TB, url string) string {
	tb.Helper()
	s, err := shared()
	if err != nil {
		tb.Fatal(err)
	}
	dump := s.command("pg_dump", "--inserts", "--no-owner", "--no-privileges", "--no-comments", "-d", url)
	var complaints strings.Builder
	dump.Stderr = &complaints
	out, err := dump.Output()
	if err != nil {
		tb.Fatalf("pg_dump: %v\n%s", err, complaints.String())
	}
	var sql strings.Builder
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, `\`) { // a command to psql, not to the server
			sql.WriteString(line)
		}
	}
	return sql.String()
}

// Fill runs what Dump returned on an empty database.
func Fill(tb testing.TB, url, sql string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
		tb.Fatal(err)
	}
}

func (s *Server) address(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

// Start starts the server again on its data, on the same port, and waits until it answers.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	if err := s.run(); err != nil {
		tb.Fatal(err)
	}
}

// Stop shuts the server down as an operator does: it rolls back transactions under way and tells its clients.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	s.end(tb, syscall.SIGINT) // "fast" shutdown
}

// Kill kills the server's first process with SIGKILL. The other processes notice that and end by themselves.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	s.end(tb, syscall.SIGKILL)
}

func (s *Server) end(tb testing.TB, signal syscall.Signal) {
	tb.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		tb.Fatalf("signal %v to PostgreSQL: %v", signal, err)
	}
	select {
	case <-s.exited:
	case <-time.After(patience):
		tb.Fatalf("PostgreSQL has not ended %v after %v; its log:\n%s", patience, signal, s.log())
	}
}

// start makes a server with fresh data.
func start() (*Server, error) { return startBy((*Server).initialise) }

// startBy makes a folder, has data made in it, and starts a server on them.
func startBy(fill func(*Server) error) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin}
	if s.account, err = account(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "pgtest"); err != nil {
		return nil, err
	}
	if s.janitor, err = hire(s.dir, filepath.Join(s.data(), "postmaster.pid")); err != nil {
		return nil, err
	}
	if s.account != nil {
		err = os.Chown(s.dir, int(s.account.Uid), int(s.account.Gid))
	}
	if err == nil {
		err = fill(s)
	}
	if err == nil {
		s.port, err = freePort()
	}
	if err == nil {
		err = s.run()
	}
	if err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
}

func (s *Server) initialise() error {
	return s.make("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
}

// make runs a program that makes the server's data.
func (s *Server) make(program string, args ...string) error {
	if out, err := s.command(program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", program, err, out)
	}
	return nil
}

// run starts the server. After a kill the old server's children may hold its shared memory for a moment.
// Then the new server ends at once and is started again.
func (s *Server) run() error {
	deadline := time.Now().Add(patience)
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
		"-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200")
	s.process.Args = append(s.process.Args, s.options...)
	s.process.Stdout, s.process.Stderr = log, log
	if err := s.process.Start(); err != nil {
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
		conn, err := pgx.Connect(ctx, s.address("postgres"))
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
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
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

// janitor is a process that outlives the test binary. It waits for the end of its input, which the system closes when the
// binary ends. Then it shuts the server down at once (SIGQUIT), whose process id is in the file $2, and removes its folder $1.
const janitor = `read line
pid=$(head -n 1 "$2" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null
for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
rm -rf "$1"`

// hire starts a janitor. It starts its work when its input is closed.
func hire(dir, pidFile string) (io.Closer, error) {
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

func (s *Server) remove() { s.janitor.Close() }

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

// account is the user that runs the server, because PostgreSQL refuses to run as root.
func account() (*syscall.Credential, error) {
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

// freePort draws a port below those that systems give to clients, so that it stays free while the
// server is down, and above those that other tests try one after another.
func freePort() (int, error) {
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
