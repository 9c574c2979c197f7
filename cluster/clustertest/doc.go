// Package clustertest tests clusters without machines.
//
// Network is a network in memory, with a cut in each direction between each two nodes.
//
// Sim runs whole nodes, each the loop of package lifecycle with the machines of package ownership, in virtual time on
// one goroutine: the store, the journals, the rooms and the links are models that fail in every way the real ones may.
// After each step it checks what must always hold. A seed names a run for ever; a Story is a run written down by hand.
package clustertest
