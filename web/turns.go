package web

import (
	"context"
	"io"
	"net/http"
	"runtime"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
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

// turnOf is the turn of a request's connection; nil, which never waits, where there is none.
func turnOf(ctx context.Context) *turn {
	t, _ := ctx.Value(turnKey{}).(*turn)
	return t
}

func (t *turn) take() {
	if t == nil || t.held {
		return
	}
	t.of <- struct{}{}
	t.held = true
	runtime.Gosched() // behind all that is ready to run: whoever passes a turn on would be followed at once, and so on for ever
}

func (t *turn) pass() {
	if t != nil && t.held {
		t.held = false
		<-t.of
	}
}

// waits is called by who is about to wait, and the function that it returns afterwards.
func waits(ctx context.Context) (over func()) {
	t := turnOf(ctx)
	if t == nil || !t.held {
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
	defer waits(b.ctx)()
	return b.ReadCloser.Read(p)
}

// waitingRooms has no turn while rooms are made and asked.
type waitingRooms struct{ Rooms }

func (r waitingRooms) Create(ctx context.Context, c actor.Create) (actor.Info, error) {
	defer waits(ctx)()
	return r.Rooms.Create(ctx, c)
}

func (r waitingRooms) Match(ctx context.Context, m actor.Match) (actor.Info, error) {
	defer waits(ctx)()
	return r.Rooms.Match(ctx, m)
}

func (r waitingRooms) Info(ctx context.Context, id room.ID) (actor.Info, error) {
	defer waits(ctx)()
	return r.Rooms.Info(ctx, id)
}

func (r waitingRooms) Find(ctx context.Context, code string) (actor.Info, error) {
	defer waits(ctx)()
	return r.Rooms.Find(ctx, code)
}

func (r waitingRooms) List(ctx context.Context, f actor.Filter) (actor.Listing, error) {
	defer waits(ctx)()
	return r.Rooms.List(ctx, f)
}

// waitingRecords has no turn while the store is asked.
type waitingRecords struct{ Records }

func (r waitingRecords) Result(ctx context.Context, id room.ID) (record.StoredResult, error) {
	defer waits(ctx)()
	return r.Records.Result(ctx, id)
}

func (r waitingRecords) Replay(ctx context.Context, id room.ID) (record.StoredReplay, error) {
	defer waits(ctx)()
	return r.Records.Replay(ctx, id)
}

func (r waitingRecords) Player(ctx context.Context, id room.PlayerID, all bool) (record.Profile, error) {
	defer waits(ctx)()
	return r.Records.Player(ctx, id, all)
}

func (r waitingRecords) Leaderboard(ctx context.Context, game string, after record.BoardPlace, limit int) ([]record.Standing, error) {
	defer waits(ctx)()
	return r.Records.Leaderboard(ctx, game, after, limit)
}
