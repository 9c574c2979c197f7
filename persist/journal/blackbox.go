package journal

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Replaying is the fingerprint under which a room's replay as a whole is marked.
const Replaying uint64 = 1<<64 - 1

// Opening is the fingerprint under which a room's making is marked. The journal does not know the room yet, so that the
// next life has nothing to hold against it: it only says which game it was.
const Opening uint64 = 1<<64 - 2

// Rerunning is the fingerprint under which the run of a log that no start brings back is marked, with the game, as Opening is.
const Rerunning uint64 = 1<<64 - 3

// BlackBox finds the input that kills a process. What is being stepped stands in a memory-mapped
// file, and the operating system keeps that when the process is gone, whatever ended it. The next
// life counts what it finds; a room in which the same step was found MaxTries times is poisoned.
// Its methods may be called by any goroutine and never block; Begin and Release cost tens of
// nanoseconds and no allocation.
type BlackBox struct {
	journal  *Journal
	slots    *slots
	path     string
	opened   time.Time
	missed   atomic.Uint64
	mu       sync.Mutex                      // of those who change suspects
	suspects atomic.Pointer[map[suspect]int] // how often each was found; nil when nobody is
}

// suspect is a step that a process died in.
type suspect struct {
	room        room.ID
	fingerprint uint64
}

// Step is a step under way. Release it when it has returned, also by a panic that is recovered.
type Step struct {
	box  *BlackBox
	slot *slot
}

// Begin notes that a room is about to step an input with that fingerprint (Input.Fingerprint). If
// all slots near the room's are taken the step goes on unnoted, and Stats.Missed counts it.
func (b *BlackBox) Begin(id room.ID, fingerprint uint64) Step {
	s := b.slots.claim(id, fingerprint)
	if s == nil {
		b.missed.Add(1)
	}
	return Step{box: b, slot: s}
}

// BeginReplay notes that a room is about to be replayed. The entries may be noted with Begin beside it.
func (b *BlackBox) BeginReplay(id room.ID) Step { return b.Begin(id, Replaying) }

// BeginOpen notes that a game is about to open a new room; id "" is none in particular.
func (b *BlackBox) BeginOpen(id room.ID, game string) Step {
	return b.Begin(id+slotGame+room.ID(game), Opening)
}

// BeginRerun notes that a game is about to run the log of a room again that no start brings back.
func (b *BlackBox) BeginRerun(id room.ID, game string) Step {
	return b.Begin(id+slotGame+room.ID(game), Rerunning)
}

// Release notes that the step has returned.
func (s Step) Release() {
	if s.slot == nil {
		return
	}
	if known := s.box.suspects.Load(); known != nil {
		s.box.acquit(*known, suspect{s.slot.id(), s.slot.fingerprint})
	}
	s.slot.state.Store(slotFree)
}

// acquit forgives a suspect that has returned. A step must also have let the process live for a
// while: the fatal one among many equal ticks may be the tenth.
func (b *BlackBox) acquit(known map[suspect]int, s suspect) {
	if _, found := known[s]; !found {
		return
	}
	if s.fingerprint != Replaying && time.Since(b.opened) < b.journal.options.ForgiveAfter {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.found()
	delete(left, s)
	b.setSuspects(left)
	b.journal.queue.tell(forgive{s})
}

// found is a copy of the suspects.
func (b *BlackBox) found() map[suspect]int {
	if p := b.suspects.Load(); p != nil {
		return maps.Clone(*p)
	}
	return nil
}

func (b *BlackBox) setSuspects(all map[suspect]int) {
	if len(all) == 0 {
		b.suspects.Store(nil)
		return
	}
	b.suspects.Store(&all)
}

// Poison is what speaks against a room.
type Poison struct {
	Fingerprint uint64 // of the input; Replaying for a replay
	Tries       int    // processes that died in it
}

// Poisoned tells whether MaxTries processes have died in one and the same step of a room, or in its
// replay without one having come through since. Such a room is to be SetAside, which clears its name.
func (b *BlackBox) Poisoned(id room.ID) (Poison, bool) {
	var worst Poison
	if p := b.suspects.Load(); p != nil {
		for s, tries := range *p {
			if s.room == id && tries > worst.Tries {
				worst = Poison{Fingerprint: s.fingerprint, Tries: tries}
			}
		}
	}
	return worst, worst.Tries >= b.journal.options.MaxTries
}

// Suspected tells whether a process has died in a step of a room, or in its replay, and it has not come through since.
func (b *BlackBox) Suspected(id room.ID) bool {
	p, _ := b.Poisoned(id)
	return p.Tries > 0
}

// forget drops what was found against a room that is removed or set aside.
func (b *BlackBox) forget(id room.ID) {
	if b.suspects.Load() == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.found()
	maps.DeleteFunc(left, func(s suspect, _ int) bool { return s.room == id })
	b.setSuspects(left)
}

// tell queues a change that nobody waits for.
func (q *queue) tell(c change) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.push(command{change: c})
	}
}

// openBlackBox reads what the life before has left. The change counts it; begin starts the box anew
// and comes after that is written.
func openBlackBox(path string, j *Journal) (*BlackBox, countTries, error) {
	left, generation, err := readSlots(path)
	if err != nil {
		return nil, countTries{}, err
	}
	for s, game := range left {
		if game == "" {
			game = j.gameOf(s.room)
		}
		var attrs []any
		if s.room != "" {
			attrs = append(attrs, "room", s.room)
		}
		if game != "" {
			attrs = append(attrs, "game", game)
		}
		attrs = append(attrs, "opening", s.fingerprint == Opening, "replaying", s.fingerprint == Replaying || s.fingerprint == Rerunning)
		j.options.Log.Warn("the process before ended while a room was stepped", attrs...)
	}
	return &BlackBox{journal: j, path: path, opened: time.Now()}, countTries{left, generation, j.queue.has}, nil
}

// gameOf is a live room's game; "" when the journal has no such room or cannot read what it has of it.
func (j *Journal) gameOf(id room.ID) string {
	t, err := j.queue.find(id)
	if err != nil {
		return ""
	}
	s, err := t.file.read(j.path, logSuffix, false)
	var header record.Header
	if err != nil || json.Unmarshal(s.header, &header) != nil {
		return ""
	}
	return header.Game
}

func (b *BlackBox) begin(tries *tries) (err error) {
	b.setSuspects(*tries.counts.Load())
	b.slots, err = newSlots(b.path, rand.Text(), b.journal.options.BlackBoxSlots)
	return err
}
