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

// Replaying is the fingerprint of a room's replay as a whole.
const Replaying uint64 = 1<<64 - 1

// Opening is the fingerprint of making a room. The journal does not know the room yet, so the next life suspects no room:
// it only logs which game it was.
const Opening uint64 = 1<<64 - 2

// Rerunning is the fingerprint of running a log that no start restores. Like Opening it is recorded with the game.
const Rerunning uint64 = 1<<64 - 3

// BlackBox finds the input that kills a process. It records the steps under way in a memory-mapped
// file, which the operating system keeps when the process is gone, whatever ended it. The next
// life counts the steps that it finds there. A room in which the same step was found MaxTries times is poisoned. Processes of other
// machines that died in a step of the room count too: see Strike, and Witness.
// Any goroutine may call its methods, and none but Strike and Begin block. Begin and Release cost tens of
// nanoseconds and no allocation.
type BlackBox struct {
	journal  *Journal
	slots    *slots
	path     string
	opened   time.Time
	struck   atomic.Int64 // the time.Duration from then to the last Strike
	missed   atomic.Uint64
	witness  Witness
	tells    sync.Mutex                      // held to end a step that the witness knows of, and by Scan
	seen     []uint32                        // the turns of the slots that the Scan before has found set; 0: it was not
	mu       sync.Mutex                      // held to change suspects
	suspects atomic.Pointer[map[suspect]int] // how many processes died in each; nil when there are none
}

// suspect is a step in which a process died.
type suspect struct {
	room        room.ID
	fingerprint uint64
}

// Step is a step under way. Release it when the step has returned, also after a panic that is recovered.
type Step struct {
	box  *BlackBox
	slot *slot
}

// Begin records that a room is about to step an input with that fingerprint (Input.Fingerprint). If
// all slots near the room's own are taken the step is not recorded, and Stats.Missed counts it. It blocks only if the Witness does.
func (b *BlackBox) Begin(id room.ID, fingerprint uint64) Step {
	told := b.witness != nil && b.witness.Before(id, fingerprint)
	s := b.begin(id, fingerprint)
	switch {
	case !told:
	case s.slot == nil:
		b.witness.After(id, fingerprint)
	default:
		s.slot.state.Store(slotTold)
	}
	return s
}

func (b *BlackBox) begin(id room.ID, fingerprint uint64) Step {
	s := b.slots.claim(id, fingerprint)
	if s == nil {
		b.missed.Add(1)
	}
	return Step{box: b, slot: s}
}

// BeginReplay records that a room is about to be replayed. Begin may record the replay's entries as well.
func (b *BlackBox) BeginReplay(id room.ID) Step { return b.begin(id, Replaying) }

// BeginOpen records that a game is about to make a new room. id may be empty when it has none yet.
func (b *BlackBox) BeginOpen(id room.ID, game string) Step {
	return b.begin(id+slotGame+room.ID(game), Opening)
}

// BeginRerun records that a game is about to run the log of a room that no start restores.
func (b *BlackBox) BeginRerun(id room.ID, game string) Step {
	return b.begin(id+slotGame+room.ID(game), Rerunning)
}

// Release records that the step has returned.
func (s Step) Release() {
	if s.slot == nil {
		return
	}
	if known := s.box.suspects.Load(); known != nil {
		s.box.forgive(*known, suspect{s.slot.id(), s.slot.fingerprint})
	}
	if !s.slot.state.CompareAndSwap(slotSet, slotFree) {
		s.box.releaseTold(s.slot)
	}
}

// forgive clears a suspect that has returned. The process must also have run for a while since it started, or was told of
// a death: of many equal ticks only the tenth may be fatal.
func (b *BlackBox) forgive(known map[suspect]int, s suspect) {
	if _, found := known[s]; !found {
		return
	}
	if s.fingerprint != Replaying && time.Since(b.opened)-time.Duration(b.struck.Load()) < b.journal.options.ForgiveAfter {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.found()
	delete(left, s)
	b.setSuspects(left)
	b.journal.queue.enqueue(forgive{s})
}

// found returns a copy of the suspects.
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

// Poison is the evidence against a room.
type Poison struct {
	Fingerprint uint64 // of the input; Replaying for a replay
	Tries       int    // processes that died in it
}

// Poisoned reports whether MaxTries processes have died in the same step of a room, or in its
// replay and no replay has succeeded since. Such a room must be SetAside, which also clears the suspects.
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

// Struck is the step of a room in which the most processes are known to have died; the zero Strike: none has.
func (b *BlackBox) Struck(id room.ID) record.Strike {
	p, _ := b.Poisoned(id)
	return record.Strike{Fingerprint: p.Fingerprint, Deaths: p.Tries}
}

// Suspected reports whether a process has died in a step of a room, or in its replay, which has not succeeded since.
func (b *BlackBox) Suspected(id room.ID) bool {
	p, _ := b.Poisoned(id)
	return p.Tries > 0
}

// forget drops the suspects of a room that is removed or set aside.
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

// enqueue adds a change that nobody waits for.
func (q *queue) enqueue(c change) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.push(command{change: c})
	}
}

// openBlackBox reads what the life before has left, and returns the change that counts it. Once that is written, start
// starts the box anew.
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

// gameOf is a live room's game. It is empty if the journal has no such room or cannot read its header.
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

func (b *BlackBox) start(tries *tries) (err error) {
	b.setSuspects(*tries.counts.Load())
	if b.slots, err = newSlots(b.path, rand.Text(), b.journal.options.BlackBoxSlots); err != nil {
		return err
	}
	b.seen = make([]uint32, len(b.slots.table))
	return nil
}
