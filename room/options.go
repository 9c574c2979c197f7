package room

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// DecodeOptions decodes a room's options into a struct that holds the defaults. Unknown fields are
// errors that name them and those that there are; no options leave the defaults.
func DecodeOptions(raw json.RawMessage, into any) error {
	if len(raw) == 0 {
		return nil
	}
	err := decodeStrict(raw, into)
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

// OptionsAre comes before the quoted names of the options in an error of DecodeOptions, for test kits.
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
