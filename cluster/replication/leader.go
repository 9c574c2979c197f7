package replication

import (
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Leader is an owner's side of one room. It knows what this node's journal has, and what each follower has confirmed. The
// zero Leader owns nothing; Begin has it own.
type Leader struct {
	epoch   record.Epoch
	log     History
	base    room.Index // the entry that opens the present epoch, or a later one; 0: it is not in the log yet
	floor   room.Index // nothing is committed before this is: the owner does not know what its predecessor has acknowledged
	stable  room.Index // what this node's journal has
	standby string
	joining string // counts as a member while the store is asked to make it the standby
	hold    bool

	followers map[string]*progress
	committed room.Index
	asked     uint64 // the number of the last question
}

// progress is how far a follower is.
type progress struct {
	goal  room.Index // it is whole when it has this
	next  room.Index // what to send next; 0: what it has is not known
	match room.Index // what it has confirmed, at the present epoch
	whole bool
	said  uint64 // the last question that it has answered, at the present epoch
}

// Begin owns the room at an epoch, with a log that this node's journal has. Whatever it has counts as committed only when
// the standby has confirmed an entry of the new epoch.
func (l *Leader) Begin(e record.Epoch, standby string, log History) {
	*l = Leader{
		epoch: e, standby: standby, log: log.Clone(), floor: log.Last + 1, stable: log.Last, followers: map[string]*progress{},
	}
	if without(RestoredIsOpen) {
		l.floor, l.committed = 0, log.Last
	}
}

// Hold withholds every commit until there is a standby, or Hold(false): a new room is promised to nobody while it is kept
// on one machine only.
func (l *Leader) Hold(on bool) { l.hold = on }

// Enter goes on at a later epoch with the standby that the store has granted, "" for none. What others than that one have
// confirmed counts no longer.
func (l *Leader) Enter(e record.Epoch, standby string) {
	l.epoch, l.standby, l.joining, l.base = e, standby, "", 0
	for folder, p := range l.followers {
		p.goal = l.log.Last
		if folder != standby && !without(PresentEpoch) {
			p.match, p.whole, p.said = 0, false, 0
		}
	}
}

// Join makes a learner count as a member, beside the standby, while the store is asked to make it the standby.
func (l *Leader) Join(folder string) { l.joining = folder }

// Epoch is the present one.
func (l *Leader) Epoch() record.Epoch { return l.epoch }

// Standby is the folder of the present standby, or "".
func (l *Leader) Standby() string { return l.standby }

// Log is all that was handed over. It must not be changed.
func (l *Leader) Log() *History { return &l.log }

// Appended adds entries of one epoch to the log, before they are sent. Entries that it has are ignored. Begins: the log
// begins with them now.
func (l *Leader) Appended(e record.Epoch, first, last room.Index, begins bool) {
	if last <= l.log.Last {
		return
	}
	if begins {
		defer l.log.Trim(first)
	}
	l.log.Add(e, first, last)
	if e == l.epoch && l.base == 0 {
		l.base = last
	}
}

// Stable says that this node's journal has the log up to an index.
func (l *Leader) Stable(i room.Index) { l.stable = max(l.stable, i) }

// Offer begins to feed a follower, over a new link. What the link before it has confirmed stays.
func (l *Leader) Offer(folder string) {
	p := l.followers[folder]
	if p == nil {
		p = &progress{}
		l.followers[folder] = p
	}
	p.next, p.goal = 0, l.log.Last
}

// Drop ends the feeding of a follower.
func (l *Leader) Drop(folder string) {
	if p := l.followers[folder]; p != nil && folder == l.standby {
		p.next = 0 // what it has confirmed stays confirmed
		return
	}
	delete(l.followers, folder)
}

// Have takes a follower's answer to an Offer: what it has. It returns from where on to send.
func (l *Leader) Have(folder string, has History) (next room.Index, ok bool) {
	p := l.followers[folder]
	if p == nil {
		return 0, false
	}
	p.next = max(Common(&l.log, &has)+1, l.log.Begin(), 1)
	return p.next, true
}

// Next is what to send a follower next; 0: it has not answered yet, or is no follower.
func (l *Leader) Next(folder string) room.Index {
	if p := l.followers[folder]; p != nil {
		return p.next
	}
	return 0
}

// Sent notes that entries up to an index are on their way, and reports whether a follower that has them has all that the
// owner had when it began to feed it.
func (l *Leader) Sent(folder string, last room.Index) (full bool) {
	p := l.followers[folder]
	if p == nil {
		return false
	}
	p.next = last + 1
	return last >= p.goal || last >= l.committed && without(AllOfIt)
}

// Confirm takes a follower's word that its journal has the log up to an index. It counts at the present epoch only.
func (l *Leader) Confirm(folder string, e record.Epoch, i room.Index, whole bool) {
	p := l.followers[folder]
	if p == nil || e != l.epoch && !without(PresentEpoch) {
		return
	}
	p.match, p.whole = max(p.match, min(i, l.log.Last)), whole
}

// Mismatch says that a follower's log is not as the owner thinks: it is asked again what it has.
func (l *Leader) Mismatch(folder string, e record.Epoch) (again bool) {
	p := l.followers[folder]
	if p == nil || e != l.epoch {
		return false
	}
	p.next, p.match, p.whole = 0, 0, false
	return true
}

// Match is what a follower has confirmed at the present epoch, or, for the standby, what it had at the one before.
func (l *Leader) Match(folder string) room.Index {
	if p := l.followers[folder]; p != nil {
		return p.match
	}
	return 0
}

// Whole reports whether a follower has said, at the present epoch, that its copy is whole.
func (l *Leader) Whole(folder string) bool {
	p := l.followers[folder]
	return p != nil && p.whole
}

// Ready reports whether a learner may become the standby: it is whole, has all that is committed, and has confirmed an
// entry of the present epoch behind whatever the owner has restored.
func (l *Leader) Ready(folder string) bool {
	p := l.followers[folder]
	if p == nil || folder == l.standby {
		return false
	}
	opened := l.base > 0 && p.match >= l.base || without(OpenedFirst)
	return opened && p.whole && p.match >= l.committed || without(WholeFirst)
}

// Commit returns the end of what is committed: what this node's journal and every member have. It never falls.
func (l *Leader) Commit() room.Index {
	c := l.stable
	if l.hold && l.standby == "" {
		return l.committed
	}
	for _, folder := range l.members() {
		if folder != "" {
			c = min(c, l.Match(folder))
		}
	}
	if c >= l.floor {
		l.committed = max(l.committed, c)
	}
	return l.committed
}

// members are the folders that count beside this node's.
func (l *Leader) members() [2]string {
	switch {
	case without(BothCount):
		return [2]string{l.standby}
	case without(OldCounts) && l.joining != "":
		return [2]string{l.joining}
	}
	return [2]string{l.standby, l.joining}
}

// Ask numbers a question to which no entry of the log is the answer, such as a view. All members are sent the number, and say
// it back if they know of no later epoch than the present one.
func (l *Leader) Ask() uint64 {
	l.asked++
	return l.asked
}

// Said takes a member's word that it knows of no later epoch, in answer to a question.
func (l *Leader) Said(folder string, e record.Epoch, n uint64) {
	if p := l.followers[folder]; p != nil && e == l.epoch {
		p.said = max(p.said, n)
	}
}

// Current is the last question that may be answered: every member but this node has said since that no other owner has
// answered anybody. An owner that is alone may answer at once, unless it does not know yet what its predecessor has
// acknowledged.
func (l *Leader) Current() uint64 {
	n := l.asked
	switch {
	case without(FreshWord):
		return n
	case l.committed < l.floor:
		return 0
	}
	for _, folder := range l.members() {
		if p := l.followers[folder]; folder != "" && p == nil {
			return 0
		} else if folder != "" {
			n = min(n, p.said)
		}
	}
	return n
}

// Member reports whether a follower counts: it is the standby, or about to become it.
func (l *Leader) Member(folder string) bool {
	return folder != "" && (folder == l.standby || folder == l.joining)
}
