package link_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/internal/testwait"
)

func TestRotate(t *testing.T) {
	old, next := secret(t), secret(t)
	a, b := start(t, "a", with(old)), start(t, "b", with(old))
	p, edge, _ := through(t, a, b)
	again := func(what string) {
		t.Helper()
		p.reset()
		take(t, "Down, "+what, edge.down)
		edge = take(t, what, a.edges)
		take(t, what, b.owners)
	}
	rotate := func(n *node, secrets ...[]byte) {
		t.Helper()
		if err := n.Rotate(secrets); err != nil {
			t.Fatal(err)
		}
	}
	rotate(a, old, next)
	again("one accepts both")
	rotate(b, next, old)
	again("the other shows the new one")
	rotate(a, next)
	if len(edge.down) > 0 {
		t.Error("a rotation ended a connection")
	}
	again("one has the new one alone")
	rotate(b, old)
	p.reset()
	testwait.Until(t, "the old one alone is refused", func() bool { return strings.Contains(a.state("b").Err, "another cluster secret") })
	if err := a.Rotate([][]byte{{1}}); err == nil {
		t.Error("a short secret is taken")
	}
	if err := start(t, "c").Rotate([][]byte{next}); err == nil {
		t.Error("links without secrets take one")
	}
}

// authority writes certificates as an operator's authority does.
type authority struct {
	dir  string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T, dir string) *authority {
	t.Helper()
	a := &authority{dir: dir}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.write(t, "ca.pem", "CERTIFICATE", der)
	return a
}

func (a *authority) write(t *testing.T, name, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(a.dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// issue writes a certificate and its key.
func (a *authority) issue(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	a.write(t, "cert.pem", "CERTIFICATE", der)
	a.write(t, "key.pem", "PRIVATE KEY", private)
}

func certificates(dir string) func(*link.Options) {
	return func(o *link.Options) {
		o.Security = link.Security{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem"), CAFile: filepath.Join(dir, "ca.pem")}
	}
}

func TestCertificateFilesAreReadAgain(t *testing.T) {
	ours, theirs := t.TempDir(), t.TempDir()
	newAuthority(t, ours).issue(t)
	newAuthority(t, theirs).issue(t)
	a, b := start(t, "a", certificates(ours)), start(t, "b", certificates(theirs))
	a.Targets([]link.Target{b.target()})
	testwait.Until(t, "the authorities differ", func() bool { return strings.Contains(a.state("b").Err, "unknown authority") })
	for _, name := range []string{"ca.pem", "cert.pem", "key.pem"} {
		data, err := os.ReadFile(filepath.Join(ours, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(theirs, name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	take(t, "the link stands", a.edges)

	if err := os.WriteFile(filepath.Join(theirs, "key.pem"), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := start(t, "c", certificates(ours))
	c.Targets([]link.Target{b.target()})
	take(t, "what was read last still counts", c.edges)
	const warning = "cannot be read: those that were read last stay in use"
	if !b.log.Has(warning) {
		t.Error("nothing is said of files that cannot be read")
	}
	if err := b.Rotate(nil); err == nil {
		t.Error("files that cannot be read were read again")
	}
	if n := b.log.Count(warning); n != 1 {
		t.Errorf("it is said %d times", n)
	}
	again, err := os.ReadFile(filepath.Join(ours, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(theirs, "key.pem"), again, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.Rotate(nil); err != nil || !b.log.Has("were read again") {
		t.Errorf("files that are whole again: %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	good := secret(t)
	for name, s := range map[string]link.Security{
		"nothing":        {},
		"two ways":       {Secrets: [][]byte{good}, Insecure: true},
		"a short secret": {Secrets: [][]byte{good[:31]}},
		"a file only":    {CertFile: "x"},
		"no such files":  {CertFile: "/nowhere/a", KeyFile: "/nowhere/b", CAFile: "/nowhere/c"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options("a")
			o.Security = s
			_, err := link.New(o)
			if err == nil {
				t.Fatal("no error")
			}
			if strings.Contains(err.Error(), string(good[:31])) {
				t.Error("the error holds the secret")
			}
		})
	}
}
