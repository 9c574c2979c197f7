// Package clustertest tests clusters without machines.
//
// Network is a network in memory. Each direction between two nodes can be cut.
//
// Sim runs whole nodes, each the loop of package lifecycle with the machines of package ownership, in virtual time on
// one goroutine: the store, the journals, the rooms and the links are models that fail in every way the real ones may.
// It checks the invariants as it goes. A seed always gives the same run; a Story is a run written by hand.
package clustertest
