package trust_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/roomring/roomring/web/trust"
)

func TestClientAddress(t *testing.T) {
	proxies, err := trust.ParseProxies([]string{"10.0.0.0/8", "192.0.2.7", "2001:db8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"no proxy", "198.51.100.1:5", nil, "198.51.100.1"},
		{"a stranger's claim", "198.51.100.1:5", []string{"203.0.113.1"}, "198.51.100.1"},
		{"a proxy's claim", "10.1.1.1:5", []string{"203.0.113.1"}, "203.0.113.1"},
		{"a client's claim to a proxy", "10.1.1.1:5", []string{"1.1.1.1, 203.0.113.1"}, "203.0.113.1"},
		{"two proxies", "10.1.1.1:5", []string{"203.0.113.1, 192.0.2.7"}, "203.0.113.1"},
		{"two headers", "10.1.1.1:5", []string{"203.0.113.1", "192.0.2.7"}, "203.0.113.1"},
		{"proxies alone", "10.1.1.1:5", []string{"10.2.2.2"}, "10.2.2.2"},
		{"a proxy that says nothing", "10.1.1.1:5", nil, "10.1.1.1"},
		{"nonsense", "10.1.1.1:5", []string{"203.0.113.1, unknown"}, "10.1.1.1"},
		{"mapped", "[::ffff:10.1.1.1]:5", []string{"::ffff:203.0.113.1"}, "203.0.113.1"},
		{"IPv6", "[2001:db8::1]:5", []string{"2001:4860::1"}, "2001:4860::1"},
		{"a port", "10.1.1.1:5", []string{"198.51.100.7:50001"}, "198.51.100.7"},
		{"IPv6 and a port", "10.1.1.1:5", []string{"[2001:4860::1]:443"}, "2001:4860::1"},
		{"IPv6 in brackets", "10.1.1.1:5", []string{"[2001:4860::1]"}, "2001:4860::1"},
		{"ports of proxies", "10.1.1.1:5", []string{"198.51.100.7:1, [2001:db8::2]:443, 10.2.2.2:99"}, "198.51.100.7"},
		{"half a bracket", "10.1.1.1:5", []string{"[2001:4860::1"}, "10.1.1.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = test.peer
		for _, f := range test.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		if got := proxies.Client(r).String(); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestForwarded(t *testing.T) {
	proxies, err := trust.ParseProxies([]string{"10.0.0.0/8", "2001:db8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, peer, want string
		secure           bool
		headers          []string
	}{
		{"plain", "10.1.1.1:5", "203.0.113.1", false, []string{"Forwarded: for=203.0.113.1"}},
		{"all there is", "10.1.1.1:5", "203.0.113.1", true, []string{"Forwarded: By=10.1.1.1;FOR=203.0.113.1 ; Proto=HTTPS;host=play.example"}},
		{"a port", "10.1.1.1:5", "203.0.113.1", true, []string{`Forwarded: for="203.0.113.1:4711";proto="https"`}},
		{"IPv6", "10.1.1.1:5", "2001:4860::1", false, []string{`Forwarded: for="[2001:4860::1]:4711";proto=http`}},
		{"escapes", "10.1.1.1:5", "203.0.113.1", false, []string{`Forwarded: ext="a,b;c\",for=1.1.1.1";for="203\.0.113.1"`}},
		{"a client's claim to a proxy", "10.1.1.1:5", "203.0.113.1", false, []string{"Forwarded: for=1.1.1.1;proto=https, for=203.0.113.1;proto=http"}},
		{"two proxies", "10.1.1.1:5", "203.0.113.1", true, []string{`Forwarded: for=203.0.113.1;proto=https`, `Forwarded: for="[2001:db8::7]";proto=http`}},
		{"unknown", "10.1.1.1:5", "10.1.1.1", false, []string{"Forwarded: for=unknown;proto=https"}},
		{"hidden", "10.1.1.1:5", "10.2.2.2", true, []string{"Forwarded: for=_secret, for=10.2.2.2:_port;proto=https"}},
		{"nothing", "10.1.1.1:5", "10.1.1.1", false, []string{"Forwarded: proto=https"}},
		{"a stranger's claim", "198.51.100.1:5", "198.51.100.1", false, []string{"Forwarded: for=203.0.113.1;proto=https"}},
		{"X-Forwarded-For goes first", "10.1.1.1:5", "203.0.113.1", false, []string{"Forwarded: for=1.1.1.1;proto=https", "X-Forwarded-For: 203.0.113.1"}},
		{"and stands by itself", "10.1.1.1:5", "10.1.1.1", false, []string{"Forwarded: for=1.1.1.1;proto=https", "X-Forwarded-For: unknown"}},
		{"X-Forwarded-Proto goes first", "10.1.1.1:5", "203.0.113.1", false, []string{"Forwarded: for=203.0.113.1;proto=https", "X-Forwarded-Proto: http"}},
		{"nonsense", "10.1.1.1:5", "10.1.1.1", false, []string{`Forwarded: for="203.0.113.1, for=10.9.9.9`}},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = test.peer
		for _, h := range test.headers {
			name, value, _ := strings.Cut(h, ": ")
			r.Header.Add(name, value)
		}
		if got, secure := proxies.Client(r).String(), proxies.Secure(r); got != test.want || secure != test.secure {
			t.Errorf("%s: %s, secure %t, want %s, %t", test.name, got, secure, test.want, test.secure)
		}
	}
}
