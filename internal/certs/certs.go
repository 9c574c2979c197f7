// Package certs reads certificates that somebody else makes and renews.
package certs

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Files are a certificate, its key and, where they are wanted, authorities that others' certificates must come from, all in PEM.
// What is on disk counts each time that they are asked for; while it cannot be read, what was read last.
type Files struct {
	of            string // what they are for, in the log
	cert, key, ca string // ca may be empty
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

// Open reads the files; an empty ca is no file. Of says in the log what they are for. The error names the file at fault.
func Open(of, cert, key, ca string, log *slog.Logger) (*Files, error) {
	f := &Files{of: of, cert: cert, key: key, ca: ca, log: log}
	stamps, err := f.stat()
	if err != nil {
		return nil, err
	}
	return f, f.read(stamps)
}

func (f *Files) stat() (s [3]stamp, err error) {
	for i, name := range []string{f.cert, f.key, f.ca} {
		if name == "" {
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return s, err
		}
		s[i] = stamp{info.ModTime(), info.Size()}
	}
	return s, nil
}

func (f *Files) read(stamps [3]stamp) error {
	own, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", f.cert, f.key, err)
	}
	var roots *x509.CertPool
	if f.ca != "" {
		if roots, err = Authorities(f.ca); err != nil {
			return err
		}
	}
	f.own, f.roots, f.stamps = own, roots, stamps
	return nil
}

// Authorities are the certificates in a file.
func Authorities(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return roots, nil
}

// Current is what is on disk, or what was read last: the certificate, and the authorities or nil.
func (f *Files) Current() (tls.Certificate, *x509.CertPool) {
	_ = f.Again() // it has been logged, and is tried again the next time
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.own, f.roots
}

// Again reads the files if they have changed. What is wrong is logged once. Files that are being replaced may not fit each
// other for a moment.
func (f *Files) Again() error {
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
		f.log.Info("certificates were read again", "of", f.of, "cert", f.cert)
	case f.wrong != err.Error():
		f.wrong = err.Error()
		f.log.Warn("certificates have changed and cannot be read: those that were read last stay in use", "of", f.of, "err", err)
	}
	return err
}
