// Package metrics counts what a node does and serves the numbers to Prometheus.
package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// Metrics counts what a node does, for /metrics. Any goroutine may call its methods, which never block. Labels are names of games, kinds,
// routes and codes, never of players or rooms: so their number is bounded, and nobody learns who plays.
type Metrics struct {
	registry  prometheus.Registerer
	gatherer  prometheus.Gatherer
	described []Described
	own       []prometheus.Collector // that were registered
	err       error                  // the first that could not be

	rooms, sessions             *prometheus.GaugeVec
	inputs, sent, lost, late    *prometheus.CounterVec
	closed, ended, panics, slow *prometheus.CounterVec
	step                        *prometheus.HistogramVec
	commit                      map[room.Durability]prometheus.Observer
	requests                    *prometheus.CounterVec
	requestTime                 *prometheus.HistogramVec

	sockets         prometheus.Gauge
	socketsOpened   prometheus.Counter
	socketsClosed   *prometheus.CounterVec
	messages, bytes *prometheus.CounterVec
	read, written   traffic
}

// fine are buckets from 5 µs to 1.3 s, for work in memory or on one disk.
var fine = prometheus.ExponentialBuckets(5e-6, 4, 10)

// New makes the metrics on a registry of their own, with those of the Go runtime and the process.
func New() *Metrics {
	own := prometheus.NewRegistry()
	own.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return NewOn(own, own)
}

// NewOn makes collectors on the registry of a program, which has what it wants to know of runtime and process there itself.
// The gatherer is what Handler serves.
func NewOn(registry prometheus.Registerer, gatherer prometheus.Gatherer) *Metrics {
	m := &Metrics{registry: registry, gatherer: gatherer}
	m.rooms = m.gauge("rooms", "Rooms in memory now.", "game")
	m.sessions = m.gauge("sessions", "Players and spectators connected now.", "game")
	m.inputs = m.counter("inputs_total", "Inputs that entered rooms' logs.", "game", "kind")
	m.sent = m.counter("messages_sent_total", "Messages handed to sessions' outboxes: one turn to 50 sessions is 50.", "game")
	m.lost = m.counter("events_lost_total", "Events that readers who had fallen behind in rooms here were told they missed.", "game")
	m.late = m.counter("ticks_left_out_total", "Ticks left out because the room was late.", "game")
	m.closed = m.counter("sessions_closed_total", "Sessions ended by the room, by WebSocket close code.", "game", "code")
	m.ended = m.counter("rooms_ended_total", "Rooms that ended, by how.", "game", "end")
	m.panics = m.counter("game_panics_total", "Rooms aborted because their game panicked.", "game")
	m.slow = m.counter("slow_steps_total", "Steps that took longer than the watchdog allows.", "game")
	m.step = m.histogram("step_seconds", "Time of one step, encoding of views included, in seconds.", fine, "game")
	commit := m.histogram("commit_delay_seconds", "Time from the first step of a batch to its commit, in seconds, by where rooms are kept: local is this node's journal alone, standby another node's too.", fine, "durability")
	m.commit = map[room.Durability]prometheus.Observer{}
	for _, d := range []room.Durability{room.Memory, room.Local, room.Standby} {
		m.commit[d] = commit.WithLabelValues(string(d))
	}
	m.requests = m.counter("http_requests_total", "HTTP requests, by route and status.", "method", "route", "status")
	m.requestTime = m.histogram("http_request_seconds", "Time to answer an HTTP request, in seconds.", prometheus.DefBuckets, "route")
	m.sockets = m.gauge("sockets", "WebSockets open now.").WithLabelValues()
	m.socketsOpened = m.counter("sockets_opened_total", "WebSockets that were accepted.").WithLabelValues()
	m.socketsClosed = m.counter("sockets_closed_total", "WebSockets that ended, by close code; 1006: the connection broke.", "code")
	m.messages = m.counter("socket_messages_total", "Protocol messages through WebSockets.", "direction")
	m.bytes = m.counter("socket_bytes_total", "Bytes of WebSocket messages, without framing.", "direction")
	m.read, m.written = m.traffic("in"), m.traffic("out")
	return m
}

// traffic is one direction of the sockets. It is looked up once, since it is counted at every message.
type traffic struct{ messages, bytes prometheus.Counter }

func (m *Metrics) traffic(direction string) traffic {
	return traffic{m.messages.WithLabelValues(direction), m.bytes.WithLabelValues(direction)}
}

func (t traffic) count(messages, bytes int) {
	t.messages.Add(float64(messages))
	t.bytes.Add(float64(bytes))
}

// SocketOpened counts a WebSocket.
func (m *Metrics) SocketOpened() {
	m.sockets.Inc()
	m.socketsOpened.Inc()
}

// SocketClosed counts a WebSocket's end.
func (m *Metrics) SocketClosed(code wire.CloseCode) {
	m.sockets.Dec()
	m.socketsClosed.WithLabelValues(strconv.Itoa(int(code))).Inc()
}

// SocketRead counts what came in.
func (m *Metrics) SocketRead(messages, bytes int) { m.read.count(messages, bytes) }

// SocketWritten counts what went out.
func (m *Metrics) SocketWritten(messages, bytes int) { m.written.count(messages, bytes) }

const namespace = "roomring"

func (m *Metrics) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
	m.register(v, namespace+"_"+name, "gauge", help, labels...)
	return v
}

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	m.register(v, namespace+"_"+name, "counter", help, labels...)
	return v
}

func (m *Metrics) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, labels)
	m.register(v, namespace+"_"+name, "histogram", help, labels...)
	return v
}

// Game begins a game's series at 0: Prometheus' increase() does not see the step of a counter that begins at 1, such as the first panic
// of a game.
func (m *Metrics) Game(name string) {
	for _, v := range []*prometheus.GaugeVec{m.rooms, m.sessions} {
		v.WithLabelValues(name)
	}
	for _, v := range []*prometheus.CounterVec{m.sent, m.lost, m.late, m.panics, m.slow} {
		v.WithLabelValues(name)
	}
}

// Err says why a metric could not be registered: nil, unless the registry is another's and has one of that name.
func (m *Metrics) Err() error { return m.err }

// Close takes the metrics out of their registry.
func (m *Metrics) Close() {
	for _, c := range m.own {
		m.registry.Unregister(c)
	}
	m.own = nil
}

// Handler serves the numbers to Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.gatherer, promhttp.HandlerOpts{})
}

// Actor is what rooms report their numbers to.
func (m *Metrics) Actor() actor.Metrics {
	return actor.Metrics{
		Rooms:       func(game string, delta int) { m.rooms.WithLabelValues(game).Add(float64(delta)) },
		Sessions:    func(game string, delta int) { m.sessions.WithLabelValues(game).Add(float64(delta)) },
		Inputs:      func(game string, k core.Kind) { m.inputs.WithLabelValues(game, k.Name()).Inc() },
		Sent:        func(game string, messages int) { m.sent.WithLabelValues(game).Add(float64(messages)) },
		StepTime:    func(game string, d time.Duration) { m.step.WithLabelValues(game).Observe(d.Seconds()) },
		CommitDelay: func(kept room.Durability, d time.Duration) { m.commit[kept].Observe(d.Seconds()) },
		LostEvents:  func(game string, events uint64) { m.lost.WithLabelValues(game).Add(float64(events)) },
		LateTicks:   func(game string, n uint64) { m.late.WithLabelValues(game).Add(float64(n)) },
		Closed:      func(game string, code wire.CloseCode) { m.closed.WithLabelValues(game, strconv.Itoa(int(code))).Inc() },
		Ended:       func(game string, end record.End) { m.ended.WithLabelValues(game, string(end)).Inc() },
		Panics:      func(game string) { m.panics.WithLabelValues(game).Inc() },
		SlowSteps:   func(game string) { m.slow.WithLabelValues(game).Inc() },
	}
}

// Request counts an HTTP request, by its method, route and status.
func (m *Metrics) Request(method, route string, status int) {
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
}

// RequestTime counts how long the answer of a route took.
func (m *Metrics) RequestTime(route string, took time.Duration) {
	m.requestTime.WithLabelValues(route).Observe(took.Seconds())
}
