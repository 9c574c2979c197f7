//go:build unix

package pgtest

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/roomring/roomring/persist/pgserver"
)

// Pooled starts a PgBouncer for the test in front of the database that a URL of this package names, in transaction
// mode with few connections to the server, and returns the URL of the database behind PgBouncer. PgBouncer ends with the test, or with the
// test binary, however that ends.
func Pooled(tb testing.TB, rawURL string) string {
	tb.Helper()
	server, err := url.Parse(rawURL)
	if err != nil {
		tb.Fatal(err)
	}
	who, err := pgserver.Account()
	if err != nil {
		tb.Fatal(err)
	}
	port, err := pgserver.FreePort()
	if err != nil {
		tb.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "pgbouncer") // not the test's own, which its account may not enter
	if err != nil {
		tb.Fatal(err)
	}
	config, pidFile := filepath.Join(dir, "pgbouncer.ini"), filepath.Join(dir, "pid")
	janitor, err := pgserver.Hire(dir, pidFile)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = janitor.Close() })
	text := fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%s user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
pidfile = %s
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
max_client_conn = 500
`, server.Port(), port, pidFile)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	if who != nil {
		for _, path := range []string{dir, config} {
			if err := os.Chown(path, int(who.Uid), int(who.Gid)); err != nil {
				tb.Fatal(err)
			}
		}
	}
	server.Host = fmt.Sprintf("127.0.0.1:%d", port)
	run(tb, exec.Command(pgbouncer(), config), who, server.String())
	return server.String()
}

// run starts PgBouncer and waits until the server answers through it.
func run(tb testing.TB, cmd *exec.Cmd, who *syscall.Credential, url string) {
	tb.Helper()
	var log bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = filepath.Dir(cmd.Args[1]), &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	if err := cmd.Start(); err != nil {
		tb.Fatalf("%v (apt-get install pgbouncer)", err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.Remove(filepath.Join(cmd.Dir, "pid")) // for the janitor: the id may soon be another's
		if tb.Failed() {
			tb.Logf("PgBouncer's log:\n%s", log.Bytes()[max(0, log.Len()-4000):])
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), pgserver.Patience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, url)
		if err == nil {
			_ = conn.Close(ctx)
			return
		}
		if ctx.Err() != nil {
			tb.Fatalf("PgBouncer does not answer: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// pgbouncer is where Debian installs it, which is in root's PATH alone, or else anywhere in PATH.
func pgbouncer() string {
	const debian = "/usr/sbin/pgbouncer"
	if _, err := os.Stat(debian); err == nil {
		return debian
	}
	return "pgbouncer"
}
