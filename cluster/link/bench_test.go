package link_test

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
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

// confirmer confirms every append at once, as a follower whose journal takes no time.
type confirmer struct{ to *link.FollowerEnd }

func (c confirmer) Frame(f *linkpb.LeaderFrame) {
	b := f.GetAppend().GetBatches()
	c.to.Send(confirm(f.GetRoom(), b[len(b)-1].GetLast()))
}
func (confirmer) Down(error) {}

// confirmed wakes the room that a confirmation is for.
type confirmed []chan struct{}

func (c confirmed) Frame(f *linkpb.FollowerFrame) {
	room, _ := strconv.Atoi(f.GetRoom())
	c[room] <- struct{}{}
}
func (confirmed) Down(error) {}

// BenchmarkReplicate has rooms append at the same time, each of which waits for the confirmation of its last append. One
// operation is an append and its confirmation. It reports how many frames were sent with one write, in both directions together.
func BenchmarkReplicate(b *testing.B) {
	for _, rooms := range []int{1, 50, 500} {
		for way, secure := range map[string]func(*link.Options){"insecure": func(*link.Options) {}, "secrets": with(secret(b))} {
			b.Run(fmt.Sprintf("%d/%s", rooms, way), func(b *testing.B) {
				back, ends := make(confirmed, rooms), make(chan *link.LeaderEnd, 1)
				for i := range back {
					back[i] = make(chan struct{}, 1)
				}
				follower := start(b, "b", secure, func(o *link.Options) {
					o.Follower = func(to *link.FollowerEnd) link.Handler[*linkpb.LeaderFrame] { return confirmer{to} }
				})
				leader := start(b, "a", secure, func(o *link.Options) {
					o.Leader = func(to *link.LeaderEnd) link.Handler[*linkpb.FollowerFrame] { ends <- to; return back }
				})
				leader.Targets([]link.Target{follower.target()})
				follower.Targets([]link.Target{leader.target()}) // for its counters
				end := take(b, "the stream", ends)
				writes := func() uint64 { return leader.state("b").Replication.Writes + follower.state("a").Replication.Writes }
				before := writes()
				b.ReportAllocs()
				b.ResetTimer()
				var left atomic.Int64
				left.Store(int64(b.N))
				var wg sync.WaitGroup
				for i := range rooms {
					wg.Go(func() {
						f, entries := appendTo(strconv.Itoa(i), 1, make([]byte, 100)), uint64(1)
						for ; left.Add(-1) >= 0; entries++ {
							batch := f.GetAppend().GetBatches()[0]
							f.GetAppend().PrevIndex, batch.First, batch.Last = entries-1, entries, entries
							end.Send(f)
							<-back[i]
						}
					})
				}
				wg.Wait()
				b.StopTimer()
				b.ReportMetric(2*float64(b.N)/float64(writes()-before), "frames/write")
			})
		}
	}
}
