//go:build linux

package netns_test

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/netns"
)

// TestCuts sends datagrams between three hosts, and checks which of them arrive while cables are cut. It needs root.
func TestCuts(t *testing.T) {
	n, err := netns.New(3)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	at := map[int]*net.UDPConn{}
	for host := 1; host <= 3; host++ {
		if err := n.Inside(host, func() (err error) {
			at[host], err = net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(netns.Addr(host)), Port: 7000})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		defer at[host].Close()
	}
	// passes sends one datagram after another. Where it hopes for one it waits long; where it does not, no time is long enough, and 200 ms
	// are a thousand times what a datagram takes here.
	passes := func(from, to int, hope bool) bool {
		ceiling := 200 * time.Millisecond
		if hope {
			ceiling = 30 * time.Second
		}
		for end := time.Now().Add(ceiling); time.Now().Before(end); {
			_, _ = at[from].WriteTo([]byte{byte(from)}, at[to].LocalAddr()) // what is cut may say so
			_ = at[to].SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			var b [1]byte
			if _, who, err := at[to].ReadFromUDP(b[:]); err == nil && int(b[0]) == from && who.IP.String() == netns.Addr(from) {
				return true
			} else if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
		}
		return false
	}
	check := func(when string, cut ...[2]int) {
		t.Helper()
		for from := 1; from <= 3; from++ {
			for to := 1; to <= 3; to++ {
				hope := true
				for _, c := range cut {
					hope = hope && (c[0] != from || c[1] != to)
				}
				if from != to && passes(from, to, hope) != hope {
					t.Errorf("%s: from %d to %d: passes %v", when, from, to, !hope)
				}
			}
		}
	}
	do := func(all ...error) {
		t.Helper()
		if err := errors.Join(all...); err != nil {
			t.Fatal(err)
		}
	}
	check("whole")
	do(n.Cut(1, 2))
	check("1 > 2", [2]int{1, 2})
	do(n.Heal(1, 2), n.Cut(0, 3), n.Cut(3, 0), n.Cut(3, 0))
	check("3 off", [2]int{1, 3}, [2]int{2, 3}, [2]int{3, 1}, [2]int{3, 2})
	do(n.Heal(0, 3))
	check("3 is not heard", [2]int{3, 1}, [2]int{3, 2})
	do(n.Heal(3, 0), n.Lose(2, 100))
	check("2 hears nothing", [2]int{1, 2}, [2]int{3, 2})
	do(n.Lose(2, 0))
	check("whole again")
}
