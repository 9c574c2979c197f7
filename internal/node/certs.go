package node

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/roomring/roomring/internal/certs"
)

// readCertificate reads the admin listener's certificate, if one is configured.
func (n *Node) readCertificate(context.Context) (err error) {
	if n.cfg.AdminCertFile == "" {
		return nil
	}
	if n.adminCert, err = certs.Open("the admin listener", n.cfg.AdminCertFile, n.cfg.AdminKeyFile, "", n.log); err != nil {
		return fmt.Errorf("--admin-cert-file and --admin-key-file: %w", err)
	}
	return nil
}

// adminTLS gives each new connection the certificate that is on disk now.
func (n *Node) adminTLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			own, _ := n.adminCert.Current()
			return &own, nil
		},
	}
}

// adminCertCovers reports whether the admin listener's certificate is valid for a name.
func (n *Node) adminCertCovers(name string) bool {
	if n.adminCert == nil {
		return false
	}
	own, _ := n.adminCert.Current()
	return own.Leaf.VerifyHostname(name) == nil
}

// AdminURL returns the URL at which a program on this machine reaches the admin listener at addr.
func (c *Config) AdminURL(addr string) string {
	if c.AdminCertFile != "" {
		return "https://" + Dialable(addr)
	}
	return "http://" + Dialable(addr)
}

// loopback reports whether only this machine can reach a listener.
func loopback(at net.Addr) bool {
	tcp, ok := at.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
