package cluster

import (
	"testing"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/members"
)

// TestStandbysBeginWhenAllKnowThem has one node of an earlier program among new ones.
func TestStandbysBeginWhenAllKnowThem(t *testing.T) {
	fresh := members.Member{Name: "a", Least: link.Least, Latest: link.Latest}
	old := members.Member{Name: "b", Least: link.Least, Latest: link.WithReplication - 1}
	if !knowStandbys([]members.Member{fresh, fresh}) {
		t.Error("no room gets a standby among nodes that all know what that is")
	}
	if knowStandbys([]members.Member{fresh, old}) {
		t.Error("rooms get standbys beside a node that does not know what that is")
	}
}
