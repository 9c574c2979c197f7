package httpd

import (
	"cmp"
	"log/slog"
	"net/http"
	"time"
)

// NewServer puts a handler into a server with limits for strangers: within for a request, head and body, where 0 means 10 s;
// 2 min for an answer, 32 KiB of headers. Sockets that a handler takes over have none of these.
func NewServer(handler http.Handler, within time.Duration, log *slog.Logger) *http.Server {
	within = cmp.Or(within, 10*time.Second)
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: within,
		ReadTimeout:       within,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
