package web

import (
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/web/admin"
	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/httpd"
	"github.com/roomring/roomring/web/limit"
	"github.com/roomring/roomring/web/metrics"
	"github.com/roomring/roomring/web/trust"
	"github.com/roomring/roomring/web/ws"
)

// Rooms are the rooms that players and the operator reach, wherever they are.
type Rooms interface {
	ws.Rooms
	api.Rooms
	admin.Rooms
	admin.Aside
}

// Records are finished games.
type Records interface {
	api.Records
	admin.Records
}

// Options make a Server. What its parts share stands here; their own options hold the rest, and what is set in both is taken from here.
type Options struct {
	Rooms   Rooms
	Records Records
	Auth    *auth.Authenticator
	Games   *core.Games
	Pages   fs.FS            // lie over the built-in ones and beside them, and are read when they are asked for; nil: there are none
	Metrics *metrics.Metrics // nil: nothing is counted
	Log     *slog.Logger     // nil: nothing is logged

	// Unready returns why this node should not get traffic. Nil: always ready.
	Unready func() []string

	PublicURL      string   // see api.Options
	AllowedOrigins []string // whose pages may connect and use the API, beside the server's own and that of PublicURL
	TrustedProxies []string // networks that are believed about a client's address

	Codes    limit.Rate // wrong join codes of an address; zero: the default of limit.NewCodes
	Refusals limit.Rate // how often an address is told of a limit; zero: the default of limit.NewRefusals

	Sockets     ws.Options
	API         api.Options
	Admin       admin.Options
	Connections httpd.ConnectionOptions
}

// Server is the face of one node: its sockets, what players reach, what the operator reaches, and the bounds of the listeners.
type Server struct {
	Sockets     *ws.Sockets
	Players     http.Handler
	Admin       http.Handler
	Connections *httpd.Connections // of the players' listener

	api *api.Server
}

// RefreshBoards has leaderboards read anew from the store.
func (s *Server) RefreshBoards() { s.api.RefreshBoards() }

// New joins the parts. The error names the setting that cannot be.
func New(o Options) (*Server, error) {
	proxies, err := trust.ParseProxies(o.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("--trusted-proxies: %w", err)
	}
	origins, err := o.origins()
	if err != nil {
		return nil, fmt.Errorf("--allowed-origins %w", err)
	}
	refusals, codes := limit.NewRefusals(o.Refusals), limit.NewCodes(o.Codes)

	sockets := o.Sockets
	sockets.Rooms, sockets.Auth, sockets.Log = o.Rooms, o.Auth, o.Log
	sockets.Proxies, sockets.Origins, sockets.Codes, sockets.Refusals = proxies, origins, codes, refusals
	if o.Metrics != nil {
		sockets.Meter = o.Metrics
	}
	s := new(Server)
	if s.Sockets, err = ws.New(sockets); err != nil {
		return nil, err
	}

	players := o.API
	players.Rooms, players.Records, players.Auth, players.Games, players.Rules = o.Rooms, o.Records, o.Auth, specs(o.Games), o.Games
	players.TrustedProxies, players.AllowedOrigins, players.Codes, players.Refusals = proxies, origins, codes, refusals
	players.Pages, players.OwnPages, players.SDK, players.WebSocket, players.PublicURL = Pages(), o.Pages, SDK(), s.Sockets, o.PublicURL
	players.Unready, players.Metrics, players.Log = o.Unready, o.Metrics, o.Log
	if s.api, err = api.New(players); err != nil {
		return nil, err
	}
	s.Players = s.api

	operator := o.Admin
	operator.Rooms, operator.Aside, operator.Records, operator.Games = o.Rooms, o.Rooms, o.Records, specs(o.Games)
	operator.Pages, operator.OwnPages, operator.SDK = Pages(), o.Pages, SDK()
	operator.Unready, operator.Metrics, operator.Log = o.Unready, o.Metrics, o.Log
	if s.Admin, err = admin.Handler(operator); err != nil {
		return nil, err
	}

	connections := o.Connections
	connections.Proxies, connections.Refusals, connections.Log = proxies, refusals, o.Log
	s.Connections = httpd.NewConnections(connections)
	return s, nil
}

// origins are the origins whose pages may connect beside those of the Host that was asked: a balancer may pass on a
// Host of its own, and then the pages of PublicURL would be strangers.
func (o *Options) origins() (trust.Origins, error) {
	all := slices.Clone(o.AllowedOrigins)
	if own, err := api.ParsePublicURL(o.PublicURL); err == nil { // else there is none
		all = append(all, own.Origin())
	}
	return trust.ParseOrigins(all)
}

func specs(games *core.Games) (all []room.Spec) {
	for r := range games.All() {
		all = append(all, r.Spec())
	}
	return all
}
