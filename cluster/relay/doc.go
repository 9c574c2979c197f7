// Package relay brings clients of one node into rooms of another, over links. An Edge is the side of the client's socket: it keeps a
// session for each client, wherever the room is, by the pure machine of package edge. An Owner is the side of the room.
package relay
