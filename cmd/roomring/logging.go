package main

import (
	"context"
	"io"
	"log/slog"
)

// newLogger writes to w as --log-format and --log-level say.
func newLogger(w io.Writer, format, level string) *slog.Logger {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		least = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: least}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(newReadable(w, options))
}

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
