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

// Client messages. JSON data always travels inside the server as JSON, whatever the socket's encoding.

// What Hello.As may say besides nothing.
const (
	AsPlayer    = "player"
	AsSpectator = "spectator"
)

// Hello opens a session; it is the first message on every socket. Its texts hold no control characters.
type Hello struct {
	Token   string  `json:"token,omitempty"`   // who the player is; may be empty where guests are allowed
	Name    string  `json:"name,omitempty"`    // what to call a player whose token names none, at most 256 bytes
	As      string  `json:"as,omitempty"`      // "player" (default) or "spectator"
	Client  string  `json:"client"`            // random id of this page load or program run, 1 to 128 bytes
	Attempt uint64  `json:"attempt,omitempty"` // counts this client's sockets; a lower one than before is ignored
	Code    string  `json:"code,omitempty"`    // join code of a private room
	Resume  *Resume `json:"resume,omitempty"`  // the last point this client has seen
}

// Resume is a point in a room's life that a client has seen everything up to.
type Resume struct {
	Epoch uint64 `json:"epoch"`
	Seq   uint64 `json:"seq"`
}

// Act is a player's action. Its data is I-JSON (RFC 7493): text is Unicode, no object has a key twice, every number has a
// double, and it is nested at most MaxDepth-1 deep. Numbers of up to ±(2⁵³-1) that are whole stand as integers, however
// they were spelt.
type Act struct {
	CSeq  uint64          `json:"cseq"`
	Data  json.RawMessage `json:"data"`
	Fault *Fault          `json:"-"` // why Data is not there: the act is to be refused, in its turn
}

// Fault is what is wrong with the data of an act that could be read otherwise.
type Fault struct {
	Code   string // CodeText or CodeAction
	Reason string // for people
}

// Codes that an act is refused with before a game sees it.
const (
	CodeText   = "bad_text"   // it holds text that is not Unicode
	CodeAction = "bad_action" // anything else that no action can be
)

// Ping asks for a Pong with the same echo. The echo is any JSON value up to 64 bytes.
type Ping struct {
	Echo json.RawMessage `json:"echo,omitempty"`
}

// Resync asks for the whole view. Leave gives up the seat.
type (
	Resync struct{}
	Leave  struct{}
)

// Server messages.

// Welcome answers a Hello; it may come again on an open socket when the room has a new owner.
type Welcome struct {
	Room      string `json:"room"`
	Game      string `json:"game"`
	Player    string `json:"player"`
	Seat      int    `json:"seat"` // -1 for spectators
	Epoch     uint64 `json:"epoch"`
	Seq       uint64 `json:"seq"`
	CSeq      uint64 `json:"cseq"`      // the last of this client's acts that the room has applied
	Now       uint64 `json:"now"`       // room time, milliseconds: what times in a view count on
	Heartbeat uint64 `json:"heartbeat"` // milliseconds: send something at least this often; the server does too
	Limits    Limits `json:"limits"`
	Recovered bool   `json:"recovered"`       // true: every turn after Resume follows; false: the whole view follows
	Node      string `json:"node,omitempty"`  // name of the room's owner
	Token     string `json:"token,omitempty"` // a guest token made for a client that came without one
}

// Limits tell a client what the server will take.
type Limits struct {
	Message    int `json:"message"`    // bytes in one WebSocket message
	Unanswered int `json:"unanswered"` // acts without an answer
	Rate       int `json:"rate"`       // messages a second, sustained
	Bytes      int `json:"bytes"`      // and bytes of them; 0 is no limit, as servers have it that do not say
}

// State is the whole view.
type State struct {
	Seq   uint64  `json:"seq"`
	View  []byte  `json:"view"`           // encoded, in the socket's encoding
	Lost  uint64  `json:"lost,omitempty"` // events this client will never see, because it read too slowly
	Check *uint32 `json:"check,omitempty"`
}

// Turn is what one input made the room say to one viewer.
type Turn struct {
	Seq    uint64
	Patch  []byte // encoded merge patch; empty: the view did not change
	Events []Event
	Check  *uint32 // CRC-32 (IEEE) of the whole view's canonical JSON after the patch
}

// Event is something that happened, as opposed to something that is.
type Event struct {
	Name string          `json:"name"`
	Data json.RawMessage `json:"data,omitempty"`
}

// Ack says that an act has had its effect at Seq.
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

// Move tells a client where to go and by when.
type Move struct {
	URL    string `json:"url,omitempty"` // empty: the same address again
	Within uint64 `json:"within"`        // milliseconds until the server closes this socket
}

// Over says how the room's life ended.
type Over struct {
	Seq    uint64          `json:"seq"`
	End    string          `json:"end"`              // finished, aborted or closed
	Result json.RawMessage `json:"result,omitempty"` // of a finished game
	Reason string          `json:"reason,omitempty"` // of the others
}
