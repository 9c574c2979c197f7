//go:build !bench

package main

import "github.com/roomring/roomring/room"

// bench are no games unless the build tag bench adds some.
var bench []*room.Rules
