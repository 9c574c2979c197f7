//go:build bench

package main

import "github.com/roomring/roomring/bench/games"

// extra are the rooms of the comparison with other servers: see bench/README.md.
var extra = games.All()
