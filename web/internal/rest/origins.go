package rest

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/roomring/roomring/web/trust"
)

// sharing lets the pages of other origins use a server, or keeps them from it.
type sharing struct {
	with  trust.Origins
	csrf  *http.CrossOriginProtection
	told  *seldom // the origins that the log has named; nil: it names none
	log   *slog.Logger
	clock func() time.Time
}

// maxForeignOrigins bounds how many origins the log names, and the memory of them.
const maxForeignOrigins = 100

// NewSharing is for the server that a list of allowed origins belongs to. Without a log no origin is named.
func NewSharing(with trust.Origins, log *slog.Logger) *sharing {
	csrf := http.NewCrossOriginProtection()
	csrf.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		NewProblem(http.StatusForbidden, "cross-origin", "Pages of this origin may not do that here: see --allowed-origins.").Write(w)
	}))
	return &sharing{with: with, csrf: csrf, told: newSeldom(maxForeignOrigins), log: log, clock: time.Now}
}

// Wrap turns away what other pages may not do, and tells browsers what the allowed ones may (the Fetch standard's CORS).
// No credentials are allowed: tokens travel in a header that the page sets itself.
func (s *sharing) Wrap(next http.Handler) http.Handler {
	guarded := s.csrf.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if origin == "" || !s.with.Has(origin) {
			guarded.ServeHTTP(w, r)
			s.name(w.Header(), r, origin)
			return
		}
		s.allow(w.Header(), origin, r.Method == http.MethodOptions)
		next.ServeHTTP(w, r)
	})
}

// name says in the log what a browser says to nobody but the page's author: that this origin's pages may not read the answer.
func (s *sharing) name(h http.Header, r *http.Request, origin string) {
	own := r.Header.Get("Sec-Fetch-Site") == "same-origin" || trust.Own(origin, r.Host)
	if s.log == nil || origin == "" || own || h.Get("Access-Control-Allow-Origin") != "" {
		return
	}
	origin = origin[:min(len(origin), 200)]
	if s.told.first(origin, s.clock(), time.Hour) {
		s.log.Warn("a page of another origin was turned away: if it is yours, add its origin to --allowed-origins", "origin", origin)
	}
}

func (s *sharing) allow(h http.Header, origin string, preflight bool) {
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Retry-After")
	if preflight {
		h.Set("Access-Control-Allow-Methods", "GET, POST")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		h.Set("Access-Control-Max-Age", "600") // seconds
	}
}
