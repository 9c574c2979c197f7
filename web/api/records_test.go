package api_test

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
	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/internal/webtest"
)

func TestResultIsPendingUntilItIsStored(t *testing.T) {
	a := webtest.StartAPI(t, nil)
	path := "/v1/results/" + string(webtest.RoomID)
	pending := func(phase string) {
		t.Helper()
		if got := a.Want(202, "GET", path, ""); got.Body["status"] != "pending" || got.Body["phase"] != phase {
			t.Errorf("answer %s, want pending in phase %s", got.Text, phase)
		}
	}
	a.Refused(404, "", "GET", path, "")
	a.Rooms.Rooms[webtest.RoomID] = actor.Info{ID: webtest.RoomID, Phase: core.PhasePlaying}
	pending("playing")
	a.Rooms.Change(webtest.RoomID, func(i *actor.Info) { i.Phase = core.PhaseOver })
	pending("over")
	a.Rooms.Remove(webtest.RoomID)
	a.Records.Waiting[webtest.RoomID] = true
	pending("over")
	a.Records.Waiting = nil
	a.Rooms.FailWith(actor.ErrUnreachable)
	a.Refused(503, "", "GET", path, "")
	a.Rooms.FailWith(nil)
	a.Records.Fail = errors.New("the store is away")
	a.Refused(503, "", "GET", path, "")
	a.Records.Fail = nil
	a.Records.Results[webtest.RoomID] = record.StoredResult{
		Final: webtest.PlayedGame(t), Stored: webtest.Now,
		Ratings: []record.RatingChange{{Player: "ann", Before: record.Rating{Rating: 1500}, After: record.Rating{Rating: 1510.5}}},
	}
	got := a.Want(200, "GET", path, "")
	if got.Body["status"] != "stored" || got.Body["end"] != "finished" || got.Body["game"] != "press" || got.Body["duration_ms"] != 1000.0 {
		t.Errorf("result %s", got.Text)
	}
	outcomes := got.Body["result"].(map[string]any)["outcomes"].([]any)
	if len(outcomes) != 1 || outcomes[0].(map[string]any)["player"] != "ann" {
		t.Errorf("outcomes %v", outcomes)
	}
	if why, told := got.Body["unrated"]; told {
		t.Errorf("a game that changed ratings is unrated for %v", why)
	}
	a.Records.Results[webtest.RoomID] = record.StoredResult{Final: webtest.PlayedGame(t), Stored: webtest.Now, Unrated: record.UnratedBrief}
	if got := a.Want(200, "GET", path, ""); got.Body["unrated"] != "brief" {
		t.Errorf("an unrated game: %s", got.Text)
	}
	a.Refused(400, "id", "GET", "/v1/results/nonsense", "")
}

// TestResultThatIsStoredWhileItIsAskedFor has the result stored, and the room leave memory, between the questions to store and owner.
func TestResultThatIsStoredWhileItIsAskedFor(t *testing.T) {
	a := webtest.StartAPI(t, nil)
	a.Records.Asked = func(id room.ID) {
		a.Records.Mu.Lock()
		defer a.Records.Mu.Unlock()
		a.Records.Results[id] = record.StoredResult{Final: record.Final{Room: id, End: record.Closed}}
	}
	a.Want(200, "GET", "/v1/results/"+string(webtest.RoomID), "")
}

func TestReplay(t *testing.T) {
	a := webtest.StartAPI(t, nil)
	path := "/v1/replays/" + string(webtest.RoomID)
	a.Refused(404, "", "GET", path, "")
	a.Rooms.Rooms[webtest.RoomID] = actor.Info{ID: webtest.RoomID, Phase: core.PhasePlaying}
	a.Refused(409, "", "GET", path, "")
	a.Rooms.Change(webtest.RoomID, func(i *actor.Info) { i.Phase = core.PhaseOver })
	if after := a.Refused(409, "", "GET", path, "").Header.Get("Retry-After"); after == "" {
		t.Error("no Retry-After though the replay is on its way")
	}
	final := webtest.PlayedGame(t)
	a.Records.Replays[webtest.RoomID] = final.Replay

	for accept, want := range map[string]string{
		"": "application/octet-stream", "*/*": "application/octet-stream", "application/json": "application/json",
		"application/octet-stream;q=0.5, application/json": "application/json", "application/*;q=0.3, application/json;q=0": "application/octet-stream",
		"text/html, */*;q=0.1": "application/octet-stream",
	} {
		if got := a.Want(200, "GET", path, "", "Accept: "+accept).Header.Get("Content-Type"); got != want {
			t.Errorf("Accept %q got %q, want %q", accept, got, want)
		}
	}
	a.Refused(406, "", "GET", path, "", "Accept: text/html")
	if got := a.Want(200, "GET", path, ""); got.Text != string(final.Replay.Join()) {
		t.Error("the file differs from what was stored")
	}
	got := a.Want(200, "GET", path, "", "Accept: application/json")
	var kinds []string
	for _, e := range got.Body["entries"].([]any) {
		kinds = append(kinds, e.(map[string]any)["kind"].(string))
	}
	if strings.Join(kinds, " ") != "epoch open join attach act" {
		t.Errorf("entries %v", kinds)
	}
	if strings.Contains(got.Text, "joincode") || strings.Contains(got.Text, "client-1") {
		t.Errorf("the join code or a client id is told: %s", got.Text)
	}
	a.Records.Fail = errors.New("away")
	a.Refused(503, "", "GET", path, "")
}

func TestReplayAsSpectatorsSawIt(t *testing.T) {
	games, err := core.NewGames(webtest.PressRules())
	if err != nil {
		t.Fatal(err)
	}
	final := webtest.PlayedGame(t)
	path, accept := "/v1/replays/"+string(webtest.RoomID), "Accept: application/x-ndjson"
	a := webtest.StartAPI(t, func(o *api.Options) { o.Rules, o.Replays = games, 1 })
	a.Records.Replays[webtest.RoomID] = final.Replay
	for range 3 { // the one place is free again after each
		got := a.Want(200, "GET", path, "", accept)
		if got.Header.Get("Content-Type") != "application/x-ndjson" {
			t.Errorf("Content-Type %q", got.Header.Get("Content-Type"))
		}
		want := `{"t":"state","seq":2,"at":0,"kind":"open","view":0}` + "\n" + `{"t":"turn","seq":5,"at":1000,"kind":"act","player":"ann","patch":1}` + "\n"
		if got.Text != want {
			t.Errorf("lines\n%swant\n%s", got.Text, want)
		}
	}
	a.Refused(409, "", "GET", "/v1/replays/"+string(abortedGame(t, a)), "", accept)

	without := webtest.StartAPI(t, nil)
	without.Records.Replays[webtest.RoomID] = final.Replay
	without.Refused(409, "", "GET", path, "", accept)
}

// marks count the open marks of the black box.
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
	webtest.Pressed
	*marks `roomring:"derived" json:"-"`
}

func (p *seenPress) View(v room.Viewer) int {
	p.views.Add(1)
	if p.open.Load() == 0 {
		p.dark.Add(1)
	}
	return p.Pressed.View(v)
}

// TestWatchedReplayIsUnderTheBlackBox checks that the black box knows which replay runs, should it kill the process.
func TestWatchedReplayIsUnderTheBlackBox(t *testing.T) {
	m := &marks{}
	games, err := core.NewGames(room.MustDefine(room.Spec{Name: "press", Version: 1}, func() *seenPress { return &seenPress{marks: m} }))
	if err != nil {
		t.Fatal(err)
	}
	a := webtest.StartAPI(t, func(o *api.Options) { o.Rules, o.Reruns = games, m })
	a.Records.Replays[webtest.RoomID] = webtest.PlayedGame(t).Replay
	a.Want(200, "GET", "/v1/replays/"+string(webtest.RoomID), "", "Accept: application/x-ndjson")
	if m.views.Load() == 0 || m.dark.Load() > 0 || m.open.Load() != 0 || m.named.Load() != string(webtest.RoomID)+" press" {
		t.Errorf("%d views, %d of them unwatched, %d marks left, the last of %v", m.views.Load(), m.dark.Load(), m.open.Load(), m.named.Load())
	}
}

// aborted stores the replay of a room that failed.
func abortedGame(t *testing.T, a *webtest.Site) room.ID {
	t.Helper()
	header := record.Header{ID: webtest.RoomID, Game: "press", Version: 1, Runtime: core.RuntimeVersion, Durability: room.Memory, Created: webtest.Now}
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
	a.Records.Replays[webtest.RoomID] = final.Replay
	return webtest.RoomID
}

// broken is a game that fails.
type broken struct{ webtest.Pressed }

func (*broken) Act(*room.Turn, room.Player, struct{}) error { panic("broken") }

func TestPlayersAndLeaderboards(t *testing.T) {
	a := webtest.StartAPI(t, nil)
	a.Refused(404, "", "GET", "/v1/players/ann", "")
	a.Records.Players["a/b ö"] = record.Profile{Player: "a/b ö", Name: "Ann", Games: []record.GameProfile{{Game: "chess", Games: 1, Wins: 1}}}
	if got := a.Want(200, "GET", "/v1/players/a%2Fb%20%C3%B6", ""); got.Body["name"] != "Ann" || got.Body["recent"] == nil {
		t.Errorf("player %s", got.Text)
	}
	a.Refused(404, "", "GET", "/v1/players/"+strings.Repeat("x", 129), "")
	long := strings.Repeat("x", 128)
	a.Records.Players[room.PlayerID(long)] = record.Profile{Player: room.PlayerID(long), Name: "Long"}
	a.Want(200, "GET", "/v1/players/"+long, "")
	for i := range 5 {
		a.Records.Board = append(a.Records.Board, record.Standing{Place: i + 1, Player: "p"})
	}
	page := a.Want(200, "GET", "/v1/leaderboards/chess?offset=3&limit=1", "").Body["players"].([]any)
	if len(page) != 1 || page[0].(map[string]any)["place"] != 4.0 {
		t.Errorf("page %v", page)
	}
	if page := a.Want(200, "GET", "/v1/leaderboards/chess", "").Body["players"].([]any); len(page) != 5 {
		t.Errorf("%d players, want 5", len(page))
	}
	told := webtest.StartAPI(t, func(o *api.Options) {
		o.Ratings = api.Ratings{Time: 1500 * time.Millisecond, PerOpponent: 3, Games: 5}
	})
	rules := told.Want(200, "GET", "/v1/leaderboards/chess", "").Body["rules"]
	if want := (map[string]any{"games": 5.0, "guests": false, "acts": 3.0, "seconds": 1.5, "per_opponent": 3.0}); !reflect.DeepEqual(rules, want) {
		t.Errorf("rules %v, want %v", rules, want)
	}
	a.Records.Fail = errors.New("away")
	a.Refused(503, "", "GET", "/v1/leaderboards/chess", "")
	a.Refused(503, "", "GET", "/v1/players/ann", "")
}
