package wire

import "fmt"

// Limits on what a client may send, in bytes unless the comment says otherwise.
const (
	MaxToken  = 4096
	MaxName   = 256 // the server may keep and show fewer
	MaxClient = 128
	MaxCode   = 64
	MaxEcho   = 64

	MaxDepth  = 32 // levels of nested arrays and objects, including the message itself
	MaxFields = 32 // fields in one message, unknown ones included
)

// serverDepth limits the nesting of values that the server itself made.
const serverDepth = 512

// ProtocolError says what is wrong with a peer's message. The receiver should close the connection with CloseBadMessage.
type ProtocolError struct {
	Field  string // the wrong field; empty: the whole message
	Reason string // for people; contains at most a few characters of what the peer sent
	text   bool   // the fault is text that is not Unicode
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

// maxWhole is the largest integer that JavaScript calls safe: a double holds every integer from -maxWhole to maxWhole
// exactly, and no other integer is rounded to one of them.
const maxWhole = 1<<53 - 1
