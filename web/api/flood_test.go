package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/httpd"
	"github.com/roomring/roomring/web/internal/webtest"
	"github.com/roomring/roomring/web/limit"
	"github.com/roomring/roomring/web/trust"
)

// behindProxy trusts the tests' own address as a proxy's, so that requests come from where they say.
func behindProxy(t testing.TB, o *api.Options) {
	t.Helper()
	var err error
	if o.TrustedProxies, err = trust.ParseProxies([]string{"127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
}

// TestRequestsOfAnAddress checks that all requests are counted before anything is read of them, and that an IPv6 /48 has four times as
// many as an address in it. Requests of a proxy itself, which asks how the node is, are not counted.
func TestRequestsOfAnAddress(t *testing.T) {
	a := webtest.StartAPI(t, func(o *api.Options) {
		behindProxy(t, o)
		o.Requests = limit.Rate{PerSecond: 0.01, Burst: 3}
	})
	allowed := func(most int, from func(i int) string) {
		t.Helper()
		paths := []string{"/v1/games", "/livez", "/"}
		for i := range most {
			a.Want(200, "GET", paths[i%3], "", "X-Forwarded-For: "+from(i))
		}
		got := a.Refused(429, "", "POST", "/v1/rooms", "no JSON", "X-Forwarded-For: "+from(most))
		if after, err := strconv.Atoi(got.Header.Get("Retry-After")); err != nil || after < 1 {
			t.Errorf("Retry-After %q", got.Header.Get("Retry-After"))
		}
	}
	allowed(3, func(int) string { return "192.0.2.1" })
	allowed(3, func(int) string { return "192.0.2.2" })
	allowed(3, func(i int) string { return "2001:db8:1:1::" + strconv.Itoa(i+1) })
	allowed(12, func(i int) string { return "2001:db8:2:" + strconv.Itoa(i+1) + "::1" })
	for range 10 {
		a.Want(200, "GET", "/readyz", "")
	}
}

// TestRefusalsOfAnAddress checks that an address that goes on after its refusals is ignored, and its connection closed. The connection of
// a proxy is others' too, and stays.
func TestRefusalsOfAnAddress(t *testing.T) {
	limits := func(o *api.Options) {
		o.Creates, o.Refusals = limit.Rate{PerSecond: 0.01, Burst: 1}, limit.NewRefusals(limit.Rate{PerSecond: 0.01, Burst: 2})
	}
	direct := webtest.StartAPI(t, limits)
	direct.Want(201, "POST", "/v1/rooms", `{"game":"chess"}`)
	for range 2 {
		if got := direct.Refused(429, "", "POST", "/v1/rooms", `{"game":"chess"}`); got.Close {
			t.Error("who is refused for the first time must close")
		}
	}
	if got := direct.Refused(429, "", "GET", "/v1/games", ""); !got.Close {
		t.Error("who has been refused too often may go on")
	}
	proxied := webtest.StartAPI(t, func(o *api.Options) {
		limits(o)
		behindProxy(t, o)
	})
	const from = "X-Forwarded-For: 192.0.2.1"
	proxied.Want(201, "POST", "/v1/rooms", `{"game":"chess"}`, from)
	for range 3 {
		if got := proxied.Refused(429, "", "POST", "/v1/rooms", `{"game":"chess"}`, from); got.Close {
			t.Error("the proxy must close")
		}
	}
	proxied.Want(200, "GET", "/v1/games", "", "X-Forwarded-For: 192.0.2.2")
}

// asksOnce is the address that asks for one room besides a crowd.
const asksOnce = "192.0.2.2"

// slowRooms takes its time for each room.
type slowRooms struct {
	*webtest.Rooms
	making atomic.Int32
	begun  atomic.Int32
	once   atomic.Int32  // of begun, those for who asks once
	turn   chan struct{} // one for each room
}

func (r *slowRooms) Create(ctx context.Context, c actor.Create) (actor.Info, error) {
	if c.From.String() == asksOnce {
		r.once.Add(1)
	}
	r.begun.Add(1)
	r.making.Add(1)
	defer r.making.Add(-1)
	select {
	case <-r.turn:
	case <-ctx.Done():
		return actor.Info{}, ctx.Err()
	}
	return r.Rooms.Create(ctx, c)
}

// TestACrowdInLine asks for rooms from one address until the queue is full. An address that asks once gets its room. Other requests do
// not wait for rooms that take long.
func TestACrowdInLine(t *testing.T) {
	slow := &slowRooms{Rooms: webtest.NewRooms(), turn: make(chan struct{})}
	opts := webtest.APIOptions(t, slow.Rooms, webtest.NewRecords())
	opts.Rooms, opts.Makes, opts.MakesWaiting = slow, 4*runtime.GOMAXPROCS(0), 6
	behindProxy(t, &opts)
	server, err := api.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	unstarted := httptest.NewUnstartedServer(server)
	connections := httpd.NewConnections(httpd.ConnectionOptions{})
	connections.Attend(unstarted.Config)
	unstarted.Listener = connections.Listen(unstarted.Listener)
	unstarted.Start()
	t.Cleanup(unstarted.Close)
	a := &webtest.Site{T: t, URL: unstarted.URL, Client: unstarted.Client()}
	var asking sync.WaitGroup
	var made, busy atomic.Int32
	asks := func(from string) {
		asking.Go(func() {
			switch got := a.Ask("POST", "/v1/rooms", `{"game":"chess"}`, "X-Forwarded-For: "+from); got.StatusCode {
			case http.StatusCreated:
				made.Add(1)
			case http.StatusServiceUnavailable:
				busy.Add(1)
			default:
				t.Errorf("%s: %d %s", from, got.StatusCode, got.Text)
			}
		})
	}
	for range opts.Makes + opts.MakesWaiting + 5 {
		asks("192.0.2.1")
	}
	testwait.Until(t, "five find the line full", func() bool { return busy.Load() == 5 && int(slow.making.Load()) == opts.Makes })
	a.Want(200, "GET", "/v1/games", "")
	asks(asksOnce)
	testwait.Until(t, "one of the crowd makes way", func() bool { return busy.Load() == 6 })
	slow.turn <- struct{}{}
	testwait.Until(t, "another has its turn", func() bool { return slow.begun.Load() == int32(opts.Makes+1) })
	if slow.once.Load() != 1 {
		t.Error("it is not who asked once")
	}
	for range opts.Makes + opts.MakesWaiting - 1 {
		slow.turn <- struct{}{}
	}
	asking.Wait()
	if int(made.Load()) != opts.Makes+opts.MakesWaiting || busy.Load() != 6 {
		t.Errorf("%d rooms, and %d requests that were sent away", made.Load(), busy.Load())
	}
}
