package play_test

import (
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
)

// TestNames checks that names are shown as players write them, in any script, without characters that deceive.
func TestNames(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	for given, shown := range map[string]string{
		"\U0001f468\u200d\U0001f469\u200d\U0001f467": "\U0001f468\u200d\U0001f469\u200d\U0001f467", // a family
		"\u0645\u0631\u06cc\u0645\u200c\u0647\u0627": "\u0645\u0631\u06cc\u0645\u200c\u0647\u0627", // Persian
		"A\u200dn\u200bn\u3164\u202e":                "Ann",
		"\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587x\u4e2d\u6587": "\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d", // 63 bytes
	} {
		if g := s.Guest(given); g.Name != shown {
			t.Errorf("the guest %+q is called %+q, not %+q", given, g.Name, shown)
		}
		info := s.Create("chess", nil)
		e2e.Dial(t, info.URL, wire.CBOR).Hello(wire.Hello{Client: "c", Name: given})
		var seen struct{ Seats []struct{ Name string } }
		if s.Call("GET", "/v1/rooms/"+info.ID, nil, &seen); len(seen.Seats) != 1 || seen.Seats[0].Name != shown {
			t.Errorf("%+q sits there as %+v, not %+q", given, seen.Seats, shown)
		}
	}
}
