package webtest

import (
	"slices"
	"testing"
	"time"

	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/trust"
)

// GuestAuth lets guests in.
func GuestAuth(t testing.TB) *auth.Authenticator {
	return NewAuth(t, auth.Options{GuestKey: Secret(1)})
}

// Secret is 32 bytes.
func Secret(fill byte) []byte { return slices.Repeat([]byte{fill}, 32) }

// NewAuth is auth.New.
func NewAuth(t testing.TB, opts auth.Options) *auth.Authenticator {
	t.Helper()
	a, err := auth.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Now is when tests take place that have a clock.
var Now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// ParseKeys is auth.ParseKeys.
func ParseKeys(t *testing.T, data []byte) *auth.Keys {
	t.Helper()
	keys, err := auth.ParseKeys(data)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// Origins is trust.ParseOrigins.
func Origins(t testing.TB, list ...string) trust.Origins {
	t.Helper()
	out, err := trust.ParseOrigins(list)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
