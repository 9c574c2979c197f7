package node

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/roomring/roomring/room"
)

// Clustered reports whether any setting asks for a cluster. Otherwise the node opens no ports for one.
func (c *Config) Clustered() bool {
	return len(c.Join) > 0 || c.ClusterSecretFile != "" || c.InsecureCluster || c.PeerCertFile != "" || c.Advertise != ""
}

// durability is that of games that name none.
func (c *Config) durability() room.Durability {
	switch {
	case c.Durability != "" && c.Durability != "auto":
		return room.Durability(c.Durability)
	case c.Clustered():
		return room.Standby
	}
	return room.Local
}

func (c *Config) validateCluster() error {
	if !(c.Weight >= 0.01 && c.Weight <= 100) { // NaN fails too
		return fmt.Errorf("--weight %v: give 0.01 to 100", c.Weight)
	}
	if !spaceless(c.Zone, 32) {
		return fmt.Errorf("--zone %q: use up to 32 printable ASCII characters without space", c.Zone)
	}
	if c.ClusterLabel == "" || !spaceless(c.ClusterLabel, 64) {
		return fmt.Errorf("--cluster-label %q: use 1 to 64 printable ASCII characters without space", c.ClusterLabel)
	}
	if !c.Clustered() {
		if c.Durability == string(room.Standby) {
			return errors.New("--durability standby needs other nodes: give --join and --cluster-secret-file, or leave it at auto")
		}
		return nil
	}
	if err := c.validateTrust(); err != nil {
		return err
	}
	return c.validateJoin()
}

// validateTrust checks that nodes can tell each other from strangers.
func (c *Config) validateTrust() error {
	if c.ClusterSecretFile == "" && !c.InsecureCluster {
		return errors.New("a cluster needs --cluster-secret-file, so that strangers cannot join: openssl rand -hex 32 makes a secret; on a network that is yours alone, --insecure-cluster needs none")
	}
	if c.ClusterSecretFile != "" && c.InsecureCluster {
		return errors.New("--insecure-cluster and --cluster-secret-file exclude each other: keep the secret")
	}
	some := c.PeerCertFile != "" || c.PeerKeyFile != "" || c.PeerCAFile != ""
	if all := c.PeerCertFile != "" && c.PeerKeyFile != "" && c.PeerCAFile != ""; some && !all {
		return errors.New("mutual TLS between nodes needs --peer-cert-file, --peer-key-file and --peer-ca-file, all three")
	}
	return nil
}

func (c *Config) validateJoin() error {
	for _, to := range c.Join {
		name, dns := strings.CutPrefix(to, "dns+")
		host, port, err := net.SplitHostPort(name)
		if err != nil {
			host, port = name, "7946"
		}
		_, badPort := strconv.ParseUint(port, 10, 16)
		if host == "" || strings.ContainsAny(host, " /@?#") || badPort != nil || dns && err != nil {
			return fmt.Errorf("--join %q: give HOST, HOST:PORT, or dns+NAME:PORT", to)
		}
	}
	return nil
}

// spaceless reports whether s is at most `most` bytes of printable ASCII without space.
func spaceless(s string, most int) bool {
	return len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
