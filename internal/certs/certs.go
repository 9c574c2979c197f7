// Package certs reads certificates that the operator makes and renews.
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

// Files is a certificate, its key and, optionally, the authorities that must have signed the certificates of others, all in PEM.
// Changed files are read again. While they cannot be read, those that were read last stay in use.
type Files struct {
	of            string // what the files are for, for the log
	cert, key, ca string // ca may be empty
	log           *slog.Logger

	mu     sync.Mutex
	wrong  string // why the last reading failed; "" if it did not
	stamps [3]stamp
	own    tls.Certificate
	roots  *x509.CertPool
}

// stamp is compared to see whether a file has changed.
type stamp struct {
	time time.Time
	size int64
}

// Open reads the files. An empty ca means no authorities. Of says in the log what the files are for. The error names the file
// at fault.
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

// Authorities reads the certificates in a PEM file.
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

// Current reads the files again if they have changed. It returns the certificate and the authorities, or nil for no authorities.
// If reading fails, it returns those that were read last.
func (f *Files) Current() (tls.Certificate, *x509.CertPool) {
	_ = f.Again() // Again logs the error, and the next call tries again
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.own, f.roots
}

// Again reads the files if they have changed. It logs each error once. While files are being replaced they may not match for a
// moment, which is an error too.
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
