//go:build !race

package browser_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
)

// balancers are the balancers that the tests run.
var balancers = []string{"haproxy", "nginx"}

// newBalancer runs the shipped file with other addresses: those of the nodes n1 to n3, and free ports for the balancer.
func newBalancer(t *testing.T, name string, nodes ...string) *e2e.Balancer {
	t.Helper()
	return newBalancerOf(t, map[string]string{"haproxy": "haproxy/haproxy.cfg", "nginx": "nginx/roomring.conf"}[name], nil, nodes...)
}

// newBalancerOf runs a file of deploy/ with further pairs of old and new text replaced. Nobody answers for a node that is not named.
func newBalancerOf(t *testing.T, file string, swaps []string, nodes ...string) *e2e.Balancer {
	t.Helper()
	name, _, _ := strings.Cut(file, "/")
	secure, plain := e2e.FreePort(t), e2e.FreePort(t)
	cert := e2e.NewCert(t)
	b := &e2e.Balancer{T: t, Name: name, URL: "https://" + secure, Plain: "http://" + plain, Roots: cert.Roots}
	swaps = append(swaps, "/etc/"+name+"/roomring", filepath.Join(cert.Dir, "roomring"))
	named := 3
	if file == "nginx/roomring-path.conf" {
		named = 1
	}
	for i := range named {
		addr := "127.0.0.1:1" // nobody listens there; the file's own address may be in use
		if i < len(nodes) {
			addr = nodes[i]
		}
		swaps = append(swaps, fmt.Sprintf("10.0.0.%d:7777", i+1), addr)
	}
	listens := []string{secure, plain}
	switch {
	case name == "haproxy":
		swaps = append(swaps, "bind :443", "bind "+secure, "bind :80", "bind "+plain)
		runBalancer(b, "-db", "-f", shipped(t, file, append(swaps, rootless...)...))
	case file == "nginx/roomring-path.conf":
		listens = listens[:1]
		runBalancer(b, nginxArgs(t, shipped(t, file, append(swaps, "listen 443", "listen "+secure)...))...)
	default:
		runBalancer(b, nginxArgs(t, shipped(t, file, append(swaps, "listen 443", "listen "+secure, "listen 80", "listen "+plain)...))...)
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

// rootless removes what only root can do from haproxy.cfg.
var rootless = []string{"  user haproxy\n", "", "  group haproxy\n", ""}

// shipped copies a file of deploy/ with pairs of old and new text replaced. Nothing else may differ.
func shipped(t *testing.T, name string, swaps ...string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", filepath.FromSlash(name)))
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

// nginxArgs wraps a file for the http block into a configuration with which nginx runs in one process and its own folder.
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

// program finds a balancer's program, which may be in a folder that is only in root's path.
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

// runBalancer starts the balancer's only process, which ends with the test.
func runBalancer(b *e2e.Balancer, args ...string) {
	b.T.Helper()
	log := &e2e.LogBuffer{}
	cmd := exec.Command(program(b.T, b.Name), args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, b.T.TempDir()
	cmd.SysProcAttr = e2e.DieWithParent()
	if err := cmd.Start(); err != nil {
		b.T.Fatal(err)
	}
	b.T.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		if b.T.Failed() {
			text := log.String()
			b.T.Logf("%s's log:\n%s", b.Name, text[max(0, len(text)-8000):])
		}
	})
}

// clientFrom returns a transport to the balancer from an address of this machine's loopback, with its own connections.
func clientFrom(b *e2e.Balancer, addr string) *http.Transport {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
	tr := &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{RootCAs: b.Roots}, MaxIdleConnsPerHost: 32}
	b.T.Cleanup(tr.CloseIdleConnections)
	return tr
}

// clientAt returns an HTTP client that connects to the balancer from an address and follows no redirects.
func clientAt(b *e2e.Balancer, from string) *http.Client {
	return &http.Client{
		Transport: clientFrom(b, from), Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// front returns the balancer as if it were one server.
func front(b *e2e.Balancer) *e2e.Server {
	return &e2e.Server{T: b.T, Log: &e2e.LogBuffer{}, Ready: e2e.Ready{URL: b.URL}, Transport: clientFrom(b, "127.0.0.1")}
}

// TestShippedBalancers lets each program check each file that is written for it. Envoy's file is not run, and nginx's file for newer
// versions needs one of those.
func TestShippedBalancers(t *testing.T) {
	t.Parallel()
	cert := filepath.Join(e2e.NewCert(t).Dir, "roomring")
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
		ctx, cancel := context.WithTimeout(t.Context(), e2e.Ceiling)
		defer cancel()
		out, err := exec.CommandContext(ctx, program(t, test.name), args...).CombinedOutput()
		if text := strings.ToLower(string(out)); err != nil || strings.Contains(text, "[warn") || strings.Contains(text, "[emerg") {
			t.Errorf("%s %v: %v\n%s", test.name, args, err, out)
		}
	}
}
