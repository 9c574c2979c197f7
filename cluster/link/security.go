package link

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"time"
)

// secretSize is the length of one secret in bytes.
const secretSize = 32

var (
	errSecret = errors.New("the peer has another cluster secret")
	errNoTLS  = errors.New("the peer does not speak TLS: it has no cluster secret, or is no node")
)

// credential makes the TLS configurations of new connections. Nil encrypts nothing.
type credential interface {
	server() *tls.Config
	client() *tls.Config
}

// newCredential checks that exactly one kind of security is set and makes its credential.
func newCredential(s Security, log *slog.Logger) (credential, error) {
	files := s.CertFile != "" || s.KeyFile != "" || s.CAFile != ""
	switch {
	case len(s.Secrets) > 0 && (files || s.Insecure), files && s.Insecure:
		return nil, errors.New("links need exactly one kind of security: secrets, certificates or insecure")
	case len(s.Secrets) > 0:
		return newSecrets(s.Secrets)
	case files:
		return newFiles(s.CertFile, s.KeyFile, s.CAFile, log)
	case s.Insecure:
		return nil, nil
	}
	return nil, errors.New("links need a cluster secret or certificates, or must be told to be insecure")
}

// secrets holds the authorities derived from the cluster's secrets, and this node's own certificate.
type secrets struct {
	own   tls.Certificate
	roots *x509.CertPool
}

func newSecrets(all [][]byte) (*secrets, error) {
	if len(all) == 0 {
		return nil, errors.New("no cluster secret")
	}
	s := &secrets{roots: x509.NewCertPool()}
	for i, secret := range all {
		if len(secret) != secretSize {
			return nil, fmt.Errorf("cluster secret %d has %d bytes and needs %d", i+1, len(secret), secretSize)
		}
		authority, key, err := newAuthority(secret)
		if err != nil {
			return nil, err
		}
		s.roots.AddCert(authority)
		if i == 0 {
			if s.own, err = newLeaf(authority, key); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// The certificates are valid for so long that the nodes' clocks do not matter. A certificate ends when its secret is
// removed from the cluster's.
var (
	validFrom  = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	validTo    = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	verifiedAt = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// newAuthority derives a certificate authority from a secret. The same secret always gives the same authority.
func newAuthority(secret []byte) (*x509.Certificate, ed25519.PrivateKey, error) {
	seed, err := hkdf.Key(sha256.New, secret, nil, "roomring link authority 1", ed25519.SeedSize)
	if err != nil {
		return nil, nil, err
	}
	key := ed25519.NewKeyFromSeed(seed)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "roomring cluster"},
		NotBefore:             validFrom,
		NotAfter:              validTo,
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	authority, err := x509.ParseCertificate(der)
	return authority, key, err
}

// newLeaf makes this process's certificate. Its key never leaves the process.
func newLeaf(authority *x509.Certificate, by ed25519.PrivateKey) (tls.Certificate, error) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)),
		Subject:      pkix.Name{CommonName: "roomring node"},
		NotBefore:    validFrom,
		NotAfter:     validTo,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, authority, public, by)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

func (s *secrets) server() *tls.Config { return mutualTLS(s.own, s.verify) }
func (s *secrets) client() *tls.Config { return mutualTLS(s.own, s.verify) }

func (s *secrets) verify(c tls.ConnectionState) error {
	_, err := c.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: s.roots, CurrentTime: verifiedAt, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return errSecret
	}
	return nil
}

// mutualTLS is the configuration of either side. The names in certificates do not matter: a peer with a certificate that
// verify accepts is a member, and names itself in its greeting. TLS sessions are never resumed, so every connection is
// verified with the current certificates.
func mutualTLS(own tls.Certificate, verify func(tls.ConnectionState) error) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{"h2"},
		Certificates:           []tls.Certificate{own},
		ClientAuth:             tls.RequireAnyClientCert,
		InsecureSkipVerify:     true,
		VerifyConnection:       verify,
		SessionTicketsDisabled: true,
	}
}

// explain turns the error of a failed connection into one that says what is wrong. It returns err itself when it knows
// nothing better.
func explain(err error) error {
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return errNoTLS
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" { // how crypto/tls marks an alert from the peer
		return fmt.Errorf("the peer refused this node's certificate: it has another cluster secret or authority (%w)", op.Err)
	}
	return err
}
