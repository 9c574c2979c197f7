package web

import (
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
)

// handle answers a request, or returns an error that becomes a problem document.
type handle func(w http.ResponseWriter, r *http.Request) error

// route is one method of one path, in the pattern language of http.ServeMux.
type route struct {
	method string
	path   string
	handle handle
	// raw is set in place of handle where a handler writes its own errors. It has no timeout, is not counted
	// and gets the ResponseWriter as it came, since it may take the connection over.
	raw http.Handler
	// stream is set for an answer that goes on for as long as its reader stays. It has no timeout.
	stream bool
}

type routing struct {
	log     *slog.Logger
	metrics *Metrics
	timeout time.Duration
	unknown http.HandlerFunc // answers unknown paths
}

// newMux serves routes, and answers a path's other methods with 405, as a problem document.
func newMux(routes []route, with routing) unredirected {
	paths := map[string]methods{}
	for _, rt := range routes {
		if paths[rt.path] == nil {
			paths[rt.path] = methods{}
		}
		if paths[rt.path][rt.method] = rt.raw; rt.raw == nil {
			paths[rt.path][rt.method] = with.guarded(rt)
		}
	}
	mux := http.NewServeMux()
	for p, m := range paths {
		mux.Handle(p, m)
	}
	mux.HandleFunc("/", with.unknown)
	return unredirected{mux, with.unknown}
}

// unknownPath answers programs.
func unknownPath(w http.ResponseWriter, r *http.Request) {
	notFound("There is nothing at this path: docs/openapi.yaml lists what there is.").write(w)
}

// unredirected answers 404 where http.ServeMux would redirect to a cleaner path, so that a path has one spelling.
type unredirected struct {
	mux     *http.ServeMux
	unknown http.HandlerFunc
}

func (u unredirected) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !spelt(r) {
		u.unknown(w, r)
		return
	}
	u.mux.ServeHTTP(w, r)
}

// has reports whether there is anything at the request's path, whatever its method.
func (u unredirected) has(r *http.Request) bool {
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
	problem(http.StatusMethodNotAllowed, "wrong-method", "This path takes "+m.allowed()+".").write(w)
}

func (m methods) allowed() string {
	names := slices.Sorted(maps.Keys(m))
	if m["GET"] != nil {
		names = append(names, "HEAD")
	}
	return strings.Join(append(names, "OPTIONS"), ", ")
}

// guarded runs a route within its time, and turns its error or panic into a problem document.
func (with routing) guarded(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		ctx := r.Context()
		if !rt.stream {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, with.timeout)
			defer cancel()
		}
		rec := &recorder{ResponseWriter: w}
		err := with.caught(rt, rec, r.WithContext(ctx))
		with.settle(rt, rec, err)
		with.metrics.request(rt, rec.status, time.Since(began))
	})
}

func (with routing) caught(rt route, w *recorder, r *http.Request) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			err = fmt.Errorf("panic: %v", p)
			with.log.Error("an HTTP handler panicked", "route", rt.path, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	if err := storable(r); err != nil {
		return err
	}
	return rt.handle(w, r)
}

// settle answers an error. What has no meaning to clients is logged and stays a bare 500.
func (with routing) settle(rt route, w *recorder, err error) {
	if err == nil {
		return
	}
	p := problemOf(err)
	if p == nil {
		with.log.Error("an HTTP request failed", "method", rt.method, "route", rt.path, "err", err)
		p = problem(http.StatusInternalServerError, "internal", "The server failed; its log says why.")
	}
	if w.status == 0 {
		p.write(w)
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
