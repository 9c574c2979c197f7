package roomtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxWhole is the greatest n for which a double represents every whole number from -n to n, and n+1 too.
const maxWhole = 1<<53 - 1

// long finds messages that may hold a number beyond ±maxWhole. Few messages have so many digits in a row.
var long = regexp.MustCompile(`\d{16}`)

// numbersHold proves that clients whose only number is a double read every whole number in events and the result as it is.
// The runtime checks views itself.
func numbersHold(sent []message) error {
	for _, s := range sent {
		if !long.MatchString(s.json) {
			continue
		}
		var body struct {
			Events []struct {
				Name string          `json:"name"`
				Data json.RawMessage `json:"data"`
			} `json:"events"`
			Result json.RawMessage `json:"result"`
		}
		if err := json.Unmarshal([]byte(s.json), &body); err != nil {
			return fmt.Errorf("the %s is no JSON: %w", s.to, err)
		}
		for _, e := range body.Events {
			if err := wholeNumbers("data", e.Data); err != nil {
				return fmt.Errorf("event %s: %w", e.Name, err)
			}
		}
		if err := wholeNumbers("result", body.Result); err != nil {
			return err
		}
	}
	return nil
}

func wholeNumbers(name string, raw json.RawMessage) error {
	if len(raw) == 0 {
		return nil
	}
	v, err := decode(raw)
	if err != nil {
		return err
	}
	if path, n := beyond(name, v); n != "" {
		return errors.New(path + " is " + n + ", an integer beyond ±(2^53-1), which clients read as another number: " +
			"keep it smaller, or make it a string, for instance by the tag \",string\"")
	}
	return nil
}

// beyond finds the first integer in v that is beyond ±maxWhole.
func beyond(path string, v any) (at, n string) {
	switch v := v.(type) {
	case json.Number:
		i, err := strconv.ParseInt(string(v), 10, 64)
		if whole := !strings.ContainsAny(string(v), ".eE"); whole && (err != nil || i < -maxWhole || i > maxWhole) {
			return path, string(v)
		}
	case []any:
		for i, e := range v {
			if at, n := beyond(path+"["+strconv.Itoa(i)+"]", e); n != "" {
				return at, n
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if at, n := beyond(path+segment(name), v[name]); n != "" {
				return at, n
			}
		}
	}
	return "", ""
}
