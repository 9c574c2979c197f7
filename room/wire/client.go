package wire

import (
	"iter"
	"slices"
	"unicode/utf8"
)

// ClientMessage is a message that a client may send: Hello, Act, Ping, Resync or Leave.
type ClientMessage interface{ fromClient() }

func (Hello) fromClient()  {}
func (Act) fromClient()    {}
func (Ping) fromClient()   {}
func (Resync) fromClient() {}
func (Leave) fromClient()  {}

// DecodeClient reads the protocol messages in one WebSocket message from a client, in order. It is strict. The sequence
// ends with a *ProtocolError at the first message that is malformed, has an unknown type, lacks a required field or has
// a field of the wrong type (null included). The messages before it are valid. Unknown fields are ignored. If only the
// data of an act is wrong, the act carries a Fault and the sequence goes on. In JSON, Act.Data and Ping.Echo may share
// msg's memory.
func DecodeClient(e Encoding, msg []byte) iter.Seq2[ClientMessage, error] {
	return func(yield func(ClientMessage, error) bool) {
		var f fields
		for i, err := start(e, msg); i < len(msg) || err != nil; {
			var m ClientMessage
			if err == nil {
				i, err = f.next(e, msg, i)
			}
			if err == nil {
				m, err = decodeClient(&f)
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// next reads the object at msg[i] and returns where the following one begins.
func (f *fields) next(e Encoding, msg []byte, i int) (int, error) {
	i, err := f.read(e, msg, i)
	if err != nil {
		return i, err
	}
	return separator(e, msg, i)
}

// start returns where the first message begins.
func start(e Encoding, msg []byte) (i int, err error) {
	if e == JSON {
		if !utf8.Valid(msg) {
			return 0, malformed("text must be UTF-8")
		}
		i = jsonSpace(msg, 0)
	}
	if i == len(msg) {
		return i, malformed("the message is empty")
	}
	return i, nil
}

// separator skips what stands between two messages, from the end of the first at i. In JSON that must include a newline.
func separator(e Encoding, msg []byte, i int) (int, error) {
	if e == CBOR {
		return i, nil
	}
	next := jsonSpace(msg, i)
	if slices.Contains(msg[i:next], '\n') {
		return next, nil
	}
	if next < len(msg) {
		return next, jsonError(next, "a newline should stand between messages")
	}
	return next, nil
}

func decodeClient(f *fields) (ClientMessage, error) {
	kind, ok := f.kind()
	if !ok {
		return nil, badField("t", "must be a string that names the message's type")
	}
	switch string(kind) {
	case "act":
		return decodeAct(f)
	case "ping":
		return decodePing(f)
	case "hello":
		return decodeHello(f)
	case "resync":
		return Resync{}, nil
	case "leave":
		return Leave{}, nil
	}
	return nil, badField("t", "unknown type "+quotedStart(kind))
}

func (f *fields) kind() ([]byte, bool) {
	raw := f.get("t")
	if raw == nil {
		return nil, false
	}
	return f.textOf(raw)
}

func decodeAct(f *fields) (ClientMessage, error) {
	cseq, err := f.uint("cseq")
	if err != nil {
		return nil, err
	}
	if cseq == 0 {
		return nil, badField("cseq", "must count from 1")
	}
	data, err := f.data("data")
	switch {
	case err != nil:
		return Act{CSeq: cseq, Fault: faultOf(err)}, nil
	case data == nil:
		return Act{CSeq: cseq, Fault: faultOf(malformed("is missing"))}, nil
	}
	return Act{CSeq: cseq, Data: data}, nil
}

func decodePing(f *fields) (ClientMessage, error) {
	echo, err := f.data("echo")
	if err != nil {
		return nil, badField("echo", err.Error())
	}
	if len(echo) > MaxEcho {
		return nil, badField("echo", "is longer than 64 bytes")
	}
	return Ping{Echo: echo}, nil
}

func decodeHello(f *fields) (ClientMessage, error) {
	var h Hello
	for _, t := range [...]struct {
		name string
		most int
		into *string
	}{
		{"token", MaxToken, &h.Token},
		{"name", MaxName, &h.Name},
		{"as", len(AsSpectator), &h.As},
		{"client", MaxClient, &h.Client},
		{"code", MaxCode, &h.Code},
	} {
		var err error
		if *t.into, err = f.text(t.name, t.most); err != nil {
			return nil, err
		}
	}
	if h.As != "" && h.As != AsPlayer && h.As != AsSpectator {
		return nil, badField("as", `must be "player" or "spectator"`)
	}
	if h.Client == "" {
		return nil, badField("client", "is missing: draw a random id of 1 to 128 bytes")
	}
	var err error
	if h.Attempt, err = f.uint("attempt"); err != nil {
		return nil, err
	}
	h.Resume, err = decodeResume(f)
	return h, err
}

func decodeResume(f *fields) (*Resume, error) {
	var in fields
	if ok, err := f.object("resume", &in); !ok {
		return nil, err
	}
	for _, name := range [...]string{"epoch", "seq"} {
		if in.get(name) == nil {
			return nil, badField("resume."+name, "is missing")
		}
	}
	epoch, err := in.uint("epoch")
	if err != nil {
		return nil, badField("resume.epoch", "must be a whole number from 0")
	}
	seq, err := in.uint("seq")
	if err != nil {
		return nil, badField("resume.seq", "must be a whole number from 0")
	}
	return &Resume{Epoch: epoch, Seq: seq}, nil
}

// AppendHello appends a hello, for clients written in Go.
func AppendHello(dst []byte, e Encoding, m Hello) []byte {
	o := begin(dst, e, "hello")
	o.textIf("token", m.Token)
	o.textIf("name", m.Name)
	o.textIf("as", m.As)
	o.text("client", m.Client)
	o.uintIf("attempt", m.Attempt)
	o.textIf("code", m.Code)
	if m.Resume != nil {
		in := o.object("resume")
		in.uint("epoch", m.Resume.Epoch)
		in.uint("seq", m.Resume.Seq)
		o.b = in.end()
	}
	return o.end()
}

// AppendAct appends an act. Data must be JSON.
func AppendAct(dst []byte, e Encoding, m Act) []byte {
	o := begin(dst, e, "act")
	o.uint("cseq", m.CSeq)
	o.json("data", m.Data)
	return o.end()
}

// AppendPing appends a ping. Echo must be JSON or empty.
func AppendPing(dst []byte, e Encoding, m Ping) []byte {
	o := begin(dst, e, "ping")
	o.jsonIf("echo", m.Echo)
	return o.end()
}

// AppendResync appends a resync.
func AppendResync(dst []byte, e Encoding) []byte {
	o := begin(dst, e, "resync")
	return o.end()
}

// AppendLeave appends a leave.
func AppendLeave(dst []byte, e Encoding) []byte {
	o := begin(dst, e, "leave")
	return o.end()
}
