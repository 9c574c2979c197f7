//go:build unix

package pgtest

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/roomring/roomring/persist/pgserver"
)

// Replica starts a copy of the server that follows it by streaming, under a name for synchronous_standby_names. It ends with the test.
func (s *Server) Replica(tb testing.TB, name string) *Server {
	tb.Helper()
	own, err := s.own.Replica(name)
	must(tb, err)
	tb.Cleanup(own.Remove)
	return &Server{own}
}

// Promote makes a replica a server of its own, and returns when it takes writes.
func (s *Server) Promote(tb testing.TB) {
	tb.Helper()
	Ask(tb, s.own.Address("postgres"), fmt.Sprintf(`SELECT pg_promote(true, %d)`, int(pgserver.Patience.Seconds())), new(bool))
}

// Configure changes a setting of the running server.
func (s *Server) Configure(tb testing.TB, setting, value string) {
	tb.Helper()
	Ask(tb, s.own.Address("postgres"), fmt.Sprintf(`ALTER SYSTEM SET %s = '%s'`, setting, value))
	Ask(tb, s.own.Address("postgres"), `SELECT pg_reload_conf()`, new(bool))
}

// Either is the URL of a database on whichever of two servers takes writes.
func Either(tb testing.TB, database string, other *Server) string {
	tb.Helper()
	u, err := url.Parse(database)
	if err != nil {
		tb.Fatal(err)
	}
	u.Host += fmt.Sprintf(",127.0.0.1:%d", other.own.Port())
	q := u.Query()
	q.Set("target_session_attrs", "read-write")
	u.RawQuery = q.Encode()
	return u.String()
}
