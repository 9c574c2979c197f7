package link

import (
	"errors"
	"fmt"

	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/room/record"
)

// unfitError says why two nodes cannot be in one cluster. Retrying does not help: the program or the settings of one of
// them must change.
type unfitError struct{ why string }

func (e *unfitError) Error() string { return e.why }

func unfit(format string, args ...any) error { return &unfitError{fmt.Sprintf(format, args...)} }

// match returns the protocol version that two nodes use with each other, or an error that says why they cannot be in
// one cluster. Both sides call it, so its errors name both nodes and make sense on either side.
func match(a, b *linkpb.Greeting) (version uint32, err error) {
	if a.GetNode() == "" || a.GetBoot() == "" || b.GetNode() == "" || b.GetBoot() == "" {
		return 0, errors.New("a greeting without node or boot")
	}
	pair := func(of func(*linkpb.Greeting) string) string {
		return fmt.Sprintf("node %s has %q, node %s has %q", a.GetNode(), of(a), b.GetNode(), of(b))
	}
	if a.GetLabel() != b.GetLabel() {
		return 0, unfit("nodes of different clusters, by their label: %s", pair((*linkpb.Greeting).GetLabel))
	}
	version = min(a.GetLatest(), b.GetLatest())
	if version < max(a.GetLeast(), b.GetLeast()) {
		return 0, unfit("no common version of the peer protocol: node %s (program %s) speaks %d to %d, node %s (program %s) %d to %d; upgrade by way of a release between them",
			a.GetNode(), a.GetProgram(), a.GetLeast(), a.GetLatest(), b.GetNode(), b.GetProgram(), b.GetLeast(), b.GetLatest())
	}
	sqlite := a.GetStore() == "sqlite" || b.GetStore() == "sqlite"
	if sqlite && a.GetMachine() != b.GetMachine() {
		return 0, unfit("nodes on several machines need PostgreSQL: %s as store, and they are on different machines; give all of them the same --store postgres://…", pair((*linkpb.Greeting).GetStore))
	}
	if a.GetStore() != b.GetStore() {
		return 0, unfit("nodes of one cluster need one store: %s; give all of them the same --store", pair((*linkpb.Greeting).GetStore))
	}
	return version, nil
}

// matchTarget is match for the side that dialled. It also checks that the node that answered is the one that was wanted.
func matchTarget(self, peer *linkpb.Greeting, want Peer) (version uint32, err error) {
	if got := peerOf(peer); got != want {
		return 0, &anotherError{got: got, want: want}
	}
	return match(self, peer)
}

// anotherError says that another process than the wanted one answers at its address.
type anotherError struct{ got, want Peer }

func (e *anotherError) Error() string {
	return fmt.Sprintf("node %s boot %s answers at the address of node %s boot %s: the table of nodes is not up to date", e.got.Node, e.got.Boot, e.want.Node, e.want.Boot)
}

func peerOf(g *linkpb.Greeting) Peer {
	return Peer{Node: g.GetNode(), Boot: record.BootID(g.GetBoot())}
}
