package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
)

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

// ServerOptions say what the public server serves, and for whom.
type ServerOptions struct {
	Rooms     Rooms
	Records   Records
	Auth      *Auth
	Games     []room.Spec  // in the order of GET /v1/games
	Rules     *core.Games  // runs replays again for those who watch them; nil: only their logs can be had
	Black     Reruns       // told whenever a game runs for that; nil: nobody is
	WebSocket http.Handler // serves GET /v1/rooms/{id}/ws; r.PathValue("id") is set

	// Unready returns why this node should not get traffic; nothing: it is ready. Nil: always ready. Clients hear whether
	// there is a reason, and none of them.
	Unready func() []string

	// PublicURL is the address players use, such as https://play.example.org or, behind a proxy that puts the server
	// under a path, https://example.org/games/ring; empty: the request's Host. Requests are served with the path and without.
	PublicURL string
	// AllowedOrigins are the origins whose pages may use the API, beside the server's own.
	AllowedOrigins Origins
	// TrustedProxies are believed about the client's address and whether it speaks TLS.
	TrustedProxies Proxies

	// Creates caps new rooms (create and matchmake together) an address; the zero value is 10 a second, 100 at once.
	Creates Rate
	// Guests caps new guests an address; the zero value is 5 a second, 50 at once.
	Guests Rate
	// Codes caps searches by join code an address, so that codes cannot be guessed; nil: as NewCodeLimit has it. Give the
	// same to the sockets, or codes could be guessed there as fast again.
	Codes *CodeLimit

	// Requests caps all requests of an address; the zero value is 100 a second, 1000 at once. An IPv6 /48 has four times as many.
	Requests Rate
	// Refusals is how often an address hears of a limit; nil: as NewRefusals has it. It should be that of connections and sockets.
	Refusals *Refusals

	// Makes caps how many rooms and seats are made at once, and MakesWaiting how many requests wait for that. Then those whose addresses
	// have asked the most get 503. 0 means 8 and 256.
	Makes, MakesWaiting int

	// ListRate caps lists of rooms an address; the zero value is 20 a second, 200 at once.
	ListRate Rate
	// Lists caps how many lists are put together at once, here or from all nodes; more wait. 0 means 16.
	Lists int

	// ReplayRate caps replays an address; the zero value is 2 a second, 20 at once.
	ReplayRate Rate
	// Replays caps how many replays are unpacked or run for watching at once; more wait, for the rest of the processors is for those
	// who play. 0 means half as many as there are processors, one at least. Watchers caps how many are
	// being read meanwhile: one more costs the reader who has taken nothing for longest, half a second at least. 0 means 32.
	Replays, Watchers int

	// BoardRate caps pages of leaderboards an address; the zero value is 10 a second, 100 at once.
	BoardRate Rate
	// BoardCache is how long the first pages of a leaderboard are kept; 0 means 2 s, negative not at all.
	BoardCache time.Duration
	// BoardOffset is how many players a page may leave out at the top; 0 means 1000, negative none.
	BoardOffset int

	// Ratings are told to whoever asks for a leaderboard. It is the Records that go by them.
	Ratings RatingRules

	// ReplayStall is how long a reader of a replay may take none of it, and ReplayPace how many bytes a second it must take on
	// the whole, beyond which it is cut off: others wait for its turn. 0 means 5 s and 16 KiB.
	ReplayStall time.Duration
	ReplayPace  int

	MaxBody        int64         // bytes of a request's body; 0 means 64 KiB
	RequestTimeout time.Duration // of what a request asks of rooms and store; 0 means 10 s. WebSockets have none.

	Metrics *Metrics         // counts requests; nil: they are not counted
	Log     *slog.Logger     // nil: nothing is logged
	Now     func() time.Time // for the limiters; nil means time.Now
}

func (o *ServerOptions) complete() error {
	if o.Rooms == nil || o.Records == nil || o.Auth == nil || o.WebSocket == nil {
		return errors.New("the server needs Rooms, Records, Auth and WebSocket")
	}
	if o.Unready == nil {
		o.Unready = func() []string { return nil }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	setDefault(&o.Creates, Rate{10, 100})
	setDefault(&o.Guests, Rate{5, 50})
	setDefault(&o.Requests, Rate{100, 1000})
	setDefault(&o.Makes, 8)
	setDefault(&o.MakesWaiting, 256)
	setDefault(&o.ListRate, Rate{20, 200})
	setDefault(&o.Lists, 16)
	setDefault(&o.ReplayRate, Rate{2, 20})
	setDefault(&o.Replays, max(runtime.GOMAXPROCS(0)/2, 1))
	setDefault(&o.Watchers, 32)
	setDefault(&o.BoardRate, Rate{10, 100})
	setDefault(&o.BoardCache, 2*time.Second)
	setDefault(&o.BoardOffset, 1000)
	setDefault(&o.ReplayStall, 5*time.Second)
	setDefault(&o.ReplayPace, 16<<10)
	if o.Codes == nil {
		o.Codes = NewCodeLimit(Rate{})
	}
	if o.Refusals == nil {
		o.Refusals = NewRefusals(Rate{})
	}
	o.Rooms, o.Records = waitingRooms{o.Rooms}, waitingRecords{o.Records}
	setDefault(&o.MaxBody, 64<<10)
	setDefault(&o.RequestTimeout, 10*time.Second)
	setDefault(&o.Log, slog.New(slog.DiscardHandler))
	return nil
}

// Server is the public HTTP handler.
type Server struct {
	opts                   ServerOptions
	public                 *PublicURL // nil: the request's Host
	games                  map[string]room.Spec
	creates, guests, codes *addressLimiter
	replayRate             *addressLimiter
	listRate               *addressLimiter
	requests, networks     *addressLimiter
	makes                  *lane
	asked                  *addressLimiter // refuses nobody: who has asked for how many rooms and seats lately
	lists                  chan struct{}   // holds one for each list that is put together
	boardRate              *addressLimiter
	boards                 *boards
	turned                 *limitLog
	watching               *places // of readers of replays
	handler                http.Handler
}

// NewServer checks the options and lays out the routes. The error says which option is wrong.
func NewServer(opts ServerOptions) (*Server, error) {
	if err := opts.complete(); err != nil {
		return nil, err
	}
	s := &Server{
		opts:       opts,
		games:      map[string]room.Spec{},
		creates:    newAddressLimiter("--rooms-per-second", opts.Creates, maxAddresses),
		guests:     newAddressLimiter("--guests-per-second", opts.Guests, maxAddresses),
		codes:      opts.Codes.addressLimiter,
		replayRate: newAddressLimiter("--replays-per-second", opts.ReplayRate, maxAddresses),
		listRate:   newAddressLimiter("--lists-per-second", opts.ListRate, maxAddresses),
		requests:   newAddressLimiter("--requests-per-second", opts.Requests, maxAddresses),
		networks:   newAddressLimiter("--requests-per-second", opts.Requests.times(wideRequests), maxAddresses),
		asked:      newAddressLimiter("", Rate{0.1, 1 << 20}, maxAddresses),
		makes:      &lane{most: opts.Makes, line: opts.MakesWaiting},
		lists:      make(chan struct{}, opts.Lists),
		boardRate:  newAddressLimiter("--leaderboards-per-second", opts.BoardRate, maxAddresses),
		boards:     newBoards(opts),
		watching:   newPlaces(opts.Watchers, opts.Replays),
		turned:     newLimitLog(opts.Log),
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
	shared := newSharing(opts.AllowedOrigins, opts.Log)
	mux := newMux(s.routes(), routing{log: opts.Log, metrics: opts.Metrics, timeout: opts.RequestTimeout, unknown: unknownPage})
	s.handler = secured(shared.wrap(beneath(s.prefix(), mux)))
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
	from, now, direct := s.opts.TrustedProxies.Client(r), s.opts.Now(), peer(r)
	if s.opts.TrustedProxies.trusts(from) {
		return true // a proxy of ours, which asks how this node is
	}
	if s.opts.Refusals.deaf(from, now) {
		s.turned.refused(s.opts.Refusals.setting, from, now)
		curt(w, !s.opts.TrustedProxies.trusts(direct))
		return false
	}
	err := s.spendAt(s.requests, from, now)
	if wide := network(from); err == nil && wide.IsValid() {
		err = s.spendAt(s.networks, wide, now)
	}
	if err != nil {
		problemOf(err).write(w)
	}
	return err == nil
}

// network is the IPv6 /48 of an address, which one customer commonly has whole (RFC 6177); invalid for IPv4.
func network(a netip.Addr) netip.Addr {
	if a = a.Unmap().WithZone(""); !a.Is6() {
		return netip.Addr{}
	}
	wide, _ := a.Prefix(48)
	return wide.Addr()
}

// routes are all that the public server serves; docs/openapi.yaml lists the same.
func (s *Server) routes() []route {
	return []route{
		{method: "GET", path: "/v1/games", handle: s.getGames},
		{method: "POST", path: "/v1/rooms", handle: s.postRoom},
		{method: "GET", path: "/v1/rooms", handle: s.getRooms},
		{method: "GET", path: "/v1/rooms/{id}", handle: s.getRoom},
		{method: "GET", path: "/v1/rooms/{id}/ws", raw: s.opts.WebSocket},
		{method: "POST", path: "/v1/matchmake", handle: s.postMatch},
		{method: "POST", path: "/v1/guest", handle: s.postGuest},
		{method: "GET", path: "/v1/results/{room}", handle: s.getResult},
		{method: "GET", path: "/v1/replays/{room}", handle: s.getReplay},
		{method: "GET", path: "/v1/players/{id}", handle: s.getPlayer},
		{method: "GET", path: "/v1/leaderboards/{game}", handle: s.getLeaderboard},
		{method: "GET", path: "/sdk/{file}", handle: s.getSDK},
		{method: "GET", path: "/livez", handle: getLive},
		{method: "GET", path: "/readyz", handle: s.getReady},
		{method: "GET", path: "/{$}", handle: s.page("index.html")},
		{method: "GET", path: "/play/{id}", handle: s.page("play.html")},
		{method: "GET", path: "/results/{id}", handle: s.page("results.html")},
		{method: "GET", path: "/players/{id}", handle: s.page("player.html")},
		{method: "GET", path: "/leaderboards/{game}", handle: s.page("leaderboard.html")},
		{method: "GET", path: "/assets/{file}", handle: getAsset},
	}
}

// secured adds the headers that keep browsers from guessing, framing and telling (OWASP Secure Headers).
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// NewHTTPServer puts a handler into a server with limits for strangers: within for a request, head and body, 0 meaning 10 s;
// 2 min for an answer, 32 KiB of headers. Sockets that a handler takes over have none of these.
func NewHTTPServer(handler http.Handler, within time.Duration, log *slog.Logger) *http.Server {
	within = cmp.Or(within, 10*time.Second)
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: within,
		ReadTimeout:       within,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// identify checks the request's token. Without one the identity is empty, which is an error when needed is set.
func (s *Server) identify(r *http.Request, needed bool) (Identity, error) {
	token, err := bearer(r)
	switch {
	case err != nil:
		return Identity{}, err
	case token != "":
		defer waits(r.Context())() // for keys to be fetched
		return s.opts.Auth.Check(r.Context(), token)
	case needed:
		return Identity{}, unauthorised("send a token as Authorization: Bearer …")
	}
	return Identity{}, nil
}

// from is what the limits take a request's address for.
func (s *Server) from(r *http.Request) netip.Addr { return limitKey(s.opts.TrustedProxies.Client(r)) }

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
			s.turned.refused(b.setting, from, now)
			s.opts.Refusals.refused(from, now)
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
	if wide := network(from); wide.IsValid() {
		who = wide
	}
	s.asked.take(who, now)
	merit := s.asked.left(who, now)
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
	defer waits(r.Context())()
	s.opts.Refusals.refused(s.opts.TrustedProxies.Client(r), s.opts.Now())
	select {
	case <-time.After(busyPause/2 + rand.N(busyPause)):
	case <-r.Context().Done():
	}
	return errBusy
}

// inLine has a room or a seat made when it is the request's turn for that.
func (s *Server) inLine(r *http.Request, merit float64, create func(context.Context) (actor.Info, error)) (actor.Info, error) {
	defer waits(r.Context())()
	if err := s.makes.enter(r.Context(), merit); err != nil {
		return actor.Info{}, s.busy(r)
	}
	defer s.makes.leave()
	return create(r.Context())
}

// spend takes from a limiter what the request's address has left in it. When that is nothing, the log names the setting.
func (s *Server) spend(l *addressLimiter, r *http.Request) error {
	return s.spendAt(l, s.opts.TrustedProxies.Client(r), s.opts.Now())
}

func (s *Server) spendAt(l *addressLimiter, from netip.Addr, now time.Time) error {
	wait, ok := l.take(from, now)
	if ok {
		return nil
	}
	s.turned.refused(l.setting, from, now)
	s.opts.Refusals.refused(from, now)
	p := problem(http.StatusTooManyRequests, "too-many", "Too many requests of this kind from your address: retry later.")
	p.retry = cmp.Or(wait, time.Second)
	return p
}
