package link

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/roomring/roomring/room/clock"
)

// silenceTicks is how often silence is looked at in Options.Silence. A peer is silent only after that many looks, so that
// a process that gets no CPU, and has not read what the peer said, does not call it silent.
const silenceTicks = 8

// signs tells whether a peer's process lives, from all streams between the two nodes together.
//
//   - It is gone when none of its streams stands any more, its kernel has closed or reset one of the last, and a dial is
//     refused at once, or answered by another process of the same node. A process whose listener is closed and that still
//     has a stream to this node is not gone.
//   - It is silent when nothing at all was heard of it for Options.Silence, whatever the state of its streams, and no other node hears it; or when it is no longer a target.
//     If one does, it has as long again, in which the other node may carry its connections.
//
// Time is that of Options.Clock, which stands still while this process does not run.
type signs struct {
	p    *peer
	wake chan struct{} // a stream has begun or ended

	mu       sync.Mutex
	heard    time.Duration // when the peer said something last
	hungUp   bool          // the peer's side has closed a stream since the last one began
	replaced bool          // another process of the node answers at its address
	looks    int           // without anything heard
	silent   bool
	vouched  bool // another node has heard it since this one did
	gone     bool
	told     bool // that it is gone; once for a boot
}

func newSigns(p *peer) *signs { return &signs{p: p, wake: make(chan struct{}, 1)} }

// begun notes that a stream of the peer stands.
func (s *signs) begun() {
	s.mu.Lock()
	s.hungUp = false
	s.mu.Unlock()
	s.look()
}

// ended notes that a stream does not stand any more.
func (s *signs) ended(st *stream, by *conn) {
	s.mu.Lock()
	s.heard = max(s.heard, time.Duration(st.heard.Load()))
	s.hungUp = s.hungUp || by.hungUp() || errors.Is(st.err, errEnded)
	s.mu.Unlock()
	s.look()
}

// another notes that another process of the node has answered.
func (s *signs) another() {
	s.mu.Lock()
	s.replaced = true
	s.mu.Unlock()
	s.look()
}

func (s *signs) look() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *signs) state() (silent, gone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.silent, s.gone
}

// watch judges the peer until ctx ends or Links close. All calls of Gone, Silent and Heard come from it.
func (s *signs) watch(ctx context.Context) {
	o := &s.p.l.o
	o.Clock.Use(1)
	defer o.Clock.Use(-1)
	s.mu.Lock()
	s.heard = o.Clock.Now()
	s.mu.Unlock()
	ticks := clock.NewTicker(o.Clock, o.Silence/silenceTicks)
	defer ticks.Stop()
	for {
		look := 0
		select {
		case <-ctx.Done():
			s.part()
			return
		case <-s.p.l.closing.Done():
			return
		case <-s.wake:
		case <-ticks.C:
			look = 1
		}
		streams := s.p.streams()
		quiet := s.judge(streams, look)
		if quiet && !s.vouch(ctx) && o.Silent != nil {
			o.Silent(s.p.target.Peer)
		}
		if s.mayBeGone(len(streams)) && s.refused(ctx) && s.isGone() && o.Gone != nil {
			o.Gone(s.p.target.Peer)
		}
	}
}

// judge calls Heard if the peer speaks again, and reports whether it has fallen silent.
func (s *signs) judge(streams []*stream, look int) (quiet bool) {
	o := &s.p.l.o
	heard := lastHeard(streams)
	s.mu.Lock()
	if s.looks += look; heard <= s.heard {
		defer s.mu.Unlock()
		return !s.silent && !s.gone && s.looks >= silenceTicks && o.Clock.Now()-s.heard >= o.Silence
	}
	again := s.silent || s.gone
	s.heard, s.looks = heard, 0
	s.silent, s.gone, s.vouched = false, false, false
	s.mu.Unlock()
	if again && o.Heard != nil {
		o.Heard(s.p.target.Peer)
	}
	return false
}

// part judges a peer that is no longer a target. Its connection has broken and gossip tells of it no more, so nobody would find out later that
// it is silent.
func (s *signs) part() {
	o := &s.p.l.o
	s.mu.Lock()
	told := s.silent || s.gone
	s.silent = true
	s.mu.Unlock()
	if !told && s.p.l.closing.Err() == nil && !s.p.l.targets(s.p.target.Peer) && o.Silent != nil {
		o.Silent(s.p.target.Peer)
	}
}

func lastHeard(streams []*stream) (at time.Duration) {
	for _, st := range streams {
		at = max(at, time.Duration(st.heard.Load()))
	}
	return at
}

// vouch reports whether another node hears the peer, which then has Options.Silence once more. Otherwise it is silent. It takes no longer than the
// time between two looks.
func (s *signs) vouch(ctx context.Context) bool {
	s.mu.Lock()
	again := s.vouched
	s.mu.Unlock()
	vouched := !again && s.p.l.othersHear(ctx, s.p)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.vouched, s.silent = vouched, !vouched
	if vouched {
		s.heard, s.looks = s.p.l.o.Clock.Now(), 0
	}
	return vouched
}

// mayBeGone reports whether a dial would tell more.
func (s *signs) mayBeGone(streams int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return streams == 0 && s.hungUp && !s.told
}

func (s *signs) isGone() (first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.hungUp || s.told {
		return false
	}
	s.gone, s.told = true, true
	return true
}

// refused reports whether nobody, or somebody else, answers at the peer's address. It takes no longer than the time
// between two looks.
func (s *signs) refused(ctx context.Context) bool {
	s.mu.Lock()
	replaced := s.replaced
	s.mu.Unlock()
	if replaced {
		return true
	}
	d := net.Dialer{Timeout: s.p.l.o.Silence / silenceTicks}
	c, err := d.DialContext(ctx, "tcp", s.p.target.Addr)
	if err == nil {
		_ = c.Close()
		return false
	}
	return isRefused(err)
}

func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
