package room

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/roomring/roomring/room/strict"
)

// Options decodes the room's options into a struct that holds the defaults; it belongs into Open. Unknown fields are
// errors that name them and those that there are, names are exact, and whole numbers may be spelt 5.0. Rooms whose options
// come to equal values are one to matchmaking, whether their defaults were spelt out or not.
func (t *Turn) Options(into any) error {
	raw, err := t.on.Options(into)
	return listOptions(err, raw, into)
}

// CheckOptions refuses options of a new room that are longer than Spec.OptionBytes. Rooms that there are already keep theirs.
func (s Spec) CheckOptions(options json.RawMessage) error {
	if most := cmp.Or(s.OptionBytes, DefaultOptionBytes); len(options) > most {
		return Refuse("bad_options", fmt.Sprintf("the options of a room have %d bytes at most, not %d: leave out what is the default", most, len(options)))
	}
	return nil
}

// DecodeOptions decodes options as rooms of the first runtime did: the names of fields may be spelt in upper and lower
// case. New games use Turn.Options, which is exact, and by which matchmaking knows what options come to: with
// DecodeOptions, who spells a default out does not meet who leaves it out.
func DecodeOptions(raw json.RawMessage, into any) error {
	if len(raw) == 0 {
		return nil
	}
	return listOptions(strict.DecodeFolded(raw, into), raw, into)
}

// listOptions adds to an error that names an unknown option those that there are.
func listOptions(err error, raw json.RawMessage, into any) error {
	if err == nil || !strings.HasPrefix(err.Error(), "unknown field ") {
		return err
	}
	var given map[string]json.RawMessage
	known := optionNames(into)
	if len(known) == 0 || json.Unmarshal(raw, &given) != nil {
		return err
	}
	for name := range given {
		if err.Error() == fmt.Sprintf("unknown field %q", name) { // and not one inside another
			return fmt.Errorf("%w: %s%s", err, OptionsAre, strings.Join(known, ", "))
		}
	}
	return err
}

// OptionsAre comes before the quoted names of the options in an error of Turn.Options, for test kits.
const OptionsAre = "the options are "

// optionNames are the JSON names of the fields of a struct that into points to, in quotes.
func optionNames(into any) (names []string) {
	t := reflect.TypeOf(into)
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return nil
	}
	for _, f := range reflect.VisibleFields(t.Elem()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" || !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		names = append(names, fmt.Sprintf("%q", name))
	}
	return names
}
