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
	Key    int64 // names it: a room may be set aside more than once
	Room   room.ID
	Reason string
	At     time.Time
	Last   room.Index // the end of its log
	Bytes  int64      // of its log and snapshots
}

// asides are the rooms that were set aside. The writer changes them, anybody may ask.
type asides struct {
	mu    sync.Mutex
	rooms map[int64]*roomFile
}

// asideNote is what stands in a file beside a room that was set aside.
type asideNote struct {
	Reason string
	At     time.Time
	Last   room.Index
	Bytes  int64
	Time   time.Duration // room time stands here
}

func (a *asides) add(r *roomFile) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rooms[r.key] = r
}

func (a *asides) forget(r *roomFile) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.rooms, r.key)
}

func (a *asides) find(key int64) *roomFile {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rooms[key]
}

func (a *asides) all() []*roomFile {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Collect(maps.Values(a.rooms))
}

func (a *asides) note(d *disk, r *roomFile, n asideNote) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return d.put(r.name(whySuffix), text)
}

// readNote reads what is noted of a room. A note that cannot be read costs what it says.
func (j *Journal) readNote(r *roomFile) (n asideNote, err error) {
	data, err := readOr(j.writer.disk.path(r.name(whySuffix)))
	if err != nil {
		return n, err
	}
	if json.Unmarshal(data, &n) != nil {
		n = asideNote{Reason: "what was noted of it cannot be read"}
		n.At, err = mtime(j.writer.disk.path(r.name(asideSuffix)))
	}
	return n, err
}

// ListAside lists the rooms that were set aside, newest first.
func (j *Journal) ListAside(context.Context) ([]Aside, error) {
	var list []Aside
	for _, r := range j.writer.aside.all() {
		n, err := j.readNote(r)
		if err != nil {
			return nil, err
		}
		list = append(list, Aside{Key: r.key, Room: r.id, Reason: n.Reason, At: n.At.Local(), Last: n.Last, Bytes: n.Bytes})
	}
	slices.SortFunc(list, func(a, b Aside) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.Key, a.Key)) })
	return list, nil
}

// NoteAside gives a room that was set aside another reason. It returns when that is written.
func (j *Journal) NoteAside(ctx context.Context, key int64, reason string) error {
	return j.wait(ctx, func(*queue) (change, error) { return noteAside{j, key, reason}, nil })
}

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

// LoadAside reads a room that was set aside. Errors: ErrUnknown, *DamagedError and those of the disk.
func (j *Journal) LoadAside(_ context.Context, key int64) (record.Kept, error) {
	r := j.writer.aside.find(key)
	if r == nil {
		return record.Kept{}, ErrUnknown
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
	kept, _, err := s.kept(n.Time)
	if err != nil {
		return record.Kept{}, &DamagedError{Room: r.id, Err: err}
	}
	return kept, nil
}
