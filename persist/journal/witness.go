package journal

import (
	"context"
	"fmt"
	"time"

	"github.com/roomring/roomring/room"
)

// Witness knows, outside this process, which steps are under way in case the process dies: see BlackBox.Watch.
type Witness interface {
	// Before is called before an input is stepped, and reports whether a witness knows of the step now. It may block.
	Before(id room.ID, fingerprint uint64) (told bool)
	// Long is called by Scan for a step that takes long, be it of an input or a replay. It must not block.
	Long(id room.ID, fingerprint uint64)
	// After is called when a step has returned for which Before returned true or Long was called. It must not block.
	After(id room.ID, fingerprint uint64)
}

// Watch sets the witness. Call it before the first step.
func (b *BlackBox) Watch(w Witness) { b.witness = w }

// Scan calls the witness's Long, once a step, for every step that was under way already when Scan was called last. It must not be
// called concurrently. It looks at one word of each slot; a step that is quicker pays nothing for it.
func (b *BlackBox) Scan() {
	b.tells.Lock()
	defer b.tells.Unlock()
	for i := range b.slots.table {
		s := &b.slots.table[i]
		if s.state.Load() != slotSet {
			b.seen[i] = 0
			continue
		}
		turn := s.turn.Load()
		if b.seen[i] != turn {
			b.seen[i] = turn
			continue
		}
		if b.witness == nil || !s.state.CompareAndSwap(slotSet, slotTold) { // nobody watches, or the step has returned
			continue
		}
		// From here on the step cannot give its slot back. A later one may have taken it just before.
		if s.turn.Load() != turn {
			s.state.Store(slotSet)
			continue
		}
		b.witness.Long(s.id(), s.fingerprint)
	}
}

// releaseTold ends a step that the witness knows of, or that Scan has mistaken for an earlier one.
func (b *BlackBox) releaseTold(s *slot) {
	b.tells.Lock()
	defer b.tells.Unlock()
	if s.state.Load() == slotTold {
		b.witness.After(s.id(), s.fingerprint)
	}
	s.state.Store(slotFree)
}

// Deaths returns how many processes are known to have died in a step of a room.
func (b *BlackBox) Deaths(id room.ID, fingerprint uint64) int {
	if p := b.suspects.Load(); p != nil {
		return (*p)[suspect{id, fingerprint}]
	}
	return 0
}

// Exhausted reports whether MaxTries processes have died in a step of a room.
func (b *BlackBox) Exhausted(id room.ID, fingerprint uint64) bool {
	return b.Deaths(id, fingerprint) >= b.journal.options.MaxTries
}

// Strike notes that so many processes have died in a step of a room, some of them elsewhere, and returns when that is written. It
// changes nothing if the box knows of as many.
func (b *BlackBox) Strike(ctx context.Context, id room.ID, fingerprint uint64, deaths int) error {
	written := make(chan error, 1)
	if err := b.strike(suspect{id, fingerprint}, deaths, func(err error) { written <- err }); err != nil {
		return fmt.Errorf("the journal could not note that processes died in room %s: %w", id, err)
	}
	select {
	case err := <-written:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *BlackBox) strike(s suspect, deaths int, done func(error)) error {
	b.struck.Store(int64(time.Since(b.opened)))
	b.mu.Lock()
	defer b.mu.Unlock()
	found := b.found()
	if found == nil {
		found = make(map[suspect]int)
	}
	if found[s] >= deaths {
		done(nil)
		return nil
	}
	found[s] = deaths
	b.setSuspects(found)
	return b.journal.queue.add(func(*queue) (change, error) { return strike{s, deaths}, nil }, done)
}
