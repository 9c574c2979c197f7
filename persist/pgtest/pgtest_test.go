//go:build unix

package pgtest_test

import (
	"bufio"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/roomring/roomring/persist/pgtest"
)

func TestDatabasesAreApart(t *testing.T) {
	a, b := pgtest.URL(t), pgtest.URL(t)
	pgtest.Ask(t, a, `CREATE TABLE one (n int)`)
	pgtest.Ask(t, b, `CREATE TABLE one (n int)`)
}

func TestDataOutlivesStopAndKill(t *testing.T) {
	s := pgtest.New(t)
	url := s.URL(t)
	pgtest.Ask(t, url, `CREATE TABLE one AS SELECT 42 AS n`)
	s.Stop(t)
	if conn, err := pgx.Connect(t.Context(), url); err == nil {
		conn.Close(t.Context())
		t.Fatal("a stopped server answers")
	}
	s.Start(t)
	s.Kill(t)
	s.Start(t)
	var n int
	pgtest.Ask(t, url, `SELECT n FROM one`, &n)
	if n != 42 {
		t.Errorf("n = %d", n)
	}
}

// TestAKilledBinaryLeavesNothing kills this binary while it runs a server with PgBouncer in front.
func TestAKilledBinaryLeavesNothing(t *testing.T) {
	const variable = "PGTEST_KILLED"
	if os.Getenv(variable) != "" {
		server := pgtest.New(t).URL(t)
		fmt.Println(server)
		fmt.Println(pgtest.Pooled(t, server))
		time.Sleep(time.Hour)
	}
	dir, err := os.MkdirTemp("", "killed") // not the test's own, which PostgreSQL's account may not enter
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestAKilledBinaryLeavesNothing$")
	cmd.Env = append(os.Environ(), variable+"=1", "TMPDIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var hosts []string
	for len(hosts) < 2 && lines.Scan() {
		at, err := url.Parse(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, at.Host)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if len(hosts) < 2 {
		t.Fatalf("the child has started %q alone: %v", hosts, lines.Err())
	}
	left := func() (what []string) {
		for _, host := range hosts {
			if conn, err := net.DialTimeout("tcp", host, time.Second); err == nil {
				_ = conn.Close()
				what = append(what, host)
			}
		}
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			what = append(what, f.Name())
		}
		return what
	}
	deadline := time.Now().Add(30 * time.Second)
	for what := left(); len(what) > 0; what = left() {
		if time.Now().After(deadline) {
			t.Fatalf("left after the binary's end: %q", what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
