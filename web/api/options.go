package api

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/limit"
	"github.com/roomring/roomring/web/metrics"
	"github.com/roomring/roomring/web/trust"
)

// Rooms makes and finds rooms, here and, in a cluster, elsewhere. Errors are those of package actor.
type Rooms interface {
	Create(ctx context.Context, c actor.Create) (actor.Info, error)
	Match(ctx context.Context, m actor.Match) (actor.Info, error)
	// Info also knows rooms that are over, for as long as any node remembers them: see Phase and Final.
	Info(ctx context.Context, id room.ID) (actor.Info, error)
	// Inspect looks ahead of commit. Nothing of it leaves before it is committed.
	Inspect(ctx context.Context, id room.ID, look actor.Look) (actor.Inspection, error)
	Find(ctx context.Context, code string) (actor.Info, error) // a private room by its join code
	List(ctx context.Context, f actor.Filter) (actor.Listing, error)
}

// Records is what the store has of finished games.
type Records interface {
	Result(ctx context.Context, id room.ID) (record.StoredResult, error)
	Replay(ctx context.Context, id room.ID) (record.StoredReplay, error) // read by core.OpenReplay, while ctx lives
	// Player is a player's profile. It names rooms whose end is not for everybody only when all is set.
	Player(ctx context.Context, id room.PlayerID, all bool) (record.Profile, error)
	// Leaderboard is the players of a game who have played enough rated games, best first: at most limit of those behind a place.
	Leaderboard(ctx context.Context, game string, after record.BoardPlace, limit int) ([]record.Standing, error)
	// Pending reports whether a result waits here to be stored.
	Pending(id room.ID) bool
	// NotFound reports whether an error of the above means that there is no such record for certain.
	NotFound(err error) bool
}

// Reruns is the part of an [actor.BlackBox] that is told when replays are run again.
type Reruns interface {
	BeginRerun(id room.ID, game string) actor.Step
}

// Options say what the public server serves, and for whom.
type Options struct {
	Rooms     Rooms
	Records   Records
	Auth      *auth.Authenticator
	Games     []room.Spec  // in the order of GET /v1/games
	Rules     *core.Games  // tell their schemas, and run replays again for spectators; nil: there are no schemas, and only logs of replays are served
	Reruns    Reruns       // told when a game runs for that; nil: nobody is
	Pages     fs.FS        // the files of the built-in pages, by their names; nil: there are none
	OwnPages  fs.FS        // files of the program's own, over and beside those; read when they are asked for. Nil: there are none
	SDK       fs.FS        // the files under /sdk/; nil: there are none
	WebSocket http.Handler // serves GET /v1/rooms/{id}/ws; r.PathValue("id") is set

	// Unready returns why this node should not get traffic; none when it is ready. Clients learn whether there are
	// reasons, and not which. Nil: always ready.
	Unready func() []string

	// PublicURL is the address that players use, such as https://play.example.org or, behind a proxy that puts the server
	// under a path, https://example.org/games/ring. Requests are served with the path and without. Empty: the request's Host.
	PublicURL string
	// AllowedOrigins are the origins whose pages may use the API, beside the server's own.
	AllowedOrigins trust.Origins
	// TrustedProxies are believed about a client's address and whether it speaks TLS.
	TrustedProxies trust.Proxies

	// Creates limits new rooms of an address, by create and matchmake together. Zero means 10 a second, 100 at once.
	Creates limit.Rate
	// Guests limits new guests of an address. Zero means 5 a second, 50 at once.
	Guests limit.Rate
	// Codes limits searches by join code of an address, so that codes cannot be guessed. Give the sockets the same, or codes
	// could be guessed there as well. Nil: the default of limit.NewCodes.
	Codes *limit.Addresses

	// Requests limits all requests of an address. An IPv6 /48 has four times as many. Zero means 100 a second, 1000 at once.
	Requests limit.Rate
	// Refusals limit how often an address is told of a limit. Give connections and sockets the same. Nil: the default of
	// limit.NewRefusals.
	Refusals *limit.Refusals

	// Makes is how many rooms and seats are made at once, and MakesWaiting how many requests may wait for that. Beyond that, those
	// whose addresses have asked the most get 503. 0 means 8 and 256.
	Makes, MakesWaiting int

	// ListRate limits lists of rooms, and questions for what is legal, of an address. Zero means 20 a second, 200 at once.
	ListRate limit.Rate
	// Lists is how many of these answers are put together at once, here or from all nodes; others wait. 0 means 16.
	Lists int

	// ReplayRate limits replays of an address. Zero means 2 a second, 20 at once.
	ReplayRate limit.Rate
	// Replays is how many replays are unpacked or run at once, so that the other processors are left to those who play; others
	// wait. 0 means half as many as there are processors, at least one.
	Replays int
	// Watchers is how many replays are being read at once. One more takes the place of the reader that has taken nothing for the
	// longest, if that is half a second at least. 0 means 32.
	Watchers int

	// BoardRate limits pages of leaderboards of an address. Zero means 10 a second, 100 at once.
	BoardRate limit.Rate
	// BoardCache is how long the first pages of a leaderboard are kept; 0 means 2 s, negative not at all.
	BoardCache time.Duration
	// BoardOffset is how many players a page may leave out at the top; 0 means 1000, negative none.
	BoardOffset int

	// Ratings are told with every leaderboard. It is the Records that go by them.
	Ratings Ratings

	// ReplayStall is how long a reader of a replay may take nothing, and ReplayPace how many bytes a second it must take on the
	// whole. A slower reader is cut off, because others wait. 0 means 5 s and 16 KiB.
	ReplayStall time.Duration
	ReplayPace  int

	MaxBody        int64         // bytes of a request's body; 0 means 64 KiB
	RequestTimeout time.Duration // of a request, but for WebSockets; 0 means 10 s

	Metrics *metrics.Metrics // counts requests; nil: they are not counted
	Log     *slog.Logger     // nil: nothing is logged
	Now     func() time.Time // the clock of the limits; nil means time.Now
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
