// Package actor runs rooms: one goroutine with a bounded mailbox and one timer around each core.Core, the
// sessions in the room with their outboxes, and the Directory of a node's rooms.
//
// # Order
//
// Everything that happens to a room passes through its one goroutine. Players' messages come by the
// mailbox, in the order they were handed over. Commits, news of the log, the operator's commands and
// the end of the process come by a control path that is served before every turn of the loop. What a
// room says reaches each outbox in the order of its indexes, and only after the commit of its index. What takes no index of
// its own, a refusal or a view that is asked for, leaves when everybody who has the room's log has said that it is the present
// one; see LogStore.Current. Class
// membership changes in that same stream, so no patch ever meets a view it was not made for.
//
// # Who may block
//
// Session.Act and Leave wait while the mailbox is full: that is the backpressure a socket is meant to feel. The
// mailbox is not read while Options.Uncommitted inputs wait for the log store. Attach waits for the mailbox
// and for the room's answer, Read for those who have its log, Create for the first commit, the operator's commands for theirs, and Shutdown for the
// log store. Detach, Resync, all that Remote adds, and all that rooms do to outboxes never block. A reader that falls behind
// loses turns and goes on from the newest whole view; see Outbox.
//
// # Time
//
// Room time follows Options.Clock and stands still while the room cannot step: between two processes, and
// while its log cannot be saved or is Options.Uncommitted inputs behind. A room with nothing due holds no timer and
// costs no CPU. A room that ticks and is late makes up Options.Core.CatchUp ticks and leaves out the rest.
//
// # Failure
//
// A game that panics ends its own room as aborted. While logs cannot be saved, every room that has one stands still, with
// 4103 to its sessions. Nothing is acknowledged that is not durable, and play goes on when logs can be saved again. A
// finished room leaves memory when its time to be looked at has passed and its result is stored.
package actor
