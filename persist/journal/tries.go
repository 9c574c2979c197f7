package journal

import (
	"encoding/json"
	"maps"
	"sync/atomic"

	"github.com/roomring/roomring/room"
)

// tries say how often a process died while it stepped an input of a room. They are one small file, written whole; the writer owns them, and
// readers may have a copy.
type tries struct {
	generation string // of the black box that is counted in them
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

// readTries reads them; a file that cannot be read says nothing, as one that is not there.
func readTries(path string) (*tries, error) {
	t := &tries{}
	counts := make(map[suspect]int)
	data, err := readOr(path)
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

// count adds a box. Each counts once, even if the process dies between counting it and starting a new one. Rooms that no journal brings
// back cannot kill again and are left out.
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

// drop forgets those that are to be forgotten.
func (t *tries) drop(d *disk, is func(suspect) bool) error {
	counts := maps.Clone(*t.counts.Load())
	maps.DeleteFunc(counts, func(s suspect, _ int) bool { return is(s) })
	if len(counts) == len(*t.counts.Load()) {
		return nil
	}
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
