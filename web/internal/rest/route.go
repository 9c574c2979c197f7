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

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/roomring/roomring/web/metrics"
)

// HandlerFunc answers a request, or returns an error that becomes a problem document.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// Route is one method of one path, in the pattern language of http.ServeMux.
type Route struct {
	Method string
	Path   string
	Handle HandlerFunc
	// Raw is set in place of Handle where a handler writes its own errors. It has no timeout, is not counted
	// and gets the ResponseWriter as it came, since it may take the connection over.
	Raw http.Handler
	// Stream is set for an answer that goes on for as long as its reader stays. It has no timeout.
	Stream bool
}

// MuxOptions are what the routes of a Mux have in common.
type MuxOptions struct {
	Log     *slog.Logger
	Metrics *metrics.Metrics // counts requests; nil: they are not counted
	Timeout time.Duration    // of each request
	Unknown http.HandlerFunc // answers unknown paths
}

// Mux serves routes. It answers a path's other methods with 405, and 404 where http.ServeMux would redirect to a cleaner
// path, so that a path has one spelling.
type Mux struct {
	mux     *http.ServeMux
	unknown http.HandlerFunc
}

// NewMux makes a Mux of routes.
func NewMux(routes []Route, o MuxOptions) Mux {
	paths := map[string]methods{}
	for _, route := range routes {
		if paths[route.Path] == nil {
			paths[route.Path] = methods{}
		}
		handler := route.Raw
		if handler == nil {
			handler = o.Handler(route)
		}
		paths[route.Path][route.Method] = handler
	}
	mux := http.NewServeMux()
	for p, m := range paths {
		mux.Handle(p, m)
	}
	mux.HandleFunc("/", o.Unknown)
	return Mux{mux, o.Unknown}
}

func (m Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !clean(r) {
		m.unknown(w, r)
		return
	}
	m.mux.ServeHTTP(w, r)
}

// Has reports whether there is anything at the request's path, whatever its method.
func (m Mux) Has(r *http.Request) bool {
	_, pattern := m.mux.Handler(r)
	return clean(r) && pattern != "/"
}

// clean reports whether the request's path is in its one spelling.
func clean(r *http.Request) bool {
	p := r.URL.EscapedPath()
	clean := path.Clean("/" + p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	return p == clean && r.Method != http.MethodConnect
}

// UnknownPath answers programs that ask for a path that there is not.
func UnknownPath(w http.ResponseWriter, _ *http.Request) {
	NotFound("There is nothing at this path: docs/openapi.yaml lists what there is.").Write(w)
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
	names := slices.Sorted(maps.Keys(m))
	if m["GET"] != nil {
		names = append(names, "HEAD")
	}
	allowed := strings.Join(append(names, "OPTIONS"), ", ")
	w.Header().Set("Allow", allowed)
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	NewProblem(http.StatusMethodNotAllowed, "wrong-method", "This path takes "+allowed+".").Write(w)
}

// Handler runs a route within its time, and turns its error or panic into a problem document. An error that means nothing to
// clients is logged and stays a bare 500.
func (o MuxOptions) Handler(route Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		ctx := r.Context()
		if span := trace.SpanFromContext(ctx); span.IsRecording() {
			span.SetName(route.Method + " " + route.Path)
			span.SetAttributes(attribute.String("http.route", route.Path))
		}
		if !route.Stream {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, o.Timeout)
			defer cancel()
		}
		rec := &recorder{ResponseWriter: w}
		if err := o.call(route, rec, r.WithContext(ctx)); err != nil {
			p := ProblemOf(err)
			if p == nil {
				o.Log.Error("an HTTP request failed", "method", route.Method, "route", route.Path, "err", err)
				p = NewProblem(http.StatusInternalServerError, "internal", "The server failed; its log says why.")
			}
			if rec.status == 0 {
				p.Write(rec)
			}
		}
		if o.Metrics == nil {
			return
		}
		o.Metrics.Request(route.Method, route.Path, cmp.Or(rec.status, http.StatusOK))
		if !route.Stream { // a stream takes as long as its reader likes
			o.Metrics.RequestTime(route.Path, time.Since(began))
		}
	})
}

// call runs a route's handler and returns a panic of it as an error.
func (o MuxOptions) call(route Route, w *recorder, r *http.Request) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			err = fmt.Errorf("panic: %v", p)
			o.Log.Error("an HTTP handler panicked", "route", route.Path, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	if err := checkText(r); err != nil {
		return err
	}
	return route.Handle(w, r)
}

// recorder remembers the status of an answer; 0: it has not begun.
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

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// SecurityHeaders adds headers that keep browsers from guessing types, framing pages and telling referrers (OWASP Secure Headers).
func SecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
