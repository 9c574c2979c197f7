package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"sync/atomic"
)

// ---- Roomring in JSON: POST /v1/rooms, then the subprotocol roomring.v1.json of docs/PROTOCOL.md.
// A WebSocket message holds one or more protocol messages, one a line. The CBOR form is in roomring_cbor.go.

// ringDoor creates and joins rooms, for both encodings.
type ringDoor struct {
	opts
	rooms roomIDs[ringRoom]
}

// proxied counts sockets at nodes other than their rooms'.
var proxied atomic.Int64

// ringRoom is a room and the name of its node.
type ringRoom struct {
	ID   string `json:"id"`
	Node string `json:"node"`
}

// ringConn counts one client's acts.
type ringConn struct{ cseq uint64 }

// dial makes the room, if this is its first player, and opens a socket to it.
func (a *ringDoor) dial(room, player int, subprotocol string) (*hs, error) {
	made, err := a.rooms.get(room, func() (r ringRoom, err error) {
		err = post("http://"+a.doors[room%len(a.doors)].addr+"/v1/rooms", "", fmt.Sprintf(`{"game":%q}`, a.kind), &r)
		return r, err
	})
	if err != nil {
		return nil, err
	}
	at := a.door(made.Node, room, player)
	if at.node != "" && at.node != made.Node {
		proxied.Add(1)
	}
	return wsDial(at.addr, "/v1/rooms/"+made.ID+"/ws", "Sec-WebSocket-Protocol: "+subprotocol)
}

// door is the node that a player connects to for a room of the owner, as -via says.
func (a *ringDoor) door(owner string, room, player int) door {
	if a.via == "any" {
		return a.doors[(room+player)%len(a.doors)]
	}
	var at []door
	for _, d := range a.doors {
		if (d.node == owner) == (a.via == "owner") {
			at = append(at, d)
		}
	}
	if len(at) == 0 {
		die("no door leads to node %q via %s", owner, a.via)
	}
	return at[room%len(at)]
}

// greet sends hello and waits for the welcome, which begins with these bytes.
func greet(h *hs, op byte, hello, welcome []byte) (*hs, any, error) {
	if err := h.write(op, hello); err != nil {
		return nil, nil, err
	}
	_, p, err := h.read()
	if err != nil || !bytes.Contains(p[:min(len(p), 16)], welcome) {
		return nil, nil, fmt.Errorf("hello: %v %.200q", err, p)
	}
	return h, &ringConn{}, nil
}

type ringAd struct{ ringDoor }

func (a *ringAd) Connect(room, player int) (*hs, any, error) {
	h, err := a.dial(room, player, "roomring.v1.json")
	if err != nil {
		return nil, nil, err
	}
	hello := fmt.Appendf(nil, `{"t":"hello","client":"%s-%d-%d","attempt":1,"name":"p%d"}`, a.nonce, room, player, player)
	return greet(h, opText, hello, []byte(`"welcome"`))
}

// act begins an act message; its data and one } must follow.
func (a *ringAd) act(c *Conn, dst []byte) []byte {
	n := c.st.(*ringConn)
	n.cseq++
	dst = append(dst, `{"t":"act","cseq":`...)
	dst = strconv.AppendUint(dst, n.cseq, 10)
	return append(dst, `,"data":`...)
}

func (a *ringAd) AppendAction(c *Conn, dst, p []byte) []byte {
	var b [128]byte
	m := append(a.act(c, b[:0]), '"')
	return appendFrame(dst, opText, append(append(m, p...), `"}`...))
}

func (a *ringAd) AppendMove(c *Conn, dst, mv []byte) []byte {
	var b [160]byte
	m := append(a.act(c, b[:0]), `{"vx":`...)
	m = appendFloat(m, mv[0:])
	m = appendFloat(append(m, `,"vy":`...), mv[4:])
	m = strconv.AppendUint(append(m, `,"seq":`...), uint64(binary.LittleEndian.Uint32(mv[8:])), 10)
	return appendFrame(dst, opText, append(m, `}}`...))
}

func appendFloat(dst, b []byte) []byte {
	v := math.Float32frombits(binary.LittleEndian.Uint32(b))
	return strconv.AppendFloat(dst, float64(v), 'g', -1, 32)
}

var (
	ringTurn  = []byte(`{"t":"turn"`)
	ringPatch = []byte(`,"patch":`)
	ringAct   = []byte(`{"name":"act","data":"`)
	// messages that count for nothing
	ringQuiet = [][]byte{[]byte(`{"t":"ack"`), []byte(`{"t":"state"`), []byte(`{"t":"pong"`)}
)

func (a *ringAd) OnFrame(e *Engine, c *Conn, op byte, p []byte) {
	for len(p) > 0 {
		var line []byte
		line, p, _ = bytes.Cut(p, []byte{'\n'})
		if bytes.HasPrefix(line, ringTurn) {
			a.turn(e, c, line)
		} else if !ringIgnored(line) {
			e.bad++
		}
	}
}

func ringIgnored(line []byte) bool {
	for _, q := range ringQuiet {
		if bytes.HasPrefix(line, q) {
			return true
		}
	}
	return false
}

func (a *ringAd) turn(e *Engine, c *Conn, line []byte) {
	if a.kind == "arena" {
		if bytes.Contains(line, ringPatch) {
			e.Tick(c)
		}
		return
	}
	for {
		_, rest, found := bytes.Cut(line, ringAct)
		if !found || len(rest) < payloadLen {
			return
		}
		e.Action(c, rest[:payloadLen])
		line = rest[payloadLen:]
	}
}
