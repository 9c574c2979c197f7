// Package ownership decides who has a room. A Machine is one room's life on one node: whatever begins, moves or ends the
// room there is an Event of it, and whatever is to be done about it is an Effect that it answers with. A node by itself
// runs it too, as a cluster of one.
//
// The package is pure: no I/O, no clock, no goroutine, no lock, in the manner of etcd-io/raft's RawNode. Package lifecycle
// executes effects against journal, store, rooms, links and clock; package clustertest runs the same machines in virtual
// time. docs/decisions has the table of states and events.
//
// Who has a room is its row in the store, which moves by compare-and-set alone. The rules that the machine keeps for it,
// each taken out by a mutation that clustertest must catch, are the constants of type Rule.
package ownership
