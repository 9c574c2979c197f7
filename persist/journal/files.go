package journal

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room"
)

// Names in the journal's folder. The names of a room's files begin with its id and its key. Every room that ever was has a key of its
// own.
const (
	journalName = "journal" // in the data folder
	formatName  = "format"
	roomsName   = "rooms"
	marksName   = "marks"
	triesName   = "tries"

	logSuffix   = "log"   // of a live room
	asideSuffix = "aside" // the same file, once the room is set aside
	whySuffix   = "why"   // when and why it was set aside
	cutSuffix   = "cut"   // and a time: a file as it was before something was cut off it
)

// snapSuffix are the suffixes of the two newest snapshots.
var snapSuffix = [2]string{"s0", "s1"}

// roomFile describes the files of one room. Only the writer uses its fields, except size and turns.
type roomFile struct {
	key   int64
	id    room.ID
	size  atomic.Int64  // of the whole records of the log, in bytes
	turns atomic.Uint64 // grows by two when the file is rewritten; odd while it is

	file     *os.File // nil while it is closed
	used     bool     // since handles.hand last passed it
	snaps    [2]room.Index
	snapSize [2]int64
	spoilt   error    // why it takes no batches in this life; nil: it does
	cuts     []string // suffixes of the copies from before a cut
	cutSize  int64
}

// name is the name of one of the room's files.
func (f *roomFile) name(suffix string) string {
	return filepath.Join(roomsName, fmt.Sprintf("%s-%d.%s", url.PathEscape(string(f.id)), f.key, suffix))
}

// parseName splits the name of a room's file.
func parseName(name string) (id room.ID, key int64, suffix string, ok bool) {
	dash := strings.LastIndexByte(name, '-')
	if dash < 0 {
		return "", 0, "", false
	}
	number, suffix, dotted := strings.Cut(name[dash+1:], ".")
	key, err := strconv.ParseInt(number, 10, 64)
	text, bad := url.PathUnescape(name[:dash])
	return room.ID(text), key, suffix, dotted && err == nil && bad == nil
}

// found is what the folder of rooms holds when the journal is opened.
type found struct {
	live, aside []*roomFile
	nextKey     int64
	bytes       int64
}

// findRooms lists the rooms, and deletes what a killed process has left unfinished: files that have not got their own name yet, snapshots and
// notes of rooms that are gone, and an import that a later one has replaced.
func findRooms(root string) (*found, error) {
	entries, err := os.ReadDir(filepath.Join(root, roomsName))
	if err != nil {
		return nil, err
	}
	all := make(map[int64]*roomFile)
	logs := make(map[int64]string)
	rest := make(map[int64][]string)
	f := &found{nextKey: 1}
	for _, e := range entries {
		id, key, suffix, ok := parseName(e.Name())
		if !ok {
			continue // not a room's file
		}
		f.nextKey = max(f.nextKey, key+1)
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		r := all[key]
		if r == nil {
			r = &roomFile{key: key, id: id}
			all[key] = r
		}
		f.bytes += blocks(info.Size())
		switch {
		case suffix == logSuffix || suffix == asideSuffix:
			logs[key] = suffix
			r.size.Store(info.Size())
		default:
			rest[key] = append(rest[key], suffix)
			if strings.HasPrefix(suffix, cutSuffix) {
				r.cuts = append(r.cuts, suffix)
				r.cutSize += blocks(info.Size())
			}
			for i, s := range snapSuffix {
				if suffix == s {
					r.snapSize[i] = info.Size()
				}
			}
		}
	}
	newest := make(map[room.ID]*roomFile)
	for key, r := range all {
		if logs[key] == logSuffix && (newest[r.id] == nil || newest[r.id].key < key) {
			newest[r.id] = r
		}
	}
	for key, r := range all {
		gone := logs[key] == "" || logs[key] == logSuffix && newest[r.id] != r
		if gone && logs[key] != "" {
			rest[key] = append(rest[key], logSuffix)
		}
		for _, suffix := range rest[key] {
			if gone || strings.HasSuffix(suffix, newSuffix) || suffix == whySuffix && logs[key] == logSuffix {
				if err := removeFile(filepath.Join(root, r.name(suffix))); err != nil {
					return nil, err
				}
			}
		}
		switch {
		case gone:
			f.bytes -= blocks(r.size.Load()) + blocks(r.snapSize[0]) + blocks(r.snapSize[1]) + r.cutSize
		case logs[key] == logSuffix:
			f.live = append(f.live, r)
		default:
			f.aside = append(f.aside, r)
		}
	}
	return f, nil
}

// handles are the open files, at most a fixed number. They are closed by the clock algorithm: a hand moves round and closes the first
// file that was not used since it last passed.
type handles struct {
	most int
	open []*roomFile
	hand int
}

// get returns a room's file, open for writing.
func (h *handles) get(d *disk, r *roomFile) (*os.File, error) {
	r.used = true
	if r.file != nil {
		return r.file, nil
	}
	f, err := os.OpenFile(d.path(r.name(logSuffix)), os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	if len(h.open) < h.most {
		r.file = f
		h.open = append(h.open, r)
		return f, nil
	}
	for {
		h.hand = (h.hand + 1) % len(h.open)
		old := h.open[h.hand]
		if old.used && old.file != nil {
			old.used = false
			continue
		}
		if old.file != nil {
			old.file.Close() // everything was written before, so that no error matters
			old.file = nil
		}
		r.file, h.open[h.hand] = f, r
		return f, nil
	}
}

// close closes a room's file, because it was deleted, or another file has its name.
func (h *handles) close(r *roomFile) {
	if r.file == nil {
		return
	}
	r.file.Close()
	r.file = nil
	for i, o := range h.open {
		if o == r {
			last := len(h.open) - 1
			h.open[i], h.open[last] = h.open[last], nil
			h.open = h.open[:last]
			return
		}
	}
}

func (h *handles) closeAll() (err error) {
	for _, r := range h.open {
		err = errors.Join(err, r.file.Close())
		r.file = nil
	}
	h.open = nil
	return err
}

// read reads a room's files. written says that this life writes them: then it reads only the records that are whole, and none that
// is being written, and leaves out a snapshot that is newer than those. Otherwise it reads everything.
func (r *roomFile) read(root string, suffix string, written bool) (*stored, error) {
	for {
		turn := r.turns.Load()
		size := r.size.Load()
		data, err := readIfThere(filepath.Join(root, r.name(suffix)))
		if err != nil {
			return nil, err
		}
		if written {
			if turn%2 != 0 || r.turns.Load() != turn || int64(len(data)) < size && r.size.Load() != size {
				continue // it was rewritten meanwhile
			}
			data = data[:min(size, int64(len(data)))]
		}
		s := readLog(r.id, data)
		for slot, suffix := range snapSuffix {
			data, err := readIfThere(filepath.Join(root, r.name(suffix)))
			if err != nil {
				return nil, err
			}
			if n, err := decodeSnapshot(r.id, data); err == nil && (!written || n.Index <= s.end()) {
				s.snapshots, s.slots[slot] = append(s.snapshots, n), n.Index
			}
		}
		if written && r.turns.Load() != turn {
			continue // the snapshots may be of another log
		}
		if len(s.snapshots) == 2 && s.snapshots[0].Index > s.snapshots[1].Index {
			s.snapshots[0], s.snapshots[1] = s.snapshots[1], s.snapshots[0]
		}
		return s, nil
	}
}

// mtime is when a file was written last.
func mtime(path string) (time.Time, error) {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}
