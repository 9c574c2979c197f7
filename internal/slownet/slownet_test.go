package slownet_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/slownet"
)

func TestParse(t *testing.T) {
	for text, want := range map[[3]string]slownet.Network{
		{}:                              {},
		{"120ms"}:                       {Lag: 120 * time.Millisecond},
		{"120ms±40", "2%", "256kbit"}:   {120 * time.Millisecond, 40 * time.Millisecond, 0.02, 256_000},
		{"1s+-200ms", "0.5", "1.5Mbit"}: {time.Second, 200 * time.Millisecond, 0.005, 1_500_000},
		{"0s", "0%", "0"}:               {},
	} {
		got, err := slownet.Parse(text[0], text[1], text[2])
		if err != nil || got != want {
			t.Errorf("%q are %+v %v, want %+v", text, got, err, want)
		}
	}
	for _, bad := range [][3]string{{"120"}, {"-1s"}, {"1h"}, {"10ms±20"}, {"", "60%"}, {"", "NaN"}, {"", "-1%"}, {"", "x"}, {"", "", "7bit"}, {"", "", "fast"}, {"", "", "kbit"}} {
		if n, err := slownet.Parse(bad[0], bad[1], bad[2]); err == nil || !strings.Contains(err.Error(), "such as") {
			t.Errorf("%q are %+v %v", bad, n, err)
		}
	}
}

// echo is a slow listener whose server sends back what it reads.
func echo(t *testing.T) (*slownet.Listener, net.Conn) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := slownet.Listen(inner)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = io.Copy(c, c)
	}()
	c, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); l.Close(); <-done })
	return l, c
}

func roundTrip(t *testing.T, c net.Conn, text string) time.Duration {
	t.Helper()
	began := time.Now()
	go func() { _, _ = io.WriteString(c, text) }()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != text {
		t.Fatalf("%d bytes came back as others: %v", len(text), err)
	}
	return time.Since(began)
}

func TestBytesComeLateAndInOrder(t *testing.T) {
	l, c := echo(t)
	roundTrip(t, c, "as it is")
	l.Set(slownet.Network{Lag: 200 * time.Millisecond, Jitter: 100 * time.Millisecond})
	if d := roundTrip(t, c, strings.Repeat("0123456789", 20_000)); d < 100*time.Millisecond {
		t.Errorf("a round trip of 200 ± 100 ms took %v", d)
	}
	l.Set(slownet.Network{Rate: 800_000}) // 100 KB a second
	if d := roundTrip(t, c, strings.Repeat("x", 30_000)); d < 300*time.Millisecond {
		t.Errorf("30 KB at 100 KB a second took %v", d)
	}
	l.Set(slownet.Network{Loss: 0.5})
	if d := roundTrip(t, c, strings.Repeat("y", 9_000)); d < 200*time.Millisecond {
		t.Errorf("with every second segment lost, %v", d)
	}
	l.Set(slownet.Network{})
	roundTrip(t, c, "and again")
}

// An HTTP server on a slow listener answers, hands connections over, and hears when they end.
func TestHTTPGoesOverIt(t *testing.T) {
	hung := make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			<-r.Context().Done()
			close(hung)
			return
		}
		c, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\n\r\nraw")
		rw.Flush()
	}))
	s.Listener = slownet.Listen(s.Listener)
	s.Listener.(*slownet.Listener).Set(slownet.Network{Lag: 20 * time.Millisecond})
	s.Start()
	defer s.Close()
	for _, path := range []string{"/raw", "/wait"} {
		c, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
		if path == "/raw" {
			all, err := io.ReadAll(bufio.NewReader(c))
			if err != nil || !strings.HasSuffix(string(all), "raw") {
				t.Errorf("it says %q %v", all, err)
			}
		}
		c.Close()
	}
	select {
	case <-hung:
	case <-time.After(30 * time.Second):
		t.Error("the server never hears that its client has gone")
	}
}
