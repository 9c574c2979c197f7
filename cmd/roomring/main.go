// Command roomring is a stateful WebSocket game and room server; `roomring --help` tells the rest.
package main

import "github.com/roomring/roomring"

func main() { roomring.Main(games()...) }
