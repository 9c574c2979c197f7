//go:build !race

package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
)

// balancer is a real HAProxy or nginx that runs a file of deploy/ in front of three nodes.
type balancer struct {
	t     *testing.T
	name  string // haproxy or nginx
	URL   string // over TLS
	plain string // without, where it only redirects
	roots *x509.CertPool
}

// balancers are those that the tests run.
var balancers = []string{"haproxy", "nginx"}

// newBalancer runs the shipped file with other addresses: the nodes', n1 to n3, and free ports of its own.
func newBalancer(t *testing.T, name string, nodes ...string) *balancer {
	t.Helper()
	return newBalancerOf(t, map[string]string{"haproxy": "haproxy/haproxy.cfg", "nginx": "nginx/roomring.conf"}[name], nil, nodes...)
}

// newBalancerOf runs a file of deploy/ with further pairs of old and new text swapped. Nobody answers for a node that is not named.
func newBalancerOf(t *testing.T, file string, swaps []string, nodes ...string) *balancer {
	t.Helper()
	name, _, _ := strings.Cut(file, "/")
	secure, plain := freePort(t), freePort(t)
	cert := newCert(t)
	b := &balancer{t: t, name: name, URL: "https://" + secure, plain: "http://" + plain, roots: cert.roots}
	swaps = append(swaps, "/etc/"+name+"/roomring", filepath.Join(cert.dir, "roomring"))
	named := 3
	if file == "nginx/roomring-path.conf" {
		named = 1
	}
	for i := range named {
		addr := "127.0.0.1:1" // where nobody listens; the file's own address may be somebody's
		if i < len(nodes) {
			addr = nodes[i]
		}
		swaps = append(swaps, fmt.Sprintf("10.0.0.%d:7777", i+1), addr)
	}
	listens := []string{secure, plain}
	switch {
	case name == "haproxy":
		swaps = append(swaps, "bind :443", "bind "+secure, "bind :80", "bind "+plain)
		b.run("-db", "-f", shipped(t, file, append(swaps, rootless...)...))
	case file == "nginx/roomring-path.conf":
		listens = listens[:1]
		b.run(nginxArgs(t, shipped(t, file, append(swaps, "listen 443", "listen "+secure)...))...)
	default:
		b.run(nginxArgs(t, shipped(t, file, append(swaps, "listen 443", "listen "+secure, "listen 80", "listen "+plain)...))...)
	}
	for _, addr := range listens {
		testwait.Until(t, name+" listens", func() bool {
			c, err := net.Dial("tcp", addr)
			if err == nil {
				_ = c.Close()
			}
			return err == nil
		})
	}
	return b
}

// rootless leaves out of haproxy.cfg what only root can do.
var rootless = []string{"  user haproxy\n", "", "  group haproxy\n", ""}

// shipped copies a file of deploy/ with pairs of old and new text swapped; nothing else may differ.
func shipped(t *testing.T, name string, swaps ...string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "deploy", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(swaps); i += 2 {
		if !strings.Contains(string(raw), swaps[i]) {
			t.Fatalf("deploy/%s has no %q any more", name, swaps[i])
		}
	}
	path := filepath.Join(t.TempDir(), filepath.Base(name))
	if err := os.WriteFile(path, []byte(strings.NewReplacer(swaps...).Replace(string(raw))), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// nginxArgs wraps a file for the http block into all that nginx needs to run in one process and a folder of its own.
func nginxArgs(t *testing.T, file string) []string {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf(`daemon off; master_process off; pid nginx.pid; error_log stderr;
events { worker_connections 4096; }
http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    include %q;
}
`, file)
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return []string{"-p", dir, "-e", "stderr", "-c", path}
}

// program finds a balancer's program, which may be where only root looks.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, at := range []string{name, "/usr/sbin/" + name, "/usr/local/sbin/" + name} {
		if path, err := exec.LookPath(at); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not installed: run scripts/setup", name)
	return ""
}

// run starts the balancer's one process, which ends with the test.
func (b *balancer) run(args ...string) {
	b.t.Helper()
	log := &logBuffer{}
	cmd := exec.Command(program(b.t, b.name), args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, b.t.TempDir()
	cmd.SysProcAttr = endsWithTests()
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		if b.t.Failed() {
			text := log.String()
			b.t.Logf("%s's log:\n%s", b.name, text[max(0, len(text)-8000):])
		}
	})
}

// from is a way to the balancer from an address of this machine's loopback, over connections of its own.
func (b *balancer) from(addr string) *http.Transport {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
	tr := &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{RootCAs: b.roots}, MaxIdleConnsPerHost: 32}
	b.t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// client speaks to the balancer from an address.
func (b *balancer) client(from string) *http.Client {
	return &http.Client{
		Transport: b.from(from), Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// front is the balancer as if it were one server.
func (b *balancer) front() *server {
	return &server{t: b.t, log: &logBuffer{}, ready: ready{URL: b.URL}, by: b.from("127.0.0.1")}
}

// certificate is a certificate for 127.0.0.1 in the forms that balancers read, and who has signed it.
type certificate struct {
	dir   string // holds roomring.crt, roomring.key, and both as roomring.pem
	roots *x509.CertPool
}

func newCert(t *testing.T) certificate {
	t.Helper()
	c := certificate{t.TempDir(), x509.NewCertPool()}
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
	c.roots.AppendCertsFromPEM(crt)
	for name, text := range map[string][]byte{"roomring.crt": crt, "roomring.key": pkcs, "roomring.pem": append(crt, pkcs...)} {
		if err := os.WriteFile(filepath.Join(c.dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// TestShippedBalancers lets each program check each file that is written for it. Envoy's is not run, and nginx's file
// for newer versions needs one.
func TestShippedBalancers(t *testing.T) {
	t.Parallel()
	cert := filepath.Join(newCert(t).dir, "roomring")
	for _, test := range []struct {
		name string
		args func() []string
	}{
		{"haproxy", func() []string {
			return []string{"-c", "-f", shipped(t, "haproxy/haproxy.cfg", append(rootless, "/etc/haproxy/roomring", cert)...)}
		}},
		{"haproxy", func() []string {
			return []string{"-c", "-f", shipped(t, "haproxy/kubernetes.cfg", "/etc/haproxy/tls/roomring", cert)}
		}},
		{"nginx", func() []string {
			return append([]string{"-t"}, nginxArgs(t, shipped(t, "nginx/roomring.conf", "/etc/nginx/roomring", cert))...)
		}},
		{"nginx", func() []string {
			return append([]string{"-t"}, nginxArgs(t, shipped(t, "nginx/roomring-path.conf", "/etc/nginx/roomring", cert))...)
		}},
	} {
		args := test.args()
		ctx, cancel := context.WithTimeout(t.Context(), ceiling)
		defer cancel()
		out, err := exec.CommandContext(ctx, program(t, test.name), args...).CombinedOutput()
		if text := strings.ToLower(string(out)); err != nil || strings.Contains(text, "[warn") || strings.Contains(text, "[emerg") {
			t.Errorf("%s %v: %v\n%s", test.name, args, err, out)
		}
	}
}
