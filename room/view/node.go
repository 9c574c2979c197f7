package view

import (
	"math"
	"slices"
	"strconv"
)

type kind uint8

const (
	kindAbsent kind = iota // an omitted field, or a map key removed by the last update
	kindBool
	kindInt     // within ±(2⁵³-1), in rooms of the first runtime ±2⁵³
	kindFloat   // never a value that kindInt can hold, so that equal numbers are equal nodes
	kindFloat32 // a float32 kept raw: what it means is the shortest decimal that names it
	kindString
	kindArray
	kindObject
)

// node is one value of the shadow's tree. What a node is depends on the data model
// alone, not on the Go type it came from, so writing needs no reflection and values of
// changing type compare.
type node struct {
	gen   uint64 // the update that last changed it or anything below
	num   uint64 // bool, int64, or the bits of a float
	str   string
	label *label // the member's name, if the parent is an object
	box   *box   // the children of an array or object
	kind  kind
	seen  bool // scratch of mapOp: the key was met in this update
}

// label is a member's name, and the name as each encoding starts a member with it.
type label struct {
	name, json, cbor string
}

func newLabel(name string) *label {
	return &label{
		name: name,
		json: string(append(appendString(nil, name), ':')),
		cbor: string(appendCBORString(nil, name)),
	}
}

// box holds the children of an array or an object. An object's children are sorted by
// label; absent ones may stand among them.
type box struct {
	kids  []node
	shape *structOp   // whose fields the children are, one for one; nil for a map
	dead  int         // for a map: how many children are absent
	scan  *mapScratch // for a map
}

// become changes the node's kind, dropping all that belonged to the old one.
func (n *node) become(k kind) {
	*n = node{label: n.label, seen: n.seen, kind: k}
}

// set makes the node the scalar (k, num), known to differ from what it was.
func (n *node) set(s *Shadow, k kind, num uint64) {
	if n.kind != k {
		n.become(k)
	}
	n.num = num
	n.gen = s.gen
}

func (n *node) setString(s *Shadow, str string) {
	n.set(s, kindString, 0)
	n.str = str
}

// drop makes the node absent and reports whether it was not.
func (n *node) drop(s *Shadow) bool {
	if n.kind == kindAbsent {
		return false
	}
	n.become(kindAbsent)
	n.gen = s.gen
	return true
}

// open readies the node to take the children of an array or object and reports whether
// it was of another kind before.
func (n *node) open(k kind) (b *box, fresh bool) {
	if fresh = n.kind != k; fresh {
		n.become(k)
		n.box = new(box)
	}
	return n.box, fresh
}

// touch marks the node if it changed, and passes the news on.
func (n *node) touch(s *Shadow, changed bool) bool {
	if changed {
		n.gen = s.gen
	}
	return changed
}

// float is the value of a float node as a double.
func (n *node) float() float64 {
	if n.kind == kindFloat32 {
		return widen(math.Float32frombits(uint32(n.num)))
	}
	return math.Float64frombits(n.num)
}

// widen reads a float32 as encoding/json writes it: 0.1, not 0.10000000149011612.
func widen(f float32) float64 {
	var buf [32]byte
	d, _ := strconv.ParseFloat(string(strconv.AppendFloat(buf[:0], float64(f), 'g', -1, 32)), 64)
	return d
}

// live counts the members that are not absent.
func (b *box) live() int {
	n := 0
	for i := range b.kids {
		if b.kids[i].kind != kindAbsent {
			n++
		}
	}
	return n
}

// sort brings the children back into the order of their names.
func (b *box) sort() {
	slices.SortFunc(b.kids, func(x, y node) int { return compareNames(x.label.name, y.label.name) })
}

// find searches sorted children for a name: its place, or -1.
func find[T string | []byte](kids []node, name T) int {
	low, high := 0, len(kids)
	for low < high {
		mid := int(uint(low+high) >> 1)
		switch c := compareNames(kids[mid].label.name, name); {
		case c == 0:
			return mid
		case c < 0:
			low = mid + 1
		default:
			high = mid
		}
	}
	return -1
}

// compareNames orders UTF-8 names by their UTF-16 code units (RFC 8785, 3.2.3). That is
// the order of the bytes, except that U+E000 to U+FFFF, whose first byte is 0xEE or
// 0xEF, come after the supplementary planes, which UTF-16 spells with surrogates.
func compareNames[T string | []byte](a string, b T) int {
	n := min(len(a), len(b))
	for i := range n {
		x, y := a[i], b[i]
		if x == y {
			continue
		}
		if x >= 0xEE && y >= 0xEE && (x >= 0xF0) != (y >= 0xF0) {
			x, y = y, x
		}
		return int(x) - int(y)
	}
	return len(a) - len(b)
}
