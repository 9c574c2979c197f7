package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/timeline"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/admin"
	"github.com/roomring/roomring/web/internal/webtest"
)

// secret is a game in which each player has a number that only that player sees.
type secret struct{ Numbers map[room.PlayerID]int }

type guess struct {
	Number int `json:"number"`
}

type secretView struct {
	Mine int `json:"mine"`
	Sum  int `json:"sum"`
}

func (s *secret) Act(t *room.Turn, by room.Player, a guess) error {
	if a.Number < 1 {
		return room.Refuse("too_small", "numbers begin with 1")
	}
	if a.Number == 13 {
		panic("thirteen")
	}
	s.Numbers[by.ID] = a.Number
	t.Broadcast("set", map[string]string{"by": by.Name})
	return nil
}

func (s *secret) View(v room.Viewer) secretView {
	out := secretView{Mine: s.Numbers[v.Player]}
	for _, n := range s.Numbers {
		out.Sum += n
	}
	return out
}

func (s *secret) Legal(v room.Viewer) []guess {
	if v.Spectating() {
		return nil
	}
	return []guess{{s.Numbers[v.Player] + 1}}
}

// inspected is an admin server over a real directory with one room.
type inspected struct {
	*webtest.Site
	directory *actor.Directory
	id        room.ID
	log       bytes.Buffer
	forked    []record.Kept
}

// realRooms are webtest's, but logs and acts are those of a directory.
type realRooms struct {
	*webtest.Rooms
	directory *actor.Directory
}

func (r realRooms) ActFor(ctx context.Context, id room.ID, p room.PlayerID, action json.RawMessage) error {
	return r.directory.ActFor(ctx, id, p, action)
}

func (i *inspected) ForkHeader(h record.Header) (record.Header, error) {
	h.ForkOf, h.ID, h.Name, h.Code, h.Private = h.ID, "zzzzzzzzzzzzzzzz", "fork of "+string(h.ID), "forkcode", true
	return h, nil
}

func (i *inspected) Fork(_ context.Context, kept record.Kept) error {
	if i.directory.GoesOn(kept) != nil {
		return i.directory.GoesOn(kept)
	}
	i.forked = append(i.forked, kept)
	return nil
}

func startInspected(t *testing.T, devTools bool) *inspected {
	t.Helper()
	i, records := &inspected{}, webtest.NewRecords()
	games, err := core.NewGames(room.MustDefine(room.Spec{Name: "secret", Version: 1, MaxPlayers: 2}, func() *secret { return &secret{map[room.PlayerID]int{}} }))
	if err != nil {
		t.Fatal(err)
	}
	if i.directory, err = actor.NewDirectory(actor.Options{Games: games, ActFor: devTools, Owner: actor.Alone{Store: records.Add}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.directory.Shutdown(context.Background()) })
	timelines, err := timeline.New(timeline.Options{
		Games: games, Live: i.directory.Log,
		Stored: func(ctx context.Context, id room.ID) (record.StoredReplay, error) {
			stored, err := records.Replay(ctx, id)
			if err != nil {
				err = actor.ErrNotFound
			}
			return stored, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	i.Site = webtest.StartAdmin(t, func(o *admin.Options) {
		o.Rooms = realRooms{o.Rooms.(*webtest.Rooms), i.directory}
		o.Timelines, o.Forks, o.DevTools, o.Log = timelines, i, devTools, slog.New(slog.NewTextHandler(&i.log, nil))
	})
	info, err := i.directory.Create(t.Context(), actor.Create{Game: "secret", Private: true})
	if err != nil {
		t.Fatal(err)
	}
	i.id = info.ID
	for n, p := range []room.PlayerID{"ann", "bob, of the west"} {
		s, err := i.directory.Attach(t.Context(), i.id, actor.Hello{Player: p, Name: string(p), Client: "c", Attempt: 1, Code: info.Code}, actor.NewOutbox(actor.OutboxOptions{}))
		if err != nil {
			t.Fatal(err)
		}
		for k := range 3 {
			if err := s.Act(t.Context(), wire.Act{CSeq: uint64(k + 1), Data: fmt.Appendf(nil, `{"number":%d}`, 10*n+2*k)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return i
}

func (i *inspected) path(format string, args ...any) string {
	return "/admin/v1/rooms/" + string(i.id) + fmt.Sprintf(format, args...)
}

// last waits until all that was sent is in the log, and returns its last index.
func (i *inspected) last(acts int) int {
	i.T.Helper()
	for {
		got := i.Want(200, "GET", i.path("/log?limit=1000"), "")
		n := 0
		for _, e := range got.Body["entries"].([]any) {
			if e.(map[string]any)["kind"] == "act" {
				n++
			}
		}
		if n >= acts {
			return int(got.Body["last"].(float64))
		}
	}
}

func TestTheOperatorReadsALog(t *testing.T) {
	i := startInspected(t, false)
	last := i.last(6)
	got := i.Want(200, "GET", i.path("/log"), "")
	if got.Body["game"] != "secret" || got.Body["first"] != 1.0 || got.Body["dev_tools"] != false || len(got.Body["entries"].([]any)) != last {
		t.Errorf("the log is %s", got.Text)
	}
	if strings.Contains(got.Text, "seed") || strings.Contains(got.Text, `"client`) {
		t.Errorf("the log tells what is nobody's business: %s", got.Text)
	}
	var acts []string
	for _, e := range got.Body["entries"].([]any) {
		if e := e.(map[string]any); e["kind"] == "act" {
			acts = append(acts, fmt.Sprint(e["player"], e["seat"], e["data"], e["outcome"], e["code"]))
		}
	}
	want := "ann0 <nil>refusedtoo_small ann0 map[number:2]accepted<nil> ann0 map[number:4]accepted<nil> bob, of the west1 map[number:10]accepted<nil>"
	if all := strings.Join(acts, " "); !strings.HasPrefix(all, want) {
		t.Errorf("the acts are %s", all)
	}
	if told := i.Want(200, "GET", i.path("/log?after=%d&events=true", last-1), ""); !strings.Contains(told.Text, `"events":[{"name":"set","data":{"by":"bob, of the west"}}]`) {
		t.Errorf("with events the last is %s", told.Text)
	}
	page := i.Want(200, "GET", i.path("/log?after=2&limit=1"), "")
	if entries := page.Body["entries"].([]any); len(entries) != 1 || entries[0].(map[string]any)["index"] != 3.0 {
		t.Errorf("one after 2 is %s", page.Text)
	}
	if empty := i.Want(200, "GET", i.path("/log?limit=0"), ""); len(empty.Body["entries"].([]any)) != 0 {
		t.Errorf("none is %s", empty.Text)
	}
	i.Refused(400, "after", "GET", i.path("/log?after=-1"), "")
	i.Refused(400, "limit", "GET", i.path("/log?limit=1001"), "")
	i.Refused(404, "", "GET", "/admin/v1/rooms/zzzzzzzzzzzzzzzz/log", "")
	i.Refused(400, "id", "GET", "/admin/v1/rooms/nonsense/log", "")
	webtest.StartAdmin(t, nil).Refused(404, "", "GET", i.path("/log"), "")
}

func TestTheOperatorLooksThroughAllEyesAtAnyIndex(t *testing.T) {
	i := startInspected(t, false)
	last := i.last(6)
	got := i.Want(200, "GET", i.path("/at/%d?viewer=whole&viewer=spectator&viewer=player:ann&viewer=player:%s&before=true", last, "bob%2C%20of%20the%20west"), "")
	var views []string
	for _, v := range got.Body["views"].([]any) {
		v := v.(map[string]any)
		views = append(views, fmt.Sprintf("%s: %v %v %v %v %v", v["viewer"], v["before"], v["patch"], v["view"], v["events"], v["legal"]))
	}
	want := []string{
		"whole: map[Numbers:map[ann:4 bob, of the west:12]] <nil> map[Numbers:map[ann:4 bob, of the west:14]] <nil> <nil>",
		"spectator: map[mine:0 sum:16] map[sum:18] map[mine:0 sum:18] [map[data:map[by:bob, of the west] name:set]] <nil>",
		"player:ann: map[mine:4 sum:16] map[sum:18] map[mine:4 sum:18] [map[data:map[by:bob, of the west] name:set]] [map[number:5]]",
		"player:bob, of the west: map[mine:12 sum:16] map[mine:14 sum:18] map[mine:14 sum:18] [map[data:map[by:bob, of the west] name:set]] [map[number:15]]",
	}
	if strings.Join(views, "\n") != strings.Join(want, "\n") {
		t.Errorf("seen is\n%s\nwant\n%s", strings.Join(views, "\n"), strings.Join(want, "\n"))
	}
	if plain := i.Want(200, "GET", i.path("/at/3"), ""); len(plain.Body["views"].([]any)) != 1 || strings.Contains(plain.Text, "before") {
		t.Errorf("without a viewer it answers %s", plain.Text)
	}
	early := i.Want(200, "GET", i.path("/at/2?viewer=player:ann"), "").Body["views"].([]any)[0].(map[string]any)
	if early["view"] != nil || !strings.Contains(early["unavailable"].(string), "no seat") {
		t.Errorf("before she came, ann sees %v", early)
	}
	for _, bad := range []string{"0", "-1", "x", "1.5", "99999999999999999999"} {
		i.Refused(400, "index", "GET", i.path("/at/%s", bad), "")
	}
	i.Refused(404, "", "GET", i.path("/at/%d", last+1), "")
	i.Refused(400, "viewer", "GET", i.path("/at/1?viewer=god"), "")
	i.Refused(400, "viewer", "GET", i.path("/at/1?viewer=player:"), "")
	i.Refused(400, "viewer", "GET", i.path("/at/1?%s", strings.Repeat("viewer=whole&", 9)), "")
}

func TestTheOperatorActsForPlayersWithDevToolsAlone(t *testing.T) {
	i := startInspected(t, false)
	i.last(6)
	i.Refused(403, "", "POST", i.path("/act"), `{"player":"ann","action":{"number":7}}`)
	if err := i.directory.ActFor(t.Context(), i.id, "ann", []byte(`{"number":7}`)); err == nil {
		t.Error("the room's own node lets the operator act")
	}

	i = startInspected(t, true)
	i.last(6)
	i.Want(204, "POST", i.path("/act"), `{"player":"ann","action":{"number":7}}`)
	if why := i.Refused(409, "", "POST", i.path("/act"), `{"player":"ann","action":{"number":0}}`); why.Body["detail"] != "numbers begin with 1" {
		t.Errorf("refused: %s", why.Text)
	}
	i.Refused(409, "", "POST", i.path("/act"), `{"player":"nobody","action":{"number":7}}`)
	i.Refused(400, "player", "POST", i.path("/act"), `{"action":{"number":7}}`)
	i.Refused(400, "action", "POST", i.path("/act"), `{"player":"ann"}`)
	i.Refused(409, "", "POST", i.path("/act"), `{"player":"ann","action":"rubbish"}`)
	last := i.last(9)
	got := i.Want(200, "GET", i.path("/log?after=%d", last-3), "")
	if first := got.Body["entries"].([]any)[0].(map[string]any); first["operator"] != true || first["player"] != "ann" || got.Body["dev_tools"] != true {
		t.Errorf("the act is %v", first)
	}
	i.Want(200, "GET", i.path("/at/%d?viewer=player:ann", last), "") // what the log says runs again
	if lines := strings.Count(i.log.String(), "action=act"); lines != 4 {
		t.Errorf("%d acts are in the log:\n%s", lines, i.log.String())
	}
	if strings.Contains(i.log.String(), "number") || !strings.Contains(i.log.String(), `outcome="refused: too_small"`) {
		t.Errorf("the log tells what was played:\n%s", i.log.String())
	}
}

func TestTheOperatorForks(t *testing.T) {
	i := startInspected(t, true)
	last := i.last(6)
	got := i.Want(201, "POST", i.path("/fork"), fmt.Sprintf(`{"index":%d}`, last-1))
	if got.Body["id"] != "zzzzzzzzzzzzzzzz" || got.Body["code"] != "forkcode" || len(i.forked) != 1 || i.forked[0].Last() != room.Index(last-1) {
		t.Errorf("the fork is %s", got.Text)
	}
	i.Refused(404, "", "POST", i.path("/fork"), fmt.Sprintf(`{"index":%d}`, last+1))
	i.Refused(400, "index", "POST", i.path("/fork"), `{}`)
	i.Refused(404, "", "POST", "/admin/v1/rooms/zzzzzzzzzzzzzzzz/fork", `{"index":1}`)
	i.Want(204, "POST", i.path("/act"), `{"player":"ann","action":{"number":13}}`)
	i.Refused(409, "", "POST", i.path("/fork"), fmt.Sprintf(`{"index":%d}`, i.last(7))) // it is over there
	i.Want(201, "POST", i.path("/fork"), fmt.Sprintf(`{"index":%d}`, last))
	if lines := strings.Count(i.log.String(), "action=fork"); lines != 5 { // a request that makes no sense is not one
		t.Errorf("%d forks are in the log:\n%s", lines, i.log.String())
	}
	webtest.StartAdmin(t, nil).Refused(404, "", "POST", i.path("/fork"), `{"index":1}`)
}

func TestTheOperatorDownloadsALogThatRunsAgain(t *testing.T) {
	i := startInspected(t, true)
	last := i.last(6)
	i.Want(204, "POST", i.path("/act"), `{"player":"ann","action":{"number":13}}`)
	i.last(7)
	panicked := i.Want(200, "GET", i.path("/at/%d?viewer=whole", last+1), "")
	if panicked.Body["panic"] != "Act: thirteen" {
		t.Errorf("the panic is %s", panicked.Text)
	}
	i.Want(200, "GET", i.path("/at/%d?viewer=whole", last), "")
	resp, err := http.Get(i.URL + i.path("/log.replay"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, _ := io.ReadAll(resp.Body)
	replay, err := core.ReadReplay(bytes.NewReader(data))
	if err != nil || len(replay.Entries) != last+1 || replay.Header.Code != "" || resp.Header.Get("Content-Disposition") != `attachment; filename="room.log"` {
		t.Errorf("the file has %d of %d entries, code %q: %v", len(replay.Entries), last+1, replay.Header.Code, err)
	}
}
