//go:build !unix

package torture

import "errors"

func newStoreServer(*wires) (storeServer, error) {
	return nil, errors.New("a PostgreSQL of its own can be run on Unix only: name one with --store")
}
