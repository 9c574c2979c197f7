package web

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/roomring/roomring/room/wire"
)

// socketMetrics is the SocketMeter of /metrics.
type socketMetrics struct {
	open                                prometheus.Gauge
	read, readBytes, written, sentBytes prometheus.Counter
	writes                              prometheus.Counter
	closed                              *prometheus.CounterVec
}

// SocketMeter counts what goes through sockets. Call it once for a Metrics.
func (m *Metrics) SocketMeter() SocketMeter {
	counter := func(name, help string) prometheus.Counter { return m.counter(name, help).WithLabelValues() }
	return &socketMetrics{
		open:      m.gauge("sockets", "WebSockets open now.").WithLabelValues(),
		closed:    m.counter("sockets_closed_total", "WebSockets closed, by close code; 1006: the connection broke.", "code"),
		read:      counter("socket_messages_read_total", "Protocol messages from clients."),
		readBytes: counter("socket_bytes_read_total", "Bytes of messages from clients."),
		written:   counter("socket_messages_written_total", "Protocol messages from rooms to clients."),
		sentBytes: counter("socket_bytes_written_total", "Bytes handed to the kernel for clients."),
		writes:    counter("socket_writes_total", "Writes that carried them: messages that wait for the same socket share one."),
	}
}

func (m *socketMetrics) SocketOpened() { m.open.Inc() }

func (m *socketMetrics) SocketClosed(code wire.CloseCode) {
	m.open.Dec()
	m.closed.WithLabelValues(codeLabel(code)).Inc()
}

// codeLabel keeps clients, who may close with any code, from making any number of labels.
func codeLabel(code wire.CloseCode) string {
	switch code {
	case wire.CloseMoved, wire.CloseTooSlow, wire.CloseNoHeartbeat, wire.CloseUnreachable, wire.CloseGap,
		wire.CloseBadMessage, wire.CloseUnauthorised, wire.CloseForbidden, wire.CloseNoRoom, wire.CloseTooOld,
		wire.CloseNoHello, wire.CloseReplaced, wire.CloseOver, wire.CloseTooLarge, wire.CloseTooMany:
	default:
		if code >= 3000 {
			return "other"
		}
	}
	return strconv.Itoa(int(code))
}

func (m *socketMetrics) SocketRead(messages, bytes int) {
	m.read.Add(float64(messages))
	m.readBytes.Add(float64(bytes))
}

func (m *socketMetrics) SocketWritten(messages, bytes int) {
	m.writes.Inc()
	m.written.Add(float64(messages))
	m.sentBytes.Add(float64(bytes))
}
