package web_test

import (
	"context"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/match"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web"
	"github.com/roomring/roomring/web/apitest"
)

// directoryRooms is a real directory behind the interfaces of this package.
type directoryRooms struct {
	*actor.Directory
	*match.Maker
}

func (d directoryRooms) Info(_ context.Context, id room.ID) (actor.Info, error) {
	return d.Directory.Info(id)
}
func (d directoryRooms) Find(_ context.Context, code string) (actor.Info, error) {
	return d.Directory.Find(code)
}
func (d directoryRooms) List(_ context.Context, f actor.Filter) (actor.Listing, error) {
	return actor.Listing{Rooms: d.Directory.List(f)}, nil
}

// Add queues a result in a store of maps, which has it at once.
func (m *memoryRecords) Add(f record.Final, stored func()) {
	m.mu.Lock()
	m.results[f.Room] = record.StoredResult{Final: f, Stored: clock}
	if f.Replay.Len() > 0 {
		m.replays[f.Room] = f.Replay
	}
	m.mu.Unlock()
	stored()
}

// What cmd joins fits.
var (
	_ web.AdminRooms  = directoryRooms{}
	_ web.Rooms       = directoryRooms{}
	_ web.SocketRooms = directoryRooms{}
	_ web.Door        = (*web.Auth)(nil)
	_ web.SocketMeter = (*web.Metrics)(nil)
)

func TestOverARealDirectory(t *testing.T) {
	records, metrics := newMemoryRecords(), web.NewMetrics()
	games, err := core.NewGames(room.MustDefine(room.Spec{Name: "press", Version: 1, MinPlayers: 1, MaxPlayers: 2}, func() *pressed { return &pressed{} }))
	if err != nil {
		t.Fatal(err)
	}
	directory, err := actor.NewDirectory(actor.Options{Games: games, Owner: actor.Alone{Store: records.Add}, Node: "alpha", Metrics: metrics.Actor()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { directory.Shutdown(context.Background()) })
	rooms := directoryRooms{directory, match.New(match.Options{Pool: directory.Pool}, match.Local(directory))}
	a := startAPI(t, func(o *web.ServerOptions) {
		o.Rooms, o.Records = rooms, records
		o.Games = []room.Spec{{Name: "press", Version: 1, MinPlayers: 1, MaxPlayers: 2}}
	})
	handler, err := web.AdminHandler(web.AdminOptions{
		Rooms: rooms, Metrics: metrics, Cluster: &twoNodes{},
	})
	if err != nil {
		t.Fatal(err)
	}
	operator := &api{t: t, url: serve(t, handler), client: apitest.Client(t)}

	a.refused(400, "options", "POST", "/v1/rooms", `{"game":"press","options":{"x":1}}`)
	made := a.want(201, "POST", "/v1/rooms", `{"game":"press","private":true,"public":true,"name":"here"}`)
	id := made.body["id"].(string)
	a.want(200, "GET", "/v1/rooms/"+id, "")
	if found := a.want(200, "GET", "/v1/rooms?code="+made.body["code"].(string), "").body["rooms"].([]any); len(found) != 1 {
		t.Errorf("found %v", found)
	}
	first := a.want(200, "POST", "/v1/matchmake", `{"game":"press","ticket":"one-of-the-tickets"}`)
	again := a.want(200, "POST", "/v1/matchmake", `{"game":"press","ticket":"one-of-the-tickets"}`)
	second := a.want(200, "POST", "/v1/matchmake", `{"game":"press"}`)
	if first.body["id"] != again.body["id"] || first.body["id"] != second.body["id"] {
		t.Errorf("matched into %v, %v and %v", first.body["id"], again.body["id"], second.body["id"])
	}
	if third := a.want(200, "POST", "/v1/matchmake", `{"game":"press"}`); third.body["id"] == first.body["id"] {
		t.Error("three seats in a room of two")
	}

	path := "/admin/v1/rooms/" + id
	whole := operator.want(200, "GET", path, "")
	if whole.body["code"] != made.body["code"] || whole.body["state"].(map[string]any)["Presses"] != 0.0 {
		t.Errorf("inspected %s", whole.text)
	}
	if seen := operator.want(200, "GET", path+"?as=spectator", ""); seen.body["state"] != 0.0 {
		t.Errorf("a spectator sees %s", seen.text)
	}
	operator.refused(409, "", "GET", path+"?as=player&player=ann", "")
	operator.refused(409, "", "POST", path+"/kick", `{"player":"ann"}`)
	if got := a.want(202, "GET", "/v1/results/"+id, ""); got.body["phase"] != "waiting" {
		t.Errorf("result of a live room %s", got.text)
	}
	operator.want(204, "POST", path+"/close", `{"reason":"tidying"}`)
	if got := a.stored(id); got.body["end"] != "closed" {
		t.Errorf("result %s", got.text)
	}
	a.refused(404, "", "GET", "/v1/replays/"+id, "") // nobody ever joined it
}

// stored waits until the result is.
func (a *api) stored(id string) answer {
	a.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if got := a.ask("GET", "/v1/results/"+id, ""); got.StatusCode != 202 {
			return got
		}
	}
	a.t.Fatal("the result is still pending after 30 s")
	return answer{}
}
