//go:build bench

package main

import "github.com/roomring/roomring/bench/games"

// bench are the rooms of the comparison with other servers, and drivers play them in load tests: see bench/README.md.
var (
	bench   = games.All()
	drivers = games.Drivers()
)
