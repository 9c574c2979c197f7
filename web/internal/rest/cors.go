package rest

import (
	"log/slog"
	"net/http"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/roomring/roomring/web/trust"
)

// Bounds of the foreign origins that the log names, since strangers can make any number of them.
const (
	namedOrigins = 100 // remembered, so that each is named once
	originLines  = 90  // at once, and in the hours after that
)

// foreignLog names the origins whose pages are turned away.
type foreignLog struct {
	log   *slog.Logger // nil: none is named
	named *lru.Cache[string, struct{}]
	lines *rate.Limiter
}

// CORS turns away what pages of other origins may not do, and tells browsers what pages of the allowed origins may (the Fetch standard).
// No credentials are allowed: tokens travel in a header that the page sets itself. The log names each foreign origin once,
// since browsers tell only the page's author; a nil log names none.
func CORS(allowed trust.Origins, log *slog.Logger, next http.Handler) http.Handler {
	named, err := lru.New[string, struct{}](namedOrigins)
	if err != nil {
		panic(err) // the size is positive
	}
	foreign := &foreignLog{log, named, rate.NewLimiter(rate.Every(time.Hour/originLines), originLines)}
	csrf := http.NewCrossOriginProtection()
	csrf.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		NewProblem(http.StatusForbidden, "cross-origin", "Pages of this origin may not do that here: see --allowed-origins.").Write(w)
	}))
	others := csrf.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if origin == "" || !allowed.Contains(origin) {
			others.ServeHTTP(w, r)
			foreign.name(h, r, origin)
			return
		}
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", "Retry-After")
		if r.Method == http.MethodOptions { // a preflight
			h.Set("Access-Control-Allow-Methods", "GET, POST")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
			h.Set("Access-Control-Max-Age", "600") // seconds
		}
		next.ServeHTTP(w, r)
	})
}

// name logs an origin whose pages may not read the answer.
func (f *foreignLog) name(h http.Header, r *http.Request, origin string) {
	own := r.Header.Get("Sec-Fetch-Site") == "same-origin" || trust.SameOrigin(origin, r.Host)
	if f.log == nil || origin == "" || own || h.Get("Access-Control-Allow-Origin") != "" {
		return
	}
	origin = origin[:min(len(origin), 200)]
	if f.named.Contains(origin) || !f.lines.Allow() {
		return
	}
	f.named.Add(origin, struct{}{})
	f.log.Warn("a page of another origin was turned away: if it is yours, add its origin to --allowed-origins", "origin", origin)
}
