package ring_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/roomring/roomring/cluster/ring"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

func nodes(names ...string) []ring.Node {
	out := make([]ring.Node, len(names))
	for i, name := range names {
		out[i] = ring.Node{Name: name}
	}
	return out
}

func numbered(n int, format string, from int) []ring.Node {
	out := make([]ring.Node, n)
	for i := range out {
		out[i] = ring.Node{Name: fmt.Sprintf(format, from+i)}
	}
	return out
}

func randomID(r *rand.Rand) room.ID {
	var b [10]byte
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return record.NewID(b)
}

var ids = rapid.Custom(func(t *rapid.T) room.ID {
	return record.NewID([10]byte(rapid.SliceOfN(rapid.Byte(), 10, 10).Draw(t, "bytes")))
})

var names = rapid.StringMatching(`[a-z][a-z0-9-]{0,12}`)

// someNodes draws nodes of different names, weights and zones.
func someNodes(low, high int) *rapid.Generator[[]ring.Node] {
	node := rapid.Custom(func(t *rapid.T) ring.Node {
		return ring.Node{
			Name:   names.Draw(t, "name"),
			Weight: rapid.Float64Range(0.1, 3).Draw(t, "weight"),
			Zone:   rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "zone"),
		}
	})
	return rapid.SliceOfNDistinct(node, low, high, func(n ring.Node) string { return n.Name })
}

func without(all []ring.Node, name string) []ring.Node {
	return slices.DeleteFunc(slices.Clone(all), func(n ring.Node) bool { return n.Name == name })
}

// worst returns the largest deviation from an even share, as a part of the even share.
func worst(r *ring.Ring) float64 {
	shares, far := r.Shares(), 0.0
	for _, s := range shares {
		far = max(far, math.Abs(s*float64(len(shares))-1))
	}
	return far
}

func TestSharesAreWithin15PercentAtTenNodes(t *testing.T) {
	within := func(kind string, all []ring.Node) {
		if far := worst(ring.New(all)); far > 0.15 {
			t.Errorf("%s: a share is %.1f %% from even", kind, far*100)
		}
	}
	for _, format := range []string{
		"roomring-%d", "roomring%d", "roomring_%d", "roomring-%02d", "roomring-node-%d", "roomring-prod-%d", "roomring-eu-%d",
		"roomring-%d.roomring-peers", "roomring-%d.roomring-peers.roomring.svc.cluster.local", "rr-%d", "room-%d",
		"node-%d", "node%d", "node_%d", "node-%02d", "node%02d", "n-%d", "n%d", "a%d", "s%d", "%d",
		"pod-%d", "server-%d", "server%d", "srv%d", "host-%d", "host%d", "vm-%d", "vm%d", "box%d", "worker-%d", "app-%d", "web-%d",
		"game-%d", "game%d", "games-%d", "game-server-%d", "gameserver-%d", "play-%d",
		"dev-%d", "test-%d", "prod-%d", "eu-%d", "us-%d",
		"10.0.0.%d", "172.17.0.%d", "192.168.1.%d", "ip-10-0-0-%d",
	} {
		for from := range 2 {
			within(fmt.Sprintf(format+" …", from), numbered(10, format, from))
		}
	}
	for _, format := range []string{"%c", "node-%c"} {
		within(fmt.Sprintf(format+" …", 'a'), numbered(10, format, 'a'))
	}
}

// When ten shares deviate by 5.9 % each, all are within 15 % for nine of ten sets of names.
func TestSharesSpreadAsExpectedOf256Points(t *testing.T) {
	const sets, n = 300, 10
	r := rand.New(rand.NewPCG(1, 2))
	var squares, mean float64
	within := 0
	for range sets {
		all := make([]ring.Node, n)
		for i := range all {
			all[i].Name = string(randomID(r))
		}
		made := ring.New(all)
		for _, s := range made.Shares() {
			squares += (s*n - 1) * (s*n - 1)
		}
		far := worst(made)
		mean += far
		if far <= 0.15 {
			within++
		}
	}
	sigma := math.Sqrt(squares / (sets * n))
	t.Logf("spread %.2f %%, mean worst %.2f %%, within 15 %%: %d of %d", sigma*100, mean/sets*100, within, sets)
	if sigma > 0.065 {
		t.Errorf("shares spread by %.1f %%, want 5.9 %%", sigma*100)
	}
	if mean/sets > 0.15 {
		t.Errorf("the furthest share of ten is %.1f %% from even in the mean, want 15 %% at most", mean/sets*100)
	}
}

func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := someNodes(0, 8).Draw(t, "nodes")
		mixed := rapid.Permutation(all).Draw(t, "mixed")
		one, other := ring.New(all), ring.New(mixed)
		if !slices.Equal(one.Nodes(), other.Nodes()) || !slices.Equal(one.Arcs(), other.Arcs()) {
			t.Fatal("the same nodes in another order make another ring")
		}
		id := ids.Draw(t, "id")
		if a, b := one.First(id, 8), other.First(id, 8); !slices.Equal(a, b) {
			t.Fatalf("%v and %v", a, b)
		}
	})
}

func TestAJoinMovesOnlyItsShareAndOnlyToTheJoiner(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := someNodes(2, 12).Draw(t, "nodes")
		joiner := all[0].Name
		from, to := ring.New(without(all, joiner)), ring.New(all)
		if moved, share := ring.Moved(from, to), to.Shares()[joiner]; math.Abs(moved-share) > 1e-9 {
			t.Fatalf("%.6f of the rooms moved, and the joiner has %.6f", moved, share)
		}
		for range 50 {
			id := ids.Draw(t, "id")
			if a, b := from.Owner(id), to.Owner(id); a != b && b != joiner {
				t.Fatalf("%s moved from %s to %s, and %s joined", id, a, b, joiner)
			}
		}
	})
}

func TestAJoinMovesAtMost13TenthsOfItsShare(t *testing.T) {
	for _, format := range []string{"roomring-%d", "node-%d", "n%d"} {
		for n := 1; n <= 20; n++ {
			moved := ring.Moved(ring.New(numbered(n, format, 0)), ring.New(numbered(n+1, format, 0)))
			if limit := 1.3 / float64(n+1); moved > limit {
				t.Errorf("%s: node %d joined and took %.4f, want at most %.4f", format, n+1, moved, limit)
			}
		}
	}
}

func TestTheNextNodeInherits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := someNodes(2, 8).Draw(t, "nodes")
		id := ids.Draw(t, "id")
		order := ring.New(all).First(id, len(all))
		if len(order) != len(all) {
			t.Fatalf("%d of %d nodes follow", len(order), len(all))
		}
		for i, name := range order {
			made := ring.New(all)
			if got := made.Owner(id); got != name {
				t.Fatalf("after %d deaths %s owns, want %s of %v", i, got, name, order)
			}
			if got := made.First(id, 3); !slices.Equal(got, order[i:min(i+3, len(order))]) {
				t.Fatalf("after %d deaths %v, want the rest of %v", i, got, order)
			}
			all = without(all, name)
		}
	})
}

func TestExplainAgreesWithOwner(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		made := ring.New(someNodes(1, 8).Draw(t, "nodes"))
		id := ids.Draw(t, "id")
		p := made.Explain(id)
		if p.Nodes[0] != made.Owner(id) || p.Nodes[0] != made.OwnerOf(string(id)) {
			t.Fatalf("%+v, and %s owns", p, made.Owner(id))
		}
		at := float64(p.Hash) / (1 << 64)
		for _, arc := range made.Arcs() {
			if arc.From < at && at <= arc.To && arc.Node != p.Nodes[0] {
				t.Fatalf("%+v lies in %+v", p, arc)
			}
		}
	})
}

func TestArcsCoverTheCircleAndAddUpToShares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		made := ring.New(someNodes(1, 8).Draw(t, "nodes"))
		sums, end := map[string]float64{}, 0.0
		last := ""
		for _, arc := range made.Arcs() {
			if arc.From != end || arc.To <= arc.From || arc.Node == last {
				t.Fatalf("%+v comes after %v of %s", arc, end, last)
			}
			end, last = arc.To, arc.Node
			sums[arc.Node] += arc.To - arc.From
		}
		if end != 1 {
			t.Fatalf("the arcs end at %v", end)
		}
		total := 0.0
		for name, share := range made.Shares() {
			total += share
			if math.Abs(sums[name]-share) > 1e-9 {
				t.Fatalf("%s has %v in arcs and %v in shares", name, sums[name], share)
			}
		}
		if math.Abs(total-1) > 1e-9 {
			t.Fatalf("the shares add up to %v", total)
		}
	})
}

func TestWeightTwoTakesTwiceAsMuch(t *testing.T) {
	var ratio float64
	const sets = 40
	for i := range sets {
		all := numbered(6, fmt.Sprintf("set%d-%%d", i), 0)
		all[0].Weight = 2
		share := ring.New(all).Shares()[all[0].Name]
		ratio += share * 5 / (1 - share) / sets
	}
	if math.Abs(ratio-2) > 0.06 {
		t.Errorf("weight 2 takes %.3f times what weight 1 takes", ratio)
	}
}

func TestStandbyIsInAnotherZone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := someNodes(0, 8).Draw(t, "nodes")
		made := ring.New(all)
		id := ids.Draw(t, "id")
		zone := map[string]string{}
		for _, n := range all {
			zone[n.Name] = n.Zone
		}
		want, order := "", made.First(id, len(all))
		for i, name := range order {
			if i == 1 {
				want = name
			}
			if z := zone[order[0]]; i > 0 && z != "" && zone[name] != "" && zone[name] != z {
				want = name
				break
			}
		}
		if got := made.Standby(id); got != want {
			t.Fatalf("standby %q, want %q of %v in zones %v", got, want, order, zone)
		}
	})
}

func TestMovedAgreesWithCountingRooms(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	from := numbered(7, "n%d", 0)
	to := append(without(from, "n3"), ring.Node{Name: "m1", Weight: 2}, ring.Node{Name: "m2"})
	a, b := ring.New(from), ring.New(to)
	const count = 100_000
	moved := 0
	for range count {
		if id := randomID(r); a.Owner(id) != b.Owner(id) {
			moved++
		}
	}
	if exact, counted := ring.Moved(a, b), float64(moved)/count; math.Abs(exact-counted) > 0.01 {
		t.Errorf("%.4f computed, %.4f counted", exact, counted)
	}
	if back := ring.Moved(b, a); math.Abs(back-ring.Moved(a, b)) > 1e-12 {
		t.Errorf("there %v, and back %v", ring.Moved(a, b), back)
	}
}

func TestSmallRings(t *testing.T) {
	var empty ring.Ring
	id := room.ID("0123456789abcdef")
	if empty.Owner(id) != "" || empty.Standby(id) != "" || len(empty.First(id, 3)) != 0 || len(empty.Arcs()) != 0 ||
		len(empty.Shares()) != 0 || len(empty.Nodes()) != 0 || len(empty.Explain(id).Nodes) != 0 {
		t.Error("the zero ring has something")
	}
	one := ring.New(nodes("a"))
	if one.Owner(id) != "a" || one.Standby(id) != "" || !slices.Equal(one.First(id, 3), []string{"a"}) ||
		one.Shares()["a"] != 1 || !slices.Equal(one.Arcs(), []ring.Arc{{From: 0, To: 1, Node: "a"}}) {
		t.Error("the ring of one node is not all its own")
	}
	if len(one.First(id, 0)) != 0 || len(one.First(id, -1)) != 0 {
		t.Error("no nodes were asked for")
	}
	if ring.Moved(&empty, &empty) != 0 || ring.Moved(one, one) != 0 || ring.Moved(&empty, one) != 1 || ring.Moved(one, ring.New(nodes("b"))) != 1 {
		t.Error("rings of none and one move wrongly")
	}
	twice := ring.New([]ring.Node{{Name: "a", Zone: "first"}, {Name: "", Zone: "x"}, {Name: "a", Zone: "second"}})
	if got := twice.Nodes(); len(got) != 1 || got[0].Zone != "first" {
		t.Errorf("%+v", got)
	}
}

// FuzzNew makes rings of anything that a node's metadata may hold.
func FuzzNew(f *testing.F) {
	f.Add("a", 1.0, "b", math.NaN(), "0123456789abcdef")
	f.Add("", -1.0, "#", math.Inf(1), "")
	f.Add("a#1", math.Inf(-1), "a", 1e308, "\x00")
	f.Add("x", 5e-324, "y", 64.1, "é")
	f.Fuzz(func(t *testing.T, name1 string, weight1 float64, name2 string, weight2 float64, key string) {
		made := ring.New([]ring.Node{{Name: name1, Weight: weight1, Zone: "z"}, {Name: name2, Weight: weight2}, {Name: "n"}})
		id := room.ID(key)
		order := made.First(id, 4)
		if len(order) != len(made.Nodes()) || order[0] != made.Owner(id) || order[0] == "" {
			t.Fatalf("order %q of %+v", order, made.Nodes())
		}
		made.Standby(id)
		made.Explain(id)
		total := 0.0
		for _, share := range made.Shares() {
			total += share
		}
		if math.Abs(total-1) > 1e-9 {
			t.Fatalf("shares add up to %v", total)
		}
		for _, n := range made.Nodes() {
			if !(n.Weight > 0 && n.Weight <= ring.MaxWeight) {
				t.Fatalf("weight %v", n.Weight)
			}
		}
		if moved := ring.Moved(made, ring.New(nodes("n"))); !(moved >= 0 && moved <= 1) {
			t.Fatalf("moved %v", moved)
		}
	})
}

func TestOwnerAllocatesNothing(t *testing.T) {
	made := ring.New(numbered(10, "roomring-%d", 0))
	id := room.ID("0123456789abcdef")
	if n := testing.AllocsPerRun(100, func() { made.Owner(id) }); n != 0 {
		t.Errorf("a lookup allocates %v times", n)
	}
}

func BenchmarkOwner(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	some := make([]room.ID, 1024)
	for i := range some {
		some[i] = randomID(r)
	}
	for _, n := range []int{3, 10, 100} {
		made := ring.New(numbered(n, "roomring-%d", 0))
		b.Run(fmt.Sprintf("nodes=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				made.Owner(some[i%len(some)])
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	all := numbered(10, "roomring-%d", 0)
	for b.Loop() {
		ring.New(all)
	}
}
