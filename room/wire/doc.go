// Package wire is the client protocol on the wire: what each message holds, and how it is
// written and read as JSON and as CBOR. docs/PROTOCOL.md is its specification for people.
//
// A WebSocket message holds one or more protocol messages: JSON values separated by newlines
// (text messages), or a CBOR sequence (RFC 8742, binary messages). Every protocol message is an
// object with its type under "t". The Append functions write one message without a separator;
// who joins several in JSON puts a newline between them.
//
// Both encodings carry the JSON data model. CBOR therefore holds integers, floats, text, arrays,
// maps with text keys, booleans and null; byte strings, tags, undefined, NaN and infinities are
// refused. Data of a game (act, event, result, echo) is JSON everywhere inside the server and is
// converted where it meets a CBOR socket; views and patches arrive here already encoded.
//
// Nothing here keeps or shares state: all functions may be called from any goroutine.
package wire
