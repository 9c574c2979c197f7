package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// redo is the redo log for Options.Sync: a log of all operations on the files. A group of changes is many small writes to
// many files, and to sync each file would take too long. So the operations are also written one after another to one file, which is
// synced. A start repeats them. When a segment is full the next one begins, and the old one is deleted once the files themselves are on the
// disk.
type redo struct {
	root    string
	log     *slog.Logger
	most    int64 // bytes of a segment
	number  int64 // of the present segment
	segment *os.File
	size    int64
	group   []byte // the operations since the last commit, after space for the head
	syncing sync.WaitGroup
}

const redoPrefix = "redo-"

// The operations on a file.
const (
	opWrite byte = 1 + iota
	opSet
	opPut
	opRename
	opRemove
	opTruncate
)

// note adds an operation to the group. A nil redo does nothing.
func (r *redo) note(op byte, name string, place int64, data []byte) {
	if r == nil {
		return
	}
	if len(r.group) == 0 {
		r.group = append(r.group, make([]byte, recordHead)...)
	}
	r.group = append(r.group, op)
	r.group = binary.AppendVarint(r.group, int64(len(name)))
	r.group = append(r.group, name...)
	r.group = binary.AppendVarint(r.group, place)
	r.group = binary.AppendVarint(r.group, int64(len(data)))
	r.group = append(r.group, data...)
}

// commit waits until the group is on the disk. It may be called again after an error. It never syncs the same file again after a
// failed sync, but writes the group to a new segment.
func (r *redo) commit() error {
	if r == nil || len(r.group) == 0 {
		return nil
	}
	if r.segment == nil {
		if err := r.begin(); err != nil {
			return err
		}
	}
	body := r.group[recordHead:]
	binary.LittleEndian.PutUint32(r.group, uint32(len(body)))
	binary.LittleEndian.PutUint32(r.group[4:], crc32.Checksum(body, castagnoli))
	_, err := r.segment.WriteAt(r.group, r.size)
	if err == nil {
		err = r.segment.Sync()
	}
	if err != nil {
		r.segment.Truncate(r.size) // frees what it took of a full disk
		r.segment.Close()
		r.segment = nil
		return err
	}
	r.size += int64(len(r.group))
	if r.group = r.group[:0]; cap(r.group) > 1<<20 {
		r.group = nil
	}
	if r.size > r.most {
		r.rotate()
	}
	return nil
}

// begin makes the next segment, and syncs its name to the disk.
func (r *redo) begin() error {
	r.number++
	f, err := os.OpenFile(r.path(r.number), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := syncDir(r.root); err != nil {
		return errors.Join(err, f.Close())
	}
	r.segment, r.size = f, 0
	return nil
}

func (r *redo) path(number int64) string {
	return filepath.Join(r.root, fmt.Sprintf("%s%016x", redoPrefix, number))
}

// rotate ends a segment. A goroutine then syncs the files themselves to the disk, and deletes the segment.
func (r *redo) rotate() {
	r.segment.Close()
	r.segment = nil
	r.syncing.Wait() // one at a time: a disk that cannot keep up slows the writer
	upTo := r.number
	r.syncing.Go(func() {
		if err := r.deleteUpTo(upTo); err != nil {
			r.log.Warn("the journal's files could not be brought to the disk: what is needed to do them again is kept", "err", err)
		}
	})
}

// deleteUpTo syncs all files to the disk, and deletes the segments up to a number.
func (r *redo) deleteUpTo(upTo int64) error {
	if err := syncTree(r.root); err != nil {
		return err
	}
	numbers, err := redoSegments(r.root)
	for _, n := range numbers {
		if n <= upTo {
			err = errors.Join(err, removeFile(r.path(n)))
		}
	}
	return err
}

func redoSegments(root string) (numbers []int64, err error) {
	entries, err := os.ReadDir(root)
	for _, e := range entries {
		var n int64
		if hex, ok := strings.CutPrefix(e.Name(), redoPrefix); ok {
			if _, err := fmt.Sscanf(hex, "%x", &n); err == nil {
				numbers = append(numbers, n)
			}
		}
	}
	slices.Sort(numbers)
	return numbers, err
}

// redoAll repeats the operations in the segments of a folder, in order, and deletes the segments. Operations that are already done do no
// harm: names of rooms' files are never used again, and an operation on a file that has another name by now is left out.
func redoAll(root string) (newest int64, err error) {
	numbers, err := redoSegments(root)
	if err != nil || len(numbers) == 0 {
		return 0, err
	}
	r := &redo{root: root}
	for _, n := range numbers {
		data, err := os.ReadFile(r.path(n))
		if err != nil {
			return 0, err
		}
		for len(data) >= recordHead {
			size := int(binary.LittleEndian.Uint32(data))
			if size > len(data)-recordHead || size == 0 {
				break // the group was being written and never acknowledged
			}
			body := data[recordHead : recordHead+size]
			if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(data[4:]) {
				break
			}
			if err := redoGroup(root, body); err != nil {
				return 0, err
			}
			data = data[recordHead+size:]
		}
	}
	newest = numbers[len(numbers)-1]
	return newest, r.deleteUpTo(newest)
}

func redoGroup(root string, body []byte) error {
	number := func() int64 {
		n, width := binary.Varint(body)
		body = body[max(width, 0):]
		return n
	}
	text := func() []byte {
		n := number()
		t := body[:n]
		body = body[n:]
		return t
	}
	for len(body) > 0 {
		op := body[0]
		body = body[1:]
		path := filepath.Join(root, string(text()))
		place := number()
		data := text()
		if err := redoOne(root, op, path, place, data); err != nil {
			return err
		}
	}
	return nil
}

func redoOne(root string, op byte, path string, place int64, data []byte) error {
	switch op {
	case opWrite, opTruncate:
		there, err := exists(path)
		if err != nil || !there {
			return err
		}
		if op == opTruncate {
			return os.Truncate(path, place)
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteAt(data, place)
		return errors.Join(err, f.Close())
	case opSet:
		return setFile(path, data)
	case opPut:
		return putFile(path, data)
	case opRename:
		return renameFile(path, filepath.Join(root, string(data)))
	case opRemove:
		return removeFile(path)
	}
	return fmt.Errorf("%s holds an operation that this version does not know", root)
}

// close closes the segment. All of it is on the disk.
func (r *redo) close() error {
	if r == nil {
		return nil
	}
	r.syncing.Wait()
	if r.segment == nil {
		return nil
	}
	return r.segment.Close()
}
