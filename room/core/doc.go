// Package core is one room as a pure state machine, in the manner of etcd/raft's RawNode. Step applies an input,
// appends it to the log and queues outputs; Commit returns those that may leave. The package has no clock, does no I/O
// and starts no goroutine. Package actor drives it.
//
// A [Core] is used by one goroutine at a time. Everything it does is a function of its header and its inputs, so a
// replay of the log comes to the same room.
package core
