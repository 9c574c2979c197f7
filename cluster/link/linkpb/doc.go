// Package linkpb is the schema of the links between nodes, and the Go code made from it.
package linkpb

//go:generate go run ../../../scripts/proto peer.proto
