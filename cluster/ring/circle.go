package ring

import "math/bits"

// A span is a length on the circle of 2⁶⁴ hashes. The length of the whole circle needs a 65th bit.
type span struct{ whole, part uint64 }

func (s span) add(t span) span {
	part, carry := bits.Add64(s.part, t.part, 0)
	return span{s.whole + t.whole + carry, part}
}

func (s span) fraction() float64 { return float64(s.whole) + fraction(s.part) }

func fraction(hash uint64) float64 { return float64(hash) / (1 << 64) }

// spanOf returns the part of the circle that belongs to a point: from after the previous point up to the point itself.
func spanOf(hashes []uint64, i int) span {
	if i > 0 {
		return span{part: hashes[i] - hashes[i-1]}
	}
	last := hashes[len(hashes)-1]
	if last == hashes[0] { // the only point
		return span{whole: 1}
	}
	return span{part: hashes[0] - last} // it passes zero
}

// Shares returns the part of all rooms that the ring gives each node. The parts add up to 1.
func (r *Ring) Shares() map[string]float64 {
	sums := make([]span, len(r.nodes))
	for i, n := range r.owners {
		sums[n] = sums[n].add(spanOf(r.hashes, i))
	}
	shares := make(map[string]float64, len(r.nodes))
	for i, n := range r.nodes {
		shares[n.Name] = sums[i].fraction()
	}
	return shares
}

// Arc is a part of the ring that belongs to one node. It goes from after From up to and including To, as fractions of the
// whole circle.
type Arc struct {
	From, To float64
	Node     string
}

// Arcs returns the ring's arcs from 0 to 1 in order, without gaps. Neighbouring points of one node share an arc. The arc
// that passes zero is split in two.
func (r *Ring) Arcs() []Arc {
	if len(r.hashes) == 0 {
		return nil
	}
	var arcs []Arc
	extend := func(to float64, node uint32) {
		name := r.nodes[node].Name
		if last := len(arcs) - 1; last >= 0 && (arcs[last].Node == name || arcs[last].To == to) {
			arcs[last].To = to
			return
		}
		var from float64
		if len(arcs) > 0 {
			from = arcs[len(arcs)-1].To
		}
		arcs = append(arcs, Arc{From: from, To: to, Node: name})
	}
	for i, n := range r.owners {
		extend(fraction(r.hashes[i]), n)
	}
	extend(1, r.owners[0])
	return arcs
}

// Moved returns the part of all rooms whose owner differs between two rings.
func Moved(from, to *Ring) float64 {
	if len(from.hashes) == 0 || len(to.hashes) == 0 {
		if len(from.hashes) == len(to.hashes) {
			return 0
		}
		return 1
	}
	// Between two neighbouring points of either ring neither owner changes.
	cuts := merge(from.hashes, to.hashes)
	var moved span
	for i, hash := range cuts {
		if from.nodes[from.owners[from.at(hash)]].Name != to.nodes[to.owners[to.at(hash)]].Name {
			moved = moved.add(spanOf(cuts, i))
		}
	}
	return moved.fraction()
}

// merge merges two ascending lists.
func merge(a, b []uint64) []uint64 {
	out := make([]uint64, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0] <= b[0] {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}
