// Package core is one room as a pure state machine: Step applies an input, puts it into the log and queues what the room says, in the
// manner of etcd/raft's RawNode. It has no clock, does no I/O and starts no goroutine; package actor drives it.
package core
