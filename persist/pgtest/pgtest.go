//go:build unix

// Package pgtest runs private PostgreSQL servers for tests: package pgserver with the test's own end. Everything is under a temporary folder
// and ends with the test binary, however that ends.
package pgtest

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/roomring/roomring/persist/pgserver"
)

// Server is one private server. Only one goroutine at a time may call its methods.
type Server struct{ own *pgserver.Server }

var shared = sync.OnceValues(start)

func start() (*Server, error) {
	own, err := pgserver.New(pgserver.Options{})
	return &Server{own}, err
}

// URL makes a new empty database on a server that all tests of the binary share, and returns its URL.
// The server is started at the first call and must not be stopped: use New for that.
func URL(tb testing.TB) string {
	tb.Helper()
	s, err := shared()
	must(tb, err)
	return s.URL(tb)
}

// New starts a server that the test may stop, kill and start again. It ends with the test.
func New(tb testing.TB) *Server {
	tb.Helper()
	s, err := start()
	must(tb, err)
	tb.Cleanup(s.own.Remove)
	return s
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// URL makes a new empty database and returns its URL.
func (s *Server) URL(tb testing.TB) string {
	tb.Helper()
	url, err := s.own.NewDatabase()
	must(tb, err)
	return url
}

// Start starts the server again on its data, on the same port, and waits until it answers.
func (s *Server) Start(tb testing.TB) { tb.Helper(); must(tb, s.own.Start()) }

// Stop shuts the server down as an operator does: it rolls back transactions under way and tells its clients.
func (s *Server) Stop(tb testing.TB) { tb.Helper(); must(tb, s.own.Stop()) }

// Kill kills the server's first process with SIGKILL. The other processes notice that and end by themselves.
func (s *Server) Kill(tb testing.TB) { tb.Helper(); must(tb, s.own.Kill()) }

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
	dump := s.own.Command("pg_dump", "--inserts", "--no-owner", "--no-privileges", "--no-comments", "-d", url)
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
	ctx, cancel := context.WithTimeout(context.Background(), pgserver.Patience)
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
