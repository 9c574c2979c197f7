// Package webtest is what tests of the HTTP APIs share: rooms and a store in memory, servers around them, and a client that holds
// all traffic to docs/openapi.yaml.
package webtest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/web"
	"github.com/roomring/roomring/web/admin"
	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/apitest"
	"github.com/roomring/roomring/web/limit"
)

// AdminHandler is the admin server of a cluster of two.
func AdminHandler(t testing.TB, rooms *Rooms, edit func(*admin.Options)) http.Handler {
	t.Helper()
	opts := admin.Options{
		Rooms: rooms, Games: Games, Pages: web.Pages(), Cluster: &Cluster{},
	}
	if edit != nil {
		edit(&opts)
	}
	h, err := admin.Handler(opts)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// StartAdmin starts an admin server that has a private room.
func StartAdmin(t *testing.T, edit func(*admin.Options)) *Site {
	rooms := NewRooms()
	rooms.Rooms[RoomID] = actor.Info{
		ID: RoomID, Game: "chess", Version: 1, Private: true, Code: "joincode", Phase: core.PhasePlaying, MaxPlayers: 2,
		Epoch: 2, Index: 40, Node: "alpha", Created: Now, Seats: []core.SeatInfo{{Seat: 1, Player: "ann", Name: "Ann"}},
	}
	return &Site{T: t, Rooms: rooms, URL: Serve(t, AdminHandler(t, rooms, edit)), Client: apitest.Client(t)}
}

// Games are those of the servers.
var Games = []room.Spec{
	{Name: "chess", Version: 1, Title: "Chess", About: "The game.", MinPlayers: 2, MaxPlayers: 2, Rated: true, RatedActs: 3, Grace: time.Minute},
	{Name: "snakes", Version: 3, Title: "Snakes", About: "Eat and grow.", MinPlayers: 1, MaxPlayers: 8, TickRate: 20, Grace: time.Minute},
}

// Site is a running server with its rooms and store, and a client whose traffic is checked by docs/openapi.yaml.
type Site struct {
	T       testing.TB
	Rooms   *Rooms
	Records *Records
	API     *api.Server
	URL     string
	Client  *http.Client
}

func noSocket(w http.ResponseWriter, r *http.Request) {
	http.Error(w, "upgrade "+r.PathValue("id"), http.StatusUpgradeRequired)
}

// APIOptions are those of a server in which nothing is capped.
func APIOptions(t testing.TB, rooms *Rooms, records *Records) api.Options {
	unlimited := limit.Rate{PerSecond: -1}
	return api.Options{
		Rooms: rooms, Records: records, Auth: GuestAuth(t), Games: Games, Pages: web.Pages(), SDK: web.SDK(), WebSocket: http.HandlerFunc(noSocket),
		Creates: unlimited, Guests: unlimited, Codes: limit.NewCodes(unlimited), ReplayRate: unlimited, BoardRate: unlimited, BoardCache: -1,
	}
}

// StartAPI starts a server of APIOptions.
func StartAPI(t testing.TB, edit func(*api.Options)) *Site {
	t.Helper()
	a := &Site{T: t, Rooms: NewRooms(), Records: NewRecords(), Client: apitest.Client(t)}
	opts := APIOptions(t, a.Rooms, a.Records)
	if edit != nil {
		edit(&opts)
	}
	server, err := api.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	a.API, a.URL = server, Serve(t, server)
	return a
}

// Serve starts a server until the test ends, and returns its URL.
func Serve(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// Answer is a response, read.
type Answer struct {
	*http.Response
	Text string
	Body map[string]any
}

// Ask sends a request. Headers are "Name: value". A body is JSON unless they have a Content-Type.
func (a *Site) Ask(method, path, body string, headers ...string) Answer {
	a.T.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(a.T.Context(), method, a.URL+path, reader)
	if err != nil {
		a.T.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			req.Host = value
		}
		req.Header.Set(name, value)
	}
	resp, err := a.Client.Do(req)
	if err != nil {
		a.T.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		a.T.Fatal(err)
	}
	out := Answer{Response: resp, Text: string(text)}
	json.Unmarshal(text, &out.Body) // not all answers are JSON
	return out
}

// Want checks a status and returns the answer.
func (a *Site) Want(status int, method, path, body string, headers ...string) Answer {
	a.T.Helper()
	got := a.Ask(method, path, body, headers...)
	if got.StatusCode != status {
		a.T.Fatalf("%s %s: status %d, want %d: %s", method, path, got.StatusCode, status, got.Text)
	}
	return got
}

// Refused checks a problem document and the field it names.
func (a *Site) Refused(status int, field, method, path, body string, headers ...string) Answer {
	a.T.Helper()
	got := a.Want(status, method, path, body, headers...)
	if kind := got.Header.Get("Content-Type"); kind != "application/problem+json" {
		a.T.Errorf("%s %s: Content-Type %q", method, path, kind)
	}
	if named, _ := got.Body["field"].(string); named != field {
		a.T.Errorf("%s %s %s: field %q, want %q: %s", method, path, body, named, field, got.Text)
	}
	if int(got.Body["status"].(float64)) != status {
		a.T.Errorf("%s %s: the problem's status is %v", method, path, got.Body["status"])
	}
	return got
}

// Create makes a room.
func (a *Site) Create(body string) room.ID {
	a.T.Helper()
	return room.ID(a.Want(http.StatusCreated, "POST", "/v1/rooms", body).Body["id"].(string))
}

// RoomID is that of a room which tests make.
const RoomID = room.ID("0123456789abcdef")
