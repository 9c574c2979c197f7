package clustertest

import (
	"errors"
	"slices"
	"time"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/cluster/replication"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// entry is one input of a room's log.
type entry struct {
	epoch record.Epoch
	act   int    // the client's number of the act; 0: the entry opens an epoch or ends the room
	final bool   // it ends the room
	sum   uint64 // of the log up to here
}

// log is a room's log. It is never changed in place, so copies share entries.
type log struct {
	epoch   record.Epoch // the highest that was noted
	entries []entry
	cut     bool // its tail is missing
	lost    bool // a disk or a lost power has taken its tail, which no owner has sent again
	short   bool // its tail is missing, and nothing in the log shows it
	unknown bool // nor does a process know that has written it
	doubt   record.Doubt
	told    int // of what was acknowledged: how many losses were told before
}

func (g log) with(e entry) log {
	e.sum = g.sum()*1099511628211 ^ uint64(e.epoch)<<32 ^ uint64(e.act)<<1
	if e.final {
		e.sum ^= 1
	}
	g.entries = append(slices.Clip(g.entries), e)
	g.epoch = max(g.epoch, e.epoch)
	return g
}

func (g log) sum() uint64 { return g.sumAt(len(g.entries)) }

// sumAt returns the checksum of the first n entries.
func (g log) sumAt(n int) uint64 {
	if n == 0 {
		return 14695981039346656037
	}
	return g.entries[n-1].sum
}

// holds reports whether the log begins with all of another.
func (g log) holds(other log) bool {
	n := len(other.entries)
	return n <= len(g.entries) && g.sumAt(n) == other.sum()
}

// end returns how many entries there are up to the end of the game, or 0 if it is not over.
func (g log) end() int {
	for n := len(g.entries); n > 0; n-- {
		if e := g.entries[n-1]; e.final {
			return n
		} else if e.act > 0 {
			return 0
		}
	}
	return 0
}

func (g log) over() bool { return g.end() > 0 }

// endSum returns the checksum of the log up to the end of the game.
func (g log) endSum() uint64 { return g.sumAt(g.end()) }

// history returns what replication knows of the log.
func (g log) history() (h replication.History) {
	for i, e := range g.entries {
		h.Add(e.epoch, room.Index(i+1), room.Index(i+1))
	}
	return h
}

// spans returns what replication knows of a part of the log.
func spans(first int, entries []entry) (all []replication.Span) {
	for i, e := range entries {
		at := room.Index(first + i)
		if n := len(all); n > 0 && all[n-1].Epoch == e.epoch {
			all[n-1].Last = at
			continue
		}
		all = append(all, replication.Span{Epoch: e.epoch, First: at, Last: at})
	}
	return all
}

// acts returns the number of the last act.
func (g log) acts() int {
	for _, e := range slices.Backward(g.entries) {
		if e.act > 0 {
			return e.act
		}
	}
	return 0
}

// facts returns what a machine knows of the log.
func (g log) facts() ownership.Log {
	f := ownership.Log{Epoch: g.epoch, Last: room.Index(len(g.entries)), Unborn: len(g.entries) == 0 && !g.cut, Doubt: g.doubt, Copied: true}
	if g.cut {
		f.Cut = "its tail is damaged"
	}
	return f
}

var (
	errDisk    = errors.New("the disk is full")
	errExists  = errors.New("the journal has such a room")
	errUnknown = record.Permanent(errors.New("the journal has no such room"))
)

// folder is a data folder. It outlives processes.
type folder struct {
	s      *Sim
	id     string
	former []string // earlier ids
	rooms  map[room.ID]*keptRoom
	order  []room.ID // the keys of rooms, oldest first
	asides []*aside
	deaths map[room.ID]int // how many processes died in a room
	failed time.Duration   // writes fail until then
	lost   bool            // the folder is lost for good
}

type keptRoom struct {
	log
	imported bool // and nothing was appended since
	doubted  bool // a process has started since it is in doubt

	snapshots []snapshot // oldest first
}

type aside struct {
	id       room.ID
	why      string
	log      log
	reopened bool
}

func (s *Sim) newFolder() *folder {
	s.folders++
	return &folder{s: s, id: name("f", s.folders), rooms: map[room.ID]*keptRoom{}, deaths: map[room.ID]int{}}
}

// adopt gives a folder that was moved by hand a new id.
func (f *folder) adopt() {
	f.s.folders++
	f.former = append(f.former, f.id)
	f.id = name("f", f.s.folders)
}

// ids returns all ids that the folder ever had.
func (f *folder) ids() []string { return append([]string{f.id}, f.former...) }

func (f *folder) had(id string) bool { return f.id == id || slices.Contains(f.former, id) }

func (f *folder) put(id room.ID, k *keptRoom) {
	if f.rooms[id] == nil {
		f.order = append(f.order, id)
	}
	f.rooms[id] = k
}

func (f *folder) drop(id room.ID) {
	delete(f.rooms, id)
	f.order = slices.DeleteFunc(f.order, func(o room.ID) bool { return o == id })
}

// create, take, note, remove and setAside do what a machine asks of a journal.
func (f *folder) create(id room.ID, at record.Epoch) error {
	if f.rooms[id] != nil {
		return errExists
	}
	f.put(id, &keptRoom{log: log{epoch: at}})
	return nil
}

func (f *folder) take(id room.ID, g log) error {
	if old := f.rooms[id]; old != nil && !old.imported {
		return errExists
	}
	f.put(id, &keptRoom{log: g, imported: true})
	return nil
}

func (f *folder) note(id room.ID, e record.Epoch) error {
	k := f.rooms[id]
	if k == nil {
		return errUnknown
	}
	k.epoch = max(k.epoch, e)
	return nil
}

func (f *folder) remove(id room.ID) error {
	if k := f.rooms[id]; k != nil {
		f.drop(id)
		f.s.truth(id).checkRemove(f.s, k.log)
	}
	return nil
}

func (f *folder) setAside(id room.ID, why string) error {
	k := f.rooms[id]
	if k == nil {
		return nil
	}
	if k.short {
		f.s.truth(id).damaged = true
	}
	f.asides = append(f.asides, &aside{id: id, why: why, log: k.log})
	f.drop(id)
	return nil
}

// append replaces a room's log by a longer one. It fails for good if the log has not as many entries as the writer thinks.
func (f *folder) append(id room.ID, have int, g log) error {
	k := f.rooms[id]
	switch {
	case k == nil:
		return errUnknown
	case f.s.now < f.failed:
		return errDisk
	case len(k.entries) != have:
		f.notice(id)
		k.cut = true
		return record.ErrDamaged
	}
	k.log = log{epoch: max(k.epoch, g.epoch), entries: g.entries, lost: k.lost, short: k.short, unknown: k.unknown}
	k.imported = false
	return nil
}

// notice marks a copy from which a disk has taken a part, as its process has noticed.
func (f *folder) notice(id room.ID) {
	k := f.rooms[id]
	k.short, k.unknown, k.doubt = false, false, record.Partial
	f.s.truth(id).damaged = true
}

// learn makes an empty copy of a room that is owned elsewhere.
func (f *folder) learn(id room.ID, at record.Epoch) error {
	if f.rooms[id] != nil {
		return errExists
	}
	k := &keptRoom{log: log{epoch: at, doubt: record.Partial}}
	f.put(id, k)
	return nil
}

// follow writes what a follower has taken: it cuts the log, adds entries, and notes what was promised. Short: the owner's log
// is, and it does not know.
func (f *folder) follow(id room.ID, keep int, more []entry, c replication.Copy, short bool) {
	k := f.rooms[id]
	if keep < len(k.entries) && !without(CutSnapshots) {
		k.cutSnapshots(keep)
	}
	g := log{entries: k.entries[:keep]}
	for _, e := range more { // the checksum is of what is here, and not of what the owner has
		g = g.with(e)
	}
	lost := short || k.lost && c.Doubt != record.Whole
	k.log = log{epoch: max(c.Promised, c.At(c.Last)), entries: g.entries, lost: lost, short: short, unknown: short, doubt: c.Doubt}
	k.imported = false
}

// losePower takes from each log what the disk may not have yet: so many entries.
func (f *folder) losePower(entries func() int) {
	for _, id := range f.order {
		k := f.rooms[id]
		if len(k.entries) == 0 {
			continue
		}
		if n := entries(); n > 0 {
			k.entries, k.lost = k.entries[:max(len(k.entries)-n, 1)], true
			k.cutSnapshots(len(k.entries))
		}
		k.epoch = k.entries[len(k.entries)-1].epoch
		if k.doubt == record.Whole {
			k.doubt, k.doubted = record.Unsure, false
		}
		f.s.truth(id).power = true
	}
}

// damage removes the tail of a room's log, as a bad disk does. The next reader notices it. Silent damage is noticed only by
// those who know what was acknowledged.
func (f *folder) damage(id room.ID, n int, silent bool) {
	k := f.rooms[id]
	k.entries, k.lost = k.entries[:max(len(k.entries)-n, 1)], true
	k.cutSnapshots(len(k.entries))
	k.cut, k.short = !silent, silent
	if !silent {
		k.doubt = record.Partial
	}
	t := f.s.truth(id)
	t.damaged = t.damaged || !silent
	f.s.say("", id, "the log in folder %s is damaged: %d entries are left", f.id, len(k.entries))
}
