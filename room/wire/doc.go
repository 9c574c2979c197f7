// Package wire implements the client protocol on the wire: the content of each message, and
// how to write and read it as JSON and as CBOR. docs/PROTOCOL.md is the specification.
//
// A WebSocket message holds one or more protocol messages: JSON values separated by newlines
// (text messages), or a CBOR sequence (RFC 8742, binary messages). Every protocol message is an
// object with its type under "t". The Append functions write one message without a separator.
// A caller that joins several JSON messages puts a newline between them.
//
// Both encodings carry the JSON data model. CBOR messages therefore contain integers, floats,
// text, arrays, maps with text keys, booleans and null. Byte strings, tags, undefined, NaN and
// infinities are refused. Inside the server the data of a game (act, event, result, echo) is
// always JSON; it is converted to CBOR only for a CBOR socket. Views and patches arrive here
// already encoded.
//
// The package keeps no state. All functions may be called from any goroutine.
package wire
