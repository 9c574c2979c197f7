package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// issuer is an authority that makes certificates for servers.
type issuer struct {
	t      *testing.T
	dir    string // holds ca.pem, and cert.pem with key.pem once they are issued
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	serial int64
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	a := &issuer{t: t, dir: t.TempDir()}
	a.cert = &x509.Certificate{
		Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert, a.key = a.sign(a.cert, "ca.pem", "ca.key")
	return a
}

// sign makes a certificate and its key.
func (a *issuer) sign(template *x509.Certificate, cert, private string) (*x509.Certificate, *ecdsa.PrivateKey) {
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
	a.write(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	a.write(private, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	return made, key
}

func (a *issuer) write(name string, text []byte) {
	a.t.Helper()
	if err := os.WriteFile(a.at(name), text, 0o600); err != nil {
		a.t.Fatal(err)
	}
}

func (a *issuer) at(name string) string { return filepath.Join(a.dir, name) }

// issue makes a certificate for 127.0.0.1 and some names, in place of the one before.
func (a *issuer) issue(names ...string) *x509.Certificate {
	a.t.Helper()
	made, _ := a.sign(&x509.Certificate{
		DNSNames: names, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, "cert.pem", "key.pem")
	return made
}

// flags have a server use what was issued.
func (a *issuer) flags() []string {
	return []string{"--admin-cert-file", a.at("cert.pem"), "--admin-key-file", a.at("key.pem")}
}

// trust is a client's configuration.
func (a *issuer) trust() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	return &tls.Config{RootCAs: roots}
}

// shown is the serial number of the certificate that an address shows to a new connection, or why there is none.
func (a *issuer) shown(addr string, config *tls.Config) (serial int64, err error) {
	conn, err := tls.Dial("tcp", addr, config)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64(), nil
}

const plainAdmin = "the admin listener can be reached from other machines and speaks plain HTTP"

// TestAdminByTLS runs an admin listener with a certificate: the ready file, the command and the page find it, in the clear nothing
// is told, and names that are not in the certificate are refused on either side.
func TestAdminByTLS(t *testing.T) {
	t.Parallel()
	a := newIssuer(t)
	a.issue("admin.example.com")
	a.write("token", []byte("0123456789abcdef0123\n"))
	_, port, _ := net.SplitHostPort(freePort(t))
	s := newServer(t, append(a.flags(), "--admin-listen", "0.0.0.0:"+port, "--admin-token-file", a.at("token"))...).start()
	if s.AdminAt != "https://127.0.0.1:"+port {
		t.Fatalf("the ready file says that the admin listener is at %s", s.AdminAt)
	}
	if strings.Contains(s.log.String(), plainAdmin) {
		t.Error("it warns of a listener that speaks TLS")
	}
	info := s.create("tally", nil)
	trusted := []string{"--token-file", a.at("token"), "--admin-ca-file", a.at("ca.pem")}
	lines, follower := io.Pipe()
	followed := make(chan int, 1)
	go func() {
		followed <- run(append([]string{"admin", "--admin", s.AdminAt, "events", info.ID}, trusted...), follower, io.Discard)
		_ = follower.Close()
	}()
	events := bufio.NewScanner(lines)
	if !events.Scan() {
		t.Fatal("there is no stream of events")
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	if code, out, errs := s.operate(append(trusted, "close", info.ID)...); code != exitOK || !strings.Contains(out, "closed") {
		t.Errorf("closing a room: %d %s%s", code, out, errs)
	}
	if code := <-followed; code != exitOK {
		t.Errorf("following it ended with %d", code)
	}

	for _, test := range []struct {
		args  []string
		code  int
		words []string
	}{
		{nil, exitFailed, []string{"comes from nobody who is trusted here", "--admin-ca-file"}},
		{[]string{"--admin", "http://127.0.0.1:" + port}, exitFailed, []string{"speaks TLS", "https://"}},
		{[]string{"--admin", "https://localhost:" + port, "--admin-ca-file", a.at("ca.pem")}, exitFailed, []string{"for somebody else", "admin.example.com"}},
		{[]string{"--admin", strings.Replace(s.URL, "http:", "https:", 1)}, exitFailed, []string{"speaks plain HTTP", "http://"}},
		{[]string{"--admin", "http://127.0.0.1:" + port, "--admin-ca-file", a.at("ca.pem")}, exitUsage, []string{"--admin-ca-file", "https://"}},
		{[]string{"--admin-ca-file", a.at("token")}, exitUsage, []string{"--admin-ca-file", "no certificate"}},
	} {
		code, out, errs := s.operate(append([]string{"nodes", "--token-file", a.at("token")}, test.args...)...)
		if code != test.code || !mentions(errs, test.words...) || strings.Count(errs, "\n") != 1 || out != "" {
			t.Errorf("admin %v: exit %d, %q, %q; want %q", test.args, code, out, errs, test.words)
		}
	}

	named := &http.Client{Transport: &http.Transport{TLSClientConfig: a.trust(), DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
	}}}
	for host, want := range map[string]int{"admin.example.com": http.StatusOK, "evil.example": http.StatusMisdirectedRequest} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://admin.example.com/admin/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		res, err := named.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if _ = res.Body.Close(); res.StatusCode != want {
			t.Errorf("the page as %s: %d, not %d", host, res.StatusCode, want)
		}
	}
	res, err := http.Get("http://127.0.0.1:" + port + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	if _ = res.Body.Close(); res.StatusCode != http.StatusBadRequest {
		t.Errorf("in the clear: %d", res.StatusCode)
	}
}

// TestAdminCertificateIsReadAgain renews the certificate under a running server, which speaks TLS 1.2 and later alone.
func TestAdminCertificateIsReadAgain(t *testing.T) {
	t.Parallel()
	a := newIssuer(t)
	first := a.issue()
	s := newServer(t, a.flags()...).start()
	for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		config := a.trust()
		config.MinVersion, config.MaxVersion = version, version
		serial, err := a.shown(s.Admin, config)
		if taken := err == nil; taken != want || taken && serial != first.SerialNumber.Int64() {
			t.Errorf("%s: certificate %d, %v", tls.VersionName(version), serial, err)
		}
	}
	second := a.issue().SerialNumber.Int64()
	if serial, err := a.shown(s.Admin, a.trust()); serial != second {
		t.Errorf("renewed, the certificate is %d, not %d: %v", serial, second, err)
	}
	s.says("certificates were read again", "the admin listener")

	a.write("key.pem", []byte("rubbish"))
	for range 3 {
		if serial, err := a.shown(s.Admin, a.trust()); serial != second {
			t.Errorf("with a key that cannot be read the certificate is %d, not %d: %v", serial, second, err)
		}
	}
	if n := strings.Count(s.log.String(), "cannot be read: those that were read last stay in use"); n != 1 {
		t.Errorf("the log says so %d times", n)
	}
	third := a.issue().SerialNumber.Int64()
	if serial, err := a.shown(s.Admin, a.trust()); serial != third {
		t.Errorf("whole again, the certificate is %d, not %d: %v", serial, third, err)
	}
}

// TestAdminCertificatesThatAreNone end the start with a line that says what to change.
func TestAdminCertificatesThatAreNone(t *testing.T) {
	t.Parallel()
	a, other := newIssuer(t), newIssuer(t)
	a.issue()
	other.issue()
	for _, test := range []struct {
		cert, key string
		code      int
		words     []string
	}{
		{a.at("cert.pem"), "", exitUsage, []string{"--admin-cert-file", "--admin-key-file", "both"}},
		{"", a.at("key.pem"), exitUsage, []string{"--admin-cert-file", "--admin-key-file", "both"}},
		{a.at("cert.pem"), a.at("nothing"), exitFailed, []string{"--admin-key-file", "nothing", "no such file"}},
		{a.at("cert.pem"), other.at("key.pem"), exitFailed, []string{"--admin-key-file", "does not match"}},
		{a.at("key.pem"), a.at("key.pem"), exitFailed, []string{"--admin-cert-file", "certificate"}},
	} {
		var out, errs bytes.Buffer
		code := run([]string{"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data-dir", t.TempDir(),
			"--admin-cert-file", test.cert, "--admin-key-file", test.key}, &out, &errs)
		if last := lastLine(errs.String()); code != test.code || !mentions(last, test.words...) {
			t.Errorf("%s with %s: exit %d, %q; want %q", test.cert, test.key, code, last, test.words)
		}
	}
}

// TestAPlainAdminListenerWarns where others can reach it.
func TestAPlainAdminListenerWarns(t *testing.T) {
	t.Parallel()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("0123456789abcdef0123\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	newServer(t, "--admin-listen", "0.0.0.0:0", "--admin-token-file", token).start().says(plainAdmin, "--admin-cert-file")
	if s := newServer(t, "--admin-token-file", token).start(); strings.Contains(s.log.String(), plainAdmin) {
		t.Error("it warns of a listener that only this machine reaches")
	}
}
