package wire

import "strconv"

// WithLost adds the number of lost events to an encoded state message that has none. The result is the bytes that
// AppendState would have made. Anything but a state message is returned unchanged.
func WithLost(e Encoding, state []byte, lost uint64) []byte {
	var f fields
	if end, err := f.read(e, state, 0); lost == 0 || err != nil || end != len(state) {
		return state
	}
	if kind, ok := f.kind(); !ok || string(kind) != "state" || f.get("lost") != nil {
		return state
	}
	at := f.before("check", len(state))
	out := make([]byte, 0, len(state)+16)
	out = append(out, state[:at]...)
	if e == CBOR {
		out = appendCBORHead(appendCBORText(out, "lost"), cborUint, lost)
		out[0]++ // a message has fewer than 23 fields: its head is one byte that counts them
	} else {
		out = strconv.AppendUint(append(out, `,"lost":`...), lost, 10)
	}
	return append(out, state[at:]...)
}

// before returns where the last field begins in a message of the given length, if that field has the given name.
// Otherwise it returns where the message's fields end.
func (f *fields) before(last string, length int) int {
	tail := 0
	if f.e == JSON {
		tail = len("}")
	}
	if f.n > 0 && string(f.f[f.n-1].key) == last {
		tail += len(f.f[f.n-1].raw) + len(last)
		if f.e == JSON {
			tail += len(`,"":`)
		} else {
			tail++ // the text's head
		}
	}
	return length - tail
}
