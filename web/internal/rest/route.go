package rest

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/roomring/roomring/web/metrics"
)

// Handle answers a request, or returns an error that becomes a problem document.
type Handle func(w http.ResponseWriter, r *http.Request) error

// Route is one method of one path, in the pattern language of http.ServeMux.
type Route struct {
	Method string
	Path   string
	Handle Handle
	// Raw is set in place of handle where a handler writes its own errors. It has no timeout, is not counted
	// and gets the ResponseWriter as it came, since it may take the connection over.
	Raw http.Handler
	// Stream is set for an answer that goes on for as long as its reader stays. It has no timeout.
	Stream bool
}

type Routing struct {
	Log     *slog.Logger
	Metrics *metrics.Metrics
	Timeout time.Duration
	Unknown http.HandlerFunc // answers unknown paths
}

// NewMux serves routes, and answers a path's other methods with 405, as a problem document.
func NewMux(routes []Route, with Routing) Mux {
	paths := map[string]methods{}
	for _, rt := range routes {
		if paths[rt.Path] == nil {
			paths[rt.Path] = methods{}
		}
		if paths[rt.Path][rt.Method] = rt.Raw; rt.Raw == nil {
			paths[rt.Path][rt.Method] = with.guarded(rt)
		}
	}
	mux := http.NewServeMux()
	for p, m := range paths {
		mux.Handle(p, m)
	}
	mux.HandleFunc("/", with.Unknown)
	return Mux{mux, with.Unknown}
}

// UnknownPath answers programs.
func UnknownPath(w http.ResponseWriter, r *http.Request) {
	NotFound("There is nothing at this path: docs/openapi.yaml lists what there is.").Write(w)
}

// Mux answers 404 where http.ServeMux would redirect to a cleaner path, so that a path has one spelling.
type Mux struct {
	mux     *http.ServeMux
	unknown http.HandlerFunc
}

func (u Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !spelt(r) {
		u.unknown(w, r)
		return
	}
	u.mux.ServeHTTP(w, r)
}

// Has reports whether there is anything at the request's path, whatever its method.
func (u Mux) Has(r *http.Request) bool {
	_, pattern := u.mux.Handler(r)
	return spelt(r) && pattern != "/"
}

// spelt reports whether the request's path is in its one spelling.
func spelt(r *http.Request) bool {
	p := r.URL.EscapedPath()
	clean := path.Clean("/" + p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	return p == clean && r.Method != http.MethodConnect
}

// methods are the handlers of one path.
type methods map[string]http.Handler

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet // net/http leaves the body out
	}
	if h := m[method]; h != nil {
		h.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Allow", m.allowed())
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	NewProblem(http.StatusMethodNotAllowed, "wrong-method", "This path takes "+m.allowed()+".").Write(w)
}

func (m methods) allowed() string {
	names := slices.Sorted(maps.Keys(m))
	if m["GET"] != nil {
		names = append(names, "HEAD")
	}
	return strings.Join(append(names, "OPTIONS"), ", ")
}

// guarded runs a route within its time, and turns its error or panic into a problem document.
func (with Routing) guarded(rt Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		ctx := r.Context()
		if !rt.Stream {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, with.Timeout)
			defer cancel()
		}
		rec := &recorder{ResponseWriter: w}
		err := with.caught(rt, rec, r.WithContext(ctx))
		with.settle(rt, rec, err)
		if with.Metrics == nil {
			return
		}
		with.Metrics.Request(rt.Method, rt.Path, cmp.Or(rec.status, http.StatusOK))
		if !rt.Stream { // a stream takes as long as its reader likes
			with.Metrics.RequestTime(rt.Path, time.Since(began))
		}
	})
}

func (with Routing) caught(rt Route, w *recorder, r *http.Request) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			err = fmt.Errorf("panic: %v", p)
			with.Log.Error("an HTTP handler panicked", "route", rt.Path, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	if err := storable(r); err != nil {
		return err
	}
	return rt.Handle(w, r)
}

// settle answers an error. What has no meaning to clients is logged and stays a bare 500.
func (with Routing) settle(rt Route, w *recorder, err error) {
	if err == nil {
		return
	}
	p := ProblemOf(err)
	if p == nil {
		with.Log.Error("an HTTP request failed", "method", rt.Method, "route", rt.Path, "err", err)
		p = NewProblem(http.StatusInternalServerError, "internal", "The server failed; its log says why.")
	}
	if w.status == 0 {
		p.Write(w)
	}
}

// recorder remembers the status for the metrics.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController find what lies beneath.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Secured adds the headers that keep browsers from guessing, framing and telling (OWASP Secure Headers).
func Secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
