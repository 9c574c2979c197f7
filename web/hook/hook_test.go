package hook_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/hook"
)

func secret(n int) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", n)))
}

func target(t *testing.T, url string, o hook.Options) *hook.Target {
	t.Helper()
	o.URL = url
	if o.Secrets == nil {
		o.Secrets = []string{secret(24)}
	}
	to, err := hook.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(to.Close)
	return to
}

func event() record.Event {
	f := record.Final{Room: "0123456789abcdef", Game: "chess", End: record.Finished, Rated: true, Point: record.Point{Epoch: 2, Seq: 9}, Duration: 61 * time.Second,
		Result: room.Result{Reason: "checkmate", Outcomes: []room.Outcome{{Player: "ann", Name: "Ann", Rank: 1}}, Data: json.RawMessage(`{"pgn":"1. e4"}`)}}
	e := f.Told()[1]
	e.At = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	return e
}

// TestSendIsSigned has the receiver check what it gets as its authors' library does, with each of two secrets.
func TestSendIsSigned(t *testing.T) {
	var got []byte
	secrets := []string{secret(24), secret(64)}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ = io.ReadAll(r.Body)
		for _, s := range secrets {
			checks, err := standardwebhooks.NewWebhook(s)
			if err == nil {
				err = checks.Verify(got, r.Header)
			}
			if err != nil {
				t.Errorf("with secret of %d characters: %v", len(s), err)
			}
		}
		other, _ := standardwebhooks.NewWebhook(secret(32))
		if other.Verify(got, r.Header) == nil || r.Header.Get("webhook-id") != "0123456789abcdef:2:9:result" || r.Header.Get("content-type") != "application/json" {
			t.Errorf("headers %v", r.Header)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer receiver.Close()
	if err := target(t, receiver.URL, hook.Options{AllowPrivate: true, Secrets: secrets}).Send(t.Context(), event()); err != nil {
		t.Fatal(err)
	}
	const want = `{"type":"result","timestamp":"2026-11-30T12:00:00Z","data":{"id":"0123456789abcdef:2:9:result","room":"0123456789abcdef","game":"chess",` +
		`"epoch":2,"index":9,"time_ms":61000,"end":"finished","rated":true,"result":{"outcomes":[{"player":"ann","name":"Ann","seat":0,"rank":1}],"reason":"checkmate","summary":"","data":{"pgn":"1. e4"}}}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAnswersThatAreNoSuccess(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	slow := make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		case "/broken":
			http.Error(w, "hush: the receiver's secret", http.StatusInternalServerError)
		case "/slow":
			<-slow
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}
	}))
	defer receiver.Close()
	defer close(slow)
	for path, want := range map[string]string{
		"/redirect": "answered 307: redirects are not followed", "/broken": "answered 500", "/slow": "did not answer in time", "/endless": "",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if path == "/slow" {
			ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
		}
		err := target(t, receiver.URL+path+"?token=hush", hook.Options{AllowPrivate: true}).Send(ctx, event())
		cancel()
		if text := fmt.Sprint(err); want == "" && err != nil || !strings.Contains(text, want) || strings.Contains(text, "hush") {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// TestPrivateAddressesAreRefused tries names and numbers of addresses that are not of the public internet. No packet leaves for them.
func TestPrivateAddressesAreRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			t.Error("a connection came")
			c.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, host := range []string{
		"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "[fe80::1]", "[fd00::1]", "[64:ff9b::7f00:1]", "[::]", "224.0.0.1",
	} {
		err := target(t, "http://"+host+":"+port+"/?token=hush", hook.Options{}).Send(t.Context(), event())
		if err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", host, err)
		}
		if host != "2130706433" && !strings.Contains(err.Error(), "--webhook-allow-private") { // that is a name nobody knows
			t.Errorf("%s: %v does not say what to do", host, err)
		}
	}
}

func TestBadTargets(t *testing.T) {
	for _, url := range []string{"", "example.com", "ftp://example.com", "https://", "http://u:hush@exa mple.com", "https://example.com/#part", "/hooks"} {
		if _, err := hook.New(hook.Options{URL: url, Secrets: []string{secret(24)}}); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", url, err)
		}
	}
	to := target(t, "https://user:hush@example.com/hooks?token=hush", hook.Options{})
	if to.String() != "https://example.com/hooks" || to.Plain() {
		t.Errorf("it is shown as %s", to)
	}
}

func TestSecrets(t *testing.T) {
	if got, err := hook.ParseSecrets("\n" + secret(24) + "\r\n\n" + secret(32) + "\n"); err != nil || len(got) != 2 || got[0] != secret(24) {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"", "\n", "hush", secret(23), secret(65), "whsec_hush!", strings.TrimPrefix(secret(32), "whsec_"), secret(32) + "\nhush"} {
		if got, err := hook.ParseSecrets(text); got != nil || err == nil || strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "kkkk") {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func FuzzSecrets(f *testing.F) {
	f.Add(secret(24))
	f.Add(secret(64) + "\nwhsec_")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := hook.ParseSecrets(text)
		if err != nil {
			return
		}
		if _, err := hook.New(hook.Options{URL: "https://example.com", Secrets: all}); err != nil {
			t.Errorf("%q was parsed, and cannot sign: %v", text, err)
		}
	})
}
