// Package journal keeps live rooms through the death of their process: their logs, snapshots and
// clocks, a file for each room, in the node's data folder. DESIGN.md beside it says why it is so.
//
// # What acknowledged means
//
// When the done function of an Append is called with nil, the operating system has the batch:
// killing the process loses nothing. Losing power or the machine may lose the newest batches of a
// room, whole ones from the end of its log. With Options.Sync the disk has the batch, and nothing is lost.
// Journal.PowerLost tells one from the other.
//
// # Order and backpressure
//
// One goroutine writes. It takes what waits as a group, in
// the order it was asked for; batches of one room that follow each other become one record. Append
// never blocks: the caller bounds what it has uncommitted, and Options.MaxPending bounds the sum.
// A room may have several batches under way; they are answered in order.
// Done functions run on the writer's goroutine one after another and must be quick: sending on a
// channel that has room, or appending to a list. They may call Append, but none of the methods
// that wait.
//
// # When the disk fails
//
// What could not be written is tried again, with backoff, until it lands: nothing behind it is
// acknowledged, nothing is dropped, and Failing and Options.Health tell. Once the disk is well
// again everything lands in order and play goes on by itself. Only Close gives up, and only when
// its context ends; then the done functions of what was lost get the error.
package journal
