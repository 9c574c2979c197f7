package cli

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/roomring/roomring/internal/certs"
)

// wantsTLS is how net/http's server answers plain HTTP on a port with TLS.
const wantsTLS = "Client sent an HTTP request to an HTTPS server"

// adminHTTP returns the client for an admin listener. It trusts the authorities in caFile or, without a file, the system's.
func adminHTTP(at *url.URL, caFile string) (*http.Client, error) {
	if caFile == "" {
		return http.DefaultClient, nil
	}
	if at.Scheme != "https" { // the token must not go to a server that nobody verified
		return nil, fmt.Errorf("--admin-ca-file and --admin %s do not go together: give https://", at)
	}
	roots, err := certs.Authorities(caFile)
	if err != nil {
		return nil, fmt.Errorf("--admin-ca-file: %w", err)
	}
	return clientWith(&tls.Config{RootCAs: roots}), nil
}

func clientWith(config *tls.Config) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = config
	return &http.Client{Transport: transport}
}

// noAnswer explains why there was no answer, and what to do.
func (c *adminClient) noAnswer(err error) error {
	if errors.Is(err, http.ErrSchemeMismatch) {
		return fmt.Errorf("%s speaks plain HTTP: give --admin http://…, or the server --admin-cert-file", c.base)
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return fmt.Errorf("the certificate at %s comes from nobody who is trusted here: name the file with its authority with --admin-ca-file", c.base)
	}
	if wrong, ok := errors.AsType[x509.HostnameError](err); ok {
		return fmt.Errorf("the certificate at %s is for somebody else: give --admin with a name that it is for: %w", c.base, wrong)
	}
	if wrong, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("the certificate at %s is not valid: %w", c.base, wrong.Err)
	}
	return fmt.Errorf("no server answers at %s: give its --admin-listen address as --admin: %w", c.base, err)
}

// ownAdminHTTP returns the client for the admin listener of a server on this machine with the same settings. It needs no
// authority: it compares the server's certificate with the one on disk.
func (s *settings) ownAdminHTTP() (*http.Client, error) {
	if s.AdminCertFile == "" {
		return http.DefaultClient, nil
	}
	own, err := tls.LoadX509KeyPair(s.AdminCertFile, s.AdminKeyFile)
	if err != nil {
		return nil, fmt.Errorf("--admin-cert-file and --admin-key-file: %w", err)
	}
	return clientWith(&tls.Config{
		InsecureSkipVerify: true, // VerifyConnection checks instead
		VerifyConnection: func(c tls.ConnectionState) error {
			if len(c.PeerCertificates) == 0 || !bytes.Equal(c.PeerCertificates[0].Raw, own.Certificate[0]) {
				return errors.New("its certificate differs from --admin-cert-file")
			}
			return nil
		},
	}), nil
}
