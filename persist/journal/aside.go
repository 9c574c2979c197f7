package journal

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Aside is a room that was set aside.
type Aside struct {
	Key    int64 // identifies it: a room may be set aside more than once
	Room   room.ID
	Reason string
	At     time.Time
	Last   room.Index // the end of its log
	Bytes  int64      // of its log and snapshots
}

// asideRooms are the rooms that were set aside. Only the writer changes them, any goroutine may read them.
type asideRooms struct {
	mu    sync.Mutex
	rooms map[int64]*roomFile
}

// asideNote is the content of the file beside a room that was set aside.
type asideNote struct {
	Reason string
	At     time.Time
	Last   room.Index
	Bytes  int64
	Time   time.Duration // where the room's clock stands
}

func (a *asideRooms) add(r *roomFile) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rooms[r.key] = r
}

func (a *asideRooms) forget(r *roomFile) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.rooms, r.key)
}

func (a *asideRooms) find(key int64) *roomFile {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rooms[key]
}

func (a *asideRooms) all() []*roomFile {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Collect(maps.Values(a.rooms))
}

func (a *asideRooms) note(d *disk, r *roomFile, n asideNote) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return d.put(r.name(whySuffix), text)
}

// readNote reads the note of a room that was set aside. If it cannot be read, its content is lost and nothing else.
func (j *Journal) readNote(r *roomFile) (n asideNote, err error) {
	data, err := readIfThere(j.loop.writer.disk.path(r.name(whySuffix)))
	if err != nil {
		return n, err
	}
	if json.Unmarshal(data, &n) != nil {
		n = asideNote{Reason: "the reason cannot be read"}
		n.At, err = mtime(j.loop.writer.disk.path(r.name(asideSuffix)))
	}
	return n, err
}

// ListAside lists the rooms that were set aside, newest first.
func (j *Journal) ListAside(context.Context) ([]Aside, error) {
	var list []Aside
	for _, r := range j.loop.writer.aside.all() {
		n, err := j.readNote(r)
		if err != nil {
			return nil, err
		}
		list = append(list, Aside{Key: r.key, Room: r.id, Reason: n.Reason, At: n.At.Local(), Last: n.Last, Bytes: n.Bytes})
	}
	slices.SortFunc(list, func(a, b Aside) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.Key, a.Key)) })
	return list, nil
}

// NoteAside replaces the reason of a room that was set aside. It returns when that is written.
func (j *Journal) NoteAside(ctx context.Context, key int64, reason string) error {
	return j.wait(ctx, func(*queue) (change, error) { return noteAside{j, key, reason}, nil })
}

// noteAside replaces the reason of a room that was set aside.
type noteAside struct {
	j      *Journal
	key    int64
	reason string
}

func (c noteAside) apply(w *writer) error {
	r := w.aside.find(c.key)
	if r == nil {
		return nil
	}
	n, err := c.j.readNote(r)
	if err != nil {
		return err
	}
	n.Reason = c.reason
	return w.aside.note(&w.disk, r, n)
}

// LoadAside reads a room that was set aside. Errors: record.ErrNotFound, *DamagedError and those of the disk.
func (j *Journal) LoadAside(_ context.Context, key int64) (record.Kept, error) {
	r := j.loop.writer.aside.find(key)
	if r == nil {
		return record.Kept{}, errNotFound
	}
	s, err := r.read(j.path, asideSuffix, false)
	if err != nil {
		return record.Kept{}, err
	}
	n, err := j.readNote(r)
	if err != nil {
		return record.Kept{}, err
	}
	s.seen = n.Last
	if s.torn {
		s.bad = tornReason(s)
	}
	kept, _, err := s.kept(n.Time, j.loop.writer.marks.unsure(key, s.loss))
	if err != nil {
		return record.Kept{}, &DamagedError{Room: r.id, Err: err}
	}
	return kept, nil
}
