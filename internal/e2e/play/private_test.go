package play_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// misspelt returns ways in which people misspell a code.
func misspelt(code string) []string {
	wide := strings.Map(func(r rune) rune { return r + 0xfee0 }, code)
	return []string{
		strings.ToUpper(code), code[:4] + "-" + code[4:], " " + code[:2] + " " + code[2:5] + " \u2013 " + code[5:] + "\u200b", wide,
		strings.NewReplacer("0", "o", "1", "l", "v", "U").Replace(code), strings.NewReplacer("0", "O", "1", "I").Replace(strings.ToUpper(code)),
	}
}

// TestPrivateRooms checks that private rooms can be found and entered only with their code.
func TestPrivateRooms(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	var info e2e.RoomInfo
	if code := s.Call("POST", "/v1/rooms", map[string]any{"game": "tally", "private": true}, &info); code != http.StatusCreated || info.Code == "" {
		t.Fatalf("creating a private room: %d %+v", code, info)
	}
	open := s.Create("tally", nil)
	type list struct{ Rooms []e2e.RoomInfo }
	find := func(query string) (found list) {
		t.Helper()
		if code := s.Call("GET", "/v1/rooms"+query, nil, &found); code != http.StatusOK {
			t.Fatalf("GET /v1/rooms%s: %d", query, code)
		}
		return found
	}
	if all := find(""); len(all.Rooms) != 1 || all.Rooms[0].ID != open.ID {
		t.Errorf("the public list is %+v", all)
	}
	if found := find("?code=" + info.Code); len(found.Rooms) != 1 || found.Rooms[0].ID != info.ID {
		t.Errorf("by its code is found %+v", found)
	}
	if found := find("?code=00000000"); len(found.Rooms) != 0 {
		t.Errorf("by a wrong code is found %+v", found)
	}
	var seen e2e.RoomInfo
	if code := s.Call("GET", "/v1/rooms/"+info.ID, nil, &seen); code != http.StatusOK || seen.Code != "" {
		t.Errorf("GET of the room by its id: %d, and it tells the code %q", code, seen.Code)
	}
	for _, typed := range misspelt(info.Code) {
		if found := find("?code=" + url.QueryEscape(typed)); len(found.Rooms) != 1 || found.Rooms[0].ID != info.ID {
			t.Errorf("by %q for %q is found %+v", typed, info.Code, found)
		}
		c := e2e.Dial(t, info.URL, wire.JSON)
		c.Hello(wire.Hello{Client: "w", Code: typed, As: wire.AsSpectator})
	}
	before := s.Inspect(info.ID).Index
	for _, wrong := range []string{"", "00000000", "-- --", info.Code[:4] + "\u00e9" + info.Code[4:], info.Code[:7], info.Code + "0"} {
		for _, as := range []string{wire.AsPlayer, wire.AsSpectator} {
			c := e2e.Dial(t, info.URL, wire.JSON)
			c.Write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "x", Code: wrong, As: as}))
			c.ClosesWith(wire.CloseForbidden, "code")
		}
	}
	if now := s.Inspect(info.ID).Index; now != before {
		t.Errorf("wrong codes took the room from index %d to %d", before, now)
	}
	c := e2e.Dial(t, info.URL, wire.CBOR)
	token := c.Hello(wire.Hello{Client: "a", Code: info.Code}).Token
	e2e.Dial(t, info.URL, wire.JSON).Hello(wire.Hello{Client: "w", Code: info.Code, As: wire.AsSpectator})

	s.Kill()
	s.Start() // players with a seat no longer need the code, strangers still do
	if w := e2e.Dial(t, info.URL, wire.JSON).Hello(wire.Hello{Client: "b", Token: token}); w.Seat != 0 {
		t.Errorf("back in seat %d, should be 0", w.Seat)
	}
	if found := find("?code=" + info.Code); len(found.Rooms) != 1 {
		t.Errorf("after a restart the code finds %+v", found)
	}
	if w := e2e.Dial(t, info.URL, wire.JSON).Hello(wire.Hello{Client: "c", Code: info.Code}); w.Seat != 1 {
		t.Errorf("a second player has seat %d, should be 1", w.Seat)
	}
}

// matched is an answer of POST /v1/matchmake.
type matched struct {
	e2e.RoomInfo
	Guest e2e.Guest `json:"guest"`
}

// TestMatchmaking has 50 clients ask at once. They are paired, no seat is given twice, and a client that asks again with the same ticket
// gets the same seat.
func TestMatchmaking(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	const clients = 50
	ask := func(i int) (m matched) {
		body := map[string]any{"game": "chess", "options": map[string]any{"takeback": true}, "ticket": e2e.Ticket(i)}
		if code, err := s.TryCallAt(s.URL, "POST", "/v1/matchmake", "", body, &m); err != nil || code != http.StatusOK {
			t.Errorf("client %d: %d %v", i, code, err)
		}
		return m
	}
	round := func(f func(i int)) {
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() { f(i) })
		}
		wg.Wait()
	}
	first, again := make([]matched, clients), make([]matched, clients)
	round(func(i int) { first[i] = ask(i) })
	round(func(i int) { again[i] = ask(i) })
	pairs := map[string]map[string]bool{}
	for i, m := range first {
		if m.ID != again[i].ID || m.Guest.Player != again[i].Guest.Player || m.Guest.Player == "" {
			t.Errorf("client %d got room %s as %s, and by its ticket again %s as %s", i, m.ID, m.Guest.Player, again[i].ID, again[i].Guest.Player)
		}
		if pairs[m.ID] == nil {
			pairs[m.ID] = map[string]bool{}
		}
		pairs[m.ID][m.Guest.Player] = true
	}
	for id, players := range pairs {
		if len(players) != 2 {
			t.Errorf("room %s was given to %d players", id, len(players))
		}
	}
	if len(pairs) != clients/2 {
		t.Errorf("%d clients were put into %d rooms", clients, len(pairs))
	}

	// A stranger finds no free seat where two are reserved, though nobody has joined yet.
	stranger := e2e.Dial(t, first[0].URL, wire.JSON)
	stranger.Write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "x"}))
	stranger.ClosesWith(wire.CloseForbidden, "full")
	ctx := e2e.WaitContext(t)
	round(func(i int) {
		c, err := s.TryJoin(first[i].RoomInfo, client.Options{Token: first[i].Guest.Token, Encoding: e2e.EncodingOf(i)})
		if err == nil {
			err = c.WaitView(ctx, func(v any) bool { return e2e.Field(v, "status") == "playing" })
		}
		if err != nil {
			t.Errorf("client %d: %v", i, err)
		}
	})

	// Other options make another pool.
	var other matched
	body := map[string]any{"game": "chess", "ticket": e2e.Ticket("other")}
	if code := s.Call("POST", "/v1/matchmake", body, &other); code != http.StatusOK || pairs[other.ID] != nil {
		t.Errorf("without options: %d, room %s", code, other.ID)
	}
}

// TestOperator kicks, signals and closes.
func TestOperator(t *testing.T) {
	t.Parallel()
	operator(e2e.NewServer(t, e2e.GenerousLimits...).Start())
}

func operator(s *e2e.Server) {
	t := s.T
	info := s.Create("tally", nil)
	bad, good := e2e.Dial(t, info.URL, wire.JSON), e2e.Dial(t, info.URL, wire.CBOR)
	w := bad.Hello(wire.Hello{Client: "bad"})
	good.Hello(wire.Hello{Client: "good"})
	path := "/admin/v1/rooms/" + info.ID
	do := func(want int, action string, body map[string]any) {
		t.Helper()
		if code := s.CallAdmin("POST", path+"/"+action, body, nil); code != want {
			t.Errorf("%s %v: %d, should be %d", action, body, code, want)
		}
	}

	do(http.StatusNoContent, "signal", map[string]any{"name": "count", "data": []int{7}})
	for {
		turn := e2e.Hear[wire.Turn](good)
		if len(turn.Events) == 1 && turn.Events[0].Name == "signalled" {
			if data := string(turn.Events[0].Data); data != "[7]" {
				t.Errorf("the signal's data is %s", data)
			}
			break
		}
	}
	do(http.StatusConflict, "signal", map[string]any{"name": "fly"})
	do(http.StatusBadRequest, "signal", map[string]any{})

	do(http.StatusConflict, "kick", map[string]any{"player": "nobody"})
	do(http.StatusNoContent, "kick", map[string]any{"player": w.Player})
	bad.ClosesWith(wire.CloseForbidden, "operator")
	back := e2e.Dial(t, info.URL, wire.JSON)
	back.Write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "bad", Token: w.Token, Attempt: 1}))
	back.ClosesWith(wire.CloseForbidden)
	if seats := s.Inspect(info.ID).Seats; len(seats) != 1 || seats[0].Player == w.Player {
		t.Errorf("after the kick the seats are %+v", seats)
	}

	do(http.StatusBadRequest, "close", map[string]any{"reason": strings.Repeat("a", 200)})
	do(http.StatusNoContent, "close", map[string]any{"reason": "maintenance"})
	if over := e2e.Hear[wire.Over](good); over.End != "closed" || over.Reason != "maintenance" {
		t.Errorf("over %+v", over)
	}
	good.ClosesWith(wire.CloseOver)
	if r := s.Result(info.ID); r.End != "closed" || r.Result.Reason != "maintenance" {
		t.Errorf("stored as %+v", r)
	}
	path = "/admin/v1/rooms/0123456789abcdef"
	do(http.StatusNotFound, "close", map[string]any{})
	if log := s.Log.String(); !e2e.Mentions(log, "admin action", "kick", "maintenance") {
		t.Error("the log does not tell what the operator did")
	}
}

// TestAdminToken checks that a token is required as soon as others can reach the admin server.
func TestAdminToken(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef0123456789abcdef"
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(e2e.FreePort(t), ":")
	s := e2e.NewServer(t, "--admin-listen", "0.0.0.0:"+port, "--admin-token-file", file).Start()
	info := s.Create("tally", nil)
	for _, r := range []struct{ method, path string }{
		{"GET", "/admin/v1/rooms"}, {"GET", "/admin/v1/nodes"}, {"GET", "/admin/v1/rooms/" + info.ID},
		{"POST", "/admin/v1/rooms/" + info.ID + "/close"}, {"GET", "/readyz"}, {"GET", "/metrics"}, {"GET", "/debug/pprof/heap"},
	} {
		for _, wrong := range []string{"", secret[1:], secret + "0"} {
			if code := s.CallAt(s.AdminAt, r.method, r.path, wrong, nil, nil); code != http.StatusUnauthorized {
				t.Errorf("%s %s with token %q: %d, should be 401", r.method, r.path, wrong, code)
			}
		}
	}
	if code := s.CallAt(s.AdminAt, "GET", "/admin/v1/rooms/"+info.ID, secret, nil, nil); code != http.StatusOK {
		t.Errorf("with the token: %d", code)
	}
	if code := s.CallAt(s.URL, "GET", "/admin/v1/rooms", secret, nil, nil); code != http.StatusNotFound {
		t.Errorf("the public server answers %d to an admin request, should be 404", code)
	}
	if strings.Contains(s.Log.String(), secret) {
		t.Error("the log holds the token")
	}
}

// TestMetricsTell checks the metrics after some play.
func TestMetricsTell(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	info := s.Create("tally", nil)
	c := e2e.Dial(t, info.URL, wire.JSON)
	w := c.Hello(wire.Hello{Client: "a", Name: "Somebody Special"})
	for i := range 5 {
		c.Act(uint64(i+1), `{"add":1}`)
		c.Answer()
	}
	for name, want := range map[string]float64{
		`roomring_rooms{game="tally"}`:                   1,
		`roomring_sessions{game="tally"}`:                1,
		`roomring_sockets`:                               1,
		`roomring_inputs_total{game="tally",kind="act"}`: 5,
		`roomring_socket_messages_total{direction="in"}`: 6,
		`roomring_rooms_held`:                            0,
		`roomring_results_unflushed`:                     0,
		`roomring_results_mismatched_total`:              0,
		`roomring_results_unwritable_total`:              0,
	} {
		if got := s.Metric(name); got != want {
			t.Errorf("%s is %v, should be %v", name, got, want)
		}
	}
	c.Act(6, `{"finish":true}`)
	c.ClosesWith(wire.CloseOver)
	s.Result(info.ID)
	testwait.Until(t, "the room has left the metrics", func() bool { return s.Metric(`roomring_rooms{game="tally"}`) == 0 })
	var text []byte
	s.CallAdmin("GET", "/metrics", nil, &text)
	have := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+) `).FindAllSubmatch(text, -1) {
		have[string(m[1])] = true
	}
	for want := range strings.FieldsSeq(`rooms sessions inputs_total messages_sent_total rooms_ended_total sessions_closed_total
		step_seconds commit_delay_seconds http_requests_total http_request_seconds sockets sockets_closed_total
		socket_messages_total socket_bytes_total results_unflushed results_oldest_seconds results_retries_total
		results_mismatched_total results_unwritable_total rows_waiting journal_pending_bytes journal_commits_total
		store_silent_seconds rooms_held`) {
		if !have["roomring_"+want] {
			t.Errorf("there is no roomring_%s", want)
		}
	}
	for _, want := range []string{"go_goroutines", "process_resident_memory_bytes"} {
		if !have[want] {
			t.Errorf("there is no %s", want)
		}
	}
	if got := s.Metric(`roomring_rooms_ended_total{end="finished",game="tally"}`); got != 1 {
		t.Errorf("%v rooms have ended", got)
	}
	for _, private := range []string{info.ID, w.Player, "Somebody"} {
		if strings.Contains(string(text), private) {
			t.Errorf("the metrics hold %s", private)
		}
	}
}

// TestGuestStaysTheSamePlayer uses a guest's token again after a crash and after a stop.
func TestGuestStaysTheSamePlayer(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	g := s.Guest("  Zo\u00eb\t\u202eX ")
	if g.Name != "Zoë X" {
		t.Errorf("the guest's name is %q", g.Name)
	}
	info := s.Create("tally", nil)
	for i, restart := range []func(){func() {}, func() { s.Kill() }, func() { s.Stop() }} {
		restart()
		if i > 0 {
			s.Start()
		}
		for j, room := range []e2e.RoomInfo{info, s.Create("tally", nil)} {
			c := e2e.Dial(t, room.URL, e2e.EncodingOf(i))
			if w := c.Hello(wire.Hello{Client: fmt.Sprintf("run %d", i), Token: g.Token}); w.Player != g.Player || w.Seat != 0 || w.Token != "" {
				t.Errorf("restart %d, room %d: welcomed as %+v, should be %s", i, j, w, g.Player)
			}
		}
	}
	if seats := s.Inspect(info.ID).Seats; len(seats) != 1 {
		t.Errorf("one player has %d seats", len(seats))
	}
}
