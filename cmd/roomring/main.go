// Command roomring is a stateful WebSocket game and room server; `roomring --help` tells the rest.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }
