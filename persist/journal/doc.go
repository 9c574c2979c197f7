// Package journal keeps live rooms when their process dies: their logs, snapshots and
// clocks, one file for each room, in the node's data folder. DESIGN.md beside this file says why it is so.
//
// # Lives
//
// A life is the time from one Open of the journal to its Close, or to the death of the process. Room time runs only while a life does.
//
// # What acknowledged means
//
// When the done function of an Append is called with nil, the operating system has the batch:
// killing the process loses nothing. Losing power or the machine may lose the newest batches of a
// room, whole batches from the end of its log. With Options.Sync the disk has the batch, and nothing is lost.
// Journal.PowerLost tells which of the two has happened, and Kept.Doubt for which rooms.
//
// # Order and backpressure
//
// One goroutine writes. It takes what waits as a group, in
// the order of the calls. Consecutive batches of one room become one record. Append
// never blocks: the caller bounds what it has uncommitted, and Options.MaxPending bounds the sum.
// A room may have several batches under way. Their done functions are called in order.
// Done functions run on the writer's goroutine one after another and must be quick: sending on a
// channel that has room, or appending to a list. They may call Append, but none of the methods
// that wait.
//
// # Copies
//
// A standby keeps a copy of a room that another node serves. It imports the header, appends what it is sent, cuts what the owner does not
// have (Cut), and notes what it has promised and whether the copy can be relied on (Mark, record.Doubt). Both take their turn
// among the Appends.
//
// # When the disk fails
//
// A write that failed is tried again, with backoff, until it succeeds. Nothing after it is
// acknowledged and nothing is dropped meanwhile, and Failing and Options.Health report it. Once the disk works
// again everything is written in order and play goes on by itself. Only Close gives up, and only when
// its context ends. Then the done functions of what was lost get the error.
package journal
