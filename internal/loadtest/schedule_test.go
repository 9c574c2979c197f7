package loadtest

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestActsComeFasterWhilePlayersComeAndThenEvenly(t *testing.T) {
	t.Parallel()
	s := schedule{rate: 200, ramp: 10 * time.Second}
	inSecond := make([]int, 15)
	for k, before := 0, time.Duration(0); ; k++ {
		at := s.at(k)
		if at < before {
			t.Fatalf("act %d is due at %v, before the one before", k, at)
		}
		if before = at; at >= 15*time.Second {
			break
		}
		inSecond[int(at.Seconds())]++
	}
	for i, n := range inSecond {
		want := 200
		if i < 10 {
			want = 20*i + 10 // the mean of that second
		}
		if n < want-2 || n > want+2 {
			t.Errorf("%d acts are due in second %d, not %d", n, i, want)
		}
	}
	if at := (schedule{rate: 10}).at(5); at != 500*time.Millisecond {
		t.Errorf("without a ramp act 5 is due at %v", at)
	}
}

func TestPacerKeepsItsRate(t *testing.T) {
	t.Parallel()
	p := pacer{every: every(50)}
	for i := range 5 {
		if at := p.reserve(0); at != time.Duration(i)*20*time.Millisecond {
			t.Errorf("player %d comes at %v", i, at)
		}
	}
	if at := p.reserve(time.Second); at != time.Second {
		t.Errorf("a player waits until %v although nobody comes", at)
	}
	if at := p.reserve(time.Second); at != time.Second+20*time.Millisecond {
		t.Errorf("two come at once: %v", at)
	}
}

// dealing is a dealer in virtual time.
func dealing(most int) (d *dealer, dropped *int) {
	begun := time.Now()
	dropped = new(int)
	d = &dealer{most: most, since: func() time.Duration { return time.Since(begun) }, rng: rand.New(rand.NewPCG(1, 1)), dropped: func(time.Duration) { *dropped++ }}
	return d, dropped
}

func aTable() *table { return &table{dealt: make(chan dealt, 1)} }

// TestAStallDelaysEveryActThatIsDue has a room whose server answers nothing for a second. The acts that are due meanwhile wait, and count from
// when they were due.
func TestAStallDelaysEveryActThatIsDue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, dropped := dealing(1000)
		one := aTable()
		var mu sync.Mutex
		var took []time.Duration
		stop := make(chan struct{})
		var room sync.WaitGroup
		room.Go(func() {
			for {
				d.offer(one)
				select {
				case act := <-one.dealt:
					answer := time.Millisecond
					if act.due == time.Second {
						answer = time.Second // the stall
					}
					time.Sleep(answer)
					mu.Lock()
					took = append(took, d.since()-act.due-act.excused)
					mu.Unlock()
					d.answered()
					d.block(-1)
				case <-stop:
					return
				}
			}
		})
		synctest.Wait() // the room is offered
		s := schedule{rate: 100}
		for k := range 300 {
			time.Sleep(s.at(k) - d.since())
			d.due(s.at(k))
		}
		time.Sleep(time.Second)
		close(stop)
		room.Wait()
		slow := 0
		for _, one := range took {
			if one > 100*time.Millisecond {
				slow++
			}
		}
		if len(took) != 300 || *dropped != 0 || slow < 90 || slow > 110 {
			t.Errorf("%d answered, %d dropped, %d felt the stall of a hundred acts", len(took), *dropped, slow)
		}
		if !d.idle() {
			t.Error("something is outstanding in the end")
		}
	})
}

// TestThinkingIsNotLatency has a room that takes long to know what to do, while nothing is outstanding.
func TestThinkingIsNotLatency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, dropped := dealing(10)
		one, two := aTable(), aTable()
		d.offer(one)
		d.due(0)
		<-one.dealt
		time.Sleep(10 * time.Millisecond)
		d.due(d.since()) // waits, since an answer is outstanding
		time.Sleep(20 * time.Millisecond)
		d.answered()
		d.block(-1)
		time.Sleep(500 * time.Millisecond) // the room thinks
		d.offer(two)
		if act := <-two.dealt; act.due != 10*time.Millisecond || !act.waited || act.excused != 500*time.Millisecond {
			t.Errorf("the act came as %+v", act)
		}
		d.answered()
		d.block(-1)
		d.due(d.since())
		if *dropped != 1 {
			t.Error("an act waits although no room can take it and nothing is outstanding")
		}
	})
}

func TestWaitingActsAreBounded(t *testing.T) {
	t.Parallel()
	d, dropped := dealing(3)
	one := aTable()
	d.offer(one)
	for range 10 {
		d.due(0)
	}
	if *dropped != 6 {
		t.Errorf("%d acts were dropped, where one is outstanding and three wait", *dropped)
	}
	d.giveBack(<-one.dealt) // its room is over, and nothing else is outstanding
	if d.close(); *dropped != 10 || !d.idle() {
		t.Errorf("%d were dropped in the end", *dropped)
	}
	d.offer(one)
	if !d.withdraw(one) || d.withdraw(one) {
		t.Error("an offer is withdrawn once")
	}
}
