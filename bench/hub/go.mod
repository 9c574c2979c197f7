module github.com/roomring/roomring/bench/hub

go 1.26

require (
	github.com/coder/websocket v1.8.15
	github.com/lxzan/gws v1.8.9
)

require (
	github.com/dolthub/maphash v0.1.0 // indirect
	github.com/klauspost/compress v1.17.9 // indirect
)
