// Package ownership decides which node owns a room. A Machine is one room's life on one node. It gets an Event for
// everything that begins, moves or ends the room there, and returns an Effect for everything that is to be done. A single
// node runs it too, as a cluster of one.
//
// The package is pure, like etcd-io/raft's RawNode: no I/O, no clock, no goroutine, no lock. Package lifecycle executes
// the effects against journal, store, rooms, links and clock. Package clustertest runs the same machines in virtual time.
// docs/decisions has the table of states and events.
//
// A room's row in the store says who owns the room. The row moves by compare-and-set only. The rules that the machine
// keeps are the constants of type Rule. For each rule there is a mutation that removes it, and clustertest must catch it.
package ownership
