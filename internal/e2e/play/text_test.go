package play_test

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/room/wire"
)

// TestTextThatNoStoreHolds sends text that no store can hold by every route. It is refused in the same way with every store, and the
// refusal does not blame the store.
func TestTextThatNoStoreHolds(t *testing.T) {
	t.Parallel()
	for _, store := range []string{"sqlite", "postgres"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			url := "sqlite:" + filepath.Join(t.TempDir(), "store.db")
			if store == "postgres" {
				url = pgtest.URL(t)
			}
			textThatNoStoreHolds(e2e.NewServer(t, append(e2e.GenerousLimits, "--store", url)...).Start())
		})
	}
}

func textThatNoStoreHolds(s *e2e.Server) {
	t := s.T
	for _, bad := range []string{"%00", "a%00b", "%ff", "%ed%a0%bc"} {
		for _, path := range []string{
			"/v1/leaderboards/@", "/v1/players/@", "/v1/results/@", "/v1/replays/@", "/v1/rooms/@", "/v1/rooms?code=@", "/v1/rooms?game=@",
			"/v1/rooms?after=@", "/v1/rooms?phase=@", "/v1/leaderboards/chess?offset=@", "/v1/games?@=1",
		} {
			refusesPath(s, s.URL, "GET", strings.ReplaceAll(path, "@", bad), "")
		}
		for _, path := range []string{
			"/admin/v1/rooms/@", "/admin/v1/rooms/@/events", "/admin/v1/rooms?search=@", "/admin/v1/rooms?node=@", "/admin/v1/rooms?game=@",
			"/admin/v1/ring?room=@", "/admin/v1/ring?join=@", "/admin/v1/ring?leave=@",
		} {
			refusesPath(s, s.AdminAt, "GET", strings.ReplaceAll(path, "@", bad), "")
		}
	}
	info := s.Create("chess", nil)
	for _, bad := range []string{`\u0000`, "\xff"} {
		for _, ask := range []struct{ base, path, body string }{
			{s.URL, "/v1/rooms", `{"game":"@"}`}, {s.URL, "/v1/rooms", `{"game":"chess","name":"@"}`},
			{s.URL, "/v1/rooms", `{"game":"chess","options":{"white":"@"}}`}, {s.URL, "/v1/matchmake", `{"game":"chess","ticket":"@"}`},
			{s.URL, "/v1/matchmake", `{"game":"@"}`}, {s.AdminAt, "/admin/v1/forget", `{"node":"@"}`},
			{s.AdminAt, "/admin/v1/rooms/" + info.ID + "/kick", `{"player":"@"}`}, {s.AdminAt, "/admin/v1/rooms/" + info.ID + "/close", `{"reason":"@"}`},
			{s.AdminAt, "/admin/v1/rooms/" + info.ID + "/signal", `{"name":"@"}`},
		} {
			refusesPath(s, ask.base, "POST", ask.path, strings.ReplaceAll(ask.body, "@", bad))
		}
	}
	c := e2e.Dial(t, info.URL, wire.JSON)
	c.Write([]byte(`{"t":"hello","client":"a\u0000"}`))
	c.ClosesWith(wire.CloseBadMessage, "client")
	if log := s.Log.String(); strings.Contains(log, "level=WARN") || strings.Contains(log, "level=ERROR") {
		t.Errorf("the log blames somebody:\n%s", log)
	}
}

// refusesPath sends the path as written, and wants a problem document with status 400.
func refusesPath(s *e2e.Server, base, method, path, body string) {
	s.T.Helper()
	req, err := http.NewRequestWithContext(s.T.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		s.T.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.T.Fatal(err)
	}
	defer res.Body.Close()
	raw, _ := io.ReadAll(res.Body)
	var problem struct{ Detail string }
	if json.Unmarshal(raw, &problem) != nil || res.StatusCode != http.StatusBadRequest || problem.Detail == "" {
		s.T.Errorf("%s %s %s: %d %s", method, path, body, res.StatusCode, raw)
	}
}

// TestResultsHoldWhatAStoreCan quotes a player's text in a result.
func TestResultsHoldWhatAStoreCan(t *testing.T) {
	t.Parallel()
	for _, store := range []string{"sqlite", "postgres"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			url := "sqlite:" + filepath.Join(t.TempDir(), "store.db")
			if store == "postgres" {
				url = pgtest.URL(t)
			}
			s := e2e.NewServer(t, append(e2e.GenerousLimits, "--store", url)...).Start()
			info := s.Create("tally", nil)
			c := e2e.Dial(t, info.URL, wire.JSON)
			c.Hello(wire.Hello{Client: "a", Name: "Ann"})
			c.Act(1, `{"finish":true,"why":"nul \u0000 and \u0001"}`)
			if over := e2e.Hear[wire.Over](c); over.End != "finished" {
				t.Fatalf("%+v", over)
			}
			if got := s.Result(info.ID); got.Result.Reason != "nul \uFFFD and \u0001" {
				t.Errorf("stored %q", got.Result.Reason)
			}
		})
	}
}
