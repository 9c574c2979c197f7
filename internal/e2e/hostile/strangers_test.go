package hostile_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
)

// asks sends a request as if from an address: the server trusts the header that names it.
func asks(s *e2e.Server, from, method, path string, body any) (code int, answer string) {
	s.T.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		s.T.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.T.Context(), method, s.URL+path, bytes.NewReader(raw))
	if err != nil {
		s.T.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Forwarded-For", from)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.T.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.T.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// believing makes the server trust the addresses that asks names.
const believing = "--trusted-proxies=127.0.0.0/8"

// TestRoomsAreSmall has strangers ask for rooms with options of the greatest request size, and for many rooms that nobody joins. The
// options are refused with their limit, and almost nothing is kept of such rooms.
func TestRoomsAreSmall(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, believing).Start()
	long := map[string]any{"white": "player:" + strings.Repeat("x", 60<<10)}
	person := map[string]any{"white": "player:" + strings.Repeat("x", 129)}
	for _, path := range []string{"/v1/rooms", "/v1/matchmake"} {
		code, answer := asks(s, "192.0.2.1", "POST", path, map[string]any{"game": "chess", "options": long})
		if code != http.StatusBadRequest || !e2e.Mentions(answer, `"field":"options"`, "2048 bytes at most") {
			t.Errorf("%s with options of 60 KiB: %d %.300s", path, code, answer)
		}
	}
	code, answer := asks(s, "192.0.2.1", "POST", "/v1/rooms", map[string]any{"game": "chess", "options": person})
	if code != http.StatusBadRequest || !e2e.Mentions(answer, "white", "128 bytes at most") {
		t.Errorf("an id of 129 bytes: %d %.300s", code, answer)
	}
	code, answer = asks(s, "192.0.2.1", "POST", "/v1/rooms", map[string]any{"game": "chess", "options": map[string]any{"white": person["white"].(string)[:7+128]}})
	if code != http.StatusCreated {
		t.Errorf("an id of 128 bytes: %d %.300s", code, answer)
	}
	id := s.Create("chess", map[string]any{"clock": map[string]any{"initial_ms": 60000}}).ID
	if code := s.CallAdmin("POST", "/admin/v1/rooms/"+id+"/close", map[string]string{"reason": "unused"}, nil); code/100 != 2 {
		t.Fatalf("closing a room that nobody joined: %d", code)
	}
	s.Result(id)
	if _, answer := asks(s, "192.0.2.1", "GET", "/v1/results/"+id, nil); len(answer) > 512 {
		t.Errorf("its result has %d bytes: %s", len(answer), answer)
	}
	if code, answer := asks(s, "192.0.2.1", "GET", "/v1/replays/"+id, nil); code != http.StatusNotFound || !e2e.Mentions(answer, "nobody ever joined") {
		t.Errorf("its replay: %d %.300s", code, answer)
	}
}

// TestListsAreRated has one address ask for lists without a pause. It is told to come later, the log names the setting that would allow
// it, and other addresses get their lists.
func TestListsAreRated(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, believing, "--lists-per-second", "2").Start()
	id := s.Create("chess", nil).ID
	code, answer := asks(s, "192.0.2.1", "GET", "/v1/rooms?limit=1", nil)
	for i := 0; code == http.StatusOK && i < 2000; i++ {
		code, answer = asks(s, "192.0.2.1", "GET", "/v1/rooms?limit=1", nil)
	}
	if code != http.StatusTooManyRequests {
		t.Errorf("after 2,000 lists: %d %s", code, answer)
	}
	if code, answer := asks(s, "192.0.2.2", "GET", "/v1/rooms", nil); code != http.StatusOK || !e2e.Mentions(answer, id) {
		t.Errorf("a list for somebody else: %d %s", code, answer)
	}
	s.Until(e2e.WaitContext(t), "the log names the limit", func() bool { return e2e.Mentions(s.Log.String(), "limit=--lists-per-second address=192.0.2.1") })
}

// TestSeatsThatNobodyClaims has one address ask for seats without a pause and never join. Meanwhile two others meet in a room where
// nobody else sits. The address is told what to do, and the log names the setting that would allow it.
func TestSeatsThatNobodyClaims(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, believing, "--rooms-per-second", "0", "--guests-per-second", "0").Start()
	attack := func(n int) (refused int) {
		for range n {
			switch code, answer := asks(s, "192.0.2.1", "POST", "/v1/matchmake", map[string]any{"game": "chess"}); {
			case code == http.StatusTooManyRequests && e2e.Mentions(answer, "unclaimed-seats", "join the rooms"):
				refused++
			case code != http.StatusOK:
				t.Fatalf("a seat: %d %s", code, answer)
			}
		}
		return refused
	}
	if refused := attack(30); refused == 0 {
		t.Error("one address has 30 seats kept for players who do not come")
	}
	var rooms [2]string
	for i, from := range []string{"192.0.2.2", "192.0.2.3"} {
		code, answer := asks(s, from, "POST", "/v1/matchmake", map[string]any{"game": "chess"})
		var got struct {
			ID    string `json:"id"`
			URL   string `json:"ws_url"`
			Guest struct{ Token string }
		}
		if err := json.Unmarshal([]byte(answer), &got); err != nil || code != http.StatusOK {
			t.Fatalf("an honest seat: %d %s", code, answer)
		}
		e2e.Dial(t, got.URL, wire.JSON).Hello(wire.Hello{Client: "honest", Token: got.Guest.Token})
		rooms[i] = got.ID
		attack(10)
	}
	if rooms[0] != rooms[1] {
		t.Errorf("two who wanted the same are in %v", rooms)
	}
	s.Until(e2e.WaitContext(t), "the log names the limit", func() bool { return e2e.Mentions(s.Log.String(), "limit=--unclaimed-seats address=192.0.2.1") })
}

// TestStrangersCannotFillANode has single addresses, the addresses of one network and one player make as many rooms as they can, until
// the node is full. Everybody else can still make one, and a room in which somebody plays stays.
func TestStrangersCannotFillANode(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, believing, "--max-rooms", "30", "--room-share", "10").Start()
	room := map[string]any{"game": "chess"}
	fill := func(want int, from ...string) {
		t.Helper()
		for i := 0; ; i++ {
			code, answer := asks(s, from[i%len(from)], "POST", "/v1/rooms", room)
			if code == http.StatusCreated && i < 2*want {
				continue
			}
			if i != want || code != http.StatusTooManyRequests || !e2e.Mentions(answer, "room-share", "leave them and retry") {
				t.Errorf("%v made %d rooms, then %d %s; want %d", from, i, code, answer, want)
			}
			return
		}
	}
	info := s.Create("chess", nil)
	e2e.Dial(t, info.URL, wire.JSON).Hello(wire.Hello{Client: "honest", Token: s.Guest("Ann").Token})
	fill(3, "192.0.2.1")
	fill(6, "2001:db8:1:1::1", "2001:db8:1:2::1", "2001:db8:1:3::1", "2001:db8:1:4::1")
	token := s.Guest("Bob").Token
	for i, code := 0, 0; code != http.StatusTooManyRequests; i++ {
		if code = s.CallAt(s.URL, "POST", "/v1/rooms", token, room, nil); i > 3 {
			t.Fatalf("one player made %d rooms", i)
		}
	}
	for i := range 30 {
		if code, answer := asks(s, fmt.Sprintf("198.51.100.%d", i), "POST", "/v1/rooms", room); code != http.StatusCreated {
			t.Fatalf("room %d of others: %d %s", i, code, answer)
		}
	}
	if code, answer := asks(s, "203.0.113.1", "GET", "/v1/rooms/"+info.ID, nil); code != http.StatusOK || !e2e.Mentions(answer, `"players":1`) {
		t.Errorf("the room that somebody plays in: %d %s", code, answer)
	}
	s.Until(e2e.WaitContext(t), "the rooms that make place have gone", func() bool {
		var list struct{ Rooms []json.RawMessage }
		s.Call("GET", "/v1/rooms?phase=waiting", nil, &list)
		return len(list.Rooms) <= 30
	})
	s.Until(e2e.WaitContext(t), "the log names the limit", func() bool { return e2e.Mentions(s.Log.String(), "limit=--room-share address=192.0.2.1") })
}
