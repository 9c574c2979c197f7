package wire

import "unicode/utf8"

// CloseCode is a WebSocket close code. After 4100 to 4199 a client reconnects and resumes. After 4400 to 4499 it does not.
type CloseCode uint16

// The close codes of the protocol.
const (
	CloseNormal CloseCode = 1000

	CloseMoved       CloseCode = 4100 // moved or draining
	CloseTooSlow     CloseCode = 4101 // did not read what was sent
	CloseNoHeartbeat CloseCode = 4102
	CloseUnreachable CloseCode = 4103 // room not reachable yet
	CloseGap         CloseCode = 4104 // cseq gap

	CloseBadMessage   CloseCode = 4400
	CloseUnauthorised CloseCode = 4401
	CloseForbidden    CloseCode = 4403 // kicked, wrong room, full, wrong code
	CloseNoRoom       CloseCode = 4404
	CloseTooOld       CloseCode = 4406 // this client is too old: reload
	CloseNoHello      CloseCode = 4408
	CloseReplaced     CloseCode = 4409
	CloseOver         CloseCode = 4410
	CloseTooLarge     CloseCode = 4413
	CloseTooMany      CloseCode = 4429
)

// MaxCloseReason is how many bytes of a reason fit a close frame (RFC 6455, sections 5.5 and 5.5.1).
const MaxCloseReason = 123

// CloseReason cuts a reason to the length that fits a close frame. It never cuts inside a character.
func CloseReason(reason string) string {
	if len(reason) <= MaxCloseReason {
		return reason
	}
	n := MaxCloseReason
	for n > 0 && !utf8.RuneStart(reason[n]) {
		n--
	}
	return reason[:n]
}

// Retry reports whether a client should reconnect and resume after this code.
func (c CloseCode) Retry() bool { return c >= 4100 && c < 4200 }
