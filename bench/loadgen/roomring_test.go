package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// unmasked is the payload of a masked frame below 126 bytes.
func unmasked(frame []byte) []byte {
	key, body := frame[2:6], bytes.Clone(frame[6:])
	for i := range body {
		body[i] ^= key[i&3]
	}
	return body
}

// sent decodes what the JSON adapter has put into a frame.
func sent(t *testing.T, frame []byte) map[string]any {
	t.Helper()
	body := unmasked(frame)
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return m
}

func TestRoomringSends(t *testing.T) {
	a, c := &ringAd{}, &Conn{st: &ringConn{}}
	payload := strings.Repeat("a", payloadLen-1) + "~"
	if m := sent(t, a.AppendAction(c, nil, []byte(payload))); m["t"] != "act" || m["cseq"] != 1.0 || m["data"] != payload {
		t.Errorf("action: %v", m)
	}
	var mv [12]byte
	binary.LittleEndian.PutUint32(mv[0:], math.Float32bits(1.5))
	binary.LittleEndian.PutUint32(mv[4:], math.Float32bits(-20))
	binary.LittleEndian.PutUint32(mv[8:], 7)
	m := sent(t, a.AppendMove(c, nil, mv[:]))
	d, _ := m["data"].(map[string]any)
	if m["cseq"] != 2.0 || d["vx"] != 1.5 || d["vy"] != -20.0 || d["seq"] != 7.0 {
		t.Errorf("move: %v", m)
	}
}

func TestRoomringHears(t *testing.T) {
	payload := strings.Repeat("0", payloadLen-1) + "~"
	event := `{"name":"act","data":"` + payload + `"}`
	for _, tt := range []struct {
		kind, frame       string
		acts, ticks, bads int64
	}{
		{"act", `{"t":"turn","seq":4,"events":[` + event + `]}` + "\n" + `{"t":"ack","cseq":1,"seq":4}`, 1, 0, 0},
		{"act", `{"t":"turn","seq":4,"events":[` + event + `,` + event + `]}`, 2, 0, 0},
		{"act", `{"t":"state","seq":1,"view":{}}`, 0, 0, 0},
		{"arena", `{"t":"turn","seq":9,"patch":{"players":{"0":{"x":1}}}}`, 0, 1, 0},
		{"act", `{"t":"reject","cseq":1,"seq":2,"code":"x","reason":"y"}`, 0, 0, 1},
		{"turn", `{"t":"over","seq":2,"end":"aborted"}`, 0, 0, 1},
	} {
		e := &Engine{lat: &Hist{}, iat: &Hist{}, jit: &Hist{}}
		(&ringAd{ringDoor{opts: opts{kind: tt.kind}}}).OnFrame(e, &Conn{}, opText, []byte(tt.frame))
		if e.deliv != tt.acts || e.ticks != tt.ticks || e.bad != tt.bads {
			t.Errorf("%s: %d actions, %d ticks, %d bad", tt.frame, e.deliv, e.ticks, e.bad)
		}
	}
}

func TestRoomringSendsCBOR(t *testing.T) {
	a, c := &ringCBOR{}, &Conn{st: &ringConn{cseq: 23}}
	payload := strings.Repeat("a", payloadLen-1) + "~"
	want := "\xa3\x61t\x63act\x64cseq\x18\x18\x64data\x78\x40" + payload
	if got := unmasked(a.AppendAction(c, nil, []byte(payload))); string(got) != want {
		t.Errorf("action:\n%q, want\n%q", got, want)
	}
	mv := []byte{0, 0, 0xc0, 0x3f, 0, 0, 0xa0, 0xc1, 7, 0, 0, 0} // 1.5, -20, 7
	want = "\xa3\x61t\x63act\x64cseq\x18\x19\x64data\xa3\x62vx\xfa\x3f\xc0\x00\x00\x62vy\xfa\xc1\xa0\x00\x00\x63seq\x07"
	if got := unmasked(a.AppendMove(c, nil, mv)); string(got) != want {
		t.Errorf("move:\n%q, want\n%q", got, want)
	}
}

func TestRoomringHearsCBOR(t *testing.T) {
	event := "\xa2\x64name\x63act\x64data\x78\x40" + strings.Repeat("0", payloadLen-1) + "~"
	ack := "\xa3\x61t\x63ack\x64cseq\x01\x63seq\x19\x01\x00"
	for _, tt := range []struct {
		kind, frame       string
		acts, ticks, bads int64
	}{
		{"act", "\xa3\x61t\x64turn\x63seq\x04\x66events\x82" + event + event + ack, 2, 0, 0},
		{"act", ack + "\xa3\x61t\x64turn\x63seq\x04\x66events\x81" + event, 1, 0, 0},
		{"arena", "\xa3\x61t\x64turn\x63seq\x04\x65patch\xa1\x61x\xfb\x00\x01\x02\x03\x04\x05\x06\x07" + ack, 0, 1, 0},
		{"act", "\xa2\x61t\x64over\x63end\x67aborted", 0, 0, 1},
		{"act", "\xa3\x61t", 0, 0, 1},
	} {
		e := &Engine{lat: &Hist{}, iat: &Hist{}, jit: &Hist{}}
		(&ringCBOR{ringDoor{opts: opts{kind: tt.kind}}}).OnFrame(e, &Conn{}, opBin, []byte(tt.frame))
		if e.deliv != tt.acts || e.ticks != tt.ticks || e.bad != tt.bads {
			t.Errorf("%q: %d actions, %d ticks, %d bad", tt.frame, e.deliv, e.ticks, e.bad)
		}
	}
}

func TestDoorsOfACluster(t *testing.T) {
	all := doors("n1=127.0.0.1:1,n2=127.0.0.1:2,n3=127.0.0.1:3")
	for via, want := range map[string][]string{ // of players 0 to 3 in room 4, which is at n2
		"owner": {"n2", "n2", "n2", "n2"},
		"other": {"n1", "n1", "n1", "n1"},
		"any":   {"n2", "n3", "n1", "n2"},
	} {
		a := &ringDoor{opts: opts{doors: all, via: via}}
		for player, node := range want {
			if got := a.door("n2", 4, player); got.node != node || got.addr != "127.0.0.1:"+node[1:] {
				t.Errorf("via %s: player %d comes by %+v, want %s", via, player, got, node)
			}
		}
	}
	if got := doors("127.0.0.1:7"); len(got) != 1 || got[0] != (door{"", "127.0.0.1:7"}) {
		t.Errorf("one server: %+v", got)
	}
}
