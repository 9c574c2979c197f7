package web_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web"
)

const roomID = room.ID("0123456789abcdef")

// pressed is the least game that ends: one press.
type pressed struct{ Presses int }

func (p *pressed) Act(t *room.Turn, by room.Player, _ struct{}) error {
	p.Presses++
	t.Finish(room.Result{
		Outcomes: []room.Outcome{{Player: by.ID, Name: by.Name, Seat: by.Seat, Rank: 1}}, Reason: "pressed", Summary: by.Name + " pressed",
	})
	return nil
}

func (p *pressed) View(room.Viewer) int { return p.Presses }

func pressRules() *room.Rules {
	return room.MustDefine(room.Spec{Name: "press", Version: 1}, func() *pressed { return &pressed{} })
}

// playedGame is a real room, played to its end.
func playedGame(t *testing.T) record.Final {
	t.Helper()
	rules := pressRules()
	header := record.Header{
		ID: roomID, Game: "press", Version: 1, Runtime: core.RuntimeVersion, Code: "joincode", Private: true, Public: true,
		Durability: room.Memory, Created: clock,
	}
	machine, _, err := core.Open(core.Config{Header: header, Rules: rules}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []core.Input{
		{Kind: core.KindJoin, Player: "ann", Name: "Ann"},
		{Kind: core.KindAttach, Player: "ann", Client: "client-1", Attempt: 1},
		{Kind: core.KindAct, At: time.Second, Player: "ann", Client: "client-1", CSeq: 1, Data: json.RawMessage(`{}`)},
	} {
		if ready, err := machine.Step(in); err != nil || ready.Refused != nil {
			t.Fatalf("%s: %v, %v", in.Kind, err, ready.Refused)
		}
	}
	final, err := machine.Seal()
	if err != nil {
		t.Fatal(err)
	}
	return final
}

func TestResultIsPendingUntilItIsStored(t *testing.T) {
	a := startAPI(t, nil)
	path := "/v1/results/" + string(roomID)
	pending := func(phase string) {
		t.Helper()
		if got := a.want(202, "GET", path, ""); got.body["status"] != "pending" || got.body["phase"] != phase {
			t.Errorf("answer %s, want pending in phase %s", got.text, phase)
		}
	}
	a.refused(404, "", "GET", path, "")
	a.rooms.rooms[roomID] = actor.Info{ID: roomID, Phase: core.PhasePlaying}
	pending("playing")
	a.rooms.change(roomID, func(i *actor.Info) { i.Phase = core.PhaseOver })
	pending("over")
	a.rooms.remove(roomID)
	a.records.pending[roomID] = true
	pending("over")
	a.records.pending = nil
	a.rooms.failWith(actor.ErrUnreachable)
	a.refused(503, "", "GET", path, "")
	a.rooms.failWith(nil)
	a.records.fail = errors.New("the store is away")
	a.refused(503, "", "GET", path, "")
	a.records.fail = nil
	a.records.results[roomID] = record.StoredResult{
		Final: playedGame(t), Stored: clock,
		Ratings: []record.RatingChange{{Player: "ann", Before: record.Rating{Rating: 1500}, After: record.Rating{Rating: 1510.5}}},
	}
	got := a.want(200, "GET", path, "")
	if got.body["status"] != "stored" || got.body["end"] != "finished" || got.body["game"] != "press" || got.body["duration_ms"] != 1000.0 {
		t.Errorf("result %s", got.text)
	}
	outcomes := got.body["result"].(map[string]any)["outcomes"].([]any)
	if len(outcomes) != 1 || outcomes[0].(map[string]any)["player"] != "ann" {
		t.Errorf("outcomes %v", outcomes)
	}
	if why, told := got.body["unrated"]; told {
		t.Errorf("a game that changed ratings is unrated for %v", why)
	}
	a.records.results[roomID] = record.StoredResult{Final: playedGame(t), Stored: clock, Unrated: record.UnratedBrief}
	if got := a.want(200, "GET", path, ""); got.body["unrated"] != "brief" {
		t.Errorf("an unrated game: %s", got.text)
	}
	a.refused(400, "id", "GET", "/v1/results/nonsense", "")
}

// The row may be written, and the room leave memory, between the look into the store and the question to the owner.
func TestResultThatIsStoredWhileItIsAskedFor(t *testing.T) {
	a := startAPI(t, nil)
	a.records.asked = func(id room.ID) {
		a.records.mu.Lock()
		defer a.records.mu.Unlock()
		a.records.results[id] = record.StoredResult{Final: record.Final{Room: id, End: record.Closed}}
	}
	a.want(200, "GET", "/v1/results/"+string(roomID), "")
}

func TestReplay(t *testing.T) {
	a := startAPI(t, nil)
	path := "/v1/replays/" + string(roomID)
	a.refused(404, "", "GET", path, "")
	a.rooms.rooms[roomID] = actor.Info{ID: roomID, Phase: core.PhasePlaying}
	a.refused(409, "", "GET", path, "")
	a.rooms.change(roomID, func(i *actor.Info) { i.Phase = core.PhaseOver })
	if after := a.refused(409, "", "GET", path, "").Header.Get("Retry-After"); after == "" {
		t.Error("no Retry-After though the replay is on its way")
	}
	final := playedGame(t)
	a.records.replays[roomID] = final.Replay

	for accept, want := range map[string]string{
		"": "application/octet-stream", "*/*": "application/octet-stream", "application/json": "application/json",
		"application/octet-stream;q=0.5, application/json": "application/json", "application/*;q=0.3, application/json;q=0": "application/octet-stream",
		"text/html, */*;q=0.1": "application/octet-stream",
	} {
		if got := a.want(200, "GET", path, "", "Accept: "+accept).Header.Get("Content-Type"); got != want {
			t.Errorf("Accept %q got %q, want %q", accept, got, want)
		}
	}
	a.refused(406, "", "GET", path, "", "Accept: text/html")
	if got := a.want(200, "GET", path, ""); got.text != string(final.Replay.Join()) {
		t.Error("the file differs from what was stored")
	}
	got := a.want(200, "GET", path, "", "Accept: application/json")
	var kinds []string
	for _, e := range got.body["entries"].([]any) {
		kinds = append(kinds, e.(map[string]any)["kind"].(string))
	}
	if strings.Join(kinds, " ") != "epoch open join attach act" {
		t.Errorf("entries %v", kinds)
	}
	if strings.Contains(got.text, "joincode") || strings.Contains(got.text, "client-1") {
		t.Errorf("the join code or a client id is told: %s", got.text)
	}
	a.records.fail = errors.New("away")
	a.refused(503, "", "GET", path, "")
}

func TestReplayAsSpectatorsSawIt(t *testing.T) {
	games, err := core.NewGames(pressRules())
	if err != nil {
		t.Fatal(err)
	}
	final := playedGame(t)
	path, accept := "/v1/replays/"+string(roomID), "Accept: application/x-ndjson"
	a := startAPI(t, func(o *web.ServerOptions) { o.Rules, o.Replays = games, 1 })
	a.records.replays[roomID] = final.Replay
	for range 3 { // the one place is free again after each
		got := a.want(200, "GET", path, "", accept)
		if got.Header.Get("Content-Type") != "application/x-ndjson" {
			t.Errorf("Content-Type %q", got.Header.Get("Content-Type"))
		}
		want := `{"t":"state","seq":2,"at":0,"kind":"open","view":0}` + "\n" + `{"t":"turn","seq":5,"at":1000,"kind":"act","player":"ann","patch":1}` + "\n"
		if got.text != want {
			t.Errorf("lines\n%swant\n%s", got.text, want)
		}
	}
	a.refused(409, "", "GET", "/v1/replays/"+string(a.aborted(t)), "", accept)

	without := startAPI(t, nil)
	without.records.replays[roomID] = final.Replay
	without.refused(409, "", "GET", path, "", accept)
}

// marks count the black box's marks, as a game sees them that asks whenever its view is made.
type marks struct {
	open        atomic.Int32
	views, dark atomic.Int32
	named       atomic.Value
}

func (m *marks) BeginRerun(id room.ID, game string) actor.Step {
	m.open.Add(1)
	m.named.Store(string(id) + " " + game)
	return m
}

func (m *marks) Release() { m.open.Add(-1) }

type seenPress struct {
	pressed
	*marks `roomring:"derived" json:"-"`
}

func (p *seenPress) View(v room.Viewer) int {
	p.views.Add(1)
	if p.open.Load() == 0 {
		p.dark.Add(1)
	}
	return p.pressed.View(v)
}

// A replay that kills the process when somebody watches it is named at the next start.
func TestWatchedReplayIsUnderTheBlackBox(t *testing.T) {
	m := &marks{}
	games, err := core.NewGames(room.MustDefine(room.Spec{Name: "press", Version: 1}, func() *seenPress { return &seenPress{marks: m} }))
	if err != nil {
		t.Fatal(err)
	}
	a := startAPI(t, func(o *web.ServerOptions) { o.Rules, o.Black = games, m })
	a.records.replays[roomID] = playedGame(t).Replay
	a.want(200, "GET", "/v1/replays/"+string(roomID), "", "Accept: application/x-ndjson")
	if m.views.Load() == 0 || m.dark.Load() > 0 || m.open.Load() != 0 || m.named.Load() != string(roomID)+" press" {
		t.Errorf("%d views, %d of them unwatched, %d marks left, the last of %v", m.views.Load(), m.dark.Load(), m.open.Load(), m.named.Load())
	}
}

// aborted stores the replay of a room that failed.
func (a *api) aborted(t *testing.T) room.ID {
	t.Helper()
	header := record.Header{ID: roomID, Game: "press", Version: 1, Runtime: core.RuntimeVersion, Durability: room.Memory, Created: clock}
	machine, _, err := core.Open(core.Config{Header: header, Rules: room.MustDefine(room.Spec{Name: "press", Version: 1}, func() *broken { return &broken{} })}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []core.Input{{Kind: core.KindJoin, Player: "ann"}, {Kind: core.KindAttach, Player: "ann", Client: "c"}, {Kind: core.KindAct, Player: "ann", Client: "c", CSeq: 1, Data: json.RawMessage(`{}`)}} {
		if _, err := machine.Step(in); err != nil {
			t.Fatal(err)
		}
	}
	final, err := machine.Seal()
	if err != nil || final.End != record.Aborted {
		t.Fatal(final.End, err)
	}
	a.records.replays[roomID] = final.Replay
	return roomID
}

// broken is a game that fails.
type broken struct{ pressed }

func (*broken) Act(*room.Turn, room.Player, struct{}) error { panic("broken") }

func TestPlayersAndLeaderboards(t *testing.T) {
	a := startAPI(t, nil)
	a.refused(404, "", "GET", "/v1/players/ann", "")
	a.records.players["a/b ö"] = record.Profile{Player: "a/b ö", Name: "Ann", Games: []record.GameProfile{{Game: "chess", Games: 1, Wins: 1}}}
	if got := a.want(200, "GET", "/v1/players/a%2Fb%20%C3%B6", ""); got.body["name"] != "Ann" || got.body["recent"] == nil {
		t.Errorf("player %s", got.text)
	}
	a.refused(404, "", "GET", "/v1/players/"+strings.Repeat("x", 129), "")
	long := strings.Repeat("x", 128)
	a.records.players[room.PlayerID(long)] = record.Profile{Player: room.PlayerID(long), Name: "Long"}
	a.want(200, "GET", "/v1/players/"+long, "")
	for i := range 5 {
		a.records.board = append(a.records.board, record.Standing{Place: i + 1, Player: "p"})
	}
	page := a.want(200, "GET", "/v1/leaderboards/chess?offset=3&limit=1", "").body["players"].([]any)
	if len(page) != 1 || page[0].(map[string]any)["place"] != 4.0 {
		t.Errorf("page %v", page)
	}
	if page := a.want(200, "GET", "/v1/leaderboards/chess", "").body["players"].([]any); len(page) != 5 {
		t.Errorf("%d players, want 5", len(page))
	}
	told := startAPI(t, func(o *web.ServerOptions) {
		o.Ratings = web.RatingRules{Time: 1500 * time.Millisecond, PerOpponent: 3, Games: 5}
	})
	rules := told.want(200, "GET", "/v1/leaderboards/chess", "").body["rules"]
	if want := (map[string]any{"games": 5.0, "guests": false, "acts": 3.0, "seconds": 1.5, "per_opponent": 3.0}); !reflect.DeepEqual(rules, want) {
		t.Errorf("rules %v, want %v", rules, want)
	}
	a.records.fail = errors.New("away")
	a.refused(503, "", "GET", "/v1/leaderboards/chess", "")
	a.refused(503, "", "GET", "/v1/players/ann", "")
}
