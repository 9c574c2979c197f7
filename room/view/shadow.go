package view

import (
	"fmt"
	"hash/crc32"
	"reflect"
)

// MaxDepth is how many levels deep a view may nest structs, maps, slices and pointers.
const MaxDepth = 1000

// Differ compares values of one type. It never changes and may be shared by any number
// of goroutines.
type Differ struct {
	typ reflect.Type
	op  op
}

// Compile builds the differ for views of type t, which may be an interface. The error is an
// [*Error] that names the first part of t that can never be shown: a channel, a function, a
// complex number, or a map whose keys are neither strings nor integers and have no text.
func Compile(t reflect.Type) (*Differ, error) {
	if t == nil {
		return nil, fail("has no type")
	}
	o, err := compile(t)
	if err != nil {
		return nil, err.trimPath()
	}
	return &Differ{typ: t, op: o}, nil
}

// Check returns the error that Compile or an update would give for v, or nil.
func Check(v any) error {
	if v == nil {
		return fail(reasonNull)
	}
	d, err := Compile(reflect.TypeOf(v))
	if err != nil {
		return err
	}
	_, err = d.New().Compare(reflect.ValueOf(v))
	return err
}

// New returns a shadow that has seen no view yet.
func (d *Differ) New() *Shadow { return &Shadow{differ: d, maxInt: maxInt} }

// NewFirst is New for rooms of the first runtime, whose views may also hold ±2⁵³.
func (d *Differ) NewFirst() *Shadow { return &Shadow{differ: d, maxInt: maxInt + 1} }

// Shadow keeps a copy of the last view and computes what the next view changes. It has one
// user at a time.
type Shadow struct {
	differ *Differ
	maxInt int64 // integers beyond ±maxInt are refused
	root   node
	gen    uint64 // counts updates; a node with the same gen changed in the last update
	depth  int
	types  map[reflect.Type]op // ops of the types met inside interfaces
	buf    []byte              // reused between calls
	err    error               // error of the first update that failed; it stays
}

// Compare makes the shadow equal to v, a value of the differ's type, and reports
// whether that changed anything; the first view always does. [Shadow.AppendPatchJSON]
// and [Shadow.AppendPatchCBOR] then write the change.
//
// v may also be of a type that is assignable to the differ's type, or a pointer to a value
// of the differ's type.
//
// The error is an [*Error]. After an error the shadow is useless: it holds no view, and
// every further update returns the same error. A panic in one of the game's marshalers
// passes through and leaves the shadow useless too.
func (s *Shadow) Compare(v reflect.Value) (changed bool, err error) {
	if s.err != nil {
		return false, s.err
	}
	s.gen++
	s.depth = 0
	s.err = errUnfinished
	changed, fault := s.compare(v)
	if fault != nil {
		s.err = fault.trimPath()
		s.root = node{}
		return false, s.err
	}
	s.err = nil
	return changed, nil
}

// errUnfinished stays set if a marshaler of the game panics in the middle of an update.
var errUnfinished = fail("was left half compared by a panic")

func (s *Shadow) compare(v reflect.Value) (bool, *Error) {
	if !v.IsValid() {
		return false, fail(reasonNull)
	}
	o, t := s.differ.op, s.differ.typ
	switch vt := v.Type(); {
	case vt == t:
	case t.Kind() == reflect.Interface && vt.Implements(t):
		var err *Error
		if o, err = s.dynamic(vt); err != nil {
			return false, err
		}
	case vt.AssignableTo(t):
		v = v.Convert(t)
	case vt.Kind() == reflect.Pointer && vt.Elem() == t:
		if v.IsNil() {
			return false, fail(reasonNull)
		}
		v = v.Elem()
	default:
		return false, fail(fmt.Sprintf("is of type %v where %v was promised", vt, t))
	}
	return o.update(s, v, &s.root)
}

// Update calls [Shadow.Compare] and appends the patch to json and to cbor. v is the view
// itself or a [reflect.Value] of it. If changed is false, nothing was appended.
func (s *Shadow) Update(v any, json, cbor []byte) (jsonOut, cborOut []byte, changed bool, err error) {
	rv, ok := v.(reflect.Value)
	if !ok {
		rv = reflect.ValueOf(v)
	}
	if changed, err = s.Compare(rv); changed {
		json, cbor = s.AppendPatchJSON(json), s.AppendPatchCBOR(cbor)
	}
	return json, cbor, changed, err
}

// AppendPatchJSON appends the merge patch (RFC 7396) that turns the view before the last
// update into the view after it. It appends nothing if they are equal.
func (s *Shadow) AppendPatchJSON(b []byte) []byte {
	if s.root.gen != s.gen || s.root.kind == kindAbsent {
		return b
	}
	return s.root.appendPatchJSON(b, s.gen)
}

// AppendPatchCBOR appends the same patch in CBOR (RFC 8949).
func (s *Shadow) AppendPatchCBOR(b []byte) []byte {
	if s.root.gen != s.gen || s.root.kind == kindAbsent {
		return b
	}
	return s.root.appendPatchCBOR(b, s.gen)
}

// AppendJSON appends the whole view in canonical JSON (RFC 8785). Before the first update it
// appends nothing.
func (s *Shadow) AppendJSON(b []byte) []byte { return s.root.appendJSON(b) }

// AppendCBOR appends the whole view in CBOR (RFC 8949). Before the first update it appends
// nothing.
func (s *Shadow) AppendCBOR(b []byte) []byte { return s.root.appendCBOR(b) }

// Checksum is the CRC-32 (IEEE) of the bytes of [Shadow.AppendJSON].
func (s *Shadow) Checksum() uint32 {
	s.buf = s.AppendJSON(s.buf[:0])
	return crc32.ChecksumIEEE(s.buf)
}

// dynamic returns the op for a type met inside an interface.
func (s *Shadow) dynamic(t reflect.Type) (op, *Error) {
	if o, ok := s.types[t]; ok {
		return o, nil
	}
	o, err := compile(t)
	if err != nil {
		return nil, err
	}
	if s.types == nil {
		s.types = make(map[reflect.Type]op)
	}
	s.types[t] = o
	return o, nil
}

// descend counts one more level of nesting, and ascend one less. After an error the depth no
// longer matters, so no caller ascends.
func (s *Shadow) descend() *Error {
	if s.depth++; s.depth > MaxDepth {
		return fail(reasonDepth)
	}
	return nil
}

func (s *Shadow) ascend() { s.depth-- }
