// Package edge is one client's session at the node that has its socket, as a pure machine: it looks for the client's room,
// attaches there, is live, loses its route when the room moves, and looks again, until either side ends it. A Machine hears
// Events and answers with Effects.
//
// The package is pure: no I/O, no clock, no goroutine, no lock. Package cluster executes the effects. What a room says goes
// past the machine, by the newest route alone; docs/decisions has the table of states and events.
package edge
