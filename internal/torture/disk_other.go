//go:build !linux

package torture

import (
	"context"
	"errors"
)

var errNoDisks = errors.New("small disks need Linux")

func canMount() error                                     { return errNoDisks }
func mount(string) (func(), error)                        { return func() {}, errNoDisks }
func (r *run) fill(context.Context, *server, Fault) error { return errNoDisks }
