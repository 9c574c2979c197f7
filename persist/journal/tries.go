package journal

import (
	"encoding/json"
	"maps"
	"sync/atomic"

	"github.com/roomring/roomring/room"
)

// tries count how often a process died in a step of a room. They are one small file, which is written whole. Only the writer changes them,
// any goroutine may read them.
type tries struct {
	generation string // of the last black box that was counted
	counts     atomic.Pointer[map[suspect]int]
}

type triesFile struct {
	Generation string
	Tries      []triesLine
}

type triesLine struct {
	Room        room.ID
	Fingerprint uint64
	Count       int
}

// readTries reads the tries. A file that cannot be decoded counts as empty, like one that does not exist.
func readTries(path string) (*tries, error) {
	t := &tries{}
	counts := make(map[suspect]int)
	data, err := readIfThere(path)
	if err != nil {
		return nil, err
	}
	var f triesFile
	if json.Unmarshal(data, &f) == nil {
		t.generation = f.Generation
		for _, l := range f.Tries {
			counts[suspect{l.Room, l.Fingerprint}] = l.Count
		}
	}
	t.counts.Store(&counts)
	return t, nil
}

func (t *tries) write(d *disk, generation string, counts map[suspect]int) error {
	f := triesFile{Generation: generation}
	for s, n := range counts {
		f.Tries = append(f.Tries, triesLine{s.room, s.fingerprint, n})
	}
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if err := d.put(triesName, text); err != nil {
		return err
	}
	t.generation = generation
	t.counts.Store(&counts)
	return nil
}

// count adds the steps of a black box. Each box counts once, even if the process dies after counting it and before starting a new one.
// Rooms that the journal does not hold cannot kill again and are left out.
func (t *tries) count(d *disk, c countTries) error {
	if t.generation == c.generation {
		return nil
	}
	counts := maps.Clone(*t.counts.Load())
	for s := range c.left {
		counts[s]++
	}
	maps.DeleteFunc(counts, func(s suspect, _ int) bool { return !c.live(s.room) })
	return t.write(d, c.generation, counts)
}

// drop deletes the suspects for which is returns true.
func (t *tries) drop(d *disk, is func(suspect) bool) error {
	counts := maps.Clone(*t.counts.Load())
	maps.DeleteFunc(counts, func(s suspect, _ int) bool { return is(s) })
	if len(counts) == len(*t.counts.Load()) {
		return nil
	}
	return t.write(d, t.generation, counts)
}

// strike raises a suspect's count.
func (t *tries) strike(d *disk, s suspect, deaths int) error {
	counts := maps.Clone(*t.counts.Load())
	counts[s] = max(counts[s], deaths)
	return t.write(d, t.generation, counts)
}

func (t *tries) forgive(d *disk, one suspect) error {
	return t.drop(d, func(s suspect) bool { return s == one })
}

func (t *tries) forget(d *disk, id room.ID) error {
	if len(*t.counts.Load()) == 0 {
		return nil
	}
	return t.drop(d, func(s suspect) bool { return s.room == id })
}
