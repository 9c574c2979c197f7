//go:build unix

package pgtest

import (
	"fmt"
	"net/url"
	"testing"
)

// Replica starts a copy of the server that follows it by streaming, under a name for synchronous_standby_names. It ends with the test.
func (s *Server) Replica(tb testing.TB, name string) *Server {
	tb.Helper()
	r, err := startBy(func(r *Server) error {
		r.options = []string{"-c", "synchronous_standby_names="} // its own setting, not the copied one, once it is promoted
		return r.make("pg_basebackup", "-D", r.data(), "-X", "stream", "-c", "fast", "--no-sync", "-R",
			"-d", fmt.Sprintf("host=127.0.0.1 port=%d user=postgres application_name=%s", s.port, name))
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(r.remove)
	return r
}

// Promote makes a replica a server of its own, and returns when it takes writes.
func (s *Server) Promote(tb testing.TB) {
	tb.Helper()
	Ask(tb, s.address("postgres"), fmt.Sprintf(`SELECT pg_promote(true, %d)`, int(patience.Seconds())), new(bool))
}

// Configure changes a setting of the running server.
func (s *Server) Configure(tb testing.TB, setting, value string) {
	tb.Helper()
	Ask(tb, s.address("postgres"), fmt.Sprintf(`ALTER SYSTEM SET %s = '%s'`, setting, value))
	Ask(tb, s.address("postgres"), `SELECT pg_reload_conf()`, new(bool))
}

// Either is the URL of a database on whichever of two servers takes writes.
func Either(tb testing.TB, database string, other *Server) string {
	tb.Helper()
	u, err := url.Parse(database)
	if err != nil {
		tb.Fatal(err)
	}
	u.Host += fmt.Sprintf(",127.0.0.1:%d", other.port)
	q := u.Query()
	q.Set("target_session_attrs", "read-write")
	u.RawQuery = q.Encode()
	return u.String()
}
