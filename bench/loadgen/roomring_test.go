package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// sent decodes what an adapter has put into masked frames.
func sent(t *testing.T, frame []byte) map[string]any {
	t.Helper()
	masked := bytes.Clone(frame)
	masked[1] &= 127 // parseFrame reads unmasked frames: take off the bit and then the key
	key, body := masked[2:6], masked[6:]
	for i := range body {
		body[i] ^= key[i&3]
	}
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
		(&ringAd{opts: opts{kind: tt.kind}}).OnFrame(e, &Conn{}, opText, []byte(tt.frame))
		if e.deliv != tt.acts || e.ticks != tt.ticks || e.bad != tt.bads {
			t.Errorf("%s: %d actions, %d ticks, %d bad", tt.frame, e.deliv, e.ticks, e.bad)
		}
	}
}
