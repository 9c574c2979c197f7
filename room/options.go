package room

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/roomring/roomring/room/internal/fields"
	"github.com/roomring/roomring/room/strict"
)

// Options decodes the room's options into a struct that holds the defaults. Call it in Open. Field names must match exactly,
// whole numbers may be written 5.0, and an unknown field is an error that lists the options there are. Matchmaking treats
// rooms as equal if their options decode to equal values, whether the defaults were written out or not.
func (t *Turn) Options(into any) error {
	raw, err := t.on.Options(into)
	return listOptions(err, raw, into)
}

// CheckOptions refuses options of a new room that are longer than Spec.OptionBytes. Existing rooms keep theirs. Servers call
// it; games need not.
func (s Spec) CheckOptions(options json.RawMessage) error {
	if most := cmp.Or(s.OptionBytes, DefaultOptionBytes); len(options) > most {
		return Refuse("bad_options", fmt.Sprintf("the options of a room have %d bytes at most, not %d: leave out what is the default", most, len(options)))
	}
	return nil
}

// DecodeOptions decodes options as the first runtime did: field names match in upper and lower case. It is for games that have
// rooms of that runtime; new games use Turn.Options. With DecodeOptions matchmaking compares options as text, so a room that
// spells a default out does not match one that leaves it out.
func DecodeOptions(raw json.RawMessage, into any) error {
	if len(raw) == 0 {
		return nil
	}
	return listOptions(strict.DecodeFolded(raw, into), raw, into)
}

// listOptions adds the known options to an error that names an unknown one.
func listOptions(err error, raw json.RawMessage, into any) error {
	if err == nil || !strings.HasPrefix(err.Error(), "unknown field ") {
		return err
	}
	var given map[string]json.RawMessage
	known := fields.OptionNames(into)
	if len(known) == 0 || json.Unmarshal(raw, &given) != nil {
		return err
	}
	for name := range given {
		if err.Error() == fmt.Sprintf("unknown field %q", name) { // at the top level, not inside another option
			return fmt.Errorf("%w: %s%s", err, fields.OptionsPrefix, strings.Join(known, ", "))
		}
	}
	return err
}
