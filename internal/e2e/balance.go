package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/roomring/roomring/room/wire"
)

// Balancer is a real HAProxy or nginx in front of three nodes. It runs a configuration file of deploy/.
type Balancer struct {
	T     *testing.T
	Name  string // haproxy or nginx
	URL   string // with TLS
	Plain string // without TLS; it only redirects
	Roots *x509.CertPool
}

// Certificate is a self-signed certificate for 127.0.0.1, in the forms that balancers read.
type Certificate struct {
	Dir   string         // holds roomring.crt, roomring.key, and both as roomring.pem
	Roots *x509.CertPool // trusts it
}

// NewCert makes a certificate and writes its files to a temporary folder.
func NewCert(t *testing.T) Certificate {
	t.Helper()
	c := Certificate{t.TempDir(), x509.NewCertPool()}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "roomring test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	crt := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	pkcs := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	c.Roots.AppendCertsFromPEM(crt)
	for name, text := range map[string][]byte{"roomring.crt": crt, "roomring.key": pkcs, "roomring.pem": append(crt, pkcs...)} {
		if err := os.WriteFile(filepath.Join(c.Dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// Open opens a socket to the address. It sends no hello. When the upgrade is refused, the error contains the body of the answer.
func (b *Balancer) Open(c *http.Client, address string, header http.Header) (*Socket, error) {
	ctx, cancel := context.WithTimeout(b.T.Context(), Ceiling)
	defer cancel()
	ws, res, err := websocket.Dial(ctx, address, &websocket.DialOptions{
		HTTPClient: c, HTTPHeader: header, Subprotocols: []string{wire.SubprotocolJSON},
	})
	if err != nil {
		if res != nil {
			text, _ := io.ReadAll(res.Body)
			err = fmt.Errorf("%w: %s", err, text)
		}
		return nil, err
	}
	return newSocket(b.T, ws, wire.JSON), nil
}

// TryHello sends hello and waits for the welcome. It returns an error if something else comes.
func (s *Socket) TryHello(hello wire.Hello) error {
	ctx, cancel := context.WithTimeout(s.T.Context(), Ceiling)
	defer cancel()
	if err := s.Ws.Write(ctx, websocket.MessageText, wire.AppendHello(nil, wire.JSON, hello)); err != nil {
		return err
	}
	m, err, _ := s.Next()
	if _, ok := m.(wire.Welcome); err == nil && !ok {
		err = fmt.Errorf("in place of a welcome: %+v", m)
	}
	return err
}

// SpectatorHello returns the hello of a spectator.
func SpectatorHello(client string) wire.Hello {
	return wire.Hello{Client: client, As: wire.AsSpectator}
}
