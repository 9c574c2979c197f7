package hooks_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/web/client"
)

// message is what a receiver gets.
type message struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      struct {
		ID      string
		Room    string
		Game    string
		Private bool
		Epoch   uint64
		Index   uint64
		Player  *struct {
			ID, Name string
			Seat     int
		}
		End    string
		Reason string
		Result *struct {
			Reason   string
			Outcomes []struct {
				Player string
				Rank   int
			}
		}
	} `json:"data"`
}

// receiver is the server of somebody who wants to know. It checks each signature as its author would.
type receiver struct {
	t      *testing.T
	secret string
	file   string // that holds the secret
	verify *standardwebhooks.Webhook
	answer func(id string, try int, w http.ResponseWriter, r *http.Request) // nil: 204

	mu    sync.Mutex
	tries map[string]int     // by the header webhook-id
	taken map[string]message // by id, of what was answered by 2xx
	again map[string]int     // how often what was taken came again
	raw   string             // every body
}

func newReceiver(t *testing.T, answer func(id string, try int, w http.ResponseWriter, r *http.Request)) *receiver {
	t.Helper()
	var key [32]byte
	rand.Read(key[:])
	r := &receiver{
		t: t, answer: answer, secret: "whsec_" + base64.StdEncoding.EncodeToString(key[:]), file: filepath.Join(t.TempDir(), "secret"),
		tries: map[string]int{}, taken: map[string]message{}, again: map[string]int{},
	}
	var err error
	if r.verify, err = standardwebhooks.NewWebhook(r.secret); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.file, []byte(r.secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

// serve starts to listen, at any address if addr is empty, until the test ends.
func (r *receiver) serve(addr string) string {
	r.t.Helper()
	s := httptest.NewUnstartedServer(r)
	if addr != "" {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			r.t.Fatal(err)
		}
		s.Listener.Close()
		s.Listener = l
	}
	s.Start()
	r.t.Cleanup(s.Close)
	return s.URL + "/hooks?token=" + urlToken
}

// urlToken is in the query of every receiver's URL, and must be in no log.
const urlToken = "hush-hush-in-the-url"

type answered struct {
	http.ResponseWriter
	code int
}

func (a *answered) WriteHeader(code int) { a.code = code; a.ResponseWriter.WriteHeader(code) }

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err == nil {
		err = r.verify.Verify(body, req.Header)
	}
	var m message
	if err == nil {
		err = json.Unmarshal(body, &m)
	}
	id := req.Header.Get("webhook-id")
	if err != nil || m.Data.ID != id || m.Timestamp.IsZero() || req.URL.Query().Get("token") != urlToken {
		r.t.Errorf("a request to %s with id %q: %v: %s", req.URL, id, err, body)
	}
	r.mu.Lock()
	r.tries[id]++
	try := r.tries[id]
	r.raw += string(body) + "\n"
	r.mu.Unlock()
	a := &answered{w, http.StatusNoContent}
	if r.answer != nil {
		r.answer(id, try, a, req)
	} else {
		a.WriteHeader(a.code)
	}
	if a.code < 200 || a.code > 299 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, before := r.taken[id]; before {
		r.again[id]++
	}
	r.taken[id] = m
}

// of returns what was taken of a room, by type and in order of the log.
func (r *receiver) of(room string) map[string][]message {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := map[string][]message{}
	for _, m := range r.taken {
		if m.Data.Room == room {
			found[m.Type] = append(found[m.Type], m)
		}
	}
	for _, all := range found {
		slices.SortFunc(all, func(a, b message) int { return int(a.Data.Index) - int(b.Data.Index) })
	}
	return found
}

func (r *receiver) repeats() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, again := range r.again {
		n += again
	}
	return n
}

// counts says how many of each type were taken of a room.
func (r *receiver) counts(room string) string {
	of := r.of(room)
	return fmt.Sprintf("created %d, joined %d, over %d, result %d", len(of["room.created"]), len(of["player.joined"]), len(of["room.over"]), len(of["result"]))
}

// waitFor waits until the counts of a room are as wanted.
func (r *receiver) waitFor(room, want string) {
	r.t.Helper()
	defer func() {
		if r.t.Failed() {
			r.t.Logf("of room %s came %s", room, r.counts(room))
		}
	}()
	testwait.Until(r.t, fmt.Sprintf("of room %s came: %s", room, want), func() bool { return r.counts(room) == want })
}

// table is a game of chess for two.
type table struct {
	e2e.RoomInfo
	players [2]*client.Client
}

// seat makes a room at the server and seats two players, through the servers named, or itself.
func seat(t *testing.T, s *e2e.Server, body map[string]any, edges ...*e2e.Server) *table {
	t.Helper()
	var at table
	if body == nil {
		body = map[string]any{}
	}
	body["game"], body["options"] = "chess", map[string]any{"white": "first"}
	if code := s.Call("POST", "/v1/rooms", body, &at.RoomInfo); code != http.StatusCreated {
		t.Fatalf("creating a room: %d", code)
	}
	for i, name := range []string{"Ann <b>", "Bob"} {
		info := at.RoomInfo
		if i < len(edges) {
			info = edges[i].Via(info)
		}
		at.players[i] = s.Join(info, client.Options{Name: name, Code: at.Code})
	}
	return &at
}

// finish plays two moves, and White resigns.
func (at *table) finish(t *testing.T) {
	t.Helper()
	for i, act := range []any{map[string]string{"move": "e4"}, map[string]string{"move": "e5"}, map[string]bool{"resign": true}} {
		if _, err := at.players[i%2].Act(e2e.WaitContext(t), act); err != nil && !e2e.IsRoomOver(err) {
			t.Fatalf("act %d: %v", i, err)
		}
	}
}

// listed is an answer of GET /admin/v1/outbox.
type listed struct {
	Events []struct {
		ID                          int64
		Target, Event, State, Error string
		Tries                       int
	}
	Targets []struct {
		Target                     string
		Waiting, Delivered, Failed int
	}
}

func outbox(t *testing.T, s *e2e.Server, query string) (all listed) {
	t.Helper()
	if code := s.CallAdmin("GET", "/admin/v1/outbox?"+query, nil, &all); code != http.StatusOK {
		t.Fatalf("the outbox: %d", code)
	}
	return all
}
