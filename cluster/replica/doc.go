// Package replica runs package replication: it sends the logs of the rooms that this node owns to those who follow them, and
// writes the logs of rooms that it follows to its journal. It is the Logs of the rooms: a room's input is committed when this
// node's journal and every member have it. It also is the policy of when somebody tries what package ownership decides: which
// node a room's log is copied to, when a silent standby is dismissed, when the owner of a followed room seems to be dead. What
// it believes of other nodes can cost a needless move, never a fork.
//
// Members are named by their data folders. Every stream begins with the folder of each side.
package replica
