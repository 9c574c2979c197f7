//go:build !bench

package main

import "github.com/roomring/roomring/room"

// extra are games beside the binary's own: none, unless tests or the build tag bench add some.
var extra []*room.Rules
