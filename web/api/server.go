// Package api is what players reach by HTTP: rooms, matchmaking, results, replays, leaderboards, guests, and the pages and the SDK.
package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"runtime"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/httpd"
	"github.com/roomring/roomring/web/internal/assets"
	"github.com/roomring/roomring/web/internal/rest"
	"github.com/roomring/roomring/web/limit"
	"github.com/roomring/roomring/web/metrics"
	"github.com/roomring/roomring/web/trust"
)

// openingRefused says of a game's refusal while a room is being made that the options are at fault.
func openingRefused(err error) error {
	if refused, ok := errors.AsType[*room.Refusal](err); ok {
		return rest.BadField("options", refused.Reason)
	}
	return err
}

// Rooms makes and finds rooms, here and, in a cluster, elsewhere. Errors are those of package actor.
type Rooms interface {
	Create(ctx context.Context, c actor.Create) (actor.Info, error)
	Match(ctx context.Context, m actor.Match) (actor.Info, error)
	// Info knows rooms that are over too, for as long as anybody remembers them: Phase and Final tell.
	Info(ctx context.Context, id room.ID) (actor.Info, error)
	Find(ctx context.Context, code string) (actor.Info, error) // a private room by its join code
	List(ctx context.Context, f actor.Filter) (actor.Listing, error)
}

// Records is what the store has of finished games.
type Records interface {
	Result(ctx context.Context, id room.ID) (record.StoredResult, error)
	Replay(ctx context.Context, id room.ID) (record.StoredReplay, error) // read by room.OpenReplay, while ctx lives
	// Player is a player's profile; only when all is set does it name rooms whose end is not for everybody.
	Player(ctx context.Context, id room.PlayerID, all bool) (record.Profile, error)
	// Leaderboard is the players of a game who have played enough rated games, behind a place, best first, at most limit of them.
	Leaderboard(ctx context.Context, game string, after record.BoardPlace, limit int) ([]record.Standing, error)
	// Pending reports whether a result waits here to be stored.
	Pending(id room.ID) bool
	// NotFound reports whether an error of the above says for certain that there is no such record.
	NotFound(err error) bool
}

// Reruns is the part of an [actor.BlackBox] that is told of replays which are run again.
type Reruns interface {
	BeginRerun(id room.ID, game string) actor.Step
}

// Options say what the public server serves, and for whom.
type Options struct {
	Rooms     Rooms
	Records   Records
	Auth      *auth.Authenticator
	Games     []room.Spec  // in the order of GET /v1/games
	Rules     *core.Games  // runs replays again for those who watch them; nil: only their logs can be had
	Black     Reruns       // told whenever a game runs for that; nil: nobody is
	Pages     fs.FS        // the files of pages, by their names; nil: there are none
	SDK       fs.FS        // the files under /sdk/; nil: there are none
	WebSocket http.Handler // serves GET /v1/rooms/{id}/ws; r.PathValue("id") is set

	// Unready returns why this node should not get traffic; nothing: it is ready. Nil: always ready. Clients hear whether
	// there is a reason, and none of them.
	Unready func() []string

	// PublicURL is the address players use, such as https://play.example.org or, behind a proxy that puts the server
	// under a path, https://example.org/games/ring; empty: the request's Host. Requests are served with the path and without.
	PublicURL string
	// AllowedOrigins are the origins whose pages may use the API, beside the server's own.
	AllowedOrigins trust.Origins
	// TrustedProxies are believed about the client's address and whether it speaks TLS.
	TrustedProxies trust.Proxies

	// Creates caps new rooms (create and matchmake together) an address; the zero value is 10 a second, 100 at once.
	Creates limit.Rate
	// Guests caps new guests an address; the zero value is 5 a second, 50 at once.
	Guests limit.Rate
	// Codes caps searches by join code an address, so that codes cannot be guessed; nil: as NewCodes has it. Give the
	// same to the sockets, or codes could be guessed there as fast again.
	Codes *limit.Addresses

	// Requests caps all requests of an address; the zero value is 100 a second, 1000 at once. An IPv6 /48 has four times as many.
	Requests limit.Rate
	// Refusals is how often an address hears of a limit; nil: as NewRefusals has it. It should be that of connections and sockets.
	Refusals *limit.Refusals

	// Makes caps how many rooms and seats are made at once, and MakesWaiting how many requests wait for that. Then those whose addresses
	// have asked the most get 503. 0 means 8 and 256.
	Makes, MakesWaiting int

	// ListRate caps lists of rooms an address; the zero value is 20 a second, 200 at once.
	ListRate limit.Rate
	// Lists caps how many lists are put together at once, here or from all nodes; more wait. 0 means 16.
	Lists int

	// ReplayRate caps replays an address; the zero value is 2 a second, 20 at once.
	ReplayRate limit.Rate
	// Replays caps how many replays are unpacked or run for watching at once; more wait, for the rest of the processors is for those
	// who play. 0 means half as many as there are processors, one at least. Watchers caps how many are
	// being read meanwhile: one more costs the reader who has taken nothing for longest, half a second at least. 0 means 32.
	Replays, Watchers int

	// BoardRate caps pages of leaderboards an address; the zero value is 10 a second, 100 at once.
	BoardRate limit.Rate
	// BoardCache is how long the first pages of a leaderboard are kept; 0 means 2 s, negative not at all.
	BoardCache time.Duration
	// BoardOffset is how many players a page may leave out at the top; 0 means 1000, negative none.
	BoardOffset int

	// Ratings are told to whoever asks for a leaderboard. It is the Records that go by them.
	Ratings Ratings

	// ReplayStall is how long a reader of a replay may take none of it, and ReplayPace how many bytes a second it must take on
	// the whole, beyond which it is cut off: others wait for its turn. 0 means 5 s and 16 KiB.
	ReplayStall time.Duration
	ReplayPace  int

	MaxBody        int64         // bytes of a request's body; 0 means 64 KiB
	RequestTimeout time.Duration // of what a request asks of rooms and store; 0 means 10 s. WebSockets have none.

	Metrics *metrics.Metrics // counts requests; nil: they are not counted
	Log     *slog.Logger     // nil: nothing is logged
	Now     func() time.Time // for the limiters; nil means time.Now
}

func (o *Options) complete() error {
	if o.Rooms == nil || o.Records == nil || o.Auth == nil || o.WebSocket == nil {
		return errors.New("the server needs Rooms, Records, Auth and WebSocket")
	}
	if o.Unready == nil {
		o.Unready = func() []string { return nil }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Creates = cmp.Or(o.Creates, limit.Rate{PerSecond: 10, Burst: 100})
	o.Guests = cmp.Or(o.Guests, limit.Rate{PerSecond: 5, Burst: 50})
	o.Requests = cmp.Or(o.Requests, limit.Rate{PerSecond: 100, Burst: 1000})
	o.Makes = cmp.Or(o.Makes, 8)
	o.MakesWaiting = cmp.Or(o.MakesWaiting, 256)
	o.ListRate = cmp.Or(o.ListRate, limit.Rate{PerSecond: 20, Burst: 200})
	o.Lists = cmp.Or(o.Lists, 16)
	o.ReplayRate = cmp.Or(o.ReplayRate, limit.Rate{PerSecond: 2, Burst: 20})
	o.Replays = cmp.Or(o.Replays, max(runtime.GOMAXPROCS(0)/2, 1))
	o.Watchers = cmp.Or(o.Watchers, 32)
	o.BoardRate = cmp.Or(o.BoardRate, limit.Rate{PerSecond: 10, Burst: 100})
	o.BoardCache = cmp.Or(o.BoardCache, 2*time.Second)
	o.BoardOffset = cmp.Or(o.BoardOffset, 1000)
	o.ReplayStall = cmp.Or(o.ReplayStall, 5*time.Second)
	o.ReplayPace = cmp.Or(o.ReplayPace, 16<<10)
	if o.Codes == nil {
		o.Codes = limit.NewCodes(limit.Rate{})
	}
	if o.Refusals == nil {
		o.Refusals = limit.NewRefusals(limit.Rate{})
	}
	o.Rooms, o.Records = waitingRooms{o.Rooms}, waitingRecords{o.Records}
	o.MaxBody = cmp.Or(o.MaxBody, 64<<10)
	o.RequestTimeout = cmp.Or(o.RequestTimeout, 10*time.Second)
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	return nil
}

// Server is the public HTTP handler.
type Server struct {
	opts                   Options
	public                 *PublicURL // nil: the request's Host
	games                  map[string]room.Spec
	creates, guests, codes *limit.Addresses
	replayRate             *limit.Addresses
	listRate               *limit.Addresses
	requests, networks     *limit.Addresses
	makes                  *lane
	asked                  *limit.Addresses // refuses nobody: who has asked for how many rooms and seats lately
	lists                  chan struct{}    // holds one for each list that is put together
	boardRate              *limit.Addresses
	boards                 *boards
	turned                 *limit.Log
	watching               *places // of readers of replays
	pages, sdk             assets.Files
	handler                http.Handler
}

// New checks the options and lays out the routes. The error says which option is wrong.
func New(opts Options) (*Server, error) {
	if err := opts.complete(); err != nil {
		return nil, err
	}
	s := &Server{
		opts:       opts,
		games:      map[string]room.Spec{},
		creates:    limit.NewAddresses("--rooms-per-second", opts.Creates, limit.MaxAddresses),
		guests:     limit.NewAddresses("--guests-per-second", opts.Guests, limit.MaxAddresses),
		codes:      opts.Codes,
		replayRate: limit.NewAddresses("--replays-per-second", opts.ReplayRate, limit.MaxAddresses),
		listRate:   limit.NewAddresses("--lists-per-second", opts.ListRate, limit.MaxAddresses),
		requests:   limit.NewAddresses("--requests-per-second", opts.Requests, limit.MaxAddresses),
		networks:   limit.NewAddresses("--requests-per-second", opts.Requests.Times(wideRequests), limit.MaxAddresses),
		asked:      limit.NewAddresses("", limit.Rate{PerSecond: 0.1, Burst: 1 << 20}, limit.MaxAddresses),
		makes:      &lane{most: opts.Makes, line: opts.MakesWaiting},
		lists:      make(chan struct{}, opts.Lists),
		boardRate:  limit.NewAddresses("--leaderboards-per-second", opts.BoardRate, limit.MaxAddresses),
		boards:     newBoards(opts),
		watching:   newPlaces(opts.Watchers, opts.Replays),
		turned:     limit.NewLog(opts.Log),
	}
	for _, spec := range opts.Games {
		s.games[spec.Name] = spec
	}
	if opts.PublicURL != "" {
		u, err := ParsePublicURL(opts.PublicURL)
		if err != nil {
			return nil, fmt.Errorf("public URL %q: %w", opts.PublicURL, err)
		}
		s.public = &u
	}
	var err error
	if s.pages, err = assets.Read(opts.Pages); err != nil {
		return nil, fmt.Errorf("the pages: %w", err)
	}
	if s.sdk, err = assets.Read(opts.SDK); err != nil {
		return nil, fmt.Errorf("the SDK: %w", err)
	}
	shared := rest.NewSharing(opts.AllowedOrigins, opts.Log)
	mux := rest.NewMux(s.routes(), rest.Routing{Log: opts.Log, Metrics: opts.Metrics, Timeout: opts.RequestTimeout, Unknown: s.unknownPage})
	s.handler = rest.Secured(shared.Wrap(beneath(s.prefix(), mux)))
	return s, nil
}

// prefix is the path that a proxy puts the server under.
func (s *Server) prefix() string {
	if s.public == nil {
		return ""
	}
	return s.public.Path
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.heard(w, r) {
		s.handler.ServeHTTP(w, r)
	}
}

// wideRequests is how many times as many requests an IPv6 /48 may send as an address in it.
const wideRequests = 4

// heard reports whether a request is to be answered as it deserves. Nothing has been read of it but its head.
func (s *Server) heard(w http.ResponseWriter, r *http.Request) bool {
	from, now, direct := s.opts.TrustedProxies.Client(r), s.opts.Now(), trust.Peer(r)
	if s.opts.TrustedProxies.Trusts(from) {
		return true // a proxy of ours, which asks how this node is
	}
	if s.opts.Refusals.Deaf(from, now) {
		s.turned.Refused(s.opts.Refusals.Setting, from, now)
		curt(w, !s.opts.TrustedProxies.Trusts(direct))
		return false
	}
	err := s.spendAt(s.requests, from, now)
	if wide := limit.Network(from); err == nil && wide.IsValid() {
		err = s.spendAt(s.networks, wide, now)
	}
	if err != nil {
		rest.ProblemOf(err).Write(w)
	}
	return err == nil
}

// routes are all that the public server serves; docs/openapi.yaml lists the same.
func (s *Server) routes() []rest.Route {
	return []rest.Route{
		{Method: "GET", Path: "/v1/games", Handle: s.getGames},
		{Method: "POST", Path: "/v1/rooms", Handle: s.postRoom},
		{Method: "GET", Path: "/v1/rooms", Handle: s.getRooms},
		{Method: "GET", Path: "/v1/rooms/{id}", Handle: s.getRoom},
		{Method: "GET", Path: "/v1/rooms/{id}/ws", Raw: s.opts.WebSocket},
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
		defer httpd.Waiting(r.Context())() // for keys to be fetched
		return s.opts.Auth.Check(r.Context(), token)
	case needed:
		return auth.Identity{}, fmt.Errorf("%w: send a token as Authorization: Bearer …", auth.ErrUnauthorised)
	}
	return auth.Identity{}, nil
}

// from is what the limits take a request's address for.
func (s *Server) from(r *http.Request) netip.Addr { return limit.Key(s.opts.TrustedProxies.Client(r)) }

// bounds are the limits that the rooms keep to, and the settings that they come from.
var bounds = []struct {
	err     error
	setting string
}{
	{actor.ErrUnclaimed, "--unclaimed-seats"},
	{actor.ErrShare, "--room-share"},
}

// notMade is why there is no room or seat for a request. The log names the setting where that is a limit of the address.
func (s *Server) notMade(r *http.Request, err error) error {
	for _, b := range bounds {
		if errors.Is(err, b.err) {
			from, now := s.opts.TrustedProxies.Client(r), s.opts.Now()
			s.turned.Refused(b.setting, from, now)
			s.opts.Refusals.Refused(from, now)
		}
	}
	return openingRefused(err)
}

// merit is for how much a request for a room or a seat counts in the line for those. The error is of who would be sent away from it, and
// says so before the request's body is looked at.
func (s *Server) merit(r *http.Request) (float64, error) {
	if err := s.spend(s.creates, r); err != nil {
		return 0, err
	}
	from, now := s.opts.TrustedProxies.Client(r), s.opts.Now()
	who := from
	if wide := limit.Network(from); wide.IsValid() {
		who = wide
	}
	s.asked.Take(who, now)
	merit := s.asked.Left(who, now)
	if s.makes.hopeless(merit) {
		return 0, s.busy(r)
	}
	return merit, nil
}

// busyPause is how long a crowd waits to hear that it is one, more or less, lest it comes again as one: the answer is the cheaper the
// less often it is asked for.
const busyPause = time.Second

// busy is what somebody hears who is sent away from a line.
func (s *Server) busy(r *http.Request) error {
	defer httpd.Waiting(r.Context())()
	s.opts.Refusals.Refused(s.opts.TrustedProxies.Client(r), s.opts.Now())
	select {
	case <-time.After(busyPause/2 + rand.N(busyPause)):
	case <-r.Context().Done():
	}
	return errBusy
}

// inLine has a room or a seat made when it is the request's turn for that.
func (s *Server) inLine(r *http.Request, merit float64, create func(context.Context) (actor.Info, error)) (actor.Info, error) {
	defer httpd.Waiting(r.Context())()
	if err := s.makes.enter(r.Context(), merit); err != nil {
		return actor.Info{}, s.busy(r)
	}
	defer s.makes.leave()
	return create(r.Context())
}

// spend takes from a limiter what the request's address has left in it. When that is nothing, the log names the setting.
func (s *Server) spend(l *limit.Addresses, r *http.Request) error {
	return s.spendAt(l, s.opts.TrustedProxies.Client(r), s.opts.Now())
}

func (s *Server) spendAt(l *limit.Addresses, from netip.Addr, now time.Time) error {
	wait, ok := l.Take(from, now)
	if ok {
		return nil
	}
	s.turned.Refused(l.Setting, from, now)
	s.opts.Refusals.Refused(from, now)
	p := rest.NewProblem(http.StatusTooManyRequests, "too-many", "Too many requests of this kind from your address: retry later.")
	p.Retry = cmp.Or(wait, time.Second)
	return p
}
