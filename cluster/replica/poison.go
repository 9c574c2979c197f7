package replica

import (
	"context"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// BlackBox knows which steps are under way in this process, and in which ones processes have died. A journal.BlackBox implements it; the
// Replicas are its witness.
type BlackBox interface {
	// Scan calls Replicas.Long for each step that was under way already when Scan was called last.
	Scan()
	// Deaths is how many processes are known to have died in a step.
	Deaths(id room.ID, fingerprint uint64) int
	// Strike notes durably that at least so many have. It blocks on the disk.
	Strike(ctx context.Context, id room.ID, fingerprint uint64, deaths int) error
}

// noBlackBox is used if there is none.
type noBlackBox struct{}

func (noBlackBox) Scan()                                              {}
func (noBlackBox) Deaths(room.ID, uint64) int                         { return 0 }
func (noBlackBox) Strike(context.Context, room.ID, uint64, int) error { return nil }

// step is a step of which a room's followers are told, because it may kill the process.
type step struct {
	fingerprint uint64
	deaths      int             // processes that are known to have died in it
	waits       map[string]bool // the folders of members that have not noted it
	noted       chan struct{}   // closed when none waits
}

// Before implements journal.Witness. A room whose owner has died tells its followers of every step before it begins, until it has got on:
// the client of a fatal act sends it again.
func (r *Replicas) Before(id room.ID, fingerprint uint64) (told bool) {
	if r.wary.Load() == 0 {
		return false
	}
	l := r.room(id)
	if l == nil {
		return false
	}
	l.mu.Lock()
	if l.wary == 0 || l.closed {
		l.mu.Unlock()
		return false
	}
	noted := l.tell(fingerprint)
	l.mu.Unlock()
	select {
	case <-noted:
		return true
	default:
	}
	late, stop := clock.After(r.o.Clock, r.o.NoteWait)
	defer stop()
	select {
	case <-noted:
	case <-late:
	case <-r.ctx.Done():
	}
	return true
}

// Long implements journal.Witness.
func (r *Replicas) Long(id room.ID, fingerprint uint64) {
	if l := r.room(id); l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.tell(fingerprint)
	}
}

// After implements journal.Witness.
func (r *Replicas) After(id room.ID, fingerprint uint64) {
	l := r.room(id)
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.step == nil || l.step.fingerprint != fingerprint {
		return
	}
	l.step = nil
	for _, f := range l.feeds {
		if f.end != nil {
			f.end.Send(l.frame(&linkpb.LeaderFrame{What: &linkpb.LeaderFrame_Stepped{Stepped: &linkpb.Nothing{}}}))
		}
	}
}

// scan finds long steps until Close.
func (r *Replicas) scan() {
	for clock.Sleep(r.ctx, r.o.Clock, r.o.LongStep/2) {
		r.o.Black.Scan()
	}
}

// tell tells all followers of a step. The channel is closed when those have noted it that may seize the room. The caller holds the lock.
func (l *lead) tell(fingerprint uint64) (noted <-chan struct{}) {
	s := &step{
		fingerprint: fingerprint, deaths: l.r.o.Black.Deaths(l.id, fingerprint), waits: map[string]bool{}, noted: make(chan struct{}),
	}
	l.step = s
	for folder, f := range l.feeds {
		if f.end == nil {
			continue
		}
		l.tellStep(f)
		if folder == l.l.Standby() || folder == l.learner && l.asked {
			s.waits[folder] = true
		}
	}
	if len(s.waits) == 0 {
		close(s.noted)
	}
	return s.noted
}

// tellStep tells a follower of the step under way, if it is to know. The caller holds the lock.
func (l *lead) tellStep(f *feed) {
	if s := l.step; s != nil && f.end != nil {
		f.end.Send(l.frame(&linkpb.LeaderFrame{What: &linkpb.LeaderFrame_Stepping{Stepping: &linkpb.Stepping{
			Fingerprint: s.fingerprint, Deaths: uint32(s.deaths),
		}}}))
	}
}

// noted hears that a follower knows of a step.
func (l *lead) noted(folder string, n *linkpb.Noted) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.step; s != nil && s.fingerprint == n.GetFingerprint() && s.waits[folder] {
		if delete(s.waits, folder); len(s.waits) == 0 {
			close(s.noted)
		}
	}
}

// watch makes the room wary until it has committed so many inputs behind an index. The caller holds the lock.
func (l *lead) watch(last room.Index) {
	l.wary = last + room.Index(l.r.o.Wary)
	l.r.wary.Add(1)
}

// calm ends that. The caller holds the lock.
func (l *lead) calm() {
	if l.wary != 0 {
		l.wary = 0
		l.r.wary.Add(-1)
	}
}

// stepping hears in which step the owner's process would die now. What is known only in memory is lost with this process: then a death
// is not counted.
func (c *copied) stepping(end *link.FollowerEnd, e record.Epoch, s *linkpb.Stepping) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || e < c.c.Promised {
		return
	}
	c.step = &step{fingerprint: s.GetFingerprint(), deaths: int(s.GetDeaths())}
	end.Send(&linkpb.FollowerFrame{Room: string(c.id), Epoch: uint64(e), What: &linkpb.FollowerFrame_Noted{Noted: &linkpb.Noted{Fingerprint: s.GetFingerprint()}}})
}

func (c *copied) stepped(e record.Epoch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e >= c.c.Promised {
		c.step = nil
	}
}

// Stepping implements lifecycle.Replicas.
func (r *Replicas) Stepping(id room.ID) (s record.Strike, open bool) {
	c := r.copy(id)
	if c == nil {
		return s, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.step == nil {
		return s, false
	}
	return record.Strike{Fingerprint: c.step.fingerprint, Deaths: c.step.deaths}, true
}

// strike notes that the owner has not returned from a step, and blocks on the disk.
func (c *copied) strike(s *step) {
	c.r.strikes.Add(1)
	c.r.o.Log.Warn("the owner of a room was lost while it stepped the room", "room", c.id, "deaths", s.deaths+1)
	if err := c.r.o.Black.Strike(c.r.ctx, c.id, s.fingerprint, s.deaths+1); err != nil && c.r.ctx.Err() == nil {
		c.r.o.Log.Warn("it is not noted", "room", c.id, "err", err)
	}
}

// defaults of Options that concern poisoned rooms.
const (
	defaultLongStep = 50 * time.Millisecond
	defaultWary     = 32
	defaultNoteWait = 250 * time.Millisecond
)
