package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/cli"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// endings is a game of chess between two guests, ended by resignation.
type endings struct {
	info    roomInfo
	players [2]guest
	clients [2]string
}

func (s *server) resigned(body map[string]any) (e endings) {
	s.t.Helper()
	e.clients = [2]string{"client-of-white-0001", "client-of-black-0002"}
	e.players = [2]guest{s.guest("White"), s.guest("Black")}
	body["game"], body["options"] = "chess", map[string]any{"white": "first"}
	if code := s.callAt(s.URL, "POST", "/v1/rooms", e.players[0].Token, body, &e.info); code != http.StatusCreated {
		s.t.Fatalf("creating %v: %d", body, code)
	}
	var seats [2]*client.Client
	for i, g := range e.players {
		seats[i] = s.join(e.info, client.Options{Token: g.Token, Client: e.clients[i], Code: e.info.Code})
	}
	for i, act := range []map[string]any{{"move": "e2e4"}, {"move": "e7e5"}, {"resign": true}} {
		if _, err := seats[i%2].Act(patience(s.t), act); err != nil {
			s.t.Fatal(err)
		}
	}
	s.until(patience(s.t), "the result is stored", func() bool {
		return s.callAt(s.URL, "GET", "/v1/results/"+e.info.ID, e.players[0].Token, nil, nil) == http.StatusOK
	})
	return e
}

// TestEndsOfPrivateRooms are told to their players and the operator alone, unless whoever made the room wanted otherwise.
func TestEndsOfPrivateRooms(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"sqlite": nil, "postgres": {"--store", pgtest.URL(t)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, append(args, generous...)...).start()
			hidden, shown := s.resigned(map[string]any{"private": true}), s.resigned(map[string]any{"private": true, "public": true})
			s.privateIs(hidden)
			for _, path := range []string{"/v1/results/", "/v1/replays/"} {
				if code := s.call("GET", path+shown.info.ID, nil, nil); code != http.StatusOK {
					t.Errorf("%s of a private room whose end is public: %d", path, code)
				}
			}
			if s.recent(shown.players[0], "") != shown.info.ID {
				t.Error("a profile does not name the private room whose end is public")
			}
			s.shutDown()
			s.start()
			s.privateIs(hidden)
		})
	}
}

// privateIs checks who is told what of a private room that is over.
func (s *server) privateIs(e endings) {
	t, id, stranger := s.t, e.info.ID, s.guest("Stranger")
	t.Helper()
	for _, path := range []string{"/v1/results/" + id, "/v1/replays/" + id} {
		for who, want := range map[string]int{"": http.StatusForbidden, stranger.Token: http.StatusForbidden, e.players[1].Token: http.StatusOK, "nonsense": http.StatusUnauthorized} {
			var raw []byte
			if code := s.callAt(s.URL, "GET", path, who, nil, &raw); code != want {
				t.Errorf("%s as %.9s: %d, want %d: %.300s", path, who, code, want, raw)
			}
		}
		if code := s.admin("GET", "/admin"+path, nil, nil); code != http.StatusOK {
			t.Errorf("/admin%s: %d", path, code)
		}
	}
	for who, want := range map[string]string{"": "", stranger.Token: "", e.players[1].Token: "", e.players[0].Token: id} {
		if got := s.recent(e.players[0], who); got != want {
			t.Errorf("the profile names room %q to %.9s, want %q", got, who, want)
		}
	}
	for who, told := range map[string]bool{"": false, stranger.Token: false, e.players[0].Token: true} {
		var raw []byte
		if code := s.callAt(s.URL, "GET", "/v1/rooms/"+id, who, nil, &raw); code != http.StatusOK || strings.Contains(string(raw), "resign") != told {
			t.Errorf("GET of the room as %.9s: %d %s", who, code, raw)
		}
	}
	c := dial(t, e.info.URL, wire.JSON)
	c.write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "x", Token: stranger.Token}))
	if over := hear[wire.Over](c); strings.Contains(string(over.Result), "resign") {
		t.Errorf("a stranger's socket hears %s", over.Result)
	}
	s.tellsNoSecrets(e)
}

// recent is the newest game in a player's profile, to whoever has the token.
func (s *server) recent(of guest, token string) string {
	s.t.Helper()
	var p struct{ Recent []struct{ Room string } }
	if code := s.callAt(s.URL, "GET", "/v1/players/"+of.Player, token, nil, &p); code != http.StatusOK || len(p.Recent) == 0 {
		return ""
	}
	return p.Recent[0].Room
}

// tellsNoSecrets takes the replay of a room apart and runs it again.
func (s *server) tellsNoSecrets(e endings) {
	s.t.Helper()
	var raw []byte
	if code := s.callAt(s.URL, "GET", "/v1/replays/"+e.info.ID, e.players[0].Token, nil, &raw); code != http.StatusOK {
		s.t.Fatalf("the replay: %d", code)
	}
	r, err := core.ReadReplay(bytes.NewReader(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	plain, err := json.Marshal(r)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, secret := range []string{e.info.Code, e.clients[0], e.clients[1], e.players[0].Token} {
		if bytes.Contains(plain, []byte(secret)) {
			s.t.Errorf("the replay holds %q", secret)
		}
	}
	games, err := builtin()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cli.Replay(io.Discard, games, raw); err != nil {
		s.t.Errorf("the replay: %v", err)
	}
}
