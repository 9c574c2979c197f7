package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/internal/webtest"
	"github.com/roomring/roomring/web/limit"
	"github.com/roomring/roomring/web/trust"
)

func TestCreateAnswersTheRoomAndWhereItIs(t *testing.T) {
	a := webtest.StartAPI(t, nil)
	got := a.Want(201, "POST", "/v1/rooms", `{"game":"chess","name":"Friday","options":{"minutes":5}}`)
	id := got.Body["id"].(string)
	host := strings.TrimPrefix(a.URL, "http://")
	want := map[string]any{
		"game": "chess", "name": "Friday", "node": "alpha", "phase": "waiting", "private": false, "players": 0.0, "spectators": 0.0,
		"epoch": 1.0, "max_players": 2.0, "ws_url": "ws://" + host + "/v1/rooms/" + id + "/ws?node=alpha",
	}
	for field, value := range want {
		if got.Body[field] != value {
			t.Errorf("%s is %v, want %v", field, got.Body[field], value)
		}
	}
	if got.Header.Get("Location") != "/v1/rooms/"+id {
		t.Errorf("Location %q", got.Header.Get("Location"))
	}
	cookies := got.Cookies()
	if len(cookies) != 1 || cookies[0].Name != "roomring_node" || cookies[0].Value != "alpha" || !cookies[0].HttpOnly {
		t.Errorf("cookies %v", cookies)
	}
	if _, told := got.Body["code"]; told {
		t.Error("a public room has a code")
	}
	if c := a.Rooms.Created[0]; string(c.Options) != `{"minutes":5}` || c.Name != "Friday" {
		t.Errorf("the directory was asked for %+v", c)
	}
}

func TestRefusedRequestsNameTheField(t *testing.T) {
	a := webtest.StartAPI(t, func(o *api.Options) { o.MaxBody = 2000 })
	long := strings.Repeat("x", 300)
	tests := []struct {
		name, field, method, path, body string
		status                          int
	}{
		{"no game", "game", "POST", "/v1/rooms", `{}`, 400},
		{"empty body", "game", "POST", "/v1/rooms", "", 400},
		{"unknown game", "game", "POST", "/v1/rooms", `{"game":"go"}`, 400},
		{"long name", "name", "POST", "/v1/rooms", `{"game":"chess","name":"` + long + `"}`, 400},
		{"control character", "name", "POST", "/v1/rooms", `{"game":"chess","name":"a\u0000b"}`, 400},
		{"options refused by field", "options.clock", "POST", "/v1/rooms", `{"game":"chess","options":{"clock":"bad"}}`, 400},
		{"options refused", "options", "POST", "/v1/rooms", `{"game":"chess","options":{"x":"refuse"}}`, 400},
		{"options no object", "options", "POST", "/v1/rooms", `{"game":"chess","options":[1]}`, 400},
		{"options null", "options", "POST", "/v1/rooms", `{"game":"chess","options":null}`, 400},
		{"wrong type", "private", "POST", "/v1/rooms", `{"game":"chess","private":"yes"}`, 400},
		{"unknown field", "colour", "POST", "/v1/rooms", `{"game":"chess","colour":"red"}`, 400},
		{"not an object", "", "POST", "/v1/rooms", `[]`, 400},
		{"a name that turns its neighbours", "name", "POST", "/v1/rooms", `{"game":"chess","name":"\u202eevil"}`, 400},
		{"a name of two lines", "name", "POST", "/v1/rooms", `{"game":"chess","name":"a\u2028b"}`, 400},
		{"null", "", "POST", "/v1/guest", ` null `, 400},
		{"no JSON", "", "POST", "/v1/rooms", `{"game":`, 400},
		{"two objects", "", "POST", "/v1/rooms", `{"game":"chess"}{}`, 400},
		{"large body", "", "POST", "/v1/rooms", `{"game":"` + strings.Repeat("x", 3000) + `"}`, 413},
		{"match without game", "game", "POST", "/v1/matchmake", `{}`, 400},
		{"match unknown game", "game", "POST", "/v1/matchmake", `{"game":"go"}`, 400},
		{"match bad options", "options.clock", "POST", "/v1/matchmake", `{"game":"chess","options":{"bad":1}}`, 400},
		{"ticket that others think of too", "ticket", "POST", "/v1/matchmake", `{"game":"chess","ticket":"1"}`, 400},
		{"ticket of many bytes and few characters", "ticket", "POST", "/v1/matchmake", `{"game":"chess","ticket":"` + strings.Repeat("𝄞", 15) + `"}`, 400},
		{"long ticket", "ticket", "POST", "/v1/matchmake", `{"game":"chess","ticket":"` + long + `"}`, 400},
		{"long guest name", "name", "POST", "/v1/guest", `{"name":"` + long + `"}`, 400},
		{"filter game", "game", "GET", "/v1/rooms?game=go", "", 400},
		{"filter phase", "phase", "GET", "/v1/rooms?phase=late", "", 400},
		{"filter open", "open", "GET", "/v1/rooms?open=perhaps", "", 400},
		{"filter limit", "limit", "GET", "/v1/rooms?limit=0", "", 400},
		{"filter large limit", "limit", "GET", "/v1/rooms?limit=1001", "", 400},
		{"filter after", "after", "GET", "/v1/rooms?after=zzz", "", 400},
		{"long code", "code", "GET", "/v1/rooms?code=" + long, "", 400},
		{"bad query", "", "GET", "/v1/rooms?game=%zz", "", 400},
		{"unknown room", "", "GET", "/v1/rooms/0123456789abcdef", "", 404},
		{"no room id", "id", "GET", "/v1/rooms/nonsense", "", 400},
		{"unknown path", "", "GET", "/v2/rooms", "", 404},
		{"second spelling", "", "GET", "/v1//rooms", "", 404},
		{"dots", "", "GET", "/v1/x/../rooms", "", 404},
		{"wrong method", "", "DELETE", "/v1/rooms", "", 405},
		{"leaderboard limit", "limit", "GET", "/v1/leaderboards/chess?limit=x", "", 400},
		{"leaderboard offset", "offset", "GET", "/v1/leaderboards/chess?offset=-1", "", 400},
		{"leaderboard game", "", "GET", "/v1/leaderboards/go", "", 404},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a.T = t
			a.Refused(test.status, test.field, test.method, test.path, test.body)
		})
	}
	a.T = t
	if allow := a.Refused(405, "", "PUT", "/v1/rooms", "").Header.Get("Allow"); allow != "GET, POST, HEAD, OPTIONS" {
		t.Errorf("Allow %q", allow)
	}
	a.Refused(415, "", "POST", "/v1/rooms", `{"game":"chess"}`, "Content-Type: text/plain")
}

func TestErrorsOfTheDirectory(t *testing.T) {
	a := webtest.StartAPI(t, nil)
	for _, test := range []struct {
		err    error
		status int
		retry  bool
	}{
		{actor.ErrTooMany, 503, true},
		{fmt.Errorf("here: %w", actor.ErrDraining), 503, true},
		{actor.ErrUnreachable, 503, true},
		{context.DeadlineExceeded, 503, true},
		{actor.ErrUnknownGame, 400, false},
	} {
		a.Rooms.FailWith(test.err)
		got := a.Want(test.status, "POST", "/v1/rooms", `{"game":"chess"}`)
		if retry := got.Header.Get("Retry-After") != ""; retry != test.retry {
			t.Errorf("%v: Retry-After %q", test.err, got.Header.Get("Retry-After"))
		}
	}
	a.Rooms.FailWith(&actor.UnreachableError{Reason: "the room's node n3 is down"})
	if got := a.Want(503, "GET", "/v1/rooms/0123456789abcdef", ""); !strings.Contains(got.Text, "n3 is down") {
		t.Errorf("it is not said why: %s", got.Text)
	}
}

func TestUnknownErrorsAreNotTold(t *testing.T) {
	a := webtest.StartAPI(t, nil)
	a.Client = http.DefaultClient // a 500 is never as described
	a.Rooms.FailWith(errors.New("the seed is 1234"))
	if got := a.Want(500, "POST", "/v1/rooms", `{"game":"chess"}`); strings.Contains(got.Text, "1234") {
		t.Errorf("told: %s", got.Text)
	}
}

func TestPanicsAreAnswered(t *testing.T) {
	a := webtest.StartAPI(t, func(o *api.Options) { o.Unready = func() []string { panic("oh") } })
	a.Client = http.DefaultClient
	a.Refused(500, "", "GET", "/readyz", "")
}

func TestListIsNarrowedAndPaged(t *testing.T) {
	a := webtest.StartAPI(t, nil)
	for range 5 {
		a.Create(`{"game":"chess"}`)
	}
	snake := a.Create(`{"game":"snakes"}`)
	a.Create(`{"game":"snakes","private":true}`)
	a.Rooms.Change(snake, func(i *actor.Info) { i.Open, i.Phase = false, core.PhasePlaying })

	count := func(query string) int {
		return len(a.Want(200, "GET", "/v1/rooms"+query, "").Body["rooms"].([]any))
	}
	for query, want := range map[string]int{
		"": 6, "?game=snakes": 1, "?open=true": 5, "?phase=playing": 1, "?phase=over": 0, "?limit=2": 2,
	} {
		if got := count(query); got != want {
			t.Errorf("%s: %d rooms, want %d", query, got, want)
		}
	}
	seen := map[string]bool{}
	for after := ""; ; {
		page := a.Want(200, "GET", "/v1/rooms?limit=4"+after, "")
		for _, r := range page.Body["rooms"].([]any) {
			seen[r.(map[string]any)["id"].(string)] = true
		}
		next, more := page.Body["next"].(string)
		if !more {
			break
		}
		after = "&after=" + next
	}
	if len(seen) != 6 {
		t.Errorf("pages showed %d rooms, want 6", len(seen))
	}
}

func TestAListSaysThatRoomsMayBeMissing(t *testing.T) {
	a := webtest.StartAPI(t, nil)
	a.Create(`{"game":"chess"}`)
	if whole := a.Want(200, "GET", "/v1/rooms", ""); whole.Body["partial"] != nil {
		t.Errorf("a whole list: %s", whole.Text)
	}
	a.Rooms.Partial = true
	if part := a.Want(200, "GET", "/v1/rooms", ""); part.Body["partial"] != true {
		t.Errorf("a list that a node did not answer: %s", part.Text)
	}
}

func TestPrivateRoomsAreFoundByCodeAlone(t *testing.T) {
	a := webtest.StartAPI(t, nil)
	made := a.Want(201, "POST", "/v1/rooms", `{"game":"chess","private":true}`)
	code, id := made.Body["code"].(string), made.Body["id"].(string)
	found := a.Want(200, "GET", "/v1/rooms?code="+code, "")
	rooms := found.Body["rooms"].([]any)
	if len(rooms) != 1 || rooms[0].(map[string]any)["id"] != id {
		t.Fatalf("found %s", found.Text)
	}
	if strings.Contains(found.Text, code) || strings.Contains(a.Want(200, "GET", "/v1/rooms/"+id, "").Text, code) {
		t.Error("the code is told to others than the maker")
	}
	if rooms := a.Want(200, "GET", "/v1/rooms?code=wrong", "").Body["rooms"].([]any); len(rooms) != 0 {
		t.Errorf("a wrong code found %v", rooms)
	}
}

func TestRoomShowsItsStateOfPlay(t *testing.T) {
	a := webtest.StartAPI(t, nil)
	id := a.Create(`{"game":"chess"}`)
	a.Rooms.Change(id, func(i *actor.Info) {
		i.Seats = []core.SeatInfo{{Seat: 1, Player: "ann", Name: "Ann", Online: true}}
		i.Phase, i.Spectators, i.Epoch, i.Index = core.PhasePlaying, 7, 3, 99
	})
	got := a.Want(200, "GET", "/v1/rooms/"+string(id), "")
	for field, want := range map[string]any{"phase": "playing", "players": 1.0, "spectators": 7.0, "epoch": 3.0, "seq": 99.0} {
		if got.Body[field] != want {
			t.Errorf("%s is %v, want %v", field, got.Body[field], want)
		}
	}
	a.Rooms.Change(id, func(i *actor.Info) {
		i.Phase = core.PhaseOver
		i.Final = &record.Final{End: record.Finished, Result: room.Result{Reason: "checkmate", Summary: "White wins"}, Duration: 1500 * time.Millisecond}
	})
	final := a.Want(200, "GET", "/v1/rooms/"+string(id), "").Body["final"].(map[string]any)
	if final["end"] != "finished" || final["duration_ms"] != 1500.0 || final["result"].(map[string]any)["reason"] != "checkmate" {
		t.Errorf("final is %v", final)
	}
}

func TestMatchmakeHoldsASeatForSomebody(t *testing.T) {
	a := webtest.StartAPI(t, nil)
	first := a.Want(200, "POST", "/v1/matchmake", `{"game":"chess","ticket":"first-of-the-tests"}`)
	again := a.Want(200, "POST", "/v1/matchmake", `{"game":"chess","ticket":"first-of-the-tests"}`)
	if first.Body["id"] != again.Body["id"] {
		t.Error("the same ticket got another room")
	}
	guest := first.Body["guest"].(map[string]any)
	if same := again.Body["guest"].(map[string]any); same["player"] != guest["player"] || same["name"] != guest["name"] {
		t.Errorf("the same ticket got another guest: %v, %v", guest, same)
	}
	other := a.Want(200, "POST", "/v1/matchmake", `{"game":"chess","ticket":"other-of-the-tests"}`).Body["guest"].(map[string]any)
	none := a.Want(200, "POST", "/v1/matchmake", `{"game":"chess"}`).Body["guest"].(map[string]any)
	if other["player"] == guest["player"] || none["player"] == guest["player"] || none["player"] == other["player"] {
		t.Error("different requests share a guest")
	}
	if held := a.Rooms.Matched[0].Player; string(held) != guest["player"] {
		t.Errorf("the seat is held for %s, the guest is %v", held, guest)
	}
	token := "Authorization: Bearer " + guest["token"].(string)
	own := a.Want(200, "POST", "/v1/matchmake", `{"game":"chess"}`, token)
	if own.Body["guest"] != nil || string(a.Rooms.Matched[4].Player) != guest["player"] {
		t.Errorf("with a token the seat is held for %s: %s", a.Rooms.Matched[4].Player, own.Text)
	}
}

func TestSocketAddress(t *testing.T) {
	behind, err := trust.ParseProxies([]string{"127.0.0.1", "::1/128"})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, public string
		proxies      trust.Proxies
		headers      []string
		want         string
	}{
		{"host", "", nil, []string{"Host: play.example:81"}, "ws://play.example:81/v1/rooms/"},
		{"untrusted proto", "", nil, []string{"Host: play.example", "X-Forwarded-Proto: https"}, "ws://play.example/v1/rooms/"},
		{"trusted proto", "", behind, []string{"Host: play.example", "X-Forwarded-Proto: https"}, "wss://play.example/v1/rooms/"},
		{"public URL", "https://rooms.example/base/", nil, nil, "wss://rooms.example/base/v1/rooms/"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := webtest.StartAPI(t, func(o *api.Options) { o.PublicURL, o.TrustedProxies = test.public, test.proxies })
			got := a.Want(201, "POST", "/v1/rooms", `{"game":"chess"}`, test.headers...)
			if url := got.Body["ws_url"].(string); !strings.HasPrefix(url, test.want) {
				t.Errorf("ws_url %q, want %q…", url, test.want)
			}
			if secure := got.Cookies()[0].Secure; secure != strings.HasPrefix(test.want, "wss") {
				t.Errorf("the cookie's Secure is %t", secure)
			}
		})
	}
}

func TestCapsAnAddress(t *testing.T) {
	now := time.Unix(1e9, 0)
	var log webtest.Log
	a := webtest.StartAPI(t, func(o *api.Options) {
		o.Log = log.Logger()
		o.Creates, o.Guests, o.Codes = limit.Rate{PerSecond: 0.1, Burst: 2}, limit.Rate{PerSecond: 1, Burst: 1}, limit.NewCodes(limit.Rate{PerSecond: 1, Burst: 1})
		o.ReplayRate = limit.Rate{PerSecond: 1, Burst: 1}
		o.Now = func() time.Time { return now }
		o.TrustedProxies, _ = trust.ParseProxies([]string{"127.0.0.0/8", "::1"})
	})
	make1 := func(status int, from string) webtest.Answer {
		return a.Want(status, "POST", "/v1/rooms", `{"game":"chess"}`, "X-Forwarded-For: "+from)
	}
	make1(201, "192.0.2.1")
	make1(201, "192.0.2.1")
	if after := make1(429, "192.0.2.1").Header.Get("Retry-After"); after != "10" {
		t.Errorf("Retry-After %q, want 10", after)
	}
	a.Refused(429, "", "POST", "/v1/matchmake", `{"game":"chess"}`, "X-Forwarded-For: 192.0.2.1")
	make1(201, "192.0.2.2")
	make1(201, "2001:db8::1")
	make1(201, "2001:db8::2")
	make1(429, "2001:db8::3") // the same /64
	make1(201, "2001:db8:0:1::1")
	now = now.Add(10 * time.Second)
	make1(201, "192.0.2.1")

	a.Want(201, "POST", "/v1/guest", "")
	a.Refused(429, "", "POST", "/v1/guest", "")
	a.Want(200, "GET", "/v1/rooms?code=x", "")
	a.Refused(429, "", "GET", "/v1/rooms?code=y", "")
	replay := "/v1/replays/" + string(webtest.RoomID)
	a.Refused(404, "", "GET", replay, "")
	a.Refused(429, "", "GET", replay, "")
	now = now.Add(time.Second)
	a.Refused(404, "", "GET", replay, "")
}

// TestALongPageEndsEarly checks that rooms with options of the greatest length make no longer pages, and that the pages lack none.
func TestALongPageEndsEarly(t *testing.T) {
	a := webtest.StartAPI(t, nil)
	long := `{"x":"` + strings.Repeat("x", 30<<10) + `"}`
	for range 60 {
		if _, err := a.Rooms.Create(t.Context(), actor.Create{Game: "chess", Options: []byte(long)}); err != nil {
			t.Fatal(err)
		}
	}
	seen, pages := 0, 0
	for after := ""; ; pages++ {
		got := a.Want(200, "GET", "/v1/rooms?limit=50"+after, "")
		if len(got.Text) > 1<<20+64<<10 {
			t.Errorf("a page has %d bytes", len(got.Text))
		}
		seen += len(got.Body["rooms"].([]any))
		next, more := got.Body["next"].(string)
		if !more {
			break
		}
		after = "&after=" + next
	}
	if seen != 60 || pages < 1 {
		t.Errorf("%d of 60 rooms on %d pages", seen, pages+1)
	}
}
