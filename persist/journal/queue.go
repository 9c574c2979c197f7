package journal

import (
	"slices"
	"sync"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// command is a change on its way to the writer.
type command struct {
	change change
	size   int         // bytes of log and snapshot it holds in memory
	done   func(error) // may be nil
}

// tail is what Append must know about a live room, above all where its log ends.
type tail struct {
	file     *roomFile
	loaded   bool       // a room from an earlier life may be appended to only after it was loaded
	imported bool       // it was imported and nothing was appended since
	seen     room.Index // the end of its log at the last mark of the life before
	first    room.Index // where its log begins with everything that is queued; 0: it is empty
	last     room.Index // the end of its log with everything that is queued
	refused  bool       // a batch or a cut was refused, so the batches that follow must wait until it is offered again
	owed     bool       // a mark was refused, so everything that follows must wait until something is marked

	epoch record.Epoch // the highest known, with everything that is queued
	doubt record.Doubt // likewise
	life  int64        // the life that its clock refers to, once that is known
}

// queue holds what waits for the writer, in order, and the rooms' tails as they will be once it
// is written. Callers and the writer share nothing else.
type queue struct {
	mu      sync.Mutex
	waiting []command
	bytes   int // of the commands that wait or are being written
	tails   map[room.ID]*tail
	nextKey int64
	closed  bool
	wake    chan struct{} // holds one token when the writer has something to do
}

// push adds a command. The caller holds mu.
func (q *queue) push(c command) {
	q.waiting = append(q.waiting, c)
	q.bytes += c.size
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// close refuses new commands, and reports whether it was the first call.
func (q *queue) close() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	first := !q.closed
	q.closed = true
	return first
}

// take removes and returns the oldest commands that fit into one group. There may be none.
func (q *queue) take(most, mostBytes int) []command {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, bytes := 0, 0
	for n < len(q.waiting) && n < most && (n == 0 || bytes+q.waiting[n].size <= mostBytes) {
		bytes += q.waiting[n].size
		n++
	}
	group := q.waiting[:n:n]
	if q.waiting = q.waiting[n:]; len(q.waiting) == 0 {
		q.waiting = nil
	}
	return group
}

// has reports whether a room is live.
func (q *queue) has(id room.ID) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.tails[id] != nil
}

// lives returns the lives that rooms' clocks refer to. known is false while a room has not been loaded.
func (q *queue) lives() (used map[int64]bool, known bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	used = make(map[int64]bool)
	for _, t := range q.tails {
		if !t.loaded {
			return nil, false
		}
		used[t.life] = true
	}
	return used, true
}

// written subtracts a group from the bytes that wait.
func (q *queue) written(group []command) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, c := range group {
		q.bytes -= c.size
	}
}

func (q *queue) pending() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}

func (q *queue) rooms() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.tails)
}

// plan turns a group into changes. It joins consecutive batches of a room that have
// nothing else of that room between them. of is the index of each command's change. Both are appended to what is given.
func plan(group []command, maxRow int, changes []change, of []int) ([]change, []int) {
	of = slices.Grow(of, len(group))[:len(group)]
	if cuts := cutsOf(group); len(cuts) > 0 {
		changes = append(changes, &lowerEnds{cuts: cuts})
	}
	if len(group) == 1 {
		of[0] = len(changes)
		return append(changes, group[0].change), of
	}
	type row struct {
		*putBatch
		at int
	}
	open := make(map[*roomFile]row)
	for i, c := range group {
		of[i] = len(changes)
		b, ok := c.change.(*putBatch)
		if !ok {
			switch other := c.change.(type) {
			case *putSnapshot, nothing:
			case setClock:
				delete(open, other.file)
			case putMark:
				delete(open, other.file)
			case *cutLog:
				delete(open, other.file)
			default:
				clear(open)
			}
			changes = append(changes, c.change)
			continue
		}
		if to := open[b.file]; to.putBatch != nil && !b.batch.Begins && to.size+b.size <= maxRow {
			to.join(b.batch)
			of[i] = to.at
			continue
		}
		first := &putBatch{file: b.file, batch: b.batch, size: b.size}
		open[b.file] = row{first, len(changes)}
		changes = append(changes, first)
	}
	return changes, of
}
