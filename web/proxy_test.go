package web_test

import (
	"net/http/httptest"
	"testing"

	"github.com/roomring/roomring/web"
)

func TestClientAddress(t *testing.T) {
	proxies, err := web.ParseProxies([]string{"10.0.0.0/8", "192.0.2.7", "2001:db8::/32"})
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
