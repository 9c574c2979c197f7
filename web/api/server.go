// Package api is what players reach by HTTP: rooms, matchmaking, results, replays, leaderboards, guests, and the pages and the SDK.
package api

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/httpd"
	"github.com/roomring/roomring/web/internal/assets"
	"github.com/roomring/roomring/web/internal/rest"
	"github.com/roomring/roomring/web/limit"
)

// Server is the public HTTP handler. It may be used by many goroutines.
type Server struct {
	opts     Options
	public   *PublicURL // nil: the request's Host
	games    map[string]room.Spec
	limits   *limits
	making   making
	lists    chan struct{} // a semaphore of the lists that are put together
	boards   *boards
	readers  *readers // of replays
	pages    *assets.Site
	sdk      assets.Files
	advisors map[string]bool // games that say what is legal
	schemas  schemas
	handler  http.Handler
}

// New checks the options and lays out the routes. The error says which option is wrong.
func New(opts Options) (*Server, error) {
	if err := opts.complete(); err != nil {
		return nil, err
	}
	s := &Server{
		opts: opts, games: map[string]room.Spec{}, limits: newLimits(opts), making: newMaking(opts),
		lists: make(chan struct{}, opts.Lists), boards: newBoards(opts), readers: newReaders(opts.Watchers, opts.Replays), advisors: advisors(opts.Rules),
		schemas: newSchemas(opts.Rules),
	}
	for _, spec := range opts.Games {
		s.games[spec.Name] = spec
	}
	prefix := ""
	if opts.PublicURL != "" {
		u, err := ParsePublicURL(opts.PublicURL)
		if err != nil {
			return nil, fmt.Errorf("public URL %q: %w", opts.PublicURL, err)
		}
		s.public, prefix = &u, u.Path
	}
	var err error
	if s.pages, err = assets.ReadSite(opts.Pages, opts.OwnPages); err != nil {
		return nil, fmt.Errorf("the pages: %w", err)
	}
	if s.sdk, err = assets.Read(opts.SDK); err != nil {
		return nil, fmt.Errorf("the SDK: %w", err)
	}
	if names := s.pages.Unreachable(s.taken()); len(names) > 0 {
		opts.Log.Warn("some of the pages' files can never be asked for, because the server has these names itself: rename them", "names", strings.Join(names, ", "))
	}
	common := rest.MuxOptions{Log: opts.Log, Metrics: opts.Metrics, Timeout: opts.RequestTimeout}
	common.Unknown = s.ownFiles(common.Handler(rest.Route{Method: "GET", Path: "/{file}", Handle: s.pages.File(s.reach())}))
	mux := rest.NewMux(s.routes(), common)
	s.handler = rest.SecurityHeaders(rest.CORS(opts.AllowedOrigins, opts.Log, underPrefix(prefix, mux)))
	return s, nil
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.limits.admit(w, r) {
		return
	}
	if r.URL.Path == "" { // http.StripPrefix has left nothing: without a slash relative links would lead out of the prefix
		to := url.URL{Path: mounted(r) + "/", RawQuery: r.URL.RawQuery}
		http.Redirect(w, r, to.String(), http.StatusPermanentRedirect)
		return
	}
	s.handler.ServeHTTP(w, r)
}

// routes are all that the public server serves; docs/openapi.yaml lists the same.
func (s *Server) routes() []rest.Route {
	return []rest.Route{
		{Method: "GET", Path: "/v1/games", Handle: s.getGames},
		{Method: "GET", Path: "/v1/games/{game}/schema", Handle: s.getSchema},
		{Method: "POST", Path: "/v1/rooms", Handle: s.postRoom},
		{Method: "GET", Path: "/v1/rooms", Handle: s.getRooms},
		{Method: "GET", Path: "/v1/rooms/{id}", Handle: s.getRoom},
		{Method: "GET", Path: "/v1/rooms/{id}/ws", Raw: s.opts.WebSocket},
		{Method: "GET", Path: "/v1/rooms/{id}/legal", Handle: s.getLegal},
		{Method: "POST", Path: "/v1/matchmake", Handle: s.postMatch},
		{Method: "POST", Path: "/v1/guest", Handle: s.postGuest},
		{Method: "GET", Path: "/v1/results/{room}", Handle: s.getResult},
		{Method: "GET", Path: "/v1/replays/{room}", Handle: s.getReplay},
		{Method: "GET", Path: "/v1/players/{id}", Handle: s.getPlayer},
		{Method: "GET", Path: "/v1/leaderboards/{game}", Handle: s.getLeaderboard},
		{Method: "GET", Path: "/sdk/{file}", Handle: s.getSDK},
		{Method: "GET", Path: "/livez", Handle: getLive},
		{Method: "GET", Path: "/readyz", Handle: s.getReady},
		{Method: "GET", Path: "/{$}", Handle: s.page("index.html")},
		{Method: "GET", Path: "/lobby", Handle: s.pages.BuiltIn("index.html", s.reach())},
		{Method: "GET", Path: "/play/{id}", Handle: s.page("play.html")},
		{Method: "GET", Path: "/results/{id}", Handle: s.page("results.html")},
		{Method: "GET", Path: "/players/{id}", Handle: s.page("player.html")},
		{Method: "GET", Path: "/leaderboards/{game}", Handle: s.page("leaderboard.html")},
		{Method: "GET", Path: "/assets/{file}", Handle: s.pages.Part},
	}
}

// identify checks the request's token. Without one the identity is empty, which is an error when needed is set.
func (s *Server) identify(r *http.Request, needed bool) (auth.Identity, error) {
	token, err := auth.Bearer(r)
	switch {
	case err != nil:
		return auth.Identity{}, err
	case token != "":
		defer httpd.Waiting(r.Context())() // keys may have to be fetched
		return s.opts.Auth.Check(r.Context(), token)
	case needed:
		return auth.Identity{}, fmt.Errorf("%w: send a token as Authorization: Bearer …", auth.ErrUnauthorised)
	}
	return auth.Identity{}, nil
}

// from is what the request's address counts as.
func (s *Server) from(r *http.Request) netip.Addr { return limit.Key(s.limits.proxies.Client(r)) }
