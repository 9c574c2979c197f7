package wire

import "encoding/json"

// Encoding is one of the two forms of the protocol.
type Encoding uint8

// The encodings, and the WebSocket subprotocols that choose them.
const (
	JSON Encoding = iota // newline-separated JSON in text messages
	CBOR                 // a CBOR sequence (RFC 8742) in binary messages

	SubprotocolJSON = "roomring.v1.json"
	SubprotocolCBOR = "roomring.v1.cbor"
)

// The client messages follow. Inside the server their data is always JSON, whatever the socket's encoding.

// The values of Hello.As. Empty means AsPlayer.
const (
	AsPlayer    = "player"
	AsSpectator = "spectator"
)

// Hello opens a session. It is the first message on every socket. Its texts contain no control characters.
type Hello struct {
	Token   string  `json:"token,omitempty"`   // who the player is; may be empty where guests are allowed
	Name    string  `json:"name,omitempty"`    // what to call a player whose token names none, at most 256 bytes
	As      string  `json:"as,omitempty"`      // "player" (default) or "spectator"
	Client  string  `json:"client"`            // random id of this page load or program run, 1 to 128 bytes
	Attempt uint64  `json:"attempt,omitempty"` // counts this client's sockets; an attempt lower than an earlier one is ignored
	Code    string  `json:"code,omitempty"`    // join code of a private room
	Resume  *Resume `json:"resume,omitempty"`  // the last point that this client has seen
}

// Resume is a point in a room's history. The client has seen everything up to it.
type Resume struct {
	Epoch uint64 `json:"epoch"`
	Seq   uint64 `json:"seq"`
}

// Act is a player's action. Its data is I-JSON (RFC 7493): text is Unicode, no object has a key twice, every number fits a
// double. It is nested at most MaxDepth-1 levels deep. Whole numbers of up to ±(2⁵³-1) are written as integers, however
// the client wrote them.
type Act struct {
	CSeq  uint64          `json:"cseq"`
	Data  json.RawMessage `json:"data"`
	Fault *Fault          `json:"-"` // not nil: why Data is missing; the room refuses the act in its order

	// Trace is the act's span as W3C Trace Context has it, if it is sampled. It is no part of the message: servers alone set it.
	Trace string `json:"-"`
}

// Fault says what is wrong with the data of an act whose other fields are valid.
type Fault struct {
	Code   string // CodeText or CodeAction
	Reason string // for people
}

// Codes of acts that are refused before the game sees them.
const (
	CodeText   = "bad_text"   // the data contains text that is not Unicode
	CodeAction = "bad_action" // the data is invalid in any other way
)

// Ping asks for a Pong with the same echo. The echo is any JSON value up to 64 bytes.
type Ping struct {
	Echo json.RawMessage `json:"echo,omitempty"`
}

// Resync asks for the whole view.
type Resync struct{}

// Leave gives up the seat.
type Leave struct{}

// The server messages follow.

// Welcome answers a Hello. It comes again on an open socket when the room gets a new owner.
type Welcome struct {
	Room      string `json:"room"`
	Game      string `json:"game"`
	Player    string `json:"player"`
	Seat      int    `json:"seat"` // -1 for spectators
	Epoch     uint64 `json:"epoch"`
	Seq       uint64 `json:"seq"`
	CSeq      uint64 `json:"cseq"`      // the last of this client's acts that the room has applied
	Now       uint64 `json:"now"`       // room time in milliseconds, to which times in a view refer
	Heartbeat uint64 `json:"heartbeat"` // milliseconds; both client and server send something at least this often
	Limits    Limits `json:"limits"`
	Recovered bool   `json:"recovered"`       // true: every turn after Resume follows; false: the whole view follows
	Node      string `json:"node,omitempty"`  // name of the room's owner
	Token     string `json:"token,omitempty"` // a guest token made for a client that came without one
}

// Limits tell a client how much the server accepts.
type Limits struct {
	Message    int `json:"message"`    // bytes in one WebSocket message
	Unanswered int `json:"unanswered"` // acts without an answer
	Rate       int `json:"rate"`       // messages a second, sustained
	Bytes      int `json:"bytes"`      // bytes of messages a second; 0: no limit, as on servers that do not send it
}

// State is the whole view.
type State struct {
	Epoch uint64  `json:"epoch,omitempty"` // the present one; 0: as before, from servers that do not say it
	Seq   uint64  `json:"seq"`
	View  []byte  `json:"view"`           // encoded, in the socket's encoding
	Lost  uint64  `json:"lost,omitempty"` // number of events that this client missed because it read too slowly
	Check *uint32 `json:"check,omitempty"`
}

// Turn is what one input changed for one viewer.
type Turn struct {
	Epoch  uint64 // of the first turn that a viewer gets in an epoch; 0: as before
	Seq    uint64
	Patch  []byte // encoded merge patch; empty: the view did not change
	Events []Event
	Check  *uint32 // CRC-32 (IEEE) of the whole view's canonical JSON after the patch
}

// Event is something that happened. A view, in contrast, is a state.
type Event struct {
	Name string          `json:"name"`
	Data json.RawMessage `json:"data,omitempty"`
}

// Ack says that the room applied an act at Seq.
type Ack struct {
	CSeq uint64 `json:"cseq"`
	Seq  uint64 `json:"seq"`
}

// Reject says that an act was refused and changed nothing.
type Reject struct {
	CSeq   uint64 `json:"cseq"`
	Seq    uint64 `json:"seq"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// Pong answers a Ping.
type Pong struct {
	Echo json.RawMessage `json:"echo,omitempty"`
	Time int64           `json:"time"` // the server's clock, milliseconds since 1970
}

// Move tells a client where to reconnect and how soon.
type Move struct {
	URL    string `json:"url,omitempty"` // empty: the same address
	Within uint64 `json:"within"`        // milliseconds until the server closes this socket
}

// Over says how the room's life ended.
type Over struct {
	Seq    uint64          `json:"seq"`
	End    string          `json:"end"`              // finished, aborted or closed
	Result json.RawMessage `json:"result,omitempty"` // set if the game has a result
	Reason string          `json:"reason,omitempty"` // if End is not finished: why
	Alone  bool            `json:"alone,omitempty"`  // the client may lack turns before the end: the room is gone
}
