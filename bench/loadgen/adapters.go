package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

type opts struct {
	addr, kind string
	tick       int
	nonce      string
	doors      []door // of a cluster; one door: addr
	via        string // see -via
}

// door is one node's address.
type door struct{ node, addr string }

var adapters = map[string]func(opts) Adapter{
	"raw":      func(o opts) Adapter { return &rawAd{o} },
	"colyseus": func(o opts) Adapter { return &colyAd{opts: o} },
	"socketio": func(o opts) Adapter { return &sioAd{o} },
	"nakama":   func(o opts) Adapter { return &nakAd{opts: o} },
	"roomring": func(o opts) Adapter { return &ringAd{ringDoor{opts: o}} },

	"roomring-cbor": func(o opts) Adapter { return &ringCBOR{ringDoor{opts: o}} },
}

// roomIDs lets the first joiner of a room create it while the others wait.
type roomIDs[ID any] struct{ m sync.Map }

func (r *roomIDs[ID]) get(room int, create func() (ID, error)) (ID, error) {
	type ent struct {
		once sync.Once
		id   ID
		err  error
	}
	v, _ := r.m.LoadOrStore(room, &ent{})
	e := v.(*ent)
	e.once.Do(func() { e.id, e.err = create() })
	return e.id, e.err
}

var hc = &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64}}

func post(url, auth, body string, out any) error {
	rq, _ := http.NewRequest("POST", url, strings.NewReader(body))
	rq.Header.Set("Content-Type", "application/json")
	if auth != "" {
		rq.Header.Set("Authorization", auth)
	}
	rs, err := hc.Do(rq)
	if err != nil {
		return err
	}
	defer rs.Body.Close()
	b, _ := io.ReadAll(rs.Body)
	if rs.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %d %.200s", url, rs.StatusCode, b)
	}
	return json.Unmarshal(b, out)
}

// ---- raw: our own bare hubs (Go hub, node ws hub). Binary frames:
// client->server 64-byte action or 12-byte move; server->client 64-byte action, or
// state starting with byte 0x02, or 0x01 = joined. Template for a new server.

type rawAd struct{ opts }

func (a *rawAd) Connect(room, player int) (*hs, any, error) {
	h, err := wsDial(a.addr, fmt.Sprintf("/ws?kind=%s&room=%s-%d&player=%d", a.kind, a.nonce, room, player))
	if err != nil {
		return nil, nil, err
	}
	if _, p, err := h.read(); err != nil || len(p) != 1 {
		return nil, nil, fmt.Errorf("join: %v %q", err, p)
	}
	return h, nil, nil
}
func (a *rawAd) AppendAction(c *Conn, dst, p []byte) []byte { return appendFrame(dst, opBin, p) }
func (a *rawAd) AppendMove(c *Conn, dst, m []byte) []byte   { return appendFrame(dst, opBin, m) }
func (a *rawAd) OnFrame(e *Engine, c *Conn, op byte, p []byte) {
	switch {
	case len(p) == payloadLen && p[63] == '~':
		e.Action(c, p)
	case len(p) > 0 && p[0] == 2:
		e.Tick(c)
	default:
		e.bad++
	}
}

// ---- Colyseus 0.18: HTTP matchmake, then ROOM_DATA frames [13][str type][msgpack].

type colyAd struct {
	opts
	ids roomIDs[string]
}

type seat struct {
	SessionID string `json:"sessionId"`
	RoomID    string `json:"roomId"`
	ProcessID string `json:"processId"`
}

func (a *colyAd) Connect(room, player int) (*hs, any, error) {
	var s seat
	mine := false
	id, err := a.ids.get(room, func() (string, error) {
		mine = true
		err := post("http://"+a.addr+"/matchmake/create/"+a.kind, "", `{}`, &s)
		return s.RoomID, err
	})
	if err == nil && !mine {
		err = post("http://"+a.addr+"/matchmake/joinById/"+id, "", `{}`, &s)
	}
	if err != nil {
		return nil, nil, err
	}
	h, err := wsDial(a.addr, "/"+s.ProcessID+"/"+s.RoomID+"?sessionId="+s.SessionID)
	if err != nil {
		return nil, nil, err
	}
	for {
		_, p, err := h.read()
		if err != nil {
			return nil, nil, err
		}
		if p[0] == 10 { // JOIN_ROOM handshake; acknowledge it
			return h, nil, h.write(opBin, []byte{10})
		}
		if p[0] == 11 {
			return nil, nil, fmt.Errorf("colyseus error frame %q", p)
		}
	}
}

var colyAct = []byte{13, 0xa3, 'a', 'c', 't', 0xd9, payloadLen} // ROOM_DATA, "act", msgpack str8(64)

func (a *colyAd) AppendAction(c *Conn, dst, p []byte) []byte {
	var b [80]byte
	return appendFrame(dst, opBin, append(append(b[:0], colyAct...), p...))
}
func (a *colyAd) AppendMove(c *Conn, dst, m []byte) []byte {
	var b [32]byte
	return appendFrame(dst, opBin, append(append(b[:0], 17, 0xa2, 'm', 'v'), m...)) // ROOM_DATA_BYTES "mv"
}
func (a *colyAd) OnFrame(e *Engine, c *Conn, op byte, p []byte) {
	switch p[0] {
	case 13:
		if bytes.HasPrefix(p, colyAct) {
			e.Action(c, p[len(colyAct):])
			return
		}
		e.bad++
	case 15: // ROOM_STATE_PATCH
		e.Tick(c)
	case 14, 10, 18:
	default:
		e.bad++
	}
}

// ---- Socket.IO 4 over engine.io v4, websocket transport only.

type sioAd struct{ opts }

func (a *sioAd) Connect(room, player int) (*hs, any, error) {
	h, err := wsDial(a.addr, "/socket.io/?EIO=4&transport=websocket")
	if err != nil {
		return nil, nil, err
	}
	if _, p, err := h.read(); err != nil || p[0] != '0' {
		return nil, nil, fmt.Errorf("eio open: %v %q", err, p)
	}
	h.write(opText, fmt.Appendf(nil, `40{"kind":%q,"room":"%s-%d","player":%d}`, a.kind, a.nonce, room, player))
	if _, p, err := h.read(); err != nil || !bytes.HasPrefix(p, []byte("40")) {
		return nil, nil, fmt.Errorf("sio connect: %v %q", err, p)
	}
	return h, nil, nil
}

var sioAct = []byte(`42["act","`)

func (a *sioAd) AppendAction(c *Conn, dst, p []byte) []byte {
	var b [96]byte
	return appendFrame(dst, opText, append(append(append(b[:0], sioAct...), p...), `"]`...))
}
func (a *sioAd) AppendMove(c *Conn, dst, m []byte) []byte {
	// binary event: placeholder packet and one attachment, as socket.io-client sends it
	dst = appendFrame(dst, opText, []byte(`451-["mv",{"_placeholder":true,"num":0}]`))
	return appendFrame(dst, opBin, m)
}
func (a *sioAd) OnFrame(e *Engine, c *Conn, op byte, p []byte) {
	if op == opBin { // attachment of the state event
		e.Tick(c)
		return
	}
	switch {
	case bytes.HasPrefix(p, sioAct) && len(p) == len(sioAct)+payloadLen+2:
		e.Action(c, p[len(sioAct):len(sioAct)+payloadLen])
	case len(p) == 1 && p[0] == '2': // engine.io ping
		e.write(c, appendFrame(nil, opText, []byte{'3'}))
	case bytes.HasPrefix(p, []byte(`451-["st"`)):
	default:
		e.bad++
	}
}

// ---- Nakama: HTTP device auth, protobuf realtime socket, authoritative match.

type nakAd struct {
	opts
	ids roomIDs[string]
}

type nakConn struct{ prefix []byte } // encoded match_id field of MatchDataSend

func pbField(dst []byte, n int, b []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(n)<<3|2)
	dst = binary.AppendUvarint(dst, uint64(len(b)))
	return append(dst, b...)
}

func (a *nakAd) Connect(room, player int) (*hs, any, error) {
	var tok struct{ Token string }
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("defaultkey:"))
	// device ids repeat between runs, so accounts are created once and later runs only log in
	if err := post("http://"+a.addr+"/v2/account/authenticate/device?create=true", basic,
		fmt.Sprintf(`{"id":"bench-device-%06d-%03d"}`, room%100000, player), &tok); err != nil {
		return nil, nil, err
	}
	id, err := a.ids.get(room, func() (string, error) {
		var r struct{ Payload string }
		q, _ := json.Marshal(map[string]any{"key": fmt.Sprintf("%s-%d", a.nonce, room), "kind": a.kind, "tick": a.tick})
		qq, _ := json.Marshal(string(q))
		err := post("http://"+a.addr+"/v2/rpc/room?http_key=defaulthttpkey", "", string(qq), &r)
		return r.Payload, err
	})
	if err != nil {
		return nil, nil, err
	}
	h, err := wsDial(a.addr, "/ws?lang=en&status=false&format=protobuf&token="+tok.Token)
	if err != nil {
		return nil, nil, err
	}
	env := pbField(nil, 1, []byte("1"))
	env = pbField(env, 16, pbField(nil, 1, []byte(id)))
	h.write(opBin, env)
	for {
		_, p, err := h.read()
		if err != nil {
			return nil, nil, err
		}
		switch f, _ := envelope(p); f {
		case 12:
			return h, &nakConn{pbField(nil, 1, []byte(id))}, nil
		case 11:
			return nil, nil, fmt.Errorf("nakama error %q", p)
		}
	}
}

// envelope returns the oneof field number and its bytes (cid skipped).
func envelope(p []byte) (int, []byte) {
	for len(p) > 0 {
		k, n := binary.Uvarint(p)
		l, m := binary.Uvarint(p[n:])
		body := p[n+m : n+m+int(l)]
		if k>>3 != 1 {
			return int(k >> 3), body
		}
		p = p[n+m+int(l):]
	}
	return 0, nil
}

func (a *nakAd) send(c *Conn, dst []byte, op byte, p []byte) []byte {
	var b, m [192]byte
	body := append(b[:0], c.st.(*nakConn).prefix...)
	body = append(body, 2<<3, op)
	body = pbField(body, 3, p)
	body = append(body, 5<<3, 1)
	return appendFrame(dst, opBin, pbField(m[:0], 15, body))
}
func (a *nakAd) AppendAction(c *Conn, dst, p []byte) []byte { return a.send(c, dst, 1, p) }
func (a *nakAd) AppendMove(c *Conn, dst, m []byte) []byte   { return a.send(c, dst, 2, m) }
func (a *nakAd) OnFrame(e *Engine, c *Conn, op byte, p []byte) {
	f, b := envelope(p)
	switch f {
	case 14: // MatchData
		var code uint64
		var data []byte
		for len(b) > 0 {
			k, n := binary.Uvarint(b)
			b = b[n:]
			v, n := binary.Uvarint(b)
			b = b[n:]
			if k&7 == 2 {
				if k>>3 == 4 {
					data = b[:v]
				}
				b = b[v:]
			} else if k>>3 == 3 {
				code = v
			}
		}
		if code == 1 {
			e.Action(c, data)
		} else {
			e.Tick(c)
		}
	case 32: // Ping
		e.write(c, appendFrame(nil, opBin, append(p[:0:0], 0x8a, 0x02, 0))) // pong = 33
	case 18, 12: // presence event, match
	default:
		e.bad++
	}
}
