package main

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.etcd.io/bbolt"
	_ "modernc.org/sqlite"
)

func keyOf(b batch) []byte {
	k := make([]byte, 16)
	binary.BigEndian.PutUint64(k, uint64(b.room))
	binary.BigEndian.PutUint64(k[8:], uint64(b.at))
	return k
}

// countKeys counts the whole batches of a room that next returns.
func countKeys(room int, next func() (key, value []byte, ok bool)) (n int) {
	for {
		k, v, ok := next()
		if !ok || !bytes.Equal(k, keyOf(batch{room: room, at: n})) || !good(v, room, n) {
			return n
		}
		n++
	}
}

// SQLite with the options and the table of an earlier journal.

type sqlite struct {
	db  *sql.DB
	put *sql.Stmt
}

func openSQLite(dir string) (engine, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "journal.db")+"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=wal_autocheckpoint(4096)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec(`CREATE TABLE IF NOT EXISTS batches (key INTEGER, first INTEGER, last INTEGER, epoch INTEGER, time INTEGER, entries BLOB, sum INTEGER, PRIMARY KEY (key, first)) WITHOUT ROWID`)
	if err != nil {
		return nil, err
	}
	put, err := db.Prepare(`INSERT OR REPLACE INTO batches VALUES (?, ?, ?, 1, 1, ?, ?)`)
	return &sqlite{db, put}, err
}

func (s *sqlite) commit(group []batch) error {
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	put := tx.Stmt(s.put)
	for _, b := range group {
		if _, err := put.Exec(b.room, b.at, b.at, b.data, crc32.ChecksumIEEE(b.data)); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

func (s *sqlite) count(room int) (n int, err error) {
	rows, err := s.db.Query(`SELECT first, entries FROM batches WHERE key = ? ORDER BY first`, room)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var at int
		var p []byte
		if err := rows.Scan(&at, &p); err != nil {
			return n, err
		}
		if at != n || !good(p, room, n) {
			return n, errors.New("damaged")
		}
		n++
	}
	return n, rows.Err()
}

func (s *sqlite) close() error { return s.db.Close() }

// pebble, committed with Sync over files that leave out fsync only for the write-ahead log.

type lsm struct{ db *pebble.DB }

type lazyFS struct{ vfs.FS }

func (f lazyFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, c)
	return lazy(name, file), err
}

func (f lazyFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(from, to, c)
	return lazy(to, file), err
}

func lazy(name string, f vfs.File) vfs.File {
	if f == nil || !strings.HasSuffix(name, ".log") {
		return f
	}
	return lazyFile{f}
}

type lazyFile struct{ vfs.File }

func (lazyFile) Sync() error                { return nil }
func (lazyFile) SyncData() error            { return nil }
func (lazyFile) SyncTo(int64) (bool, error) { return false, nil }

type quiet struct{}

func (quiet) Infof(string, ...any)           {}
func (quiet) Errorf(string, ...any)          {}
func (quiet) Fatalf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }

func openPebble(dir string) (engine, error) {
	options := &pebble.Options{FS: lazyFS{vfs.Default}, Logger: quiet{}, FormatMajorVersion: pebble.FormatNewest}
	options.EventListener = &pebble.EventListener{DataCorruption: func(pebble.DataCorruptionInfo) {}} // by default it ends the process
	db, err := pebble.Open(dir, options)
	return &lsm{db}, err
}

func (l *lsm) commit(group []batch) error {
	b := l.db.NewBatch()
	defer b.Close()
	for _, one := range group {
		if err := b.Set(keyOf(one), one.data, nil); err != nil {
			return err
		}
	}
	return b.Commit(pebble.Sync)
}

func (l *lsm) count(room int) (int, error) {
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: keyOf(batch{room: room}), UpperBound: keyOf(batch{room: room + 1})})
	if err != nil {
		return 0, err
	}
	valid := it.First()
	n := countKeys(room, func() (k, v []byte, ok bool) {
		if ok = valid; ok {
			k, v = bytes.Clone(it.Key()), bytes.Clone(it.Value())
			valid = it.Next()
		}
		return k, v, ok
	})
	return n, errors.Join(it.Error(), it.Close())
}

func (l *lsm) close() error { return l.db.Close() }

// bbolt without fsync: its pages are written by write(2).

type bolt struct{ db *bbolt.DB }

var bucket = []byte("b")

func openBolt(dir string) (e engine, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it panics: %v", r)
		}
	}()
	db, err := bbolt.Open(filepath.Join(dir, "bolt.db"), 0o600, &bbolt.Options{NoSync: true, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	return &bolt{db}, db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucketIfNotExists(bucket); return err })
}

func (b *bolt) commit(group []batch) error {
	return b.db.Update(func(tx *bbolt.Tx) error {
		for _, one := range group {
			if err := tx.Bucket(bucket).Put(keyOf(one), one.data); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *bolt) count(room int) (n int, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it panics: %v", r)
		}
	}()
	err = b.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucket).Cursor()
		k, v := c.Seek(keyOf(batch{room: room}))
		n = countKeys(room, func() (key, value []byte, ok bool) {
			key, value, ok = k, v, k != nil
			if ok {
				k, v = c.Next()
			}
			return key, value, ok
		})
		return nil
	})
	return n, err
}

func (b *bolt) close() error { return b.db.Close() }

// framed is a batch with its room and number, length and checksum.
func framed(to []byte, b batch) []byte {
	at := len(to)
	to = append(to, make([]byte, 8)...)
	to = append(to, keyOf(b)...)
	to = append(to, b.data...)
	binary.LittleEndian.PutUint32(to[at:], uint32(len(to)-at))
	binary.LittleEndian.PutUint32(to[at+4:], crc32.Checksum(to[at+8:], castagnoli))
	return to
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// unframe goes through whole frames.
func unframe(all []byte, each func(key, value []byte)) error {
	for len(all) >= 24 {
		n := int(binary.LittleEndian.Uint32(all))
		if n < 24 || n > len(all) || crc32.Checksum(all[8:n], castagnoli) != binary.LittleEndian.Uint32(all[4:]) {
			return errors.New("damaged")
		}
		each(all[8:24], all[24:n])
		all = all[n:]
	}
	if len(all) > 0 {
		return errors.New("cut short")
	}
	return nil
}

// one-file is a lower bound. It never frees space, so it is no journal.

type oneFile struct {
	f       *os.File
	scratch []byte
	all     []byte
}

func openOneFile(dir string) (engine, error) {
	f, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	return &oneFile{f: f}, err
}

func (o *oneFile) commit(group []batch) error {
	o.scratch = o.scratch[:0]
	for _, b := range group {
		o.scratch = framed(o.scratch, b)
	}
	_, err := o.f.Write(o.scratch)
	return err
}

func (o *oneFile) count(room int) (n int, err error) {
	if o.all == nil {
		if o.all, err = os.ReadFile(o.f.Name()); err != nil {
			return 0, err
		}
	}
	err = unframe(o.all, func(k, v []byte) {
		if bytes.Equal(k, keyOf(batch{room: room, at: n})) && good(v, room, n) {
			n++
		}
	})
	return n, err
}

func (o *oneFile) close() error { return o.f.Close() }

// file-a-room appends to one file for each room.

type files struct {
	dir     string
	open    map[int]*os.File
	scratch []byte
}

func openFiles(dir string) (engine, error) {
	return &files{dir: dir, open: make(map[int]*os.File)}, nil
}

func (f *files) path(room int) string { return filepath.Join(f.dir, fmt.Sprintf("%08d", room)) }

func (f *files) commit(group []batch) error {
	for _, b := range group {
		file := f.open[b.room]
		if file == nil {
			var err error
			if file, err = os.OpenFile(f.path(b.room), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
				return err
			}
			f.open[b.room] = file
		}
		f.scratch = framed(f.scratch[:0], b)
		if _, err := file.Write(f.scratch); err != nil {
			return err
		}
	}
	return nil
}

func (f *files) count(room int) (n int, err error) {
	all, err := os.ReadFile(f.path(room))
	if err != nil {
		return 0, err
	}
	err = unframe(all, func(k, v []byte) {
		if good(v, room, n) {
			n++
		}
	})
	return n, err
}

func (f *files) close() (err error) {
	for _, file := range f.open {
		err = errors.Join(err, file.Close())
	}
	return err
}
