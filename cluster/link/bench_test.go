package link_test

import (
	"testing"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
)

// echoer answers every act with a message to eight sessions.
type echoer struct {
	to    *link.OwnerEnd
	frame []byte
}

func (e echoer) Frame(*linkpb.EdgeFrame) {
	e.to.Send(&linkpb.OwnerFrame{Sessions: []uint64{1, 2, 3, 4, 5, 6, 7, 8}, What: &linkpb.OwnerFrame_Say{Say: &linkpb.Say{Frame: e.frame, Seq: 1, Events: 1, Fate: linkpb.Fate_DROP}}})
}
func (echoer) Down(error) {}

type counter chan struct{}

func (c counter) Frame(*linkpb.OwnerFrame) { c <- struct{}{} }
func (counter) Down(error)                 {}

// BenchmarkEcho sends acts from an edge to an owner and messages for eight sessions back, with several acts under way.
func BenchmarkEcho(b *testing.B) {
	for name, window := range map[string]int{"one": 1, "many": 1024} {
		for way, secure := range map[string]func(*link.Options){"insecure": func(*link.Options) {}, "secrets": with(secret(b))} {
			b.Run(name+"/"+way, func(b *testing.B) {
				back, ends := make(counter, window), make(chan *link.EdgeEnd, 1)
				owner := start(b, "b", secure, func(o *link.Options) {
					o.Owner = func(to *link.OwnerEnd) link.Handler[*linkpb.EdgeFrame] { return echoer{to, make([]byte, 200)} }
				})
				edge := start(b, "a", secure, func(o *link.Options) {
					o.Edge = func(to *link.EdgeEnd) link.Handler[*linkpb.OwnerFrame] { ends <- to; return back }
				})
				edge.Targets([]link.Target{owner.target()})
				end := take(b, "the link", ends)
				frame := act(1, `{"t":"act","cseq":1,"action":{"move":"e2e4"}}`)
				b.ReportAllocs()
				b.ResetTimer()
				under := 0
				for range b.N {
					if under == window {
						<-back
						under--
					}
					end.Send(frame)
					under++
				}
				for ; under > 0; under-- {
					<-back
				}
			})
		}
	}
}
