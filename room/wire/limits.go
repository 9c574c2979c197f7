package wire

import "fmt"

// Bounds on what a client may say, in bytes unless said otherwise.
const (
	MaxToken  = 4096
	MaxName   = 256 // of which the server keeps what it shows
	MaxClient = 128
	MaxCode   = 64
	MaxEcho   = 64

	MaxDepth  = 32 // arrays and objects inside one another in what a client says, the message itself included
	MaxFields = 32 // of one message, known or not
)

// serverDepth bounds the recursion over what the server itself made.
const serverDepth = 512

// ProtocolError says what is wrong with a peer's message. The connection should be closed with 4400.
type ProtocolError struct {
	Field  string // the field at fault, "" for the message as a whole
	Reason string // for people; never holds more than a few characters of what the peer sent
	text   bool   // what is wrong is text that is not Unicode
}

func (e *ProtocolError) Error() string {
	if e.Field == "" {
		return e.Reason
	}
	return e.Field + ": " + e.Reason
}

func malformed(format string, args ...any) error {
	return &ProtocolError{Reason: fmt.Sprintf(format, args...)}
}

func notText(reason string) error { return &ProtocolError{Reason: reason, text: true} }

func badField(field, reason string) error { return &ProtocolError{Field: field, Reason: reason} }

// maxWhole is the greatest n for which a double holds every whole number from -n to n, and none beside n looks like it.
const maxWhole = 1<<53 - 1
