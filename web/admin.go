package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
)

// AdminRooms is what the operator may do with rooms. Errors are those of package actor.
type AdminRooms interface {
	List(ctx context.Context, f actor.Filter) (actor.Listing, error)
	Inspect(ctx context.Context, id room.ID, look actor.Look) (actor.Inspection, error)
	// Close ends a room for good; its players hear the reason.
	Close(ctx context.Context, id room.ID, reason string) error
	// Kick takes a player's seat away.
	Kick(ctx context.Context, id room.ID, player room.PlayerID) error
	// Signal hands a game a signal; the error is a *room.Refusal if it does not take it.
	Signal(ctx context.Context, id room.ID, name string, data []byte) error
	// Watch tells each what happens in a room until the room ends or moves. See actor.Directory.
	Watch(ctx context.Context, id room.ID, each func(actor.RoomEvent) error) error
}

// AdminOptions say what the operator is shown.
type AdminOptions struct {
	Rooms   AdminRooms
	Cluster AdminCluster
	Aside   AdminAside   // nil: no room is ever set aside
	Records Records      // nil: no game is ever finished
	Players AdminPlayers // nil: nobody can be forgotten
	Games   []room.Spec
	Metrics *Metrics // nil: /metrics is empty

	// Unready returns why this node should not get traffic, for GET /readyz. Nil: always ready.
	Unready func() []string

	// Token, when not empty, must come with every request as Authorization: Bearer. It is needed as soon as
	// the listener is not on loopback; who opens the listener sees to that.
	Token string
	// Named reports whether a name, beside localhost and IP addresses, is one that requests may call this server by. By others
	// they are turned away, so that a page whose name was pointed at this address (DNS rebinding) reaches nothing. Nil: none is.
	Named func(name string) bool

	MaxBody        int64         // bytes of a request's body; 0 means 1 MiB
	RequestTimeout time.Duration // 0 means 10 s; profiles and streams have none
	EventBeat      time.Duration // silence in a stream of events before a comment keeps it alive; 0 means 15 s
	Streams        int           // of events open at once; more are refused with 503. 0 means 64
	Log            *slog.Logger  // hears of every action taken; nil: nothing is logged
}

type admin struct {
	opts    AdminOptions
	games   map[string]room.Spec
	streams chan struct{} // holds one for each stream of events
}

// AdminHandler serves the operator: the page, the admin API, /readyz with reasons, /metrics and /debug/pprof/. It belongs on a listener of its own.
func AdminHandler(opts AdminOptions) (http.Handler, error) {
	if opts.Rooms == nil || opts.Cluster == nil {
		return nil, errors.New("the admin server needs Rooms and Cluster")
	}
	setDefault(&opts.MaxBody, 1<<20)
	setDefault(&opts.RequestTimeout, 10*time.Second)
	setDefault(&opts.EventBeat, 15*time.Second)
	setDefault(&opts.Streams, 64)
	if opts.Aside == nil {
		opts.Aside = noneAside{}
	}
	setDefault(&opts.Log, slog.New(slog.DiscardHandler))
	if opts.Named == nil {
		opts.Named = func(string) bool { return false }
	}
	if opts.Unready == nil {
		opts.Unready = func() []string { return nil }
	}
	if opts.Metrics == nil {
		opts.Metrics = NewMetrics()
	}
	a := &admin{opts: opts, games: map[string]room.Spec{}, streams: make(chan struct{}, opts.Streams)}
	for _, spec := range opts.Games {
		a.games[spec.Name] = spec
	}
	own := newSharing(nil, nil)
	mux := newMux(a.routes(), routing{log: opts.Log, metrics: opts.Metrics, timeout: opts.RequestTimeout, unknown: unknownPath})
	return secured(a.named(a.authorised(own.wrap(mux)))), nil
}

// routes are all that the admin server serves; docs/openapi.yaml lists the same.
func (a *admin) routes() []route {
	return []route{
		{method: "GET", path: "/admin/v1/nodes", handle: a.getNodes},
		{method: "GET", path: "/admin/v1/dev", handle: getDev},
		{method: "GET", path: "/admin/v1/ring", handle: a.getRing},
		{method: "POST", path: "/admin/v1/drain", handle: a.postDrain},
		{method: "POST", path: "/admin/v1/forget", handle: a.postForget},
		{method: "GET", path: "/admin/v1/rooms", handle: a.getRooms},
		{method: "GET", path: "/admin/v1/rooms/{id}", handle: a.getRoom},
		{method: "GET", path: "/admin/v1/rooms/{id}/events", handle: a.getEvents, stream: true},
		{method: "POST", path: "/admin/v1/rooms/{id}/close", handle: a.postClose},
		{method: "POST", path: "/admin/v1/rooms/{id}/kick", handle: a.postKick},
		{method: "POST", path: "/admin/v1/rooms/{id}/signal", handle: a.postSignal},
		{method: "GET", path: "/admin/v1/players/{id}", handle: a.getPlayer, stream: true},
		{method: "POST", path: "/admin/v1/players/{id}/forget", handle: a.postForgetPlayer, stream: true},
		{method: "GET", path: "/admin/v1/results/{room}", handle: a.getResult},
		{method: "GET", path: "/admin/v1/replays/{room}", handle: a.getReplay},
		{method: "GET", path: "/admin/v1/set-aside", handle: a.getAsides},
		{method: "GET", path: "/admin/v1/set-aside/{node}/{key}", handle: a.getAside},
		{method: "POST", path: "/admin/v1/set-aside/{node}/{key}/restore", handle: a.postReopen},
		{method: "GET", path: "/admin/{$}", handle: servePage("admin.html", reachSelf)},
		{method: "GET", path: "/assets/{file}", handle: getAsset},
		{method: "GET", path: "/readyz", handle: a.getReady},
		{method: "GET", path: "/metrics", raw: a.opts.Metrics.Handler()},
		{method: "GET", path: "/debug/pprof/{$}", raw: http.HandlerFunc(pprof.Index)},
		{method: "GET", path: "/debug/pprof/{profile}", raw: http.HandlerFunc(profile)},
	}
}

// profile serves what net/http/pprof has: three makers of profiles and the runtime's named ones. Of the command line it
// serves the program alone, for the flags may hold the password of a store.
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
			notFound("There is no such profile: GET /debug/pprof/ lists them.").write(w)
			return
		}
		pprof.Handler(name).ServeHTTP(w, r)
	}
}

var profiles = []string{"allocs", "block", "goroutine", "heap", "mutex", "threadcreate"}

// named turns away requests that call this server by a name it does not have.
func (a *admin) named(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.knowsHost(r.Host) {
			problem(http.StatusMisdirectedRequest, "wrong-host", "The admin server answers to localhost, IP addresses and the names in its certificate alone.").write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *admin) knowsHost(host string) bool {
	return LocalHost(host) || a.opts.Named(hostName(host))
}

// LocalHost reports whether a request's Host is localhost or an IP address. Any other name may have been pointed at this
// address by a stranger, whose page would then reach it (DNS rebinding).
func LocalHost(host string) bool {
	name := hostName(host)
	_, err := netip.ParseAddr(name)
	return err == nil || name == "localhost"
}

// hostName is a Host without its port.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

func (a *admin) authorised(next http.Handler) http.Handler {
	if a.opts.Token == "" {
		return next
	}
	want := sha256.Sum256([]byte(a.opts.Token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isPage(r) { // it says nothing, and asks for the token itself
			next.ServeHTTP(w, r)
			return
		}
		token, err := bearer(r)
		got := sha256.Sum256([]byte(token))
		if err != nil || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			problem(http.StatusUnauthorized, "unauthorised", "Send the admin token as Authorization: Bearer …").write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isPage reports whether a request is for the operator's page or a file it is made of.
func isPage(r *http.Request) bool {
	return r.URL.Path == "/admin/" || strings.HasPrefix(r.URL.Path, "/assets/") && path.Clean(r.URL.Path) == r.URL.Path
}
