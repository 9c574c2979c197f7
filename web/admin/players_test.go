package admin_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/admin"
	"github.com/roomring/roomring/web/internal/webtest"
)

// keptPlayers are what is kept of one player.
type keptPlayers struct {
	unfinished []actor.Info
	partial    bool
	err        error
	forgotten  []room.PlayerID
}

func (k *keptPlayers) RoomsOf(context.Context, room.PlayerID, room.ID) ([]room.ID, error) {
	return nil, nil
}

func (k *keptPlayers) Unfinished(context.Context, room.PlayerID) ([]actor.Info, bool, error) {
	return k.unfinished, k.partial, nil
}

func (k *keptPlayers) ForgetPlayer(_ context.Context, p room.PlayerID, _ time.Duration) (admin.ForgotPlayer, error) {
	k.forgotten = append(k.forgotten, p)
	return admin.ForgotPlayer{Done: len(k.forgotten) > 1, Results: 3, Redacted: 2, Dropped: 1}, k.err
}

// TestAdminForgetsPlayers checks that forgetting is refused while rooms would name the player again, unless asked to go on. No page of
// another site can ask for it, and the log says that it was done and not to whom.
func TestAdminForgetsPlayers(t *testing.T) {
	var log bytes.Buffer
	kept := &keptPlayers{unfinished: []actor.Info{{ID: webtest.RoomID}}}
	records := webtest.NewRecords()
	a := webtest.StartAdmin(t, func(o *admin.Options) {
		o.Players, o.Records, o.Log = kept, records, slog.New(slog.NewTextHandler(&log, nil))
	})
	path := "/admin/v1/players/somebody%2Fwith%20a%20slash"
	refused := a.Refused(http.StatusConflict, "", "POST", path+"/forget", "{}")
	if detail := refused.Body["detail"].(string); !strings.Contains(detail, string(webtest.RoomID)) || !strings.Contains(detail, "close them") {
		t.Errorf("the refusal says %q", detail)
	}
	kept.unfinished, kept.partial = nil, true
	a.Refused(http.StatusConflict, "", "POST", path+"/forget", "")
	a.Refused(http.StatusForbidden, "", "POST", path+"/forget", "{}", "Origin: https://evil.example", "Sec-Fetch-Site: cross-site")
	a.Refused(http.StatusBadRequest, "anyhow", "POST", path+"/forget", `{"anyhow":true}`)
	if len(kept.forgotten) > 0 {
		t.Fatalf("%v were forgotten", kept.forgotten)
	}
	first := a.Want(http.StatusOK, "POST", path+"/forget", `{"anyway":true}`)
	if first.Body["done"] != false || first.Body["results"] != 3.0 || first.Body["partial"] != true {
		t.Errorf("the first step is %s", first.Text)
	}
	kept.partial = false
	if second := a.Want(http.StatusOK, "POST", path+"/forget", ""); second.Body["done"] != true {
		t.Errorf("the second step is %s", second.Text)
	}
	if len(kept.forgotten) != 2 || kept.forgotten[0] != "somebody/with a slash" {
		t.Errorf("forgotten: %q", kept.forgotten)
	}
	kept.err = errors.New("the store knows somebody/with a slash too well")
	a.Refused(http.StatusServiceUnavailable, "", "POST", path+"/forget", "")
	a.Refused(http.StatusNotFound, "", "POST", "/admin/v1/players/"+strings.Repeat("x", 129)+"/forget", "")
	if got := log.String(); strings.Contains(got, "somebody") || !strings.Contains(got, `action="forget player"`) || !strings.Contains(got, "results=3") {
		t.Errorf("the log says %s", got)
	}
	a.Refused(http.StatusNotFound, "", "GET", path, "")
	kept.partial = true
	a.Refused(http.StatusServiceUnavailable, "", "GET", path, "")
	kept.unfinished = []actor.Info{{ID: webtest.RoomID, Game: "chess", Node: "beta"}}
	lines := strings.Split(strings.TrimSpace(a.Want(http.StatusOK, "GET", path, "").Text), "\n")
	if len(lines) != 3 || !strings.Contains(lines[1], string(webtest.RoomID)) || lines[2] != `{"kind":"end","rooms":0}` {
		t.Errorf("what is kept is %q", lines)
	}
}

// slowPlayers list rooms one by one, as a long history does.
type slowPlayers struct {
	keptPlayers
	rooms int
	wait  time.Duration
}

func (s *slowPlayers) RoomsOf(ctx context.Context, _ room.PlayerID, _ room.ID) ([]room.ID, error) {
	time.Sleep(s.wait)
	if s.rooms--; s.rooms < 0 {
		return nil, ctx.Err()
	}
	return []room.ID{webtest.RoomID}, ctx.Err()
}

func (s *slowPlayers) ForgetPlayer(ctx context.Context, p room.PlayerID, _ time.Duration) (admin.ForgotPlayer, error) {
	time.Sleep(4 * s.wait)
	return admin.ForgotPlayer{Done: true}, ctx.Err()
}

// TestALongHistoryIsNotCutShort exports and forgets for longer than other answers may take.
func TestALongHistoryIsNotCutShort(t *testing.T) {
	records := webtest.NewRecords()
	records.Players["ann"] = record.Profile{Player: "ann", Name: "Ann"}
	h := webtest.AdminHandler(t, webtest.NewRooms(), func(o *admin.Options) {
		o.Players, o.Records = &slowPlayers{rooms: 4, wait: 100 * time.Millisecond}, records
	})
	server := httptest.NewUnstartedServer(h)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
	server.Start()
	defer server.Close()
	res, err := http.Get(server.URL + "/admin/v1/players/ann")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	if err != nil || !strings.HasSuffix(string(all), `{"kind":"end","rooms":0}`+"\n") {
		t.Errorf("%v: %s", err, all)
	}
	forgot, err := http.Post(server.URL+"/admin/v1/players/ann/forget", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer forgot.Body.Close()
	if answer, err := io.ReadAll(forgot.Body); err != nil || !strings.Contains(string(answer), `"done":true`) {
		t.Errorf("%v: %s", err, answer)
	}
}
