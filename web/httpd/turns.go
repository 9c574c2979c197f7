package httpd

import (
	"context"
	"io"
	"net/http"
	"runtime"
)

// turns let HTTP requests use the processors one after another, all but one processor at once: however many come together, the
// goroutines of rooms and sockets have a processor that is theirs. Who only waits, for the store, a room, or the client, has no turn.
type turns chan struct{}

func newTurns() turns { return make(turns, max(runtime.GOMAXPROCS(0)-1, 1)) }

// turn is what one connection has of them. The goroutine of its requests alone uses it.
type turn struct {
	of   turns
	held bool
}

type turnKey struct{}

// EndTurn passes a request's turn on for good.
func EndTurn(ctx context.Context) {
	if t, ok := ctx.Value(turnKey{}).(*turn); ok {
		t.pass()
	}
}

func (t *turn) take() {
	if t.held {
		return
	}
	t.of <- struct{}{}
	t.held = true
	runtime.Gosched() // behind all that is ready to run: whoever passes a turn on would be followed at once, and so on for ever
}

func (t *turn) pass() {
	if t.held {
		t.held = false
		<-t.of
	}
}

// Waiting is called by who is about to wait, and the function that it returns afterwards.
func Waiting(ctx context.Context) (over func()) {
	t, ok := ctx.Value(turnKey{}).(*turn)
	if !ok || !t.held {
		return func() {}
	}
	t.pass()
	return t.take
}

// inTurn gives a connection's requests their turns. What is written ends a request's.
func inTurn(t *turn, next http.Handler, w http.ResponseWriter, r *http.Request) {
	t.take()
	defer t.pass()
	r = r.WithContext(context.WithValue(r.Context(), turnKey{}, t))
	if r.Body != http.NoBody {
		r.Body = &waitingBody{r.Body, r.Context()}
	}
	next.ServeHTTP(w, r)
}

// waitingBody has no turn while its client makes it wait.
type waitingBody struct {
	io.ReadCloser
	ctx context.Context
}

func (b *waitingBody) Read(p []byte) (int, error) {
	defer Waiting(b.ctx)()
	return b.ReadCloser.Read(p)
}
