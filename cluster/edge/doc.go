// Package edge is one client's session at the node that has its socket, as a pure machine. The session looks for
// the client's room, attaches there and is live. It loses its route when the room moves, and looks again, until either
// side ends it. A Machine gets Events and returns Effects.
//
// The package is pure: no I/O, no clock, no goroutine, no lock. Package relay executes the effects. Messages of a room
// bypass the machine; they come by the newest route only. docs/decisions has the table of states and events.
package edge
