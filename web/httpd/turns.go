package httpd

import (
	"context"
	"io"
	"net/http"
	"runtime"
)

// turns are a semaphore of the processors, all but one, which HTTP requests take in turn. However many requests come together,
// the goroutines of rooms and sockets keep one processor. A request that waits, for the store, a room or its client, gives its turn back.
type turns chan struct{}

func newTurns() turns { return make(turns, max(runtime.GOMAXPROCS(0)-1, 1)) }

// turn is what one connection has of them. Only the goroutine of its requests uses it.
type turn struct {
	of   turns
	held bool
}

type turnKey struct{}

func (t *turn) acquire() {
	if t.held {
		return
	}
	t.of <- struct{}{}
	t.held = true
	runtime.Gosched() // let all that is ready run first: else requests that pass turns to each other would never let go
}

func (t *turn) release() {
	if t.held {
		t.held = false
		<-t.of
	}
}

// Waiting gives the turn of a request back while its handler waits. Call resume after that.
func Waiting(ctx context.Context) (resume func()) {
	t, ok := ctx.Value(turnKey{}).(*turn)
	if !ok || !t.held {
		return func() {}
	}
	t.release()
	return t.acquire
}

// EndTurn gives the turn of a request back for good, where the rest goes at the pace of its reader.
func EndTurn(ctx context.Context) {
	if t, ok := ctx.Value(turnKey{}).(*turn); ok {
		t.release()
	}
}

// serve runs a handler in its connection's turn. The first write ends the turn.
func (t *turn) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	t.acquire()
	defer t.release()
	r = r.WithContext(context.WithValue(r.Context(), turnKey{}, t))
	if r.Body != http.NoBody {
		r.Body = &waitingBody{r.Body, r.Context()}
	}
	next.ServeHTTP(w, r)
}

// waitingBody gives the turn back while the client makes it wait.
type waitingBody struct {
	io.ReadCloser
	ctx context.Context
}

func (b *waitingBody) Read(p []byte) (int, error) {
	defer Waiting(b.ctx)()
	return b.ReadCloser.Read(p)
}
