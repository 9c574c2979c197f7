package journal_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
)

// followForEver keeps copies of rooms, several things under way for each at once. It reads a seed, and prints how many things of each room
// are acknowledged.
func followForEver(dir string) {
	var seed uint64
	must(fmt.Fscan(bufio.NewReader(os.Stdin), &seed))
	j := mustOpen(dir)
	var out sync.Mutex
	fmt.Println("ready")
	for kept, err := range j.Rooms(context.Background()) {
		m := must(modelOf(must(kept, err), seed))
		go func() {
			window := make(chan struct{}, 16)
			for i := 1; ; i++ {
				window <- struct{}{}
				must(0, m.next().do(j, m.id, func(err error) {
					must(0, err)
					out.Lock()
					defer out.Unlock()
					fmt.Println(m.id, i)
					<-window
				}))
			}
		}()
	}
	select {}
}

// TestKilledWhileFollowing kills a process that appends to copies, cuts and marks them. Each must be as after some number of these things: at
// least as many as were acknowledged, all before and none behind.
func TestKilledWhileFollowing(t *testing.T) {
	dir := t.TempDir()
	before := make(map[room.ID]*copyModel)
	n := open(t, dir, journal.Options{})
	for i := range 6 {
		if err := n.Import(within(t), emptyCopy(roomID(i))); err != nil {
			t.Fatal(err)
		}
	}
	rounds := 6
	if os.Getenv("ROOMRING_LONG") != "" { // set by make soak
		rounds = 60
	}
	done := 0
	for range rounds {
		seed := rand.Uint64N(1 << 20)
		for i := range 6 {
			m, err := modelOf(n.load(roomID(i)), seed)
			if err != nil {
				t.Fatal(err)
			}
			before[m.id] = m
		}
		n.close()
		acked := followUntilKilled(t, dir, seed)
		n = open(t, dir, journal.Options{})
		for id, m := range before {
			done += acked[id]
			m.catchUp(t, n, acked[id])
		}
	}
	if t.Logf("%d acknowledged", done); done == 0 {
		t.Error("the child acknowledged nothing")
	}
}

func followUntilKilled(t *testing.T, dir string, seed uint64) (acked map[room.ID]int) {
	t.Helper()
	c := start(t, "follow", dir)
	fmt.Fprintln(c.in, seed)
	c.expect(t, "ready")
	acked = make(map[room.ID]int)
	for told := 0; c.lines.Scan(); told++ {
		var id room.ID
		var count int
		if _, err := fmt.Sscan(c.lines.Text(), &id, &count); err != nil {
			break // the last line may be torn
		}
		acked[id] = max(acked[id], count)
		if told == 0 {
			time.AfterFunc(rand.N(150*time.Millisecond), func() { c.Process.Kill() })
		}
	}
	c.Process.Kill()
	c.Wait()
	return acked
}

// catchUp does what the killed process did, until the model is as its copy.
func (m *copyModel) catchUp(t *testing.T, n *node, acked int) {
	t.Helper()
	kept := n.load(m.id)
	for range acked {
		m.next()
	}
	var whys []string
	for range 20 { // more than were under way
		why := m.differs(kept, false)
		if why == "" {
			return
		}
		o := m.next()
		whys = append(whys, fmt.Sprintf("%s; then cut %v to %d, mark %v, batch %d to %d", why, o.cut, o.last, o.mark, o.batch.First, o.batch.Last))
	}
	t.Errorf("room %s is as at no time after %d things: %d to %d, epoch %d, %v, cut %q, snapshots %v\n%s", m.id, acked,
		kept.Batches[0].First, kept.Last(), kept.Epoch, kept.Doubt, kept.Cut, len(kept.Snapshots), strings.Join(whys, "\n"))
}
