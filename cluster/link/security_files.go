package link

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"

	"github.com/roomring/roomring/internal/certs"
)

// files holds the operator's certificates.
type files struct{ *certs.Files }

func newFiles(cert, key, ca string, log *slog.Logger) (files, error) {
	if cert == "" || key == "" || ca == "" {
		return files{}, errors.New("links by certificates need three files: certificate, key and authority")
	}
	f, err := certs.Open("links between nodes", cert, key, ca, log)
	return files{f}, err
}

func (f files) server() *tls.Config { return f.config(x509.ExtKeyUsageClientAuth) }
func (f files) client() *tls.Config { return f.config(x509.ExtKeyUsageServerAuth) }

func (f files) config(peer x509.ExtKeyUsage) *tls.Config {
	own, roots := f.Current()
	return mutualTLS(own, func(c tls.ConnectionState) error {
		intermediates := x509.NewCertPool()
		for _, cert := range c.PeerCertificates[1:] {
			intermediates.AddCert(cert)
		}
		_, err := c.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{peer}})
		if err != nil {
			return fmt.Errorf("the peer's certificate: %w", err)
		}
		return nil
	})
}
