package link

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// files are certificates that somebody else makes and renews. What is on disk counts at each new connection; while it
// cannot be read, what was read last.
type files struct {
	cert, key, ca string
	log           *slog.Logger

	mu     sync.Mutex
	wrong  string // why they could not be read the last time; "" when they could
	stamps [3]stamp
	own    tls.Certificate
	roots  *x509.CertPool
}

// stamp tells whether a file has changed.
type stamp struct {
	time time.Time
	size int64
}

func newFiles(cert, key, ca string, log *slog.Logger) (*files, error) {
	if cert == "" || key == "" || ca == "" {
		return nil, errors.New("links by certificates need three files: certificate, key and authority")
	}
	f := &files{cert: cert, key: key, ca: ca, log: log}
	stamps, err := f.stat()
	if err != nil {
		return nil, err
	}
	return f, f.read(stamps)
}

func (f *files) stat() (s [3]stamp, err error) {
	for i, name := range []string{f.cert, f.key, f.ca} {
		info, err := os.Stat(name)
		if err != nil {
			return s, err
		}
		s[i] = stamp{info.ModTime(), info.Size()}
	}
	return s, nil
}

func (f *files) read(stamps [3]stamp) error {
	own, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", f.cert, f.key, err)
	}
	pem, err := os.ReadFile(f.ca)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate in PEM", f.ca)
	}
	f.own, f.roots, f.stamps = own, roots, stamps
	return nil
}

// current is what is on disk, or what was read last.
func (f *files) current() (tls.Certificate, *x509.CertPool) {
	_ = f.again() // it has been logged, and is tried again at the next connection
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.own, f.roots
}

// again reads the files if they have changed. What is wrong is logged once. Files that are being replaced may not fit each
// other for a moment.
func (f *files) again() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	stamps, err := f.stat()
	if err == nil && stamps == f.stamps {
		f.wrong = ""
		return nil
	}
	if err == nil {
		err = f.read(stamps)
	}
	switch {
	case err == nil:
		f.wrong = ""
		f.log.Info("the certificates between nodes were read again", "cert", f.cert)
	case f.wrong != err.Error():
		f.wrong = err.Error()
		f.log.Warn("the certificates between nodes have changed and cannot be read: those that were read last stay in use", "err", err)
	}
	return err
}

func (f *files) server() *tls.Config { return f.config(x509.ExtKeyUsageClientAuth) }
func (f *files) client() *tls.Config { return f.config(x509.ExtKeyUsageServerAuth) }

func (f *files) config(peer x509.ExtKeyUsage) *tls.Config {
	own, roots := f.current()
	return mutual(own, func(c tls.ConnectionState) error {
		between := x509.NewCertPool()
		for _, cert := range c.PeerCertificates[1:] {
			between.AddCert(cert)
		}
		_, err := c.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{peer}})
		if err != nil {
			return fmt.Errorf("the peer's certificate: %w", err)
		}
		return nil
	})
}
