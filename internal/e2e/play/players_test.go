package play_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/web/client"
)

// wantedName is a name that appears nowhere by chance.
const wantedName = "Zebulon Quimby"

// playedRoom is a room of the wanted player and an opponent.
type playedRoom struct {
	info    e2e.RoomInfo
	game    string
	private bool
}

// playEverything plays each game for a while with two guests. The operator closes the games that do not end by themselves.
func playEverything(s *e2e.Server, wanted, other e2e.Guest) (rooms []playedRoom) {
	s.T.Helper()
	ctx := e2e.WaitContext(s.T)
	create := func(body map[string]any) (info e2e.RoomInfo) {
		s.T.Helper()
		if code := s.CallAt(s.URL, "POST", "/v1/rooms", wanted.Token, body, &info); code != http.StatusCreated {
			s.T.Fatalf("creating %v: %d", body, code)
		}
		rooms = append(rooms, playedRoom{info, body["game"].(string), body["private"] == true})
		return info
	}
	for _, private := range []bool{false, true} {
		info := create(map[string]any{"game": "chess", "private": private, "name": wantedName + "'s table", "options": map[string]any{"white": "player:" + wanted.Player}})
		a, b := s.Join(info, client.Options{Token: wanted.Token, Code: info.Code}), s.Join(info, client.Options{Token: other.Token, Code: info.Code})
		for i, act := range []map[string]any{{"move": "e2e4"}, {"move": "e7e5"}, {"resign": true}} {
			if _, err := []*client.Client{a, b}[i%2].Act(ctx, act); err != nil {
				s.T.Fatal(err)
			}
		}
	}
	for _, game := range []string{"snakes", "liarsdice"} {
		info := create(map[string]any{"game": game})
		s.Join(info, client.Options{Token: wanted.Token})
		b := s.Join(info, client.Options{Token: other.Token})
		if err := b.WaitView(ctx, func(v any) bool { return strings.Contains(jsonOf(v), wantedName) }); err != nil {
			s.T.Fatalf("%s: %v", game, err)
		}
		if code := s.CallAdmin("POST", "/admin/v1/rooms/"+info.ID+"/close", map[string]string{}, nil); code != http.StatusNoContent {
			s.T.Fatalf("closing %s: %d", game, code)
		}
	}
	for _, r := range rooms {
		s.Until(ctx, "the result of "+r.game+" is stored", func() bool {
			return s.CallAdmin("GET", "/admin/v1/results/"+r.info.ID, nil, nil) == http.StatusOK
		})
	}
	return rooms
}

func jsonOf(v any) string {
	data, _ := json.Marshal(v)
	return string(data)
}

// allTold returns everything that anybody can be told about rooms that are over and about a player.
func allTold(s *e2e.Server, rooms []playedRoom, player string) string {
	s.T.Helper()
	var all bytes.Buffer
	ask := func(what string, get func(path string, into any) int, path string) {
		var raw []byte
		if code := get(path, &raw); code >= 500 {
			s.T.Errorf("%s: %d %s", path, code, raw)
		}
		all.WriteString(what + " " + string(raw) + "\n")
	}
	public := func(path string, into any) int { return s.Call("GET", path, nil, into) }
	admin := func(path string, into any) int { return s.CallAdmin("GET", path, nil, into) }
	for _, r := range rooms {
		ask("room", public, "/v1/rooms/"+r.info.ID)
		ask("result", public, "/v1/results/"+r.info.ID)
		ask("result", admin, "/admin/v1/results/"+r.info.ID)
		var raw []byte
		if code := s.CallAdmin("GET", "/admin/v1/replays/"+r.info.ID, nil, &raw); code == http.StatusOK {
			replay, err := core.ReadReplay(bytes.NewReader(raw))
			if err != nil {
				s.T.Fatalf("the replay of %s: %v", r.game, err)
			}
			replay.Final.Replay = nil
			entries, err := core.EncodeEntries(nil, replay.Entries...)
			if err != nil {
				s.T.Fatal(err)
			}
			all.WriteString("log " + jsonOf(replay.Header) + jsonOf(replay.Final) + string(entries) + "\n")
		}
		for _, accept := range []string{"application/json", ndjsonType} {
			if r.private {
				continue
			}
			code, body := accepting(s, "/v1/replays/"+r.info.ID, accept)
			if code != http.StatusOK {
				s.T.Errorf("the replay of %s as %s: %d %s", r.game, accept, code, body)
			}
			all.WriteString("replay " + body + "\n")
		}
		ask("board", public, "/v1/leaderboards/"+r.game)
	}
	ask("rooms", public, "/v1/rooms")
	ask("rooms", admin, "/admin/v1/rooms")
	if code := s.Call("GET", "/v1/players/"+player, nil, nil); code == http.StatusOK {
		ask("player", public, "/v1/players/"+player)
	}
	return all.String()
}

const ndjsonType = "application/x-ndjson"

func accepting(s *e2e.Server, path, accept string) (int, string) {
	s.T.Helper()
	req, err := http.NewRequestWithContext(e2e.WaitContext(s.T), http.MethodGet, s.URL+path, nil)
	if err != nil {
		s.T.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.T.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.T.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// TestAPlayerIsForgotten exports what is stored about a player and forgets the player. After that no answer and no byte of the store's
// file names the player. Replays of the opponents' games still work.
func TestAPlayerIsForgotten(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, append(e2e.GenerousLimits, "--leaderboard-cache", "1h")...).Start()
	wanted, other := s.Guest(wantedName), s.Guest("Opponent")
	refuses := func(words []string, args ...string) {
		t.Helper()
		if code, out, errs := s.RunAdmin(append([]string{"player"}, args...)...); code != e2e.ExitFailed || !e2e.Mentions(out+errs, words...) {
			t.Errorf("player %v: exit %d, want %q in %s%s", args, code, words, out, errs)
		}
	}
	refuses([]string{"404", "Nothing is kept"}, "export", wanted.Player)
	rooms := playEverything(s, wanted, other)
	before := allTold(s, rooms, wanted.Player)
	if n := strings.Count(before, wanted.Player); n < 20 || strings.Count(before, wantedName) < 10 {
		t.Fatalf("the player is named %d times: there is nothing to forget", n)
	}

	file := filepath.Join(t.TempDir(), "wanted.jsonl")
	if code, out, errs := s.RunAdmin("player", "export", wanted.Player, "--out", file); code != e2e.ExitOK || !e2e.Mentions(out, "lines") {
		t.Fatalf("export: exit %d, %s%s", code, out, errs)
	}
	exported(s, file, wanted, rooms)
	refuses([]string{"exists already"}, "export", wanted.Player, "--out", file)
	refuses([]string{"4 results and 4 replays", "--yes"}, "forget", wanted.Player)

	// A player with a seat in a room that goes on, now or earlier, would be named again.
	live := s.Create("chess", nil)
	c := s.Join(live, client.Options{Token: wanted.Token})
	refuses([]string{"409", live.ID, "close them"}, "forget", wanted.Player, "--yes")
	if err := c.Leave(e2e.WaitContext(t)); err != nil {
		t.Fatal(err)
	}
	refuses([]string{"409", live.ID}, "forget", wanted.Player, "--yes")
	if got := allTold(s, rooms, wanted.Player); !strings.Contains(got, wanted.Player) {
		t.Error("a refusal forgot the player")
	}
	if code := s.CallAdmin("POST", "/admin/v1/rooms/"+live.ID+"/close", map[string]string{}, nil); code != http.StatusNoContent {
		t.Fatalf("closing: %d", code)
	}
	s.Until(e2e.WaitContext(t), "its result is stored", func() bool { return s.CallAdmin("GET", "/admin/v1/results/"+live.ID, nil, nil) == http.StatusOK })
	rooms = append(rooms, playedRoom{info: live, game: "chess"})

	if code, out, errs := s.RunAdmin("player", "forget", wanted.Player, "--yes"); code != e2e.ExitOK || !e2e.Mentions(out, "out of 5 results", "5 replays play on", "0 are deleted") {
		t.Fatalf("forget: exit %d, %s%s", code, out, errs)
	}
	s.Until(e2e.WaitContext(t), "rooms that are over have left", func() bool { return !strings.Contains(allTold(s, rooms, wanted.Player), wanted.Player) })
	refuses([]string{"404"}, "export", wanted.Player)
	forgets(s, rooms, wanted)
	for _, r := range rooms {
		s.CheckReplay(r.info.ID)
	}
	if code, out, errs := s.RunAdmin("player", "forget", wanted.Player, "--yes"); code != e2e.ExitOK || !e2e.Mentions(out, "out of 0 results") {
		t.Errorf("once more: exit %d, %s%s", code, out, errs)
	}
	s.WaitForLog("action=\"forget player\"", "results=5", "outcome=done")
	for line := range strings.Lines(s.Log.String()) {
		if strings.Contains(line, "admin action") && (strings.Contains(line, wanted.Player) || strings.Contains(line, "Zebulon")) {
			t.Errorf("the log tells %s", line)
		}
	}
	shutDown(s)
	for _, name := range []string{"store.db", "store.db-wal"} {
		raw, err := os.ReadFile(filepath.Join(s.Dir, name))
		if os.IsNotExist(err) && name != "store.db" {
			continue
		}
		if err != nil || name == "store.db" && !bytes.Contains(raw, []byte(other.Player)) {
			t.Fatalf("%s: %v, or not even the opponent is in it", name, err)
		}
		for _, trace := range []string{wanted.Player, wantedName} {
			if bytes.Contains(raw, []byte(trace)) {
				t.Errorf("%s still holds %q", name, trace)
			}
		}
	}
	s.Start()
	forgets(s, rooms, wanted)
}

// exported checks the lines of a player's export.
func exported(s *e2e.Server, file string, wanted e2e.Guest, rooms []playedRoom) {
	t := s.T
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v: others may read what was exported: %v", info, err)
	}
	kinds := map[string]int{}
	last := ""
	for line := range strings.Lines(string(raw)) {
		var l struct {
			Kind, Player, Name, Path string
			Room                     string
			Result                   struct{ Hash string }
			Input                    struct{ Player, Kind string }
		}
		e2e.MustDecode(t, []byte(line), &l)
		kinds[l.Kind]++
		last = l.Kind
		switch {
		case l.Kind == "player" && (l.Player != wanted.Player || l.Name != wantedName):
			t.Errorf("the player is %s", line)
		case l.Kind == "input" && l.Input.Player != wanted.Player:
			t.Errorf("somebody else's input: %s", line)
		case l.Kind == "replay" && s.CallAdmin("GET", l.Path, nil, nil) != http.StatusOK:
			t.Errorf("there is nothing at %s", l.Path)
		}
	}
	if last != "end" || kinds["player"] != 1 || kinds["result"] != len(rooms) || kinds["replay"] != len(rooms) || kinds["input"] < 2*len(rooms) {
		t.Errorf("what was exported is %v, ending with %q", kinds, last)
	}
	if !strings.Contains(string(raw), "e2e4") {
		t.Error("the player's moves are not in it")
	}
}

// forgets checks that nobody is told about a player any more.
func forgets(s *e2e.Server, rooms []playedRoom, wanted e2e.Guest) {
	t := s.T
	t.Helper()
	if code := s.Call("GET", "/v1/players/"+wanted.Player, nil, nil); code != http.StatusNotFound {
		t.Errorf("the profile: %d", code)
	}
	got := allTold(s, rooms, wanted.Player)
	for line := range strings.Lines(got) {
		for _, trace := range []string{wanted.Player, wantedName} {
			if i := strings.Index(line, trace); i >= 0 {
				t.Errorf("%q is told: %q", trace, line[:min(len(line), 60)]+" … "+line[max(0, i-60):min(len(line), i+60)])
			}
		}
	}
	if !strings.Contains(got, `"gone_`) || !strings.Contains(got, core.GoneName) || !strings.Contains(got, "Opponent") {
		t.Error("what is told has neither tombstones nor opponents")
	}
}

// TestIdleGuestsAreForgotten checks that guests who have not been seen for --keep-guests are forgotten, and nobody else.
func TestIdleGuestsAreForgotten(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	old, recent := resigned(s, map[string]any{}), resigned(s, map[string]any{})
	shutDown(s)
	db, err := sql.Open("sqlite", filepath.Join(s.Dir, "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"results", "outcomes", "replays"} {
		if _, err := db.ExecContext(t.Context(), `UPDATE `+table+` SET stored = stored - 86400000000 WHERE room = ?`, old.info.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s.Args = append(s.Args, "--keep-guests", "12h")
	s.Start()
	s.WaitForLog("guests are forgotten who have not been seen for long", "guests=2")
	for _, g := range old.players {
		if code := s.Call("GET", "/v1/players/"+g.Player, nil, nil); code != http.StatusNotFound {
			t.Errorf("a guest who has not been seen for a day: %d", code)
		}
	}
	s.CheckReplay(old.info.ID)
	for _, g := range recent.players {
		var raw []byte
		if code := s.Call("GET", "/v1/players/"+g.Player, nil, &raw); code != http.StatusOK || !strings.Contains(string(raw), g.Name) {
			t.Errorf("a guest who has just been here: %d %s", code, raw)
		}
	}
}

// TestPlayersOfAnEarlierVersionAreForgotten forgets the players of games that an earlier version stored. Their replays still work.
func TestPlayersOfAnEarlierVersionAreForgotten(t *testing.T) {
	t.Parallel()
	e, s := openEarlier(t, filepath.Join("testdata", "earlier", "sqlite"), "sqlite", "alone")
	s.Start()
	var rooms []playedRoom
	players := map[string]string{}
	for _, r := range e.that("over") {
		rooms = append(rooms, playedRoom{info: r.Info, game: r.Info.Game, private: true})
		for _, o := range r.Result.Result.Outcomes {
			players[o.Player] = r.Info.Game
		}
	}
	if len(players) != 6 {
		t.Fatalf("%d players are in results", len(players))
	}
	for id, game := range players {
		if before := allTold(s, rooms, id); !strings.Contains(before, id) {
			t.Errorf("a player of %s is told nowhere", game)
		}
		if code, out, errs := s.RunAdmin("player", "forget", id, "--yes"); code != e2e.ExitOK || !e2e.Mentions(out, "out of 1 results", "1 replays play on", "0 are deleted") {
			t.Errorf("a player of %s: exit %d, %s%s", game, code, out, errs)
		}
	}
	after := allTold(s, rooms, "nobody")
	for id := range players {
		if strings.Contains(after, id) {
			t.Errorf("%s is told still", id)
		}
	}
	if n := strings.Count(after, `"gone_`); n < len(players) {
		t.Errorf("there are %d tombstones", n)
	}
	for _, r := range rooms {
		s.CheckReplay(r.info.ID)
	}
}

// TestForgettingLooksAtAllNodes checks that a player is not forgotten while in a room of another node, or while a node does not answer.
func TestForgettingLooksAtAllNodes(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 2).Start()
	ctx := e2e.WaitContext(t)
	asked, owner := c.Nodes[0], c.Nodes[1]
	var info e2e.RoomInfo
	for info.Node != owner.Node {
		info = asked.Create("tally", nil)
	}
	g := asked.Guest(wantedName)
	asked.Join(info, client.Options{Token: g.Token})
	asked.Until(ctx, "the room shows its player", func() bool {
		code, _, errs := asked.RunAdmin("player", "forget", g.Player, "--yes")
		return code == e2e.ExitFailed && e2e.Mentions(errs, "409", info.ID)
	})
	owner.Kill()
	asked.Until(ctx, "the node is missed", func() bool {
		code, _, errs := asked.RunAdmin("player", "forget", g.Player, "--yes")
		return code == e2e.ExitFailed && e2e.Mentions(errs, "409", "Not all nodes answer")
	})
	if code, out, errs := asked.RunAdmin("player", "forget", g.Player, "--yes", "--anyway"); code != e2e.ExitOK || !e2e.Mentions(out, "out of 0 results", "Not all nodes answered") {
		t.Errorf("anyway: exit %d, %s%s", code, out, errs)
	}
}
