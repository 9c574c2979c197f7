package roomring_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/roomring/roomring"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/web/client"
)

var quiet = slog.New(slog.DiscardHandler)

// ceiling bounds what should take moments.
func ceiling(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// serve runs a server of tallies until the test ends or the server is stopped.
func serve(t *testing.T, cfg roomring.Config) (s *roomring.Server, stop func()) {
	t.Helper()
	if cfg.DataDir == "" {
		cfg.DataDir = t.TempDir()
	}
	if cfg.Log == nil {
		cfg.Log = quiet
	}
	s, err := roomring.New(cfg, tallyRules)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := testwait.Receive(t, "the server to stop", done); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return s, stop
}

func ask(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// counts plays one act in a room, and returns what its view shows after it.
func counts(t *testing.T, o client.Options, n int) int {
	t.Helper()
	ctx := ceiling(t)
	o.GiveUp = time.Minute
	c, err := client.Dial(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Act(ctx, add{n}); err != nil {
		t.Fatal(err)
	}
	var view map[string]int
	if err := c.View(&view); err != nil {
		t.Fatal(err)
	}
	return view["count"]
}

// The zero value works: the command's addresses, and an embedded store in a folder.
func TestAZeroConfig(t *testing.T) {
	t.Chdir(t.TempDir())
	s, err := roomring.New(roomring.Config{Log: quiet}, tallyRules)
	if err != nil && strings.Contains(err.Error(), "another process has this port") {
		return // what it says is what is asked for; a machine may have a server of its own
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, port, _ := net.SplitHostPort(s.Addr().String()); port != "7777" || s.AdminAddr().String() != "127.0.0.1:7778" {
		t.Errorf("it listens at %v and %v", s.Addr(), s.AdminAddr())
	}
	if err := s.Run(ctx); err != nil {
		t.Error(err)
	}
	if err := s.Run(ctx); err == nil {
		t.Error("a server was run twice")
	}
	if _, err := s.Create(t.Context(), roomring.NewRoom{Game: "tally"}); !errors.Is(err, roomring.ErrStopping) {
		t.Errorf("a server that has ended made a room: %v", err)
	}
}

// Under the program's own prefix, every link leads back to the prefix.
func TestMountedUnderAPrefix(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, roomring.Config{Listen: roomring.None, AdminListen: roomring.None})
	if s.Addr() != nil || s.AdminAddr() != nil {
		t.Errorf("it listens at %v and %v", s.Addr(), s.AdminAddr())
	}
	mux := http.NewServeMux()
	mux.Handle("/games/ring/", http.StripPrefix("/games/ring", s.Handler()))
	mux.Handle("/games/ring", http.StripPrefix("/games/ring", s.Handler()))
	site := httptest.NewServer(mux)
	defer site.Close()
	base := site.URL + "/games/ring"

	made, err := makeRoom(ceiling(t), base, "tally", "")
	if err != nil {
		t.Fatal(err)
	}
	if want := "ws" + strings.TrimPrefix(base, "http") + "/v1/rooms/" + made.ID + "/ws"; !strings.HasPrefix(made.URL, want) {
		t.Errorf("ws_url is %s, want %s", made.URL, want)
	}
	if got := counts(t, client.Options{URL: made.URL}, 4); got != 4 {
		t.Errorf("it counts to %d, want 4", got)
	}
	for path, want := range map[string]string{
		"/": "<!doctype html>", "/play/" + made.ID: "<!doctype html>", "/sdk/roomring.js": "export", "/v1/games": `"tally"`, "/livez": "",
	} {
		if code, text := ask(t, base+path); code != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %d %.100s", path, code, text)
		}
	}
	bare := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := bare.Get(base + "?game=tally")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if to := res.Header.Get("Location"); res.StatusCode != http.StatusPermanentRedirect || to != "/games/ring/?game=tally" {
		t.Errorf("without its slash: %d to %q", res.StatusCode, to)
	}
	if code, _ := ask(t, site.URL+"/v1/games"); code != http.StatusNotFound {
		t.Errorf("outside of the prefix: %d", code)
	}
}

// Two servers in one process share nothing: one does not notice the end of the other.
func TestTwoServersInOneProcess(t *testing.T) {
	usual := slog.Default()
	ctx := ceiling(t)
	var logs [2]testwait.Log
	var servers [2]*roomring.Server
	var stops [2]func()
	var rooms [2]roomring.Room
	for i := range servers {
		servers[i], stops[i] = serve(t, roomring.Config{
			Node: []string{"left", "right"}[i], Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", Log: slog.New(slog.NewTextHandler(&logs[i], nil)),
		})
		var err error
		if rooms[i], err = servers[i].Create(ctx, roomring.NewRoom{Game: "tally"}); err != nil {
			t.Fatal(err)
		}
	}
	urlOf := func(i int) string {
		return "ws://" + servers[i].Addr().String() + "/v1/rooms/" + string(rooms[i].ID) + "/ws"
	}
	for i := range servers {
		for range 3 + i {
			counts(t, client.Options{URL: urlOf(i)}, 1)
		}
	}
	for i := range servers {
		_, metrics := ask(t, "http://"+servers[i].AdminAddr().String()+"/metrics")
		if want := []string{`roomring_inputs_total{game="tally",kind="act"} 3`, `roomring_inputs_total{game="tally",kind="act"} 4`}[i]; !strings.Contains(metrics, want) {
			t.Errorf("server %d does not count %s", i, want)
		}
		if code, _ := ask(t, "http://"+servers[i].Addr().String()+"/v1/rooms/"+string(rooms[1-i].ID)); code != http.StatusNotFound {
			t.Errorf("server %d has the other's room: %d", i, code)
		}
		if log := logs[i].String(); !strings.Contains(log, "node="+[]string{"left", "right"}[i]) || strings.Contains(log, "node="+[]string{"right", "left"}[i]) {
			t.Errorf("server %d logs\n%s", i, log)
		}
	}
	stops[0]()
	if got := counts(t, client.Options{URL: urlOf(1)}, 1); got != 5 {
		t.Errorf("after the end of the other it counts to %d, want 5", got)
	}
	if slog.Default() != usual {
		t.Error("the default logger is another")
	}
	flag.VisitAll(func(f *flag.Flag) {
		if !strings.HasPrefix(f.Name, "test.") && f.Name != "update" {
			t.Errorf("a flag --%s is there", f.Name)
		}
	})
	for _, path := range []string{"/", "/v1/games", "/admin/", "/metrics"} {
		if _, pattern := http.DefaultServeMux.Handler(httptest.NewRequest("GET", path, nil)); pattern != "" {
			t.Errorf("the default mux serves %s as %s", path, pattern)
		}
	}
}

// Two servers cannot share a folder, a port or a registry.
func TestWhatServersCannotShare(t *testing.T) {
	t.Parallel()
	dir, registry := t.TempDir(), prometheus.NewRegistry()
	cfg := roomring.Config{DataDir: dir, Listen: "127.0.0.1:0", AdminListen: roomring.None, Registerer: registry, Log: quiet}
	first, stop := serve(t, cfg)
	second := cfg
	if _, err := roomring.New(second, tallyRules); err == nil || !strings.Contains(err.Error(), filepath.Base(dir)) {
		t.Errorf("of one folder: %v", err)
	}
	second.DataDir = t.TempDir()
	if _, err := roomring.New(second, tallyRules); err == nil || !strings.Contains(err.Error(), "roomring_") {
		t.Errorf("on one registry: %v", err)
	}
	second.Registerer, second.Listen = nil, first.Addr().String()
	if _, err := roomring.New(second, tallyRules); err == nil || !strings.Contains(err.Error(), "--listen "+first.Addr().String()) {
		t.Errorf("at one port: %v", err)
	}
	stop()
	again, _ := serve(t, cfg) // the first server has released everything
	if _, err := again.Create(ceiling(t), roomring.NewRoom{Game: "tally"}); err != nil {
		t.Error(err)
	}
	all, err := registry.Gather()
	if err != nil || len(all) < 20 {
		t.Errorf("%d metrics in the program's registry, %v", len(all), err)
	}
	labelled := prometheus.NewRegistry()
	for _, name := range []string{"a", "b"} {
		serve(t, roomring.Config{
			Listen: roomring.None, AdminListen: roomring.None,
			Registerer: prometheus.WrapRegistererWith(prometheus.Labels{"server": name}, labelled), Gatherer: labelled,
		})
	}
}

// The program makes, signals and closes rooms around the server. The rooms outlive the server.
func TestRoomsOfTheProgram(t *testing.T) {
	t.Parallel()
	ctx := ceiling(t)
	cfg := roomring.Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0", AdminListen: roomring.None}
	s, stop := serve(t, cfg)
	r, err := s.Create(ctx, roomring.NewRoom{Game: "tally", Name: "ours", Private: true, Seats: []room.PlayerID{"ann"}})
	if err != nil || r.Code == "" {
		t.Fatal(r, err)
	}
	if err := s.Signal(ctx, r.ID, "set", 40); err != nil {
		t.Fatal(err)
	}
	url := func(s *roomring.Server) string {
		return "ws://" + s.Addr().String() + "/v1/rooms/" + string(r.ID) + "/ws"
	}
	if got := counts(t, client.Options{URL: url(s), Code: r.Code}, 2); got != 42 {
		t.Errorf("it counts to %d, want 42", got)
	}
	refused := s.Signal(ctx, r.ID, "reset", nil)
	if no, ok := errors.AsType[*room.Refusal](refused); !ok || no.Code != "unknown_signal" {
		t.Errorf("the game's no: %v", refused)
	}
	for what, err := range map[string]error{
		"a game that is not there": func() error { _, err := s.Create(ctx, roomring.NewRoom{Game: "chess"}); return err }(),
		"options that are none":    func() error { _, err := s.Create(ctx, roomring.NewRoom{Game: "tally", Options: func() {}}); return err }(),
		"a name that is too long": func() error {
			_, err := s.Create(ctx, roomring.NewRoom{Game: "tally", Name: strings.Repeat("x", 65)})
			return err
		}(),
		"a signal without a name": s.Signal(ctx, r.ID, "", nil),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	stop()
	s, _ = serve(t, cfg)
	if got := counts(t, client.Options{URL: url(s), Code: r.Code}, 1); got != 43 {
		t.Errorf("after a restart it counts to %d, want 43", got)
	}
	if err := s.Close(ctx, r.ID, "that was all"); err != nil {
		t.Error(err)
	}
	if err := s.Close(ctx, "0123456789abcdef", ""); !errors.Is(err, roomring.ErrNotFound) {
		t.Errorf("of no room: %v", err)
	}
}

// The program's own tokens and pages are used.
func TestAuthAndPagesOfTheProgram(t *testing.T) {
	t.Parallel()
	ctx := ceiling(t)
	s, _ := serve(t, roomring.Config{
		Listen: "127.0.0.1:0", AdminListen: roomring.None,
		Pages: fstest.MapFS{"index.html": {Data: []byte("<!doctype html><title>ours</title>")}},
		Auth: func(_ context.Context, token string) (roomring.Player, error) {
			name, ok := strings.CutPrefix(token, "pass:")
			switch {
			case name == "later":
				return roomring.Player{}, roomring.ErrTryAgain
			case !ok:
				return roomring.Player{}, errors.New("the secret of " + token)
			}
			return roomring.Player{ID: room.PlayerID(name), Name: strings.ToUpper(name)}, nil
		},
	})
	base := "http://" + s.Addr().String()
	for token, want := range map[string]string{"": "401", "ann": "401", "pass:": "401", "pass:later": "503"} {
		if _, err := makeRoom(ctx, base, "tally", token); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("a room for %q: %v, want %s", token, err, want)
		}
	}
	made, err := makeRoom(ctx, base, "tally", "pass:ann")
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Dial(ctx, client.Options{URL: made.URL, Token: "pass:ann"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if p := c.Welcome().Player; p != "ann" {
		t.Errorf("the player is %s", p)
	}
	if _, page := ask(t, base+"/"); !strings.Contains(page, "<title>ours") {
		t.Errorf("the page is %.200s", page)
	}
	if _, err := roomring.New(roomring.Config{DataDir: t.TempDir(), Auth: func(context.Context, string) (roomring.Player, error) { return roomring.Player{}, nil }, Settings: map[string]string{"jwks-url": "http://127.0.0.1/"}}, tallyRules); err == nil {
		t.Error("keys and an Auth of the program's go together")
	}
}

// The admin API on a mux of the program's is closed while nobody is asked for a token.
func TestAdminHandlerWithoutAToken(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, roomring.Config{Listen: roomring.None, AdminListen: roomring.None})
	w := httptest.NewRecorder()
	s.AdminHandler().ServeHTTP(w, httptest.NewRequest("GET", "/admin/v1/nodes", nil))
	if w.Code != http.StatusForbidden {
		t.Errorf("it answers %d", w.Code)
	}
	open, _ := serve(t, roomring.Config{Listen: roomring.None, AdminListen: "127.0.0.1:0", Settings: map[string]string{"max-rooms": "7"}})
	if code, text := ask(t, "http://"+open.AdminAddr().String()+"/admin/v1/nodes"); code != http.StatusOK {
		t.Errorf("its own listener answers %d %s", code, text)
	}
}

func TestConfigsThatCannotWork(t *testing.T) {
	t.Parallel()
	for want, cfg := range map[string]roomring.Config{
		"no setting":                 {Settings: map[string]string{"max-room": "7"}},
		"did you mean \"max-rooms\"": {Settings: map[string]string{"max_rooms": "7"}},
		"field of Config":            {Settings: map[string]string{"listen": ":0"}},
		"--max-rooms":                {Settings: map[string]string{"max-rooms": "many"}},
		"keep one of them":           {Pages: fstest.MapFS{}, Settings: map[string]string{"pages": "p"}},
		"there is no such folder":    {Listen: roomring.None, AdminListen: roomring.None, Settings: map[string]string{"pages": "no-such-folder"}},
		"for the command line":       {Settings: map[string]string{"config": "x"}},
		"--store":                    {Store: "mysql://db"},
		"--admin-token-file":         {AdminListen: "0.0.0.0:0"},
		"Gatherer":                   {Registerer: prometheus.WrapRegistererWithPrefix("x", prometheus.NewRegistry())},
	} {
		cfg.DataDir, cfg.Log = t.TempDir(), quiet
		if _, err := roomring.New(cfg, tallyRules); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", cfg, err, want)
		}
	}
	if _, err := roomring.New(roomring.Config{}, tallyRules, tallyRules); err == nil || !strings.Contains(err.Error(), "tally") {
		t.Errorf("two games of one name: %v", err)
	}
}
