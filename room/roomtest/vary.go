package roomtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/roomring/roomring/room"
)

// choice is an option of the game that the author has not fixed, and values of it that open a room and make a difference.
type choice struct {
	name   string
	values []json.RawMessage
}

// learnOptions finds out what the game's options are and which values they take. Those in Options.RoomOptions stay as they are.
func (p *prover) learnOptions() error {
	if p.given = map[string]json.RawMessage{}; len(p.o.RoomOptions) > 0 && json.Unmarshal(p.o.RoomOptions, &p.given) != nil {
		return nil // the game has options that are no object
	}
	plain, err := p.opened(p.o.RoomOptions)
	if err != nil {
		return nil // the first random game fails with it
	}
	for _, c := range p.candidates() {
		if _, fixed := p.given[c.name]; fixed {
			continue
		}
		kept := choice{name: c.name}
		for _, value := range c.values {
			options, err := p.with(map[string]json.RawMessage{c.name: value})
			if err != nil {
				return err
			}
			if state, err := p.opened(options); err == nil && state != plain {
				kept.values = append(kept.values, value)
			}
		}
		if len(kept.values) > 0 {
			p.choices = append(p.choices, kept)
		}
	}
	return nil
}

// with is the author's options and some more.
func (p *prover) with(more map[string]json.RawMessage) (json.RawMessage, error) {
	all := maps.Clone(p.given)
	maps.Copy(all, more)
	return json.Marshal(all)
}

// drawOptions draws options for a random game: each that is free is changed in one game of three. They open a room.
func (p *prover) drawOptions(r *rand.Rand) json.RawMessage {
	const tries = 4 // values that are good alone may not go together
	for range tries {
		more := map[string]json.RawMessage{}
		for _, c := range p.choices {
			if r.IntN(3) == 0 {
				more[c.name] = c.values[r.IntN(len(c.values))]
			}
		}
		if len(more) == 0 {
			break
		}
		options, err := p.with(more)
		if err != nil {
			break
		}
		if _, err := p.opened(options); err == nil {
			return options
		}
	}
	return p.o.RoomOptions
}

// candidates are values to try for each option: by its type and default if the game decodes its options into a struct, else a few
// that options for built-in opponents take.
func (p *prover) candidates() (out []choice) {
	into, ok := p.optionsStruct()
	if !ok {
		for _, name := range p.optionNames(p.given) {
			out = append(out, choice{name, []json.RawMessage{[]byte("1"), []byte("true"), []byte("2")}})
		}
		return out
	}
	for _, f := range reflect.VisibleFields(into.Type()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" || !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		field, err := into.FieldByIndexErr(f.Index)
		if err != nil {
			continue // it is in an embedded struct that is not there
		}
		values := valuesNear(field)
		if field.Kind() == reflect.String {
			values = p.named(name)
		}
		out = append(out, choice{name, values})
	}
	return out
}

// asked is a runtime that takes what a game decodes its options into, and lets it do nothing else.
type asked struct {
	room.Runtime
	into any
}

var errAsked = errors.New("the kit only asks for the options")

func (a *asked) Options(into any) (json.RawMessage, error) {
	a.into = into
	return nil, errAsked
}

// optionsStruct is the struct that the game's Open has its options decoded into, with the defaults. False: it has none.
func (p *prover) optionsStruct() (reflect.Value, bool) {
	game, ok := p.rules.Instance().Game().(room.Opener)
	if !ok {
		return reflect.Value{}, false
	}
	a := &asked{}
	_ = guard("Open", func() error { // it may need more of the runtime before
		turn := room.NewTurn(a)
		return game.Open(&turn, nil)
	})
	v := reflect.ValueOf(a.into)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return reflect.Value{}, false
	}
	return v.Elem(), true
}

// valuesNear are values for an option, near its default. What its type takes the game may still refuse.
func valuesNear(v reflect.Value) (out []json.RawMessage) {
	add := func(texts ...string) {
		for _, t := range texts {
			if !slices.ContainsFunc(out, func(o json.RawMessage) bool { return string(o) == t }) {
				out = append(out, json.RawMessage(t))
			}
		}
	}
	integer := func(n int64) {
		for _, near := range []int64{1, 2, 3, n + 1, n - 1, 2 * n, n / 2, 0} {
			add(strconv.FormatInt(near, 10))
		}
	}
	switch v.Kind() {
	case reflect.Bool:
		add("true", "false")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		integer(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		integer(int64(v.Uint()))
	case reflect.Float32, reflect.Float64:
		add("1", "0.5", fmt.Sprint(v.Float()*2), fmt.Sprint(v.Float()/2), "0")
	case reflect.Pointer:
		if t := v.Type().Elem(); t.Kind() == reflect.Struct {
			return valuesWithin(reflect.New(t).Elem())
		}
		return valuesNear(reflect.New(v.Type().Elem()).Elem())
	case reflect.Struct:
		return valuesWithin(v)
	}
	return out
}

// valuesWithin are objects for an option that is a struct, each with one number or truth value in it. Times in milliseconds need to be
// greater than what is near zero.
func valuesWithin(v reflect.Value) (out []json.RawMessage) {
	for _, f := range reflect.VisibleFields(v.Type()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if len(f.Index) > 1 || !f.IsExported() || name == "-" || f.Type.Kind() == reflect.Struct || f.Type.Kind() == reflect.Pointer {
			continue
		}
		if name == "" {
			name = f.Name
		}
		values := valuesNear(v.FieldByIndex(f.Index))
		if f.Type.Kind() != reflect.Bool && len(values) > 0 {
			values = append(values, json.RawMessage("60000"))
		}
		for _, value := range values {
			out = append(out, json.RawMessage(fmt.Sprintf("{%q:%s}", name, value)))
		}
	}
	return out
}

// named are the texts that an option takes. A game names them when it refuses another one.
func (p *prover) named(option string) (out []json.RawMessage) {
	options, err := p.with(map[string]json.RawMessage{option: json.RawMessage(`"no such value"`)})
	if err != nil {
		return nil
	}
	if _, err := p.opened(options); err != nil {
		for _, word := range quoted.FindAllString(err.Error(), -1) {
			if json.Valid([]byte(word)) {
				out = append(out, json.RawMessage(word))
			}
		}
	}
	return out
}
