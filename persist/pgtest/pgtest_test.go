//go:build unix

package pgtest_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/roomring/roomring/persist/pgtest"
)

func ask(t *testing.T, url, sql string, into ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if len(into) == 0 {
		_, err = conn.Exec(t.Context(), sql)
	} else {
		err = conn.QueryRow(t.Context(), sql).Scan(into...)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestDatabasesAreApart(t *testing.T) {
	a, b := pgtest.URL(t), pgtest.URL(t)
	ask(t, a, `CREATE TABLE one (n int)`)
	ask(t, b, `CREATE TABLE one (n int)`)
}

func TestDataOutlivesStopAndKill(t *testing.T) {
	s := pgtest.New(t)
	url := s.URL(t)
	ask(t, url, `CREATE TABLE one AS SELECT 42 AS n`)
	s.Stop(t)
	if conn, err := pgx.Connect(t.Context(), url); err == nil {
		conn.Close(t.Context())
		t.Fatal("a stopped server answers")
	}
	s.Start(t)
	s.Kill(t)
	s.Start(t)
	var n int
	ask(t, url, `SELECT n FROM one`, &n)
	if n != 42 {
		t.Errorf("n = %d", n)
	}
}
