package journal

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"net/url"
	"sync/atomic"
	"time"

	"modernc.org/sqlite" // the driver, too
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Earlier versions kept everything in one SQLite database. This file converts such a database, once, to the present journal.

// earlierFormat is the newest format of those databases (PRAGMA user_version).
const earlierFormat = 1

// earlier is a database of an earlier version.
type earlier struct {
	db      *sql.DB
	writer  *writer // of the new journal
	ends    map[int64]room.Index
	lives   map[int64]time.Duration
	damaged bool // not all of it could be read
	log     *slog.Logger
}

// convertDatabase writes everything that a database holds into the folder of a new journal.
func convertDatabase(ctx context.Context, root, database string, log *slog.Logger) (err error) {
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: database, RawQuery: "_pragma=busy_timeout(5000)"}).String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	var version int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > earlierFormat {
		return &NewerError{Path: database, Has: version, Known: earlierFormat}
	}
	if version == 0 {
		return (&disk{root: root}).put(takenName, []byte(takenWhole)) // its process died before it created any table
	}
	m := &marks{life: newID(), ends: make(map[int64]room.Index)}
	e := &earlier{db: db, log: log, writer: &writer{
		disk: disk{root: root}, handles: handles{most: 1}, marks: m, tries: &tries{}, aside: &asideRooms{rooms: make(map[int64]*roomFile)}, used: new(atomic.Int64),
	}}
	if err := e.all(ctx); err != nil {
		return err
	}
	m.earlier.Store(&e.lives)
	if err := m.write(&e.writer.disk, 0); err != nil {
		return err
	}
	word := takenWhole
	if e.damaged {
		word = "damaged"
	}
	return e.writer.disk.put(takenName, []byte(word))
}

func (e *earlier) all(ctx context.Context) error {
	if err := e.readLives(ctx); err != nil {
		return err
	}
	if err := e.readEnds(ctx); err != nil {
		return err
	}
	if err := e.takeTries(ctx); err != nil {
		return err
	}
	rooms, err := queryAll(ctx, e.db, func(r *sql.Rows) (k earlierRoom, err error) {
		return k, r.Scan(&k.key, &k.id, &k.asideAt, &k.reason)
	}, `SELECT key, room, aside_at, coalesce(aside_reason, '') FROM rooms ORDER BY key`)
	if err != nil {
		return err
	}
	for _, k := range rooms {
		if err := e.take(ctx, k); err != nil {
			return fmt.Errorf("room %s: %w", k.id, err)
		}
	}
	var cut int
	err = e.db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM cut_batches) + (SELECT count(*) FROM cut_snapshots)`).Scan(&cut)
	e.damaged = e.damaged || cut > 0
	return err
}

func (e *earlier) readLives(ctx context.Context) error {
	type life struct {
		life int64
		at   time.Duration
	}
	lives, err := queryAll(ctx, e.db, func(r *sql.Rows) (l life, err error) { return l, r.Scan(&l.life, &l.at) }, `SELECT life, elapsed FROM lives`)
	e.lives = make(map[int64]time.Duration)
	for _, l := range lives {
		e.lives[l.life] = l.at
	}
	return err
}

// readEnds reads how far each log is known to have gone. If this list is damaged itself, it counts for nothing.
func (e *earlier) readEnds(ctx context.Context) error {
	e.ends = make(map[int64]room.Index)
	var data []byte
	var sum uint32
	err := e.db.QueryRowContext(ctx, `SELECT data, sum FROM ends`).Scan(&data, &sum)
	if errors.Is(err, sql.ErrNoRows) || err == nil && earlierSum("", data) != sum {
		return nil
	}
	for ; len(data) >= 16; data = data[16:] {
		e.ends[int64(binary.LittleEndian.Uint64(data))] = room.Index(binary.LittleEndian.Uint64(data[8:]))
	}
	return err
}

func (e *earlier) takeTries(ctx context.Context) error {
	type line struct {
		suspect
		count int
	}
	lines, err := queryAll(ctx, e.db, func(r *sql.Rows) (t line, err error) {
		var fingerprint int64
		err = r.Scan(&t.room, &fingerprint, &t.count)
		t.fingerprint = uint64(fingerprint)
		return t, err
	}, `SELECT room, fingerprint, count FROM tries`)
	if err != nil {
		return err
	}
	counts := make(map[suspect]int)
	for _, l := range lines {
		counts[l.suspect] = l.count
	}
	var generation string
	err = e.db.QueryRowContext(ctx, `SELECT generation FROM counted`).Scan(&generation)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return e.writer.tries.write(&e.writer.disk, generation, counts)
}

// earlierRoom is one room of a database.
type earlierRoom struct {
	key     int64
	id      room.ID
	asideAt sql.NullInt64
	reason  string
}

// take converts one room. A part that cannot be read leads to the same as in the database's own version: a damaged header, or a log
// that is cut.
func (e *earlier) take(ctx context.Context, k earlierRoom) error {
	f := &roomFile{key: k.key, id: k.id}
	s, err := e.read(ctx, k)
	switch {
	case isDamage(err):
		e.log.Error("a room is damaged in the journal of the version before", "room", k.id, "err", err)
		e.damaged, s = true, &stored{id: k.id}
	case err != nil:
		return err
	}
	if !k.asideAt.Valid {
		s.seen = e.ends[k.key]
	}
	now := s.clock.floor
	if at, ok := e.lives[s.clock.life]; ok {
		now = max(now, at-s.clock.offset)
	}
	if s.header == nil {
		e.damaged = true
		if err := e.writer.rewrite(f, []byte(logMagic)); err != nil {
			return err
		}
		return e.asideIf(k, f, now, 0, 0)
	}
	kept, cut, err := s.kept(now, false)
	if err != nil || cut != "" {
		e.damaged = true
	}
	s.cut = kept.Cut
	if err := (putRoom{file: f, facts: s.facts, batches: s.batches, snapshots: kept.Snapshots}).apply(e.writer); err != nil {
		return err
	}
	var bytes int64
	for _, b := range s.batches {
		bytes += int64(len(b.Entries))
	}
	for _, n := range kept.Snapshots {
		bytes += int64(len(n.Data))
	}
	return e.asideIf(k, f, now, s.end(), bytes)
}

func (e *earlier) asideIf(k earlierRoom, f *roomFile, now time.Duration, last room.Index, bytes int64) error {
	if !k.asideAt.Valid {
		return nil
	}
	e.writer.marks.ended(f.key, 0)
	note := asideNote{Reason: k.reason, At: time.UnixMilli(k.asideAt.Int64), Last: last, Bytes: bytes, Time: now}
	if err := e.writer.aside.note(&e.writer.disk, f, note); err != nil {
		return err
	}
	return e.writer.disk.rename(f.name(logSuffix), f.name(asideSuffix))
}

// read reads a room. The header is nil if it fails its checksum.
func (e *earlier) read(ctx context.Context, k earlierRoom) (*stored, error) {
	s := &stored{id: k.id}
	var sum uint32
	err := e.db.QueryRowContext(ctx, `SELECT header, sum, epoch, cut, life, clock_offset, clock_floor FROM rooms WHERE key = ?`, k.key).
		Scan(&s.header, &sum, &s.epoch, &s.cut, &s.clock.life, &s.clock.offset, &s.clock.floor)
	if err != nil {
		return nil, err
	}
	if earlierSum(k.id, s.header) != sum || !json.Valid(s.header) {
		s.header = nil
	}
	if err := e.readBatches(ctx, k, s); err != nil {
		return nil, err
	}
	snapshots, err := queryAll(ctx, e.db, func(r *sql.Rows) (*record.Snapshot, error) {
		n := &record.Snapshot{Room: k.id}
		var sum int64
		if r.Scan(&n.Index, &n.Epoch, &n.Data, &sum) != nil || int64(earlierSum(k.id, n.Data, uint64(n.Index), uint64(n.Epoch))) != sum {
			return nil, nil // it is left out
		}
		return n, nil
	}, `SELECT idx, epoch, data, sum FROM snapshots WHERE key = ? ORDER BY idx`, k.key)
	for _, n := range snapshots {
		if n == nil {
			e.damaged = true
			continue
		}
		s.snapshots = append(s.snapshots, *n)
	}
	return s, err
}

func (e *earlier) readBatches(ctx context.Context, k earlierRoom, s *stored) error {
	type row struct {
		record.Batch
		bad string
	}
	rows, err := queryAll(ctx, e.db, func(r *sql.Rows) (row, error) {
		b := row{Batch: record.Batch{Room: k.id}}
		var first, last, epoch, at, sum int64
		if r.Scan(&first, &last, &epoch, &at, &b.Entries, &sum) != nil {
			b.bad = "cannot be read"
			return b, nil
		}
		b.First, b.Last, b.Epoch, b.Time = room.Index(first), room.Index(last), record.Epoch(epoch), time.Duration(at)
		if int64(earlierSum(k.id, b.Entries, uint64(b.First), uint64(b.Last), uint64(b.Epoch), uint64(b.Time))) != sum {
			b.bad = "fails its checksum"
		}
		return b, nil
	}, `SELECT first, last, epoch, time, entries, sum FROM batches WHERE key = ? ORDER BY first`, k.key)
	for _, b := range rows {
		if s.bad != "" {
			break
		}
		if b.bad != "" {
			s.bad = fmt.Sprintf("the batch from entry %d on %s", s.end()+1, b.bad)
			break
		}
		s.addBatch(b.Batch)
	}
	return err
}

// isDamage reports whether an error means that this part of the database is damaged, or has a value of another type.
func isDamage(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, sql.ErrConnDone)
	}
	code := e.Code() & 0xff
	return code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB
}

// earlierSum is the checksum of a row in such a database.
func earlierSum(id room.ID, data []byte, numbers ...uint64) uint32 {
	head := make([]byte, 0, 64)
	head = append(head, id...)
	for _, n := range numbers {
		head = binary.LittleEndian.AppendUint64(head, n)
	}
	return crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, data)
}

// queryAll scans every row of a query into a list.
func queryAll[T any](ctx context.Context, db *sql.DB, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return all, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
