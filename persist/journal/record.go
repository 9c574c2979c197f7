package journal

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// A room's file is logMagic followed by records. A record is the length of its body, a CRC-32C over the room's id, the
// record's place in the file and the body, and the body: a kind, numbers as varints, and bytes. So the checksum fails for a record that
// was damaged, moved, or written for another room.
const (
	logMagic   = "RRROOM1\n"
	recordHead = 8
	maxRecord  = 1 << 31
)

// The kinds of records, with their numbers and bytes.
const (
	kindHeader byte = 1 + iota // epoch; the header as JSON
	kindBatch                  // first, last, epoch, time; entries
	kindClaim                  // epoch
	kindClock                  // life, offset, floor
	kindCut                    // no numbers; the reason
	kindMark                   // epoch, doubt, the loss of power that it knows of
)

var numbersOf = [...]int{kindHeader: 1, kindBatch: 4, kindClaim: 1, kindClock: 3, kindCut: 0, kindMark: 3}

// snapshotRecord is the kind of the one record in a snapshot's file: index, epoch; the state.
const snapshotRecord byte = 'S'

// appendRecord appends a record to a buffer. place is where the record will be in the room's file.
func appendRecord(to []byte, id room.ID, place int64, kind byte, numbers []int64, parts ...[]byte) []byte {
	at := len(to)
	to = append(to, 0, 0, 0, 0, 0, 0, 0, 0, kind)
	for _, n := range numbers {
		to = binary.AppendVarint(to, n)
	}
	for _, p := range parts {
		to = append(to, p...)
	}
	end := len(to)
	to = append(to, id...) // room for what the checksum begins with: a buffer of its own would be an allocation
	to = binary.LittleEndian.AppendUint64(to, uint64(place))
	body, head := to[at+recordHead:end], to[end:]
	binary.LittleEndian.PutUint32(to[at:], uint32(len(body)))
	binary.LittleEndian.PutUint32(to[at+4:], sum(head, body))
	return to[:end]
}

// logRecord is a record that was read.
type logRecord struct {
	kind    byte
	numbers [4]int64
	data    []byte
}

var (
	errTorn = errors.New("is not all there")
	errSum  = errors.New("fails its checksum")
	errForm = errors.New("cannot be read")
)

// readRecord reads the record at a place of a room's file. next is the place of the record after it, 0 if that is not known.
func readRecord(file []byte, id room.ID, place int64) (r logRecord, next int64, err error) {
	rest := file[place:]
	if len(rest) < recordHead {
		return r, 0, errTorn
	}
	size := int64(binary.LittleEndian.Uint32(rest))
	switch {
	case size == 0 || size > maxRecord:
		return r, 0, errSum
	case size > int64(len(rest)-recordHead):
		return r, 0, errTorn
	}
	next = place + recordHead + size
	body := rest[recordHead : recordHead+size]
	if binary.LittleEndian.Uint32(rest[4:]) != sumOf(id, place, body) {
		return r, next, errSum
	}
	r.kind, body = body[0], body[1:]
	count := 2
	if r.kind != snapshotRecord {
		if int(r.kind) >= len(numbersOf) || r.kind == 0 {
			return r, next, errForm
		}
		count = numbersOf[r.kind]
	}
	for i := range count {
		n, width := binary.Varint(body)
		if width <= 0 {
			return r, next, errForm
		}
		r.numbers[i], body = n, body[width:]
	}
	r.data = body
	return r, next, nil
}

// roomClock says what a room's time is: the time of a life minus offset, and at least floor. Life 0 means that the clock stands at floor.
type roomClock struct {
	life          int64
	offset, floor time.Duration
}

// facts are what a room's file says besides its log.
type facts struct {
	header []byte // nil: damaged
	epoch  record.Epoch
	clock  roomClock
	cut    string
	doubt  record.Doubt // as it was marked
	loss   int64        // the loss of power that was known when it was marked; 0: none
}

// encode makes the content of a room's file: the facts, followed by the records of a log.
func (f facts) encode(id room.ID, batches ...record.Batch) []byte {
	to := []byte(logMagic)
	add := func(kind byte, data []byte, numbers ...int64) {
		to = appendRecord(to, id, int64(len(to)), kind, numbers, data)
	}
	add(kindHeader, f.header, int64(f.epoch))
	if f.clock != (roomClock{}) {
		add(kindClock, nil, f.clock.numbers()...)
	}
	if f.cut != "" {
		add(kindCut, []byte(f.cut))
	}
	if f.marked() {
		add(kindMark, nil, int64(f.epoch), int64(f.doubt), f.loss)
	}
	for _, b := range batches {
		add(kindBatch, b.Entries, int64(b.First), int64(b.Last), int64(b.Epoch), int64(b.Time))
	}
	return to
}

// marked reports whether the facts need a record that only journalFormat 2 has.
func (f facts) marked() bool { return f.doubt != record.Whole || f.loss != 0 }

func (c roomClock) numbers() []int64 { return []int64{c.life, int64(c.offset), int64(c.floor)} }

// stored is what a room's file holds.
type stored struct {
	facts
	id        room.ID
	batches   []record.Batch    // whole, from the start of the log, none missing
	snapshots []record.Snapshot // those that are whole, older first
	slots     [2]room.Index     // the index of the snapshot in each of the two files
	size      int64             // of the part of the file that can be continued, in bytes
	bad       string            // why what follows the batches cannot be used
	torn      bool              // the file ends within a record, as after a kill in the middle of a write
	seen      room.Index        // the log is known to have gone this far; 0: not known
}

// readLog reads a room's file. It skips a damaged record if it can find the next one: if the log continues
// after it without a hole, the damaged record was no part of the log.
func readLog(id room.ID, file []byte) *stored {
	s := &stored{id: id}
	if len(file) < len(logMagic) || string(file[:len(logMagic)]) != logMagic {
		return s
	}
	place := int64(len(logMagic))
	for place < int64(len(file)) {
		r, next, err := readRecord(file, id, place)
		switch {
		case errors.Is(err, errTorn) && s.bad == "":
			s.torn = true
			return s
		case err != nil:
			if s.bad == "" {
				s.bad = fmt.Sprintf("the batch from entry %d on %v", s.end()+1, err)
			}
			if next == 0 {
				return s
			}
		case s.header == nil && r.kind != kindHeader:
			return s // without a header nothing can be used
		default:
			s.add(r)
		}
		place = next
		s.size = place
	}
	return s
}

// add adds a whole record.
func (s *stored) add(r logRecord) {
	switch r.kind {
	case kindHeader:
		s.header, s.epoch = r.data, record.Epoch(r.numbers[0])
	case kindClaim:
		s.epoch, s.cut, s.doubt = max(s.epoch, record.Epoch(r.numbers[0])), "", record.Whole
	case kindClock:
		s.clock = roomClock{r.numbers[0], time.Duration(r.numbers[1]), max(s.clock.floor, time.Duration(r.numbers[2]))}
	case kindCut:
		s.cut = string(r.data)
	case kindMark:
		s.epoch, s.doubt, s.loss = max(s.epoch, record.Epoch(r.numbers[0])), record.Doubt(r.numbers[1]), r.numbers[2]
		if s.doubt == record.Whole {
			s.cut = ""
		}
	case kindBatch:
		s.addBatch(record.Batch{
			Room: s.id, First: room.Index(r.numbers[0]), Last: room.Index(r.numbers[1]),
			Epoch: record.Epoch(r.numbers[2]), Time: time.Duration(r.numbers[3]), Entries: r.data,
		})
	}
}

// addBatch adds a batch if it continues the log. Then nothing of the log is missing before it, and s.bad is cleared. But a damaged record before
// it may have been a mark.
func (s *stored) addBatch(b record.Batch) {
	s.epoch = max(s.epoch, b.Epoch) // what was promised stays so, whatever becomes of the batch
	next := s.end() + 1
	if len(s.batches) == 0 && core.BeginsLog(b.First, b.Entries) {
		next = b.First
	}
	switch {
	case b.First == next && b.Last >= b.First:
		if s.bad != "" && s.doubt == record.Whole {
			s.doubt = record.Unsure
		}
		s.batches, s.bad = append(s.batches, b), ""
	case s.bad != "":
	case b.First > next:
		s.bad = fmt.Sprintf("the entries %d to %d are missing", next, b.First-1)
	default:
		s.bad = fmt.Sprintf("the batch behind entry %d does not follow it", next-1)
	}
}

// end is the last index of the whole part of the log.
func (s *stored) end() room.Index {
	if len(s.batches) == 0 {
		return 0
	}
	return s.batches[len(s.batches)-1].Last
}

// first is where the log begins.
func (s *stored) first() room.Index {
	if len(s.batches) == 0 {
		return 0
	}
	return s.batches[0].First
}

// kept is what can be used of the room. cut is why something cannot be used that is there: it must be cut off before the log can go on. unsure
// says that power was lost since anything was marked.
func (s *stored) kept(now time.Duration, unsure bool) (kept record.Kept, cut string, err error) {
	kept = record.Kept{Epoch: s.epoch, Time: now, Cut: s.cut, Batches: s.batches, Doubt: s.doubt}
	if s.header == nil {
		return kept, "", errors.New("its header fails its checksum")
	}
	if err := json.Unmarshal(s.header, &kept.Header); err != nil {
		return kept, "", fmt.Errorf("its header cannot be read: %w", err)
	}
	for _, b := range s.batches {
		kept.Time = max(kept.Time, b.Time)
	}
	cut = s.bad
	for _, n := range s.snapshots {
		switch {
		case n.Index < s.first(): // the log has begun anew since
		case n.Index <= s.end():
			kept.Snapshots = append(kept.Snapshots, n)
		case cut == "":
			cut = fmt.Sprintf("the entries from %d on are missing: there is a snapshot at %d", s.end()+1, n.Index)
		}
	}
	if cut == "" && s.end() < s.seen {
		cut = fmt.Sprintf("the entries from %d on are missing: the log went to %d", s.end()+1, s.seen)
	}
	if cut != "" && kept.Cut == "" {
		kept.Cut = cut
	}
	switch {
	case s.doubt != record.Whole:
	case s.cut != "":
		kept.Doubt = record.Partial
	case unsure:
		kept.Doubt = record.Unsure
	case cut != "":
		kept.Doubt = record.Partial
	}
	return kept, cut, nil
}

func encodeSnapshot(to []byte, s record.Snapshot) []byte {
	return appendRecord(to, s.Room, 0, snapshotRecord, []int64{int64(s.Index), int64(s.Epoch)}, s.Data)
}

func decodeSnapshot(id room.ID, file []byte) (record.Snapshot, error) {
	r, _, err := readRecord(file, id, 0)
	if err == nil && r.kind != snapshotRecord {
		err = errForm
	}
	return record.Snapshot{Room: id, Index: room.Index(r.numbers[0]), Epoch: record.Epoch(r.numbers[1]), Data: r.data}, err
}
