package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/roomring/roomring/room/clock"
)

// readers bounds those who read replays: as many as there is memory for, of whose replays few are unpacked or run at a time. When
// all places are taken, one more gets the place of the reader that has taken nothing for the longest, or waits while all take
// something.
type readers struct {
	most int
	work chan struct{} // a semaphore of the replays that are unpacked or run, but for those whose reader is waited for

	mu      sync.Mutex
	reading map[*pacedWriter]struct{}
	waiting int
}

// stallForOthers is how long a reader may take nothing while somebody waits for a place.
const stallForOthers = 500 * time.Millisecond

var errNoPlace = errors.New("no place has become free")

func newReaders(most, work int) *readers {
	return &readers{most: most, work: make(chan struct{}, work), reading: map[*pacedWriter]struct{}{}}
}

// acquire waits for a place and for work to begin, until ctx ends. Release gives both back. As many may wait as there are places;
// the error is errNoPlace.
func (p *readers) acquire(ctx context.Context, w *pacedWriter) (release func(), err error) {
	p.mu.Lock()
	for admitted := p.admit(w); !admitted; admitted = p.admit(w) {
		if p.waiting == p.most {
			p.mu.Unlock()
			return nil, errNoPlace
		}
		p.waiting++
		p.mu.Unlock()
		waited := clock.Sleep(ctx, nil, stallForOthers/10)
		p.mu.Lock()
		p.waiting--
		if !waited {
			p.mu.Unlock()
			return nil, errNoPlace
		}
	}
	p.mu.Unlock()
	select {
	case p.work <- struct{}{}:
		w.work = p.work
	case <-ctx.Done():
		p.release(w)
		return nil, errNoPlace
	}
	return func() { p.release(w) }, nil
}

// admit gives a reader a place, perhaps that of the one that has taken nothing for the longest. The caller holds mu.
func (p *readers) admit(w *pacedWriter) bool {
	if len(p.reading) >= p.most {
		var slowest *pacedWriter
		longest := stallForOthers
		for other := range p.reading {
			if idle := other.idle(); idle >= longest {
				slowest, longest = other, idle
			}
		}
		if slowest == nil {
			return false
		}
		delete(p.reading, slowest)
		slowest.cutOff()
	}
	p.reading[w] = struct{}{}
	return true
}

func (p *readers) release(w *pacedWriter) {
	p.mu.Lock()
	delete(p.reading, w) // its place may be another's already
	p.mu.Unlock()
	if w.work != nil {
		<-w.work
	}
}
