package admin_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/admin"
	"github.com/roomring/roomring/web/internal/webtest"
	"github.com/roomring/roomring/web/metrics"
)

func TestClusterMetricsAreAskedForAtEachScrape(t *testing.T) {
	m := metrics.New()
	a := webtest.StartAdmin(t, func(o *admin.Options) { o.Metrics = m })
	var scrapes float64
	one := func() float64 { scrapes++; return scrapes }
	peers := func() map[string]float64 { return map[string]float64{"beta": 1, "g\xffmma": 0} }
	m.Cluster(metrics.Cluster{
		Members: func() map[string]float64 { return map[string]float64{"active": 2, "draining": 1} }, RingShare: peers, LinkUp: peers, LinkRTT: peers,
		LinkQueued: peers, LinkReconnects: peers, LinkCarried: peers, LinkSent: peers, LinkReceived: peers, LinkOverflows: peers,
		ReplicationUp: peers, ReplicationQueued: peers, ReplicationReconnects: peers, ReplicationSent: peers, ReplicationReceived: peers, ReplicationOverflows: peers,
		Seized: one, Taken: one, Yielded: one, Dismissed: one, Recruited: one, Fills: one, Strikes: one, LoneRooms: one, LagEntries: one, LagSeconds: one, Copies: peers, InDoubt: one,
		GossipHealth: func() float64 { return 0 }, GossipStrangers: one, RemoteSessions: func() float64 { return 5 },
		RoomsClaimed: one, RoomsReleased: one, EdgeReattach: one, EdgeEventsLost: func() float64 { return 0 },
	})
	text := a.Want(200, "GET", "/metrics", "").Text
	for _, line := range []string{
		`roomring_cluster_members{state="active"} 2`, `roomring_link_up{peer="beta"} 1`, `roomring_link_up{peer="g?mma"} 0`, `roomring_replication_up{peer="beta"} 1`, `roomring_sessions_remote 5`,
		"# TYPE roomring_link_reconnects_total counter", "# TYPE roomring_link_rtt_seconds gauge", "# HELP roomring_ring_share ",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("/metrics lacks %s", line)
		}
	}
	if before := scrapes; a.Want(200, "GET", "/metrics", "").Text == "" || scrapes != before+15 {
		t.Errorf("asked %v times, and then %v", before, scrapes)
	}
}

func TestMetricsAndProfiles(t *testing.T) {
	m := metrics.New()
	a := webtest.StartAdmin(t, func(o *admin.Options) { o.Metrics = m })
	rooms := m.Actor()
	rooms.Rooms("chess", 2)
	rooms.Rooms("chess", -1)
	rooms.Sessions("chess", 3)
	rooms.Inputs("chess", core.KindAct)
	rooms.Sent("chess", 50)
	rooms.StepTime("chess", 20*time.Microsecond)
	rooms.CommitDelay(room.Standby, time.Millisecond)
	rooms.LostEvents("chess", 4)
	rooms.LateTicks("chess", 5)
	rooms.Closed("chess", wire.CloseReplaced)
	rooms.Ended("chess", record.Finished)
	rooms.Panics("chess")
	rooms.SlowSteps("chess")
	m.SocketOpened()
	m.SocketOpened()
	m.SocketClosed(wire.CloseNormal)
	m.SocketRead(1, 100)
	m.SocketWritten(3, 900)
	m.Gauge("roomring_results_unflushed", "Results that wait for the store.", func() float64 { return 6 })
	m.Counter("roomring_results_alarms_total", "Results that the store refused.", func() float64 { return 7 })
	a.Want(200, "GET", "/admin/v1/nodes", "")
	text := a.Want(200, "GET", "/metrics", "").Text
	for _, line := range []string{
		`roomring_rooms{game="chess"} 1`, `roomring_sessions{game="chess"} 3`, `roomring_inputs_total{game="chess",kind="act"} 1`,
		`roomring_messages_sent_total{game="chess"} 50`, `roomring_step_seconds_count{game="chess"} 1`, `roomring_commit_delay_seconds_sum{durability="standby"} 0.001`,
		`roomring_events_lost_total{game="chess"} 4`, `roomring_ticks_left_out_total{game="chess"} 5`,
		`roomring_sessions_closed_total{code="4409",game="chess"} 1`, `roomring_rooms_ended_total{end="finished",game="chess"} 1`,
		`roomring_game_panics_total{game="chess"} 1`, `roomring_slow_steps_total{game="chess"} 1`, `roomring_sockets 1`,
		`roomring_sockets_closed_total{code="1000"} 1`, `roomring_socket_bytes_total{direction="out"} 900`,
		`roomring_socket_messages_total{direction="in"} 1`, `roomring_results_unflushed 6`, `roomring_results_alarms_total 7`,
		`roomring_http_requests_total{method="GET",route="/admin/v1/nodes",status="200"} 1`,
		"# HELP roomring_commit_delay_seconds Time from the first step of a batch to its commit, in seconds, by where rooms are kept", "go_goroutines",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("/metrics lacks %s", line)
		}
	}
	a.Want(200, "GET", "/debug/pprof/", "")
	a.Want(200, "GET", "/debug/pprof/goroutine?debug=1", "")
	if line := a.Want(200, "GET", "/debug/pprof/cmdline", "").Text; line != os.Args[0] {
		t.Errorf("the command line is told with its flags: %q", line)
	}
	a.Refused(404, "", "GET", "/debug/pprof/secrets", "")
	a.Refused(404, "", "GET", "/debug/vars", "")
}
