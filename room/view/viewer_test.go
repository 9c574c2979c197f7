package view_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"reflect"

	"github.com/fxamacker/cbor/v2"

	"github.com/roomring/roomring/room/view"
)

// tb is what *testing.T and *rapid.T share.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

func parse(in string) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader([]byte(in)))
	d.UseNumber()
	if err = d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err = d.Token(); err != io.EOF {
		return nil, errors.New("more than one value")
	}
	return v, nil
}

func decode(t tb, in string) any {
	t.Helper()
	v, err := parse(in)
	if err != nil {
		t.Fatalf("decoding %q: %v", in, err)
	}
	return v
}

var cborMode = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DefaultMapType:  reflect.TypeFor[map[string]any](),
		MaxNestedLevels: 2000,
		IndefLength:     cbor.IndefLengthForbidden,
		DupMapKey:       cbor.DupMapKeyEnforcedAPF,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return mode
}()

func decodeCBOR(t tb, in []byte) any {
	t.Helper()
	var v any
	if err := cborMode.Unmarshal(in, &v); err != nil {
		t.Fatalf("decoding CBOR %x: %v", in, err)
	}
	return v
}

func canonical(t tb, v any) string {
	t.Helper()
	out, err := view.AppendCanonical(nil, v)
	if err != nil {
		t.Fatalf("canonical form: %v", err)
	}
	return string(out)
}

// viewer is a server's shadow together with two clients that apply its patches.
type viewer struct {
	shadow   *view.Shadow
	json     any
	cbor     any
	last     string // the canonical view before
	received bool
}

// newViewer makes a viewer for the type that example points to.
func newViewer(t tb, example any) *viewer {
	t.Helper()
	d, err := view.Compile(reflect.TypeOf(example).Elem())
	if err != nil {
		t.Fatalf("compiling: %v", err)
	}
	return &viewer{shadow: d.New()}
}

// see shows the next view, given by a pointer, and checks all that must hold afterwards.
func (w *viewer) see(t tb, v any) {
	t.Helper()
	want := reference(t, v)
	patch, patchCBOR, changed, err := w.shadow.Update(reflect.ValueOf(v).Elem(), []byte("j"), []byte("c"))
	if err != nil {
		t.Fatalf("updating to %s: %v", want, err)
	}
	if changed != (!w.received || want != w.last) {
		t.Errorf("changed is %v from %s to %s", changed, w.last, want)
	}
	if patch[0] != 'j' || patchCBOR[0] != 'c' || !changed && len(patch)+len(patchCBOR) != 2 {
		t.Errorf("appended %q and %x, changed %v", patch, patchCBOR, changed)
	}
	if changed {
		w.apply(t, string(patch[1:]), patchCBOR[1:])
	}
	w.last, w.received = want, true
	w.compare(t, want)
}

func (w *viewer) apply(t tb, patch string, patchCBOR []byte) {
	t.Helper()
	tree := decode(t, patch)
	if got := canonical(t, tree); got != patch {
		t.Errorf("patch %s is not canonical: %s", patch, got)
	}
	if got := canonical(t, decodeCBOR(t, patchCBOR)); got != patch {
		t.Errorf("patch %s is %s in CBOR", patch, got)
	}
	if w.received {
		checkLean(t, w.json, tree)
	}
	w.json = view.Patch(w.json, tree)
	w.cbor = view.Patch(w.cbor, decodeCBOR(t, patchCBOR))
}

// checkLean finds parts of a patch that change nothing.
func checkLean(t tb, target, patch any) {
	t.Helper()
	changes, ok := patch.(map[string]any)
	object, was := target.(map[string]any)
	if !ok || !was {
		if ok == was && canonical(t, target) == canonical(t, patch) {
			t.Errorf("patch replaces %s by itself", canonical(t, patch))
		}
		return
	}
	if len(changes) == 0 {
		t.Errorf("patch holds an empty change of an object")
	}
	for name, change := range changes {
		old, present := object[name]
		switch {
		case change == nil && !present:
			t.Errorf("patch removes %q, which is not there", name)
		case change != nil && present:
			checkLean(t, old, change)
		}
	}
}

func (w *viewer) compare(t tb, want string) {
	t.Helper()
	whole := w.shadow.AppendJSON(nil)
	for what, got := range map[string]string{
		"whole view":           string(whole),
		"whole view in CBOR":   canonical(t, decodeCBOR(t, w.shadow.AppendCBOR(nil))),
		"client's copy":        canonical(t, w.json),
		"client's copy (CBOR)": canonical(t, w.cbor),
	} {
		if got != want {
			t.Errorf("%s is\n%s, want\n%s", what, got, want)
		}
	}
	if got := w.shadow.Checksum(); got != crc32.ChecksumIEEE([]byte(want)) {
		t.Errorf("checksum %#x is not that of the whole view", got)
	}
}

// reference is the canonical form of what encoding/json makes of *v.
func reference(t tb, v any) string {
	t.Helper()
	raw, err := json.Marshal(reflect.ValueOf(v).Elem().Interface())
	if err != nil {
		t.Fatalf("encoding/json: %v", err)
	}
	return canonical(t, decode(t, string(raw)))
}
