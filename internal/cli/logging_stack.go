package cli

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// stackKey is the key of the attribute that holds a stack.
const stackKey = "stack"

// readable is a text log for people. It writes a stack on lines of its own below the record.
type readable struct {
	slog.Handler
	out io.Writer
	mu  *sync.Mutex // a record and its stack are written together
}

func newReadable(out io.Writer, records slog.Handler) readable {
	return readable{records, out, new(sync.Mutex)}
}

func (h readable) Handle(ctx context.Context, r slog.Record) error {
	stack := ""
	short := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == stackKey && a.Value.Kind() == slog.KindString {
			stack = a.Value.String()
		} else {
			short.AddAttrs(a)
		}
		return true
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	err := h.Handler.Handle(ctx, short)
	if err != nil || stack == "" {
		return err
	}
	var b strings.Builder
	for line := range strings.Lines(strings.TrimRight(stack, "\n")) {
		text := strings.TrimLeft(line, "\t")
		b.WriteString("    " + strings.Repeat("    ", len(line)-len(text)) + printable(strings.TrimRight(text, "\n")) + "\n")
	}
	_, err = io.WriteString(h.out, b.String())
	return err
}

func (h readable) WithAttrs(attrs []slog.Attr) slog.Handler {
	return readable{h.Handler.WithAttrs(attrs), h.out, h.mu}
}

func (h readable) WithGroup(name string) slog.Handler {
	return readable{h.Handler.WithGroup(name), h.out, h.mu}
}
