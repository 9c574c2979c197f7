package cluster_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testcert"
)

const plainAdmin = "the admin listener can be reached from other machines and speaks plain HTTP"

// TestAdminByTLS runs an admin listener with a certificate. The ready file, the command and the page use it. Plain HTTP gets nothing, and
// both sides refuse names that are not in the certificate.
func TestAdminByTLS(t *testing.T) {
	t.Parallel()
	a := testcert.NewIssuer(t)
	a.Issue("admin.example.com")
	a.Write("token", []byte("0123456789abcdef0123\n"))
	_, port, _ := net.SplitHostPort(e2e.FreePort(t))
	s := e2e.NewServer(t, append(a.Flags(), "--admin-listen", "0.0.0.0:"+port, "--admin-token-file", a.At("token"))...).Start()
	if s.AdminAt != "https://127.0.0.1:"+port {
		t.Fatalf("the ready file says that the admin listener is at %s", s.AdminAt)
	}
	if strings.Contains(s.Log.String(), plainAdmin) {
		t.Error("it warns of a listener that speaks TLS")
	}
	info := s.Create("tally", nil)
	trusted := []string{"--token-file", a.At("token"), "--admin-ca-file", a.At("ca.pem")}
	lines, follower := io.Pipe()
	followed := make(chan int, 1)
	go func() {
		followed <- e2e.Run(append([]string{"admin", "--admin", s.AdminAt, "events", info.ID}, trusted...), follower, io.Discard)
		_ = follower.Close()
	}()
	events := bufio.NewScanner(lines)
	if !events.Scan() {
		t.Fatal("there is no stream of events")
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	if code, out, errs := s.RunAdmin(append(trusted, "close", info.ID)...); code != e2e.ExitOK || !strings.Contains(out, "closed") {
		t.Errorf("closing a room: %d %s%s", code, out, errs)
	}
	if code := <-followed; code != e2e.ExitOK {
		t.Errorf("following it ended with %d", code)
	}

	for _, test := range []struct {
		args  []string
		code  int
		words []string
	}{
		{nil, e2e.ExitFailed, []string{"comes from nobody who is trusted here", "--admin-ca-file"}},
		{[]string{"--admin", "http://127.0.0.1:" + port}, e2e.ExitFailed, []string{"speaks TLS", "https://"}},
		{[]string{"--admin", "https://localhost:" + port, "--admin-ca-file", a.At("ca.pem")}, e2e.ExitFailed, []string{"for somebody else", "admin.example.com"}},
		{[]string{"--admin", strings.Replace(s.URL, "http:", "https:", 1)}, e2e.ExitFailed, []string{"speaks plain HTTP", "http://"}},
		{[]string{"--admin", "http://127.0.0.1:" + port, "--admin-ca-file", a.At("ca.pem")}, e2e.ExitUsage, []string{"--admin-ca-file", "https://"}},
		{[]string{"--admin-ca-file", a.At("token")}, e2e.ExitUsage, []string{"--admin-ca-file", "no certificate"}},
	} {
		code, out, errs := s.RunAdmin(append([]string{"nodes", "--token-file", a.At("token")}, test.args...)...)
		if code != test.code || !e2e.Mentions(errs, test.words...) || strings.Count(errs, "\n") != 1 || out != "" {
			t.Errorf("admin %v: exit %d, %q, %q; want %q", test.args, code, out, errs, test.words)
		}
	}

	named := &http.Client{Transport: &http.Transport{TLSClientConfig: a.Trust(), DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
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

// TestAdminCertificateIsReadAgain renews the certificate of a running server. The server accepts only TLS 1.2 and later.
func TestAdminCertificateIsReadAgain(t *testing.T) {
	t.Parallel()
	a := testcert.NewIssuer(t)
	first := a.Issue()
	s := e2e.NewServer(t, a.Flags()...).Start()
	for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		config := a.Trust()
		config.MinVersion, config.MaxVersion = version, version
		serial, err := a.Shown(s.Admin, config)
		if taken := err == nil; taken != want || taken && serial != first.SerialNumber.Int64() {
			t.Errorf("%s: certificate %d, %v", tls.VersionName(version), serial, err)
		}
	}
	second := a.Issue().SerialNumber.Int64()
	if serial, err := a.Shown(s.Admin, a.Trust()); serial != second {
		t.Errorf("renewed, the certificate is %d, not %d: %v", serial, second, err)
	}
	s.WaitForLog("certificates were read again", "the admin listener")

	a.Write("key.pem", []byte("rubbish"))
	for range 3 {
		if serial, err := a.Shown(s.Admin, a.Trust()); serial != second {
			t.Errorf("with a key that cannot be read the certificate is %d, not %d: %v", serial, second, err)
		}
	}
	if n := strings.Count(s.Log.String(), "cannot be read: those that were read last stay in use"); n != 1 {
		t.Errorf("the log says so %d times", n)
	}
	third := a.Issue().SerialNumber.Int64()
	if serial, err := a.Shown(s.Admin, a.Trust()); serial != third {
		t.Errorf("whole again, the certificate is %d, not %d: %v", serial, third, err)
	}
}

// TestAdminCertificatesThatAreNone starts servers with bad certificate files. Each start ends with a line that says what to change.
func TestAdminCertificatesThatAreNone(t *testing.T) {
	t.Parallel()
	a, other := testcert.NewIssuer(t), testcert.NewIssuer(t)
	a.Issue()
	other.Issue()
	for _, test := range []struct {
		cert, key string
		code      int
		words     []string
	}{
		{a.At("cert.pem"), "", e2e.ExitUsage, []string{"--admin-cert-file", "--admin-key-file", "both"}},
		{"", a.At("key.pem"), e2e.ExitUsage, []string{"--admin-cert-file", "--admin-key-file", "both"}},
		{a.At("cert.pem"), a.At("nothing"), e2e.ExitFailed, []string{"--admin-key-file", "nothing", "no such file"}},
		{a.At("cert.pem"), other.At("key.pem"), e2e.ExitFailed, []string{"--admin-key-file", "does not match"}},
		{a.At("key.pem"), a.At("key.pem"), e2e.ExitFailed, []string{"--admin-cert-file", "certificate"}},
	} {
		var out, errs bytes.Buffer
		code := e2e.Run([]string{"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data-dir", t.TempDir(),
			"--admin-cert-file", test.cert, "--admin-key-file", test.key}, &out, &errs)
		if last := lastLine(errs.String()); code != test.code || !e2e.Mentions(last, test.words...) {
			t.Errorf("%s with %s: exit %d, %q; want %q", test.cert, test.key, code, last, test.words)
		}
	}
}

// TestAPlainAdminListenerWarns checks that an admin listener without TLS warns when others can reach it.
func TestAPlainAdminListenerWarns(t *testing.T) {
	t.Parallel()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("0123456789abcdef0123\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e2e.NewServer(t, "--admin-listen", "0.0.0.0:0", "--admin-token-file", token).Start().WaitForLog(plainAdmin, "--admin-cert-file")
	if s := e2e.NewServer(t, "--admin-token-file", token).Start(); strings.Contains(s.Log.String(), plainAdmin) {
		t.Error("it warns of a listener that only this machine reaches")
	}
}
