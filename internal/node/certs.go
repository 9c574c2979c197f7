package node

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/roomring/roomring/internal/certs"
)

// readCertificate reads that of the admin listener, if it is to have one.
func (n *Node) readCertificate(context.Context) (err error) {
	if n.cfg.AdminCertFile == "" {
		return nil
	}
	if n.admins, err = certs.Open("the admin listener", n.cfg.AdminCertFile, n.cfg.AdminKeyFile, "", n.log); err != nil {
		return fmt.Errorf("--admin-cert-file and --admin-key-file: %w", err)
	}
	return nil
}

// adminTLS shows each new connection the certificate that is on disk.
func (n *Node) adminTLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			own, _ := n.admins.Current()
			return &own, nil
		},
	}
}

// adminNamed reports whether the admin listener's certificate is for a name.
func (n *Node) adminNamed(name string) bool {
	if n.admins == nil {
		return false
	}
	own, _ := n.admins.Current()
	return own.Leaf.VerifyHostname(name) == nil
}

// AdminURL is where a program on this machine reaches an admin listener.
func (c *Config) AdminURL(addr string) string {
	if c.AdminCertFile != "" {
		return "https://" + Dialable(addr)
	}
	return "http://" + Dialable(addr)
}

// loopback reports whether a listener is reached from this machine alone.
func loopback(at net.Addr) bool {
	tcp, ok := at.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
