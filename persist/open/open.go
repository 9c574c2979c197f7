// Package open opens the store that a URL names. It is apart from persist so that the port imports no backend.
package open

import (
	"context"
	"fmt"
	"strings"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/postgres"
	"github.com/roomring/roomring/persist/sqlite"
)

// Store opens postgres://… (or postgresql://…), see postgres.Open, or sqlite:PATH, see sqlite.Open.
// Its errors are one line each that says what to do.
func Store(ctx context.Context, url string, o postgres.Options) (persist.Store, error) {
	scheme, rest, _ := strings.Cut(url, ":")
	switch {
	case scheme == "postgres" || scheme == "postgresql":
		return opened(postgres.Open(ctx, url, o))
	case scheme == "sqlite" && rest != "":
		return opened(sqlite.OpenWith(ctx, rest, sqlite.Options{Readers: int(o.Readers), Ratings: o.Ratings, Subscribers: o.Subscribers}))
	}
	// The URL itself may hold a password, so it is not repeated.
	return nil, fmt.Errorf("the store's URL must be postgres://USER@HOST:PORT/DATABASE or sqlite:PATH")
}

// opened keeps a nil backend from becoming an interface that is not nil.
func opened[S persist.Store](s S, err error) (persist.Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}
