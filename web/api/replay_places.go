package api

import (
	"context"
	"errors"
	"sync"
	"time"
)

// places are those of people who watch replays: as many as there is memory for, and few of them at work at a time. Who comes
// when all are taken gets that of the reader who has taken nothing for longest; while all take something, who comes waits.
type places struct {
	most int
	work chan struct{} // holds one for each replay that is unpacked or run, while its reader is not waited for

	mu      sync.Mutex
	taken   map[*pacedWriter]struct{}
	waiting int
}

// giveWay is how long a reader may take nothing while somebody waits for a place.
const giveWay = 500 * time.Millisecond

var errNoPlace = errors.New("no place has become free")

func newPlaces(most, work int) *places {
	return &places{most: most, work: make(chan struct{}, work), taken: map[*pacedWriter]struct{}{}}
}

// enter waits for a place and for work to begin, and returns what gives both back.
func (p *places) enter(ctx context.Context, w *pacedWriter) (leave func(), err error) {
	if err := p.wait(ctx, w); err != nil {
		return nil, err
	}
	select {
	case p.work <- struct{}{}:
		w.work = p.work
	case <-ctx.Done():
		p.leave(w)
		return nil, errNoPlace
	}
	return func() { p.leave(w) }, nil
}

// wait is for a place. As many may wait as there are places.
func (p *places) wait(ctx context.Context, w *pacedWriter) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.take(w) {
		return nil
	}
	if p.waiting == p.most {
		return errNoPlace
	}
	p.waiting++
	defer func() { p.waiting-- }()
	for !p.take(w) {
		p.mu.Unlock()
		select {
		case <-time.After(giveWay / 10):
		case <-ctx.Done():
		}
		p.mu.Lock()
		if ctx.Err() != nil {
			return errNoPlace
		}
	}
	return nil
}

// take gives w a place, if there is one or somebody has to give way. The caller holds mu.
func (p *places) take(w *pacedWriter) bool {
	if len(p.taken) >= p.most && !p.evict() {
		return false
	}
	p.taken[w] = struct{}{}
	return true
}

// evict cuts off the reader who has taken nothing for longest, if that is long enough.
func (p *places) evict() bool {
	var last *pacedWriter
	longest := giveWay
	for w := range p.taken {
		if idle := w.idle(); idle >= longest {
			last, longest = w, idle
		}
	}
	if last == nil {
		return false
	}
	delete(p.taken, last)
	last.cut()
	return true
}

func (p *places) leave(w *pacedWriter) {
	p.mu.Lock()
	delete(p.taken, w) // it may have gone to somebody else
	p.mu.Unlock()
	if w.work != nil {
		<-w.work
	}
}
