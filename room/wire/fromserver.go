package wire

import (
	"bytes"
	"iter"
)

// ServerMessage is a message that a server may send: Welcome, State, Turn, Ack, Reject, Pong, Move or Over.
type ServerMessage interface{ fromServer() }

func (Welcome) fromServer() {}
func (State) fromServer()   {}
func (Turn) fromServer()    {}
func (Ack) fromServer()     {}
func (Reject) fromServer()  {}
func (Pong) fromServer()    {}
func (Move) fromServer()    {}
func (Over) fromServer()    {}

// DecodeServer reads the protocol messages in one WebSocket message from a server, for clients written in Go. It skips
// unknown types and fields, as every client must. The sequence ends with a *ProtocolError at the first malformed
// message. Views and patches stay in encoding e and share msg's memory; ToJSON converts them.
func DecodeServer(e Encoding, msg []byte) iter.Seq2[ServerMessage, error] {
	return func(yield func(ServerMessage, error) bool) {
		var f fields
		for i, err := start(e, msg); i < len(msg) || err != nil; {
			var m ServerMessage
			if err == nil {
				i, err = f.next(e, msg, i)
			}
			if err == nil {
				m, err = decodeServer(&f)
			}
			if m == nil && err == nil {
				continue
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

func decodeServer(f *fields) (ServerMessage, error) {
	kind, ok := f.kind()
	if !ok {
		return nil, badField("t", "must be a string that names the message's type")
	}
	r := reader{f: f}
	m := r.message(string(kind))
	return m, r.err
}

// reader reads fields and remembers the first error.
type reader struct {
	f   *fields
	err error
}

func (r *reader) message(kind string) ServerMessage {
	switch kind {
	case "turn":
		return Turn{Epoch: r.uint("epoch"), Seq: r.uint("seq"), Patch: r.f.get("patch"), Events: r.events(), Check: r.check()}
	case "ack":
		return Ack{CSeq: r.uint("cseq"), Seq: r.uint("seq")}
	case "reject":
		return Reject{CSeq: r.uint("cseq"), Seq: r.uint("seq"), Code: r.text("code"), Reason: r.text("reason")}
	case "state":
		return State{Epoch: r.uint("epoch"), Seq: r.uint("seq"), View: r.f.get("view"), Lost: r.uint("lost"), Check: r.check()}
	case "pong":
		return Pong{Echo: r.json("echo"), Time: r.int("time")}
	case "move":
		return Move{URL: r.text("url"), Within: r.uint("within")}
	case "over":
		return Over{Seq: r.uint("seq"), End: r.text("end"), Result: r.json("result"), Reason: r.text("reason"), Alone: r.bool("alone")}
	case "welcome":
		return r.welcome()
	}
	return nil
}

func (r *reader) welcome() ServerMessage {
	return Welcome{
		Room: r.text("room"), Game: r.text("game"), Player: r.text("player"), Seat: int(r.int("seat")),
		Epoch: r.uint("epoch"), Seq: r.uint("seq"), CSeq: r.uint("cseq"),
		Now: r.uint("now"), Heartbeat: r.uint("heartbeat"), Limits: r.limits(), Recovered: r.bool("recovered"),
		Node: r.text("node"), Token: r.text("token"),
	}
}

func (r *reader) limits() Limits {
	var in fields
	_, err := r.f.object("limits", &in)
	r.keep(err)
	l := reader{f: &in}
	defer func() { r.keep(l.err) }()
	return Limits{Message: int(l.int("message")), Unanswered: int(l.int("unanswered")), Rate: int(l.int("rate")), Bytes: int(l.int("bytes"))}
}

func (r *reader) events() (events []Event) {
	raw := r.f.get("events")
	if raw == nil {
		return nil
	}
	add := func(value []byte) error {
		var in fields
		if _, err := in.read(r.f.e, value, 0); err != nil {
			return err
		}
		ev := reader{f: &in}
		events = append(events, Event{Name: ev.text("name"), Data: ev.json("data")})
		return ev.err
	}
	var err error
	switch {
	case r.f.e == CBOR && raw[0]>>5 == cborArray:
		_, err = cborItems(raw, 0, add)
	case r.f.e == JSON && raw[0] == '[':
		_, err = jsonArray(raw, 0, add)
	default:
		err = badField("events", "must be an array")
	}
	r.keep(err)
	return events
}

func (r *reader) check() *uint32 {
	if r.f.get("check") == nil {
		return nil
	}
	return new(uint32(r.uint("check")))
}

func (r *reader) keep(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) uint(name string) uint64 {
	n, err := r.f.uint(name)
	r.keep(err)
	return n
}

func (r *reader) int(name string) int64 {
	n, err := r.f.int(name)
	r.keep(err)
	return n
}

func (r *reader) bool(name string) bool {
	v, err := r.f.bool(name)
	r.keep(err)
	return v
}

func (r *reader) json(name string) []byte {
	raw, err := r.f.json(name)
	r.keep(err)
	return bytes.Clone(raw)
}

func (r *reader) text(name string) string {
	raw := r.f.get(name)
	if raw == nil {
		return ""
	}
	text, ok := r.f.textOf(raw)
	if !ok {
		r.keep(badField(name, "must be a string"))
	}
	return string(text)
}
