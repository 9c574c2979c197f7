package rest

import (
	"sync"
	"time"
)

// seldom remembers what has been said, so that a log that strangers can make speak says each thing once. It knows at most
// so many things; what comes beyond them stays unsaid until the oldest has been known for a while.
type seldom struct {
	most int

	mu   sync.Mutex
	said map[string]time.Time
}

func newSeldom(most int) *seldom { return &seldom{most: most, said: map[string]time.Time{}} }

// first reports whether this is to be said now. When there is no room for it, what was said longer ago than while is
// forgotten, and may be said again.
func (s *seldom) first(what string, now time.Time, while time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.said[what]; known {
		return false
	}
	if len(s.said) >= s.most {
		for old, at := range s.said {
			if now.Sub(at) >= while {
				delete(s.said, old)
			}
		}
	}
	if len(s.said) >= s.most {
		return false
	}
	s.said[what] = now
	return true
}
