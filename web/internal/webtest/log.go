package webtest

import (
	"log/slog"

	"github.com/roomring/roomring/internal/testwait"
)

// Log is a log that a test reads while others write it.
type Log struct{ testwait.Log }

func (l *Log) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }
