// Package actor runs rooms: around each room.Core one goroutine with a bounded mailbox and one timer, the
// sessions of those who are in it with their outboxes, and the Directory of a node's rooms.
//
// # Order
//
// Everything that happens to a room passes through its one goroutine. Players' messages come by the
// mailbox, in the order they were handed over. Commits, the journal's health, the operator's commands and
// the end of the process come by a path of their own that is served before every turn of the loop. What a
// room says reaches each outbox in the order of its indexes, and only after the commit of its index. Who
// belongs to which class changes in that same stream, so no patch ever meets a view it was not made for.
//
// # Who may block
//
// Session.Act and Leave wait while the mailbox is full; that is the backpressure a socket is meant to feel. The
// mailbox is not read while Options.Uncommitted inputs wait for the journal. Attach waits for the mailbox
// and for the room's answer, Create for the first commit, the operator's commands for theirs, Adopt, Release and
// Shutdown for the journal and for what they are given. Detach, Resync, all of a Remote's own methods and all that
// rooms do to outboxes never block. A reader that falls behind loses turns and goes
// on from the newest whole view; see Outbox.
//
// # Time
//
// Room time follows Options.Clock and stands still while the room cannot step: between two processes, and
// while the journal fails or is Options.Uncommitted inputs behind. A room with nothing due holds no timer and
// costs no CPU. A room that ticks and is late makes up Options.Core.CatchUp ticks and leaves out the rest.
//
// # Failure
//
// A game that panics ends its own room as aborted. A journal that fails stops every room it keeps, with 4103
// to its sessions; nothing is acknowledged that is not durable, and play goes on when the journal does. A
// finished room leaves memory and journal when nobody is to look at it any more and its result is stored.
package actor
