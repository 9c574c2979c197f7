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
	kindInt     // within ±(2⁵³-1); ±2⁵³ in rooms of the first runtime
	kindFloat   // never a value that kindInt can hold, so equal numbers are equal nodes
	kindFloat32 // the bits of a float32; its value is the shortest decimal that denotes it
	kindString
	kindArray
	kindObject
)

// node is one value in the shadow's tree. It depends only on the data model, not on the Go
// type it came from. Writing it therefore needs no reflection, and values of different Go
// types can be compared.
type node struct {
	gen       uint64 // the last update that changed this node or a node below it
	num       uint64 // bool, int64, or the bits of a float
	str       string
	label     *label     // the member's name, if the parent is an object
	container *container // the children of an array or object
	kind      kind
	seen      bool // used by mapOp only: the key was met in this update
}

// label is a member's name, plain and as each encoding writes it before the value.
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

// container holds the children of an array or an object. An object's children are sorted by
// label; absent ones may stand among them.
type container struct {
	children []node
	shape    *structOp   // the struct whose fields are the children, in order; nil for a map
	absent   int         // for a map: how many children are absent
	scan     *mapScratch // for a map
}

// reset changes the node's kind and drops the old value.
func (n *node) reset(k kind) {
	*n = node{label: n.label, seen: n.seen, kind: k}
}

// set makes the node the scalar (k, num). The caller has checked that this is a change.
func (n *node) set(s *Shadow, k kind, num uint64) {
	if n.kind != k {
		n.reset(k)
	}
	n.num = num
	n.gen = s.gen
}

func (n *node) setString(s *Shadow, str string) {
	n.set(s, kindString, 0)
	n.str = str
}

// remove makes the node absent and reports whether that is a change.
func (n *node) remove(s *Shadow) bool {
	if n.kind == kindAbsent {
		return false
	}
	n.reset(kindAbsent)
	n.gen = s.gen
	return true
}

// open makes the node an array or object and returns the container of its children. fresh
// reports whether the node was of another kind before.
func (n *node) open(k kind) (c *container, fresh bool) {
	if fresh = n.kind != k; fresh {
		n.reset(k)
		n.container = new(container)
	}
	return n.container, fresh
}

// mark notes in the node that this update changed it, if it did, and returns changed.
func (n *node) mark(s *Shadow, changed bool) bool {
	if changed {
		n.gen = s.gen
	}
	return changed
}

// float returns the value of a float node as a double.
func (n *node) float() float64 {
	if n.kind == kindFloat32 {
		return widen(math.Float32frombits(uint32(n.num)))
	}
	return math.Float64frombits(n.num)
}

// widen returns the double that encoding/json writes for a float32: 0.1, not
// 0.10000000149011612.
func widen(f float32) float64 {
	var buf [32]byte
	d, _ := strconv.ParseFloat(string(strconv.AppendFloat(buf[:0], float64(f), 'g', -1, 32)), 64)
	return d
}

// present counts the children that are not absent.
func (c *container) present() int {
	n := 0
	for i := range c.children {
		if c.children[i].kind != kindAbsent {
			n++
		}
	}
	return n
}

// sort sorts the children by name.
func (c *container) sort() {
	slices.SortFunc(c.children, func(x, y node) int { return compareNames(x.label.name, y.label.name) })
}

// find returns the index of a name among sorted children, or -1.
func find[T string | []byte](children []node, name T) int {
	low, high := 0, len(children)
	for low < high {
		mid := int(uint(low+high) >> 1)
		switch c := compareNames(children[mid].label.name, name); {
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

// compareNames orders UTF-8 names by their UTF-16 code units (RFC 8785, 3.2.3). That is the
// order of the bytes with one exception: U+E000 to U+FFFF, whose first byte is 0xEE or 0xEF,
// come after the supplementary planes, which UTF-16 writes with surrogates.
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
