package ledger

import (
	"encoding/json"

	"github.com/roomring/roomring/room"
)

// FormatReaders is Final.Readers as stores have it: a list in JSON, or nil for everybody.
func FormatReaders(readers []room.PlayerID) *string {
	if readers == nil {
		return nil
	}
	text, err := json.Marshal(readers)
	if err != nil {
		panic(err) // strings always encode
	}
	return new(string(text))
}

// ParseReaders reads what FormatReaders made.
func ParseReaders(text *string) (readers []room.PlayerID, err error) {
	if text == nil {
		return nil, nil
	}
	err = json.Unmarshal([]byte(*text), &readers)
	return readers, err
}
