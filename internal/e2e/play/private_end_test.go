package play_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/cli"
	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// endings is a game of chess between two guests that ended by resignation.
type endings struct {
	info    e2e.RoomInfo
	players [2]e2e.Guest
	clients [2]string
}

func resigned(s *e2e.Server, body map[string]any) (e endings) {
	s.T.Helper()
	e.clients = [2]string{"client-of-white-0001", "client-of-black-0002"}
	e.players = [2]e2e.Guest{s.Guest("White"), s.Guest("Black")}
	body["game"], body["options"] = "chess", map[string]any{"white": "first"}
	if code := s.CallAt(s.URL, "POST", "/v1/rooms", e.players[0].Token, body, &e.info); code != http.StatusCreated {
		s.T.Fatalf("creating %v: %d", body, code)
	}
	var seats [2]*client.Client
	for i, g := range e.players {
		seats[i] = s.Join(e.info, client.Options{Token: g.Token, Client: e.clients[i], Code: e.info.Code})
	}
	for i, act := range []map[string]any{{"move": "e2e4"}, {"move": "e7e5"}, {"resign": true}} {
		if _, err := seats[i%2].Act(e2e.WaitContext(s.T), act); err != nil {
			s.T.Fatal(err)
		}
	}
	s.Until(e2e.WaitContext(s.T), "the result is stored", func() bool {
		return s.CallAt(s.URL, "GET", "/v1/results/"+e.info.ID, e.players[0].Token, nil, nil) == http.StatusOK
	})
	return e
}

// TestEndsOfPrivateRooms checks that only the players and the operator see the ends of private rooms, unless the room was made with
// another choice.
func TestEndsOfPrivateRooms(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"sqlite": nil, "postgres": {"--store", pgtest.URL(t)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := e2e.NewServer(t, append(args, e2e.GenerousLimits...)...).Start()
			hidden, shown := resigned(s, map[string]any{"private": true}), resigned(s, map[string]any{"private": true, "public": true})
			privateIs(s, hidden)
			for _, path := range []string{"/v1/results/", "/v1/replays/"} {
				if code := s.Call("GET", path+shown.info.ID, nil, nil); code != http.StatusOK {
					t.Errorf("%s of a private room whose end is public: %d", path, code)
				}
			}
			if recent(s, shown.players[0], "") != shown.info.ID {
				t.Error("a profile does not name the private room whose end is public")
			}
			shutDown(s)
			s.Start()
			privateIs(s, hidden)
		})
	}
}

// privateIs checks who is told what about a private room that is over.
func privateIs(s *e2e.Server, e endings) {
	t, id, stranger := s.T, e.info.ID, s.Guest("Stranger")
	t.Helper()
	for _, path := range []string{"/v1/results/" + id, "/v1/replays/" + id} {
		for who, want := range map[string]int{"": http.StatusForbidden, stranger.Token: http.StatusForbidden, e.players[1].Token: http.StatusOK, "nonsense": http.StatusUnauthorized} {
			var raw []byte
			if code := s.CallAt(s.URL, "GET", path, who, nil, &raw); code != want {
				t.Errorf("%s as %.9s: %d, want %d: %.300s", path, who, code, want, raw)
			}
		}
		if code := s.CallAdmin("GET", "/admin"+path, nil, nil); code != http.StatusOK {
			t.Errorf("/admin%s: %d", path, code)
		}
	}
	for who, want := range map[string]string{"": "", stranger.Token: "", e.players[1].Token: "", e.players[0].Token: id} {
		if got := recent(s, e.players[0], who); got != want {
			t.Errorf("the profile names room %q to %.9s, want %q", got, who, want)
		}
	}
	for who, told := range map[string]bool{"": false, stranger.Token: false, e.players[0].Token: true} {
		var raw []byte
		if code := s.CallAt(s.URL, "GET", "/v1/rooms/"+id, who, nil, &raw); code != http.StatusOK || strings.Contains(string(raw), "resign") != told {
			t.Errorf("GET of the room as %.9s: %d %s", who, code, raw)
		}
	}
	c := e2e.Dial(t, e.info.URL, wire.JSON)
	c.Write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "x", Token: stranger.Token}))
	if over := e2e.Hear[wire.Over](c); strings.Contains(string(over.Result), "resign") {
		t.Errorf("a stranger's socket hears %s", over.Result)
	}
	tellsNoSecrets(s, e)
}

// recent returns the newest game in a player's profile, as the holder of the token sees it.
func recent(s *e2e.Server, of e2e.Guest, token string) string {
	s.T.Helper()
	var p struct{ Recent []struct{ Room string } }
	if code := s.CallAt(s.URL, "GET", "/v1/players/"+of.Player, token, nil, &p); code != http.StatusOK || len(p.Recent) == 0 {
		return ""
	}
	return p.Recent[0].Room
}

// tellsNoSecrets checks that the replay of a room contains no codes, client ids or tokens, and runs it.
func tellsNoSecrets(s *e2e.Server, e endings) {
	s.T.Helper()
	var raw []byte
	if code := s.CallAt(s.URL, "GET", "/v1/replays/"+e.info.ID, e.players[0].Token, nil, &raw); code != http.StatusOK {
		s.T.Fatalf("the replay: %d", code)
	}
	r, err := core.ReadReplay(bytes.NewReader(raw))
	if err != nil {
		s.T.Fatal(err)
	}
	plain, err := json.Marshal(r)
	if err != nil {
		s.T.Fatal(err)
	}
	for _, secret := range []string{e.info.Code, e.clients[0], e.clients[1], e.players[0].Token} {
		if bytes.Contains(plain, []byte(secret)) {
			s.T.Errorf("the replay holds %q", secret)
		}
	}
	games, err := e2e.BuiltinGames()
	if err != nil {
		s.T.Fatal(err)
	}
	if err := cli.Replay(io.Discard, games, raw); err != nil {
		s.T.Errorf("the replay: %v", err)
	}
}
