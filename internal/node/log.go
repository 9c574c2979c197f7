package node

import (
	"context"
	"log/slog"
)

// preceded is a log before whose first record something else is said. A process that fails before it has
// anything to log says its error and nothing else.
type preceded struct {
	slog.Handler
	first func() // does something at its first call alone
}

func (p preceded) Handle(ctx context.Context, r slog.Record) error {
	p.first()
	return p.Handler.Handle(ctx, r)
}

func (p preceded) WithAttrs(attrs []slog.Attr) slog.Handler {
	return preceded{p.Handler.WithAttrs(attrs), p.first}
}

func (p preceded) WithGroup(name string) slog.Handler {
	return preceded{p.Handler.WithGroup(name), p.first}
}
