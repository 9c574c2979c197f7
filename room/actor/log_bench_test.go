package actor

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// tally is a room of eight that counts.
type tally struct{ N int }

func (c *tally) Act(*room.Turn, room.Player, struct{}) error { c.N++; return nil }
func (c *tally) View(room.Viewer) map[string]int             { return map[string]int{"n": c.N} }

// groupJournal makes everything durable at once, in groups, on its own goroutine, as a journal does.
type groupJournal struct {
	Journal
	wake chan struct{}

	mu      sync.Mutex
	waiting []func(error)
	batches int
}

func (j *groupJournal) Create(context.Context, record.Header, record.Epoch) error { return nil }
func (j *groupJournal) SetClock(room.ID, time.Duration) error                     { return nil }
func (j *groupJournal) Failing() error                                            { return nil }

func (j *groupJournal) Append(_ record.Batch, _ *record.Snapshot, done func(error)) error {
	j.mu.Lock()
	j.waiting = append(j.waiting, done)
	j.batches++
	j.mu.Unlock()
	select {
	case j.wake <- struct{}{}:
	default:
	}
	return nil
}

func (j *groupJournal) run(ctx context.Context) {
	for {
		select {
		case <-j.wake:
		case <-ctx.Done():
			return
		}
		j.mu.Lock()
		group := j.waiting
		j.waiting = nil
		j.mu.Unlock()
		for _, done := range group {
			done(nil)
		}
	}
}

// BenchmarkDurable measures an act from the mailbox to the outboxes of eight, in rooms in memory and in rooms whose log is
// handed over and committed. The difference is what durability costs beside the journal itself. Run it with -cpu 1.
func BenchmarkDurable(b *testing.B) {
	for _, d := range []room.Durability{room.Memory, room.Local} {
		b.Run(string(d), func(b *testing.B) { benchmarkDurable(b, d) })
	}
}

func benchmarkDurable(b *testing.B, durability room.Durability) {
	const rooms, players = 40, 8
	games, err := core.NewGames(room.MustDefine(room.Spec{Name: "tally", Version: 1, MaxPlayers: players, SharedView: true}, func() *tally { return &tally{} }))
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	j := &groupJournal{wake: make(chan struct{}, 1)}
	go j.run(ctx)
	logs := NewJournalLogs(j, JournalOptions{})
	defer logs.Close()
	dir, err := NewDirectory(Options{Games: games, Logs: logs})
	if err != nil {
		b.Fatal(err)
	}
	type member struct {
		s     Session
		box   *Outbox
		cseq  uint64
		taken chan struct{}
	}
	var members [rooms][players]member
	for r := range members {
		info, err := dir.Create(ctx, Create{Game: "tally", Durability: durability})
		if err != nil {
			b.Fatal(err)
		}
		for p := range members[r] {
			at := &members[r][p]
			at.taken = make(chan struct{}, 1)
			at.box = NewOutbox(OutboxOptions{Wake: func() {
				select {
				case at.taken <- struct{}{}:
				default:
				}
			}})
			name := fmt.Sprint("p", p)
			if at.s, err = dir.Attach(ctx, info.ID, Hello{Player: room.PlayerID(name), Client: record.ClientID(name)}, at.box); err != nil {
				b.Fatal(err)
			}
		}
	}
	buf := make([]byte, 0, 64<<10)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		r, p := i%rooms, i/rooms%players
		at := &members[r][p]
		at.cseq++
		if err := at.s.Act(ctx, wire.Act{CSeq: at.cseq, Data: json.RawMessage(`{}`)}); err != nil {
			b.Fatal(err)
		}
		if r < rooms-1 {
			continue
		}
		for r := range members { // each room's last act reaches all of it
			for q := range members[r] {
				for seen := q != p; ; {
					<-members[r][q].taken
					buf, _ = members[r][q].box.Take(buf[:0], 64<<10)
					if seen = seen || len(buf) > 0; seen {
						break
					}
				}
			}
		}
	}
	b.StopTimer()
	if durability != room.Memory {
		b.ReportMetric(float64(j.batches)/float64(b.N), "batches/op")
	}
	if err := dir.Shutdown(ctx); err != nil {
		b.Fatal(err)
	}
}
