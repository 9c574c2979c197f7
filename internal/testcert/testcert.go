// Package testcert is an authority that tests issue certificates by.
package testcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Issuer is an authority that makes certificates for servers.
type Issuer struct {
	t      *testing.T
	dir    string // holds ca.pem, and cert.pem with key.pem once they are issued
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	serial int64
}

// NewIssuer makes one in a folder of the test's.
func NewIssuer(t *testing.T) *Issuer {
	t.Helper()
	a := &Issuer{t: t, dir: t.TempDir()}
	a.cert = &x509.Certificate{
		Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert, a.key = a.sign(a.cert, "ca.pem", "ca.key")
	return a
}

// sign makes a certificate and its key.
func (a *Issuer) sign(template *x509.Certificate, cert, private string) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	a.serial++
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(a.serial), time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	by := a.key
	if by == nil {
		by = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), by)
	if err != nil {
		a.t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.Write(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	a.Write(private, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	return made, key
}

// Write puts a file into its folder.
func (a *Issuer) Write(name string, text []byte) {
	a.t.Helper()
	if err := os.WriteFile(a.At(name), text, 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// At is the path of a file in its folder.
func (a *Issuer) At(name string) string { return filepath.Join(a.dir, name) }

// Issue makes a certificate for 127.0.0.1 and some names, in place of the one before.
func (a *Issuer) Issue(names ...string) *x509.Certificate {
	a.t.Helper()
	made, _ := a.sign(&x509.Certificate{
		DNSNames: names, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, "cert.pem", "key.pem")
	return made
}

// Flags have a server use what was issued.
func (a *Issuer) Flags() []string {
	return []string{"--admin-cert-file", a.At("cert.pem"), "--admin-key-file", a.At("key.pem")}
}

// Trust is a client's configuration.
func (a *Issuer) Trust() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	return &tls.Config{RootCAs: roots}
}

// Shown is the serial number of the certificate that an address shows to a new connection, or why there is none.
func (a *Issuer) Shown(addr string, config *tls.Config) (serial int64, err error) {
	conn, err := tls.Dial("tcp", addr, config)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64(), nil
}
