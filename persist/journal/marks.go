package journal

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room"
)

// marks are written every Options.MarkEvery, for all rooms together. They hold how far the node's time has come in this life, and in
// the earlier lives that a room's clock may refer to, and where all logs end. The ends reveal damage that leaves no other
// trace: a log that is now shorter than at the last mark. The marks also hold the id of this start of the machine.
type marks struct {
	life  int64
	now   atomic.Int64            // this life's newest mark, in ns
	lives map[int64]time.Duration // the lives before, as they were read
	ends  map[int64]room.Index    // by key; only the writer uses it
	boot  string                  // of the machine; empty: not known
	sync  bool                    // this life waits for the disk
	clean bool                    // everything is on the disk and nothing was written afterwards
	dirty bool                    // ends have changed since they were written
	known bool                    // the marks could be read

	loss    int64 // identifies the newest loss of power; 0: there was none
	before  int64 // that one concerns the rooms with keys below this
	pending bool  // not all rooms have been looked at since

	earlier atomic.Pointer[map[int64]time.Duration] // the lives before that are still needed
}

const marksMagic = "RRMARK1\n"

// readMarks reads the marks of the life before and makes those of a new life. Damaged marks are empty.
func readMarks(path string) (before, now *marks, err error) {
	data, err := readIfThere(path)
	if err != nil {
		return nil, nil, err
	}
	before = decodeMarks(data)
	now = &marks{life: newID(), ends: maps.Clone(before.ends), loss: before.loss, before: before.before, pending: before.pending}
	lives := maps.Clone(before.lives)
	now.earlier.Store(&lives)
	return before, now, nil
}

// newID returns a number that identifies a life or a loss of power.
func newID() int64 { return 1 + rand.Int64N(1<<62) }

func decodeMarks(data []byte) *marks {
	m := &marks{lives: make(map[int64]time.Duration), ends: make(map[int64]room.Index)}
	body, ok := bytes.CutPrefix(data, []byte(marksMagic))
	if !ok || len(body) < 4 {
		return m
	}
	sum := binary.LittleEndian.Uint32(body)
	if body = body[4:]; crc32.Checksum(body, castagnoli) != sum {
		return m
	}
	number := func() int64 {
		n, width := binary.Varint(body)
		body = body[max(width, 0):]
		return n
	}
	flags := number()
	m.sync, m.clean, m.pending = flags&1 != 0, flags&2 != 0, flags&4 != 0
	n := min(number(), int64(len(body)))
	m.boot, body = string(body[:n]), body[n:]
	m.known = true
	for range number() {
		life := number()
		m.lives[life] = time.Duration(number())
	}
	for range number() {
		key := number()
		m.ends[key] = room.Index(number())
	}
	if len(body) > 0 {
		m.loss, m.before = number(), number()
	}
	return m
}

func (m *marks) encode(now time.Duration) []byte {
	flags := int64(0)
	if m.sync {
		flags |= 1
	}
	if m.clean {
		flags |= 2
	}
	if m.pending {
		flags |= 4
	}
	lives := *m.earlier.Load()
	to := make([]byte, len(marksMagic)+4, 64+len(m.boot)+20*len(lives)+8*len(m.ends))
	copy(to, marksMagic)
	add := func(numbers ...int64) {
		for _, n := range numbers {
			to = binary.AppendVarint(to, n)
		}
	}
	add(flags, int64(len(m.boot)))
	to = append(to, m.boot...)
	add(int64(len(lives)+1), m.life, int64(now))
	for life, at := range lives {
		add(life, int64(at))
	}
	add(int64(len(m.ends)))
	for key, end := range m.ends {
		add(key, int64(end))
	}
	if m.loss != 0 {
		add(m.loss, m.before)
	}
	binary.LittleEndian.PutUint32(to[len(marksMagic):], crc32.Checksum(to[len(marksMagic)+4:], castagnoli))
	return to
}

func (m *marks) write(d *disk, now time.Duration) error {
	if err := d.put(marksName, m.encode(now)); err != nil {
		return err
	}
	m.dirty = false
	m.now.Store(int64(now))
	return nil
}

// lostPower notes that rooms with keys below before may have lost what they had.
func (m *marks) lostPower(before int64) { m.loss, m.before = newID(), before }

// unsure reports whether the newest loss of power concerns a room, and nothing was marked since.
func (m *marks) unsure(key, loss int64) bool { return key < m.before && loss != m.loss }

// ended records how far a log is written. 0 means that the log is gone.
func (m *marks) ended(key int64, last room.Index) {
	if last == 0 {
		delete(m.ends, key)
	} else {
		m.ends[key] = last
	}
	m.dirty = true
}

// prune deletes the lives that no room's clock refers to.
func (m *marks) prune(used map[int64]bool) {
	lives := maps.Clone(*m.earlier.Load())
	maps.DeleteFunc(lives, func(life int64, _ time.Duration) bool { return !used[life] })
	m.earlier.Store(&lives)
}

// timeOf is the time of a room's clock by the marks. Any goroutine may call it.
func (m *marks) timeOf(c roomClock) time.Duration {
	at, ok := (*m.earlier.Load())[c.life]
	if c.life == m.life {
		at, ok = time.Duration(m.now.Load()), true
	}
	if !ok || c.life == 0 {
		return c.floor
	}
	return max(c.floor, at-c.offset)
}
