// Package admin is what the operator reaches by HTTP: the admin API, its streams, the page, metrics and profiles.
package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/timeline"
	"github.com/roomring/roomring/web/internal/assets"
	"github.com/roomring/roomring/web/internal/rest"
	"github.com/roomring/roomring/web/metrics"
)

// Rooms is what the operator may do with rooms. Errors are those of package actor.
type Rooms interface {
	List(ctx context.Context, f actor.Filter) (actor.Listing, error)
	Inspect(ctx context.Context, id room.ID, look actor.Look) (actor.Inspection, error)
	// Close ends a room for good; its players hear the reason.
	Close(ctx context.Context, id room.ID, reason string) error
	// Kick takes a player's seat away.
	Kick(ctx context.Context, id room.ID, player room.PlayerID) error
	// Signal sends a game a signal; the error is a *room.Refusal when the game refuses it.
	Signal(ctx context.Context, id room.ID, name string, data []byte) error
	// ActFor acts for a player who has a seat. The error is a *room.Refusal when the game, or the room's node, refuses it.
	ActFor(ctx context.Context, id room.ID, player room.PlayerID, action json.RawMessage) error
	// Watch calls each with what happens in a room, until the room ends or moves. See actor.Directory.
	Watch(ctx context.Context, id room.ID, each func(actor.RoomEvent) error) error
}

// Options say what the operator is shown.
type Options struct {
	Rooms   Rooms
	Cluster Cluster
	Aside   Aside   // nil: no room is ever set aside
	Records Records // nil: no game is ever finished
	Outbox  Outbox  // nil: no events are kept
	Players Players // nil: nobody can be forgotten
	Forks   Forks   // nil: no room is forked

	Timelines *timeline.Timelines // nil: no logs are shown
	// DevTools let the operator act for players. They are for machines on which games are written.
	DevTools bool

	Games []room.Spec
	Pages fs.FS // the files of the built-in pages, by their names; nil: there are none
	// OwnPages are files of the program's own, over and beside those: tables of games that the page shows. Nil: there are none.
	OwnPages fs.FS
	SDK      fs.FS            // what such tables may import; nil: nothing
	Metrics  *metrics.Metrics // nil: /metrics is empty

	// Unready returns why this node should not get traffic, for GET /readyz. Nil: always ready.
	Unready func() []string

	// Token, when not empty, must come with every request as Authorization: Bearer. Set it when the listener is not on loopback.
	Token string
	// Named reports whether requests may call this server by a name, beside localhost and IP addresses. Others are turned away, so
	// that a page whose name was pointed at this address (DNS rebinding) reaches nothing. Nil: no name is good.
	Named func(name string) bool

	MaxBody        int64         // bytes of a request's body; 0 means 1 MiB
	RequestTimeout time.Duration // 0 means 10 s; profiles and streams have none
	EventBeat      time.Duration // silence in a stream of events after which a comment keeps it alive; 0 means 15 s
	Streams        int           // open at once; more get 503. 0 means 64
	Log            *slog.Logger  // told of every action; nil: nothing is logged
}

// handler is the admin server.
type handler struct {
	opts    Options
	games   map[string]room.Spec
	pages   *assets.Site
	sdk     assets.Files
	streams chan struct{} // a semaphore of open streams
}

// Handler serves the operator: the page, the admin API, /readyz with reasons, /metrics and /debug/pprof/. It belongs on a listener of
// its own. The error says which option is wrong.
func Handler(opts Options) (http.Handler, error) {
	if opts.Rooms == nil || opts.Cluster == nil {
		return nil, errors.New("the admin server needs Rooms and Cluster")
	}
	opts.MaxBody = cmp.Or(opts.MaxBody, 1<<20)
	opts.RequestTimeout = cmp.Or(opts.RequestTimeout, 10*time.Second)
	opts.EventBeat = cmp.Or(opts.EventBeat, 15*time.Second)
	opts.Streams = cmp.Or(opts.Streams, 64)
	if opts.Aside == nil {
		opts.Aside = noneAside{}
	}
	opts.Log = cmp.Or(opts.Log, slog.New(slog.DiscardHandler))
	if opts.Named == nil {
		opts.Named = func(string) bool { return false }
	}
	if opts.Unready == nil {
		opts.Unready = func() []string { return nil }
	}
	if opts.Metrics == nil {
		opts.Metrics = metrics.New()
	}
	pages, err := assets.ReadSite(opts.Pages, opts.OwnPages)
	if err != nil {
		return nil, fmt.Errorf("the pages: %w", err)
	}
	sdk, err := assets.Read(opts.SDK)
	if err != nil {
		return nil, fmt.Errorf("the SDK: %w", err)
	}
	a := &handler{opts: opts, games: map[string]room.Spec{}, pages: pages, sdk: sdk, streams: make(chan struct{}, opts.Streams)}
	for _, spec := range opts.Games {
		a.games[spec.Name] = spec
	}
	common := rest.MuxOptions{Log: opts.Log, Metrics: opts.Metrics, Timeout: opts.RequestTimeout}
	common.Unknown = a.ownFiles(common.Handler(rest.Route{Method: "GET", Path: "/{file}", Handle: a.pages.File(assets.Self)}))
	mux := rest.NewMux(a.routes(), common)
	return rest.SecurityHeaders(a.checkHost(a.checkToken(rest.CORS(nil, nil, mux)))), nil
}

// routes are all that the admin server serves; docs/openapi.yaml lists the same.
func (a *handler) routes() []rest.Route {
	return []rest.Route{
		{Method: "GET", Path: "/admin/v1/nodes", Handle: a.getNodes},
		{Method: "GET", Path: "/admin/v1/nodes/{name}/loss", Handle: a.getLoss},
		{Method: "GET", Path: "/admin/v1/dev", Handle: getDev},
		{Method: "GET", Path: "/admin/v1/ring", Handle: a.getRing},
		{Method: "POST", Path: "/admin/v1/drain", Handle: a.postDrain},
		{Method: "POST", Path: "/admin/v1/forget", Handle: a.postForget},
		{Method: "POST", Path: "/admin/v1/rebalance", Handle: a.postRebalance},
		{Method: "GET", Path: "/admin/v1/rooms", Handle: a.getRooms},
		{Method: "GET", Path: "/admin/v1/rooms/{id}", Handle: a.getRoom},
		{Method: "GET", Path: "/admin/v1/rooms/{id}/events", Handle: a.getEvents, Stream: true},
		{Method: "POST", Path: "/admin/v1/rooms/{id}/close", Handle: a.postClose},
		{Method: "POST", Path: "/admin/v1/rooms/{id}/kick", Handle: a.postKick},
		{Method: "POST", Path: "/admin/v1/rooms/{id}/signal", Handle: a.postSignal},
		{Method: "GET", Path: "/admin/v1/rooms/{id}/log", Handle: a.getLog},
		{Method: "GET", Path: "/admin/v1/rooms/{id}/log.replay", Handle: a.getLogReplay},
		{Method: "GET", Path: "/admin/v1/rooms/{id}/at/{index}", Handle: a.getMoment},
		{Method: "POST", Path: "/admin/v1/rooms/{id}/fork", Handle: a.postFork},
		{Method: "POST", Path: "/admin/v1/rooms/{id}/act", Handle: a.postAct},
		{Method: "GET", Path: "/admin/v1/players/{id}", Handle: a.getPlayer, Stream: true},
		{Method: "POST", Path: "/admin/v1/players/{id}/forget", Handle: a.postForgetPlayer, Stream: true},
		{Method: "GET", Path: "/admin/v1/results/{room}", Handle: a.getResult},
		{Method: "GET", Path: "/admin/v1/replays/{room}", Handle: a.getReplay},
		{Method: "GET", Path: "/admin/v1/set-aside", Handle: a.getAsides},
		{Method: "GET", Path: "/admin/v1/set-aside/{node}/{key}", Handle: a.getAside},
		{Method: "POST", Path: "/admin/v1/set-aside/{node}/{key}/restore", Handle: a.postReopen},
		{Method: "GET", Path: "/admin/v1/outbox", Handle: a.getOutbox},
		{Method: "POST", Path: "/admin/v1/outbox/{id}/replay", Handle: a.postReplayEvent},
		{Method: "GET", Path: "/admin/{$}", Handle: a.pages.Page("admin.html", assets.Self)},
		{Method: "GET", Path: "/admin/inspect/{id}", Handle: a.pages.Page("inspect.html", assets.Self)},
		{Method: "GET", Path: "/assets/{file}", Handle: a.pages.Part},
		{Method: "GET", Path: "/sdk/{file}", Handle: a.sdk.Part},
		{Method: "GET", Path: "/readyz", Handle: a.getReady},
		{Method: "GET", Path: "/metrics", Raw: a.opts.Metrics.Handler()},
		{Method: "GET", Path: "/debug/pprof/{$}", Raw: http.HandlerFunc(pprof.Index)},
		{Method: "GET", Path: "/debug/pprof/{profile}", Raw: http.HandlerFunc(profile)},
	}
}

// profile serves the profiles of net/http/pprof. Of the command line it serves the program alone: flags may hold the password
// of a store.
func profile(w http.ResponseWriter, r *http.Request) {
	switch name := r.PathValue("profile"); name {
	case "profile":
		pprof.Profile(w, r)
	case "trace":
		pprof.Trace(w, r)
	case "symbol":
		pprof.Symbol(w, r)
	case "cmdline":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprint(w, os.Args[0])
	default:
		if !slices.Contains(profiles, name) {
			rest.NotFound("There is no such profile: GET /debug/pprof/ lists them.").Write(w)
			return
		}
		pprof.Handler(name).ServeHTTP(w, r)
	}
}

var profiles = []string{"allocs", "block", "goroutine", "heap", "mutex", "threadcreate"}

// getReady also tells the operator the reasons.
func (a *handler) getReady(w http.ResponseWriter, _ *http.Request) error {
	if reasons := a.opts.Unready(); len(reasons) > 0 {
		p := rest.RetryLater("unready", "This node should not get traffic: "+strings.Join(reasons, "; ")+".", 0)
		p.Reasons = reasons
		return p
	}
	rest.WriteJSON(w, http.StatusOK, map[string]string{"status": "ready"})
	return nil
}
