package web_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web"
	"github.com/roomring/roomring/web/apitest"
)

var gameSpecs = []room.Spec{
	{Name: "chess", Version: 1, Title: "Chess", About: "The game.", MinPlayers: 2, MaxPlayers: 2, Rated: true, RatedActs: 3, Grace: time.Minute},
	{Name: "snakes", Version: 3, Title: "Snakes", About: "Eat and grow.", MinPlayers: 1, MaxPlayers: 8, TickRate: 20, Grace: time.Minute},
}

// memoryRooms is a directory without games: rooms that stand as they were made.
type memoryRooms struct {
	mu      sync.Mutex
	rooms   map[room.ID]actor.Info
	tickets map[string]room.ID
	created []actor.Create
	matched []actor.Match
	fail    error // answer of every call
	partial bool  // answer of every list
	acted   []string
	events  chan actor.RoomEvent
}

func newMemoryRooms() *memoryRooms {
	return &memoryRooms{rooms: map[room.ID]actor.Info{}, tickets: map[string]room.ID{}, events: make(chan actor.RoomEvent, 100)}
}

func (m *memoryRooms) Create(_ context.Context, c actor.Create) (actor.Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.created = append(m.created, c)
	return m.create(c)
}

func (m *memoryRooms) create(c actor.Create) (actor.Info, error) {
	if m.fail != nil {
		return actor.Info{}, m.fail
	}
	if c.Game == "go" {
		return actor.Info{}, actor.ErrUnknownGame
	}
	if strings.Contains(string(c.Options), "bad") {
		return actor.Info{}, &actor.OptionsError{Field: "options.clock", Reason: "the clock is wrong"}
	}
	if strings.Contains(string(c.Options), "refuse") {
		return actor.Info{}, room.Refuse("no", "not like this")
	}
	var random [10]byte
	rand.Read(random[:])
	info := actor.Info{
		ID: record.NewID(random), Game: c.Game, Version: 1, Name: c.Name, Options: c.Options, Private: c.Private,
		Phase: core.PhaseWaiting, Open: true, MaxPlayers: 2, Epoch: 1, Index: 2, Node: "alpha", Created: time.Now(),
	}
	if c.Private {
		info.Code = "c0de" + string(info.ID[:4])
	}
	m.rooms[info.ID] = info
	return info, nil
}

func (m *memoryRooms) Match(_ context.Context, q actor.Match) (actor.Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.matched = append(m.matched, q)
	if id, known := m.tickets[q.Ticket]; known && q.Ticket != "" {
		return m.rooms[id], nil
	}
	info, err := m.create(actor.Create{Game: q.Game, Options: q.Options})
	m.tickets[q.Ticket] = info.ID
	return info, err
}

func (m *memoryRooms) Info(_ context.Context, id room.ID) (actor.Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return actor.Info{}, m.fail
	}
	info, known := m.rooms[id]
	if !known {
		return info, actor.ErrNotFound
	}
	return info, nil
}

func (m *memoryRooms) Find(_ context.Context, code string) (actor.Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, info := range m.rooms {
		if info.Code == code {
			return info, m.fail
		}
	}
	return actor.Info{}, cmp.Or(m.fail, actor.ErrNotFound)
}

func (m *memoryRooms) List(_ context.Context, f actor.Filter) (actor.Listing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := actor.Listing{Partial: m.partial}
	for _, id := range slices.Sorted(maps.Keys(m.rooms)) {
		i := m.rooms[id]
		switch {
		case f.Hidden && !i.Private, f.Node != "" && i.Node != f.Node, !strings.Contains(i.Name, f.Search):
		case i.Private && !f.Private, id <= f.After, f.Game != "" && i.Game != f.Game, f.Phase != "" && i.Phase != f.Phase, f.Open && !i.Open:
		case len(out.Rooms) < f.Limit:
			out.Rooms = append(out.Rooms, i)
		}
	}
	return out, m.fail
}

// change edits a room.
func (m *memoryRooms) change(id room.ID, edit func(*actor.Info)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	info := m.rooms[id]
	edit(&info)
	m.rooms[id] = info
}

func (m *memoryRooms) remove(id room.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rooms, id)
}

func (m *memoryRooms) failWith(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

func (m *memoryRooms) Inspect(ctx context.Context, id room.ID, look actor.Look) (actor.Inspection, error) {
	info, err := m.Info(ctx, id)
	in := actor.Inspection{
		Info: info, Durability: room.Local, Point: record.Point{Epoch: info.Epoch, Seq: info.Index + 3}, Committed: info.Index,
		Time: time.Minute, Deadline: new(2 * time.Minute), Mailbox: 1, Pending: 2, Held: 4,
		Sessions: []actor.SessionInfo{{Player: "ann", Client: "c", Edge: "beta", Queue: actor.OutboxStats{Messages: 2, Bytes: 80}}},
		Recent:   []actor.RecentInput{{Index: info.Index, Kind: "act", Player: "ann", CSeq: 1, Bytes: 2}},
	}
	if look.State {
		in.State = json.RawMessage(`"everything"`)
	}
	if look.View != nil {
		in.View, _ = json.Marshal(look.View)
	}
	return in, err
}

func (m *memoryRooms) act(what string, id room.ID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.rooms[id]; !known {
		return actor.ErrNotFound
	}
	m.acted = append(m.acted, what)
	return m.fail
}

func (m *memoryRooms) Close(_ context.Context, id room.ID, reason string) error {
	return m.act("close: "+reason, id)
}

func (m *memoryRooms) Kick(_ context.Context, id room.ID, player room.PlayerID) error {
	return m.act("kick: "+string(player), id)
}

func (m *memoryRooms) Signal(_ context.Context, id room.ID, name string, data []byte) error {
	return m.act("signal: "+name+string(data), id)
}

// Watch tells the events that the test has queued, and waits for more.
func (m *memoryRooms) Watch(ctx context.Context, id room.ID, each func(actor.RoomEvent) error) error {
	if _, err := m.Info(ctx, id); err != nil {
		return err
	}
	for {
		select {
		case e, more := <-m.events:
			if !more {
				return nil
			}
			if err := each(e); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

var errNoRecord = errors.New("no such row")

// memoryRecords is a store of maps.
type memoryRecords struct {
	mu         sync.Mutex
	results    map[room.ID]record.StoredResult
	replays    map[room.ID]record.Parts
	players    map[room.PlayerID]record.Profile
	board      []record.Standing
	boardAsked int
	pending    map[room.ID]bool
	fail       error
	asked      func(id room.ID) // called before Result looks
}

func lookUp[K comparable, V any](m *memoryRecords, in map[K]V, key K) (V, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, known := in[key]
	if m.fail == nil && !known {
		return v, errNoRecord
	}
	return v, m.fail
}

func (m *memoryRecords) Result(_ context.Context, id room.ID) (record.StoredResult, error) {
	res, err := lookUp(m, m.results, id)
	if _, missing := lookUp(m, m.replays, id); missing == nil && errors.Is(err, errNoRecord) {
		err = nil // no store has a replay without a result
	}
	if m.asked != nil {
		m.asked(id)
	}
	return res, err
}
func (m *memoryRecords) Replay(_ context.Context, id room.ID) (record.StoredReplay, error) {
	parts, err := lookUp(m, m.replays, id)
	return record.StoredReplay{Size: int64(parts.Len()), Reader: parts.Reader()}, err
}
func (m *memoryRecords) Player(_ context.Context, id room.PlayerID, _ bool) (record.Profile, error) {
	return lookUp(m, m.players, id)
}
func (m *memoryRecords) Leaderboard(_ context.Context, _ string, after record.BoardPlace, limit int) ([]record.Standing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.boardAsked++
	from := min(after.Count, len(m.board))
	return slices.Clone(m.board[from:min(from+limit, len(m.board))]), m.fail
}
func (m *memoryRecords) Pending(id room.ID) bool {
	pending, err := lookUp(m, m.pending, id)
	return pending && err == nil
}
func (m *memoryRecords) NotFound(err error) bool { return errors.Is(err, errNoRecord) }

func newMemoryRecords() *memoryRecords {
	return &memoryRecords{
		results: map[room.ID]record.StoredResult{}, replays: map[room.ID]record.Parts{},
		players: map[room.PlayerID]record.Profile{}, pending: map[room.ID]bool{},
	}
}

// api is a running server with what it stands on, and a client whose traffic is held to docs/openapi.yaml.
type api struct {
	t       testing.TB
	rooms   *memoryRooms
	records *memoryRecords
	server  *web.Server
	url     string
	client  *http.Client
}

func guestAuth(t testing.TB) *web.Auth { return newAuth(t, web.AuthOptions{GuestKey: secret(1)}) }

func secret(fill byte) []byte { return slices.Repeat([]byte{fill}, 32) }

func newAuth(t testing.TB, opts web.AuthOptions) *web.Auth {
	t.Helper()
	a, err := web.NewAuth(opts)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func noSocket(w http.ResponseWriter, r *http.Request) {
	http.Error(w, "upgrade "+r.PathValue("id"), http.StatusUpgradeRequired)
}

// apiOptions are those of a server in which nothing is capped.
func apiOptions(t testing.TB, rooms *memoryRooms, records *memoryRecords) web.ServerOptions {
	unlimited := web.Rate{PerSecond: -1}
	return web.ServerOptions{
		Rooms: rooms, Records: records, Auth: guestAuth(t), Games: gameSpecs, WebSocket: http.HandlerFunc(noSocket),
		Creates: unlimited, Guests: unlimited, Codes: web.NewCodeLimit(unlimited), ReplayRate: unlimited, BoardRate: unlimited, BoardCache: -1,
	}
}

func startAPI(t testing.TB, edit func(*web.ServerOptions)) *api {
	t.Helper()
	a := &api{t: t, rooms: newMemoryRooms(), records: newMemoryRecords(), client: apitest.Client(t)}
	opts := apiOptions(t, a.rooms, a.records)
	if edit != nil {
		edit(&opts)
	}
	server, err := web.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	a.server, a.url = server, serve(t, server)
	return a
}

func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// answer is a response, read.
type answer struct {
	*http.Response
	text string
	body map[string]any
}

// ask sends a request. Headers are "Name: value"; a body without a Content-Type among them is JSON.
func (a *api) ask(method, path, body string, headers ...string) answer {
	a.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, reader)
	if err != nil {
		a.t.Fatal(err)
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
	resp, err := a.client.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	out := answer{Response: resp, text: string(text)}
	json.Unmarshal(text, &out.body) // not all answers are JSON
	return out
}

// want checks a status and returns the answer.
func (a *api) want(status int, method, path, body string, headers ...string) answer {
	a.t.Helper()
	got := a.ask(method, path, body, headers...)
	if got.StatusCode != status {
		a.t.Fatalf("%s %s: status %d, want %d: %s", method, path, got.StatusCode, status, got.text)
	}
	return got
}

// refused checks a problem document and the field it names.
func (a *api) refused(status int, field, method, path, body string, headers ...string) answer {
	a.t.Helper()
	got := a.want(status, method, path, body, headers...)
	if kind := got.Header.Get("Content-Type"); kind != "application/problem+json" {
		a.t.Errorf("%s %s: Content-Type %q", method, path, kind)
	}
	if named, _ := got.body["field"].(string); named != field {
		a.t.Errorf("%s %s %s: field %q, want %q: %s", method, path, body, named, field, got.text)
	}
	if int(got.body["status"].(float64)) != status {
		a.t.Errorf("%s %s: the problem's status is %v", method, path, got.body["status"])
	}
	return got
}

func (a *api) create(body string) room.ID {
	a.t.Helper()
	return room.ID(a.want(http.StatusCreated, "POST", "/v1/rooms", body).body["id"].(string))
}
