package web_test

import (
	"context"
	"testing"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/match"
	"github.com/roomring/roomring/web/admin"
	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/apitest"
	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/internal/webtest"
	"github.com/roomring/roomring/web/metrics"
	"github.com/roomring/roomring/web/ws"
)

// directoryRooms is a real directory behind the interfaces of this package.
type directoryRooms struct {
	*actor.Directory
	*match.Maker
}

func (d directoryRooms) Info(ctx context.Context, id room.ID) (actor.Info, error) {
	return d.Read(ctx, id)
}

func (d directoryRooms) Find(ctx context.Context, code string) (actor.Info, error) {
	return d.Directory.Find(ctx, code)
}

func (d directoryRooms) List(_ context.Context, f actor.Filter) (actor.Listing, error) {
	return actor.Listing{Rooms: d.Directory.List(f)}, nil
}

// What package node joins fits.
var (
	_ admin.Rooms = directoryRooms{}
	_ api.Rooms   = directoryRooms{}
	_ ws.Rooms    = directoryRooms{}
	_ ws.Auth     = (*auth.Authenticator)(nil)
	_ ws.Meter    = (*metrics.Metrics)(nil)
)

func TestOverARealDirectory(t *testing.T) {
	records, metrics := webtest.NewRecords(), metrics.New()
	games, err := core.NewGames(room.MustDefine(room.Spec{Name: "press", Version: 1, MinPlayers: 1, MaxPlayers: 2}, func() *webtest.Pressed { return &webtest.Pressed{} }))
	if err != nil {
		t.Fatal(err)
	}
	directory, err := actor.NewDirectory(actor.Options{Games: games, Owner: actor.Alone{Store: records.Add}, Node: "alpha", Metrics: metrics.Actor()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { directory.Shutdown(context.Background()) })
	rooms := directoryRooms{directory, match.New(match.Options{Pool: directory.Pool}, match.Local(directory))}
	a := webtest.StartAPI(t, func(o *api.Options) {
		o.Rooms, o.Records = rooms, records
		o.Games = []room.Spec{{Name: "press", Version: 1, MinPlayers: 1, MaxPlayers: 2}}
	})
	handler, err := admin.Handler(admin.Options{
		Rooms: rooms, Metrics: metrics, Cluster: &webtest.Cluster{},
	})
	if err != nil {
		t.Fatal(err)
	}
	operator := &webtest.Site{T: t, URL: webtest.Serve(t, handler), Client: apitest.Client(t)}

	a.Refused(400, "options", "POST", "/v1/rooms", `{"game":"press","options":{"x":1}}`)
	made := a.Want(201, "POST", "/v1/rooms", `{"game":"press","private":true,"public":true,"name":"here"}`)
	id := made.Body["id"].(string)
	a.Want(200, "GET", "/v1/rooms/"+id, "")
	if found := a.Want(200, "GET", "/v1/rooms?code="+made.Body["code"].(string), "").Body["rooms"].([]any); len(found) != 1 {
		t.Errorf("found %v", found)
	}
	first := a.Want(200, "POST", "/v1/matchmake", `{"game":"press","ticket":"one-of-the-tickets"}`)
	again := a.Want(200, "POST", "/v1/matchmake", `{"game":"press","ticket":"one-of-the-tickets"}`)
	second := a.Want(200, "POST", "/v1/matchmake", `{"game":"press"}`)
	if first.Body["id"] != again.Body["id"] || first.Body["id"] != second.Body["id"] {
		t.Errorf("matched into %v, %v and %v", first.Body["id"], again.Body["id"], second.Body["id"])
	}
	if third := a.Want(200, "POST", "/v1/matchmake", `{"game":"press"}`); third.Body["id"] == first.Body["id"] {
		t.Error("three seats in a room of two")
	}

	path := "/admin/v1/rooms/" + id
	whole := operator.Want(200, "GET", path, "")
	if whole.Body["code"] != made.Body["code"] || whole.Body["state"].(map[string]any)["Presses"] != 0.0 {
		t.Errorf("inspected %s", whole.Text)
	}
	if seen := operator.Want(200, "GET", path+"?as=spectator", ""); seen.Body["state"] != 0.0 {
		t.Errorf("a spectator sees %s", seen.Text)
	}
	operator.Refused(409, "", "GET", path+"?as=player&player=ann", "")
	operator.Refused(409, "", "POST", path+"/kick", `{"player":"ann"}`)
	if got := a.Want(202, "GET", "/v1/results/"+id, ""); got.Body["phase"] != "waiting" {
		t.Errorf("result of a live room %s", got.Text)
	}
	operator.Want(204, "POST", path+"/close", `{"reason":"tidying"}`)
	if got := storedResult(a, id); got.Body["end"] != "closed" {
		t.Errorf("result %s", got.Text)
	}
	a.Refused(404, "", "GET", "/v1/replays/"+id, "") // nobody ever joined it
}

// storedResult waits until the result of a room is stored.
func storedResult(a *webtest.Site, id string) (result webtest.Answer) {
	a.T.Helper()
	testwait.Until(a.T, "the result is stored", func() bool {
		result = a.Ask("GET", "/v1/results/"+id, "")
		return result.StatusCode != 202
	})
	return result
}
