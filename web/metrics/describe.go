package metrics

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Described is one metric as docs/METRICS.md lists it.
type Described struct {
	Name   string
	Kind   string // gauge, counter or histogram
	Labels []string
	Help   string
}

// Described are all of Roomring's own metrics, by name, without those of the Go runtime and the process.
func (m *Metrics) Described() []Described {
	out := slices.Clone(m.described)
	slices.SortFunc(out, func(a, b Described) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (m *Metrics) register(c prometheus.Collector, name, kind, help string, labels ...string) {
	if err := m.registry.Register(c); err != nil {
		m.err = cmp.Or(m.err, fmt.Errorf("metric %s: %w", name, err))
	} else {
		m.own = append(m.own, c)
	}
	m.described = append(m.described, Described{name, kind, labels, help})
}

// Gauge adds a value that is read at each scrape, such as how many results wait for the store. The name begins with roomring_; help
// gives the unit.
func (m *Metrics) Gauge(name, help string, value func() float64) {
	m.register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value), name, "gauge", help)
}

// Counter is like Gauge for a value that only grows.
func (m *Metrics) Counter(name, help string, value func() float64) {
	m.register(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value), name, "counter", help)
}

// GaugeVec is like Gauge for several values, by a label. The label's values must be few and known to the operator: names of nodes, never
// of players or rooms.
func (m *Metrics) GaugeVec(name, help, label string, values func() map[string]float64) {
	m.register(asked{prometheus.NewDesc(name, help, []string{label}, nil), prometheus.GaugeValue, values}, name, "gauge", help, label)
}

// CounterVec is like GaugeVec for values that only grow.
func (m *Metrics) CounterVec(name, help, label string, values func() map[string]float64) {
	m.register(asked{prometheus.NewDesc(name, help, []string{label}, nil), prometheus.CounterValue, values}, name, "counter", help, label)
}

// asked is a metric with one label whose values are read at each scrape.
type asked struct {
	desc   *prometheus.Desc
	kind   prometheus.ValueType
	values func() map[string]float64
}

func (a asked) Describe(to chan<- *prometheus.Desc) { to <- a.desc }

func (a asked) Collect(to chan<- prometheus.Metric) {
	for label, value := range a.values() {
		to <- prometheus.MustNewConstMetric(a.desc, a.kind, value, strings.ToValidUTF8(label, "?"))
	}
}

// Cluster are the sources of a cluster's numbers. Each is read at each scrape and must not block.
type Cluster struct {
	Members        func() map[string]float64 // nodes, by state
	RingShare      func() map[string]float64 // by node
	LinkUp         func() map[string]float64 // 1 or 0, by peer; so are the next
	LinkRTT        func() map[string]float64 // seconds
	LinkQueued     func() map[string]float64 // bytes
	LinkCarried    func() map[string]float64
	LinkReconnects func() map[string]float64
	LinkSent       func() map[string]float64 // bytes
	LinkReceived   func() map[string]float64 // bytes
	LinkOverflows  func() map[string]float64

	ReplicationUp         func() map[string]float64 // 1 or 0, by peer; so are the next
	ReplicationQueued     func() map[string]float64 // bytes
	ReplicationReconnects func() map[string]float64
	ReplicationSent       func() map[string]float64 // bytes
	ReplicationReceived   func() map[string]float64 // bytes
	ReplicationOverflows  func() map[string]float64

	// Of copies of rooms.
	Seized     func() float64
	Taken      func() float64
	Yielded    func() float64
	Dismissed  func() float64
	Recruited  func() float64
	Fills      func() float64
	Strikes    func() float64
	LoneRooms  func() float64
	LagEntries func() float64
	LagSeconds func() float64
	Copies     func() map[string]float64 // by state
	InDoubt    func() float64

	GossipHealth    func() float64
	GossipStrangers func() float64
	RemoteSessions  func() float64
	RoomsClaimed    func() float64
	RoomsReleased   func() float64
	EdgeReattach    func() float64
	EdgeEventsLost  func() float64
}

// Cluster adds the numbers of a cluster.
func (m *Metrics) Cluster(c Cluster) {
	m.GaugeVec("roomring_cluster_members", "Nodes that this one knows of, itself included, by state.", "state", c.Members)
	m.GaugeVec("roomring_ring_share", "Part of all rooms that the ring gives each node, as a fraction of 1.", "node", c.RingShare)
	m.GaugeVec("roomring_link_up", "Whether this node's link to a peer stands: 1 or 0.", "peer", c.LinkUp)
	m.GaugeVec("roomring_link_carried", "Whether this node's link to a peer goes through a third node, because it does not reach the peer itself: 1 or 0.", "peer", c.LinkCarried)
	m.GaugeVec("roomring_link_rtt_seconds", "Last measured round trip to a peer, in seconds; 0 is not yet measured.", "peer", c.LinkRTT)
	m.GaugeVec("roomring_link_queued_bytes", "Bytes that wait for the link to a peer.", "peer", c.LinkQueued)
	m.CounterVec("roomring_link_reconnects_total", "Times the link to a peer was made anew.", "peer", c.LinkReconnects)
	m.CounterVec("roomring_link_sent_bytes_total", "Bytes of sessions in rooms elsewhere, sent to a peer. Questions between nodes are not among them.", "peer", c.LinkSent)
	m.CounterVec("roomring_link_received_bytes_total", "Likewise, bytes received from a peer.", "peer", c.LinkReceived)
	m.CounterVec("roomring_link_overflows_total", "Streams that were ended because too much waited for a peer that reads too slowly. Their sessions begin anew.", "peer", c.LinkOverflows)
	m.GaugeVec("roomring_replication_up", "Whether the stream stands over which this node feeds a peer's copies of rooms: 1 or 0. It is 0 for a peer that takes no copies.", "peer", c.ReplicationUp)
	m.GaugeVec("roomring_replication_queued_bytes", "Bytes that wait for the streams of replication to a peer.", "peer", c.ReplicationQueued)
	m.CounterVec("roomring_replication_reconnects_total", "Times the stream of replication to a peer was made anew.", "peer", c.ReplicationReconnects)
	m.CounterVec("roomring_replication_sent_bytes_total", "Bytes of rooms' logs and confirmations sent to a peer.", "peer", c.ReplicationSent)
	m.CounterVec("roomring_replication_received_bytes_total", "Likewise, bytes received from a peer.", "peer", c.ReplicationReceived)
	m.CounterVec("roomring_replication_overflows_total", "Streams of replication that were ended because too much waited for a peer that reads too slowly. They begin anew.", "peer", c.ReplicationOverflows)
	m.Counter("roomring_rooms_seized_total", "Takeovers: rooms of which this node was the standby and whose owner seemed to be dead.", c.Seized)
	m.Counter("roomring_rooms_taken_total", "Handovers to this node: rooms of which it was the standby and that their owner gave it.", c.Taken)
	m.Counter("roomring_rooms_yielded_total", "Handovers by this node: rooms that it gave to their standby.", c.Yielded)
	m.Counter("roomring_standbys_dismissed_total", "Standbys of this node's rooms that were given up: silent, too slow, or leaving.", c.Dismissed)
	m.Counter("roomring_standbys_recruited_total", "Standbys that rooms of this node have got.", c.Recruited)
	m.Counter("roomring_replication_fills_total", "Times a copy elsewhere was filled from this node's journal.", c.Fills)
	m.Counter("roomring_strikes_total", "Strikes: rooms that this node has taken on from an owner that was lost while it stepped them. Two of them in the same step end the room.", c.Strikes)
	m.Gauge("roomring_rooms_lone", "Rooms of this node that should have a standby and have none now.", c.LoneRooms)
	m.Gauge("roomring_replication_lag_entries", "Inputs that the standby furthest behind has not confirmed.", c.LagEntries)
	m.Gauge("roomring_replication_lag_seconds", "How long the oldest input that a standby has not confirmed has waited, in seconds.", c.LagSeconds)
	m.GaugeVec("roomring_copies", "Copies of other nodes' rooms here, by state: whole; partial, which are being filled; unsure, whose end may have been lost with this machine's power.", "state", c.Copies)
	m.Gauge("roomring_rooms_in_doubt", "Rooms that the store gives to this node, whose copy here is not whole: they wait for their standby.", c.InDoubt)
	m.Gauge("roomring_gossip_health", "How late this node's own gossip is: 0 is well, more is worse.", c.GossipHealth)
	m.Counter("roomring_gossip_strangers_total", "Gossip packets and streams refused: another label or secret.", c.GossipStrangers)
	m.Gauge("roomring_sessions_remote", "Clients of this node that are in rooms elsewhere.", c.RemoteSessions)
	m.Counter("roomring_rooms_claimed_total", "Released rooms that this node has claimed from the store.", c.RoomsClaimed)
	m.Counter("roomring_rooms_released_total", "Rooms that this node has given to the store for others to claim.", c.RoomsReleased)
	m.Counter("roomring_edge_reattach_total", "Times a client of this node was attached again because its room had moved or the link to it was lost.", c.EdgeReattach)
	m.Counter("roomring_edge_events_lost_total", "Events that readers at this node who had fallen behind in rooms elsewhere were told they missed.", c.EdgeEventsLost)
}
