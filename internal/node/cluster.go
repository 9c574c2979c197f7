package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/cespare/xxhash/v2"
	sockaddr "github.com/hashicorp/go-sockaddr"

	"github.com/roomring/roomring/cluster"
	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// openCluster starts gossip and answers peers. No ring contains this node before join.
func (n *Node) openCluster(context.Context) error {
	if !n.cfg.Clustered() {
		return nil
	}
	if n.cfg.InsecureCluster {
		n.log.Warn("--insecure-cluster: anybody who reaches the peer and gossip ports can act as a node of this cluster")
	}
	host, err := n.advertised()
	if err != nil {
		return err
	}
	_, peerPort, _ := net.SplitHostPort(n.listeners.peer.Addr().String())
	n.cluster, err = cluster.Open(cluster.Options{
		Members: members.Options{
			Self: members.Member{
				Name: n.name, Boot: n.boot, Zone: n.cfg.Zone, Weight: n.cfg.Weight,
				Link: net.JoinHostPort(host, peerPort), Least: link.Least, Latest: link.Latest, Games: gamesHash(n.games),
			},
			Bind: n.listeners.gossip, Advertise: host, Join: n.cfg.Join, Label: n.cfg.ClusterLabel,
			Secrets: n.secrets.keys("gossip"),
		},
		Link: link.Options{Self: n.greeting(), Security: n.security(), Silence: n.cfg.PeerSilence, Tracing: n.tracing},
		Peer: n.listeners.peer, Rooms: n.rooms, Owner: n.owner, Copies: n.copies.Load(), Store: shared{n.store}, Aside: setAside{n}, Describe: n.describe,
		Reattach: n.cfg.ReattachTimeout, Clock: n.clock,
		Stop: func() { n.fail(nil) }, Superseded: func(err error) { n.fail(err) },
		Log: n.log,
	})
	if err != nil {
		return err
	}
	n.onClose("cluster", n.cluster.Close)
	n.metrics.Cluster(clusterMetrics(n.cluster))
	return nil
}

// advertised returns the host under which other nodes reach this one.
func (n *Node) advertised() (string, error) {
	if n.cfg.Advertise != "" {
		return n.cfg.Advertise, nil
	}
	host, _, _ := net.SplitHostPort(n.listeners.gossip) // Validate has parsed it
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
		return host, nil
	}
	if ip, err := sockaddr.GetPrivateIP(); err == nil && ip != "" {
		return ip, nil
	}
	return "", errors.New("this machine has no private address at which other nodes could reach it: give --advertise, or --gossip-listen and --peer-listen with an address")
}

func (n *Node) greeting() *linkpb.Greeting {
	driver, _, _ := n.cfg.StoreTarget() // it cannot fail: the store is open
	g := &linkpb.Greeting{
		Node: n.name, Boot: string(n.boot), Label: n.cfg.ClusterLabel, Least: link.Least, Latest: link.Latest,
		Program: Version(), Machine: machine(), Store: driver,
	}
	for r := range n.games.All() {
		g.Games = append(g.Games, &linkpb.GameVersion{Name: r.Spec().Name, Version: int64(r.Spec().Version)})
	}
	return g
}

// gameVersions lists games with their versions, for people.
func gameVersions(games *core.Games) (list []string) {
	for r := range games.All() {
		list = append(list, fmt.Sprintf("%s %d", r.Spec().Name, r.Spec().Version))
	}
	return list
}

// gamesHash returns a hash that is equal on two nodes with the same games in the same versions. The list itself is sent
// over the links.
func gamesHash(games *core.Games) uint64 {
	h := xxhash.New()
	for _, g := range gameVersions(games) {
		_, _ = h.WriteString(g + "\n")
	}
	return h.Sum64()
}

// machine returns an id of this machine and its current boot. Nodes that share a SQLite file must have the same one.
func machine() string {
	if id, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		return strings.TrimSpace(string(id))
	}
	host, _ := os.Hostname()
	return host
}

func (n *Node) security() link.Security {
	switch {
	case n.cfg.PeerCertFile != "":
		return link.Security{CertFile: n.cfg.PeerCertFile, KeyFile: n.cfg.PeerKeyFile, CAFile: n.cfg.PeerCAFile}
	case n.cfg.InsecureCluster:
		return link.Security{Insecure: true}
	}
	return link.Security{Secrets: n.secrets.keys("peers")}
}

// readSecrets reads the cluster's secrets, if a file of them is configured.
func (n *Node) readSecrets(context.Context) (err error) {
	if n.cfg.ClusterSecretFile != "" {
		n.secrets, err = readSecrets(n.cfg.ClusterSecretFile)
	}
	return err
}

// rotate reads the secrets' file again and uses what it holds. On an error everything stays as it was.
func (n *Node) rotate() error {
	if n.cfg.ClusterSecretFile == "" {
		return errors.New("there is no --cluster-secret-file to read again")
	}
	fresh, err := readSecrets(n.cfg.ClusterSecretFile)
	if err != nil {
		return err
	}
	if n.cfg.GuestsAllowed() {
		keys := fresh.keys("guests")
		if err := n.auth.SetGuestKeys(keys[0], keys[1:]); err != nil {
			return err
		}
	}
	return n.cluster.Rotate(fresh.keys("gossip"), fresh.keys("peers"))
}

// describe returns what the operator sees of this node.
func (n *Node) describe() cluster.NodeInfo {
	return cluster.NodeInfo{
		Name: n.name, Boot: string(n.boot), Version: Version(), Started: n.started, Games: gameVersions(n.games), Weight: n.cfg.Weight, Zone: n.cfg.Zone,
		Rooms: n.rooms.Count(), Sessions: n.openSockets(), Remote: n.cluster.Edge.Remote(), Unready: n.troubles(),
		Held: n.held(),
	}
}

// shared is the store behind the interface that the cluster declares.
type shared struct{ persist.Store }

func (s shared) Past(ctx context.Context, id room.ID) (actor.Info, error) {
	result, err := s.Result(ctx, id)
	if err != nil {
		return actor.Info{}, err
	}
	return pastInfo(result), nil
}

func (s shared) Boots(ctx context.Context) ([]cluster.Boot, error) {
	all, err := s.Store.Boots(ctx)
	if err != nil {
		return nil, err
	}
	var alive []cluster.Boot
	for _, b := range all {
		if b.State == persist.BootAlive {
			silent := b.Silent
			if b.Unknown() { // its heartbeat dates from before the clock was set back
				silent = persist.FreshFor
			}
			alive = append(alive, cluster.Boot{ID: b.ID, Node: b.Node, Host: b.Host, Silent: silent})
		}
	}
	return alive, nil
}

func (s shared) Released(ctx context.Context, after room.ID, limit int) ([]record.Row, error) {
	return s.ListRows(ctx, persist.RowFilter{State: record.RowReleased, After: after, Limit: limit})
}
