package node

import (
	"context"
	"log/slog"
)

// announcing is a log handler that calls first before it handles a record. So the ready line comes first in the log, and
// a process that fails before it logs anything prints its error alone.
type announcing struct {
	slog.Handler
	first func() // acts on its first call only
}

func (p announcing) Handle(ctx context.Context, r slog.Record) error {
	p.first()
	return p.Handler.Handle(ctx, r)
}

func (p announcing) WithAttrs(attrs []slog.Attr) slog.Handler {
	return announcing{p.Handler.WithAttrs(attrs), p.first}
}

func (p announcing) WithGroup(name string) slog.Handler {
	return announcing{p.Handler.WithGroup(name), p.first}
}
