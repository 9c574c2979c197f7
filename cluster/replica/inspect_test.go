package replica_test

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/balance"
	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/cluster/replica"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// disk is a journal that writes at once, or when it is let go.
type disk struct {
	mu    sync.Mutex
	held  bool
	waits []func(error)
	kept  record.Kept
}

func (d *disk) write(done func(error)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case done == nil:
	case d.held:
		d.waits = append(d.waits, done)
	default:
		go done(nil)
	}
	return nil
}

func (d *disk) hold(held bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.held = held; !held {
		for _, done := range d.waits {
			done(nil)
		}
		d.waits = nil
	}
}

func (d *disk) Append(_ record.Batch, _ *record.Snapshot, done func(error)) error {
	return d.write(done)
}
func (d *disk) Cut(_ room.ID, _ room.Index, done func(error)) error { return d.write(done) }
func (d *disk) Mark(_ room.ID, _ record.Epoch, _ record.Doubt, done func(error)) error {
	return d.write(done)
}
func (d *disk) Load(_ context.Context, id room.ID) (record.Kept, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	kept := d.kept
	kept.Batches = slices.DeleteFunc(slices.Clone(kept.Batches), func(b record.Batch) bool { return b.Room != id })
	return kept, nil
}

// own is an owner's journal, which keeps everything at once.
type own struct{ p actor.Progress }

func (own) Open(_ room.ID, p actor.Progress) actor.LogStore { return own{p} }
func (own) Failing() error                                  { return nil }
func (o own) Append(b record.Batch) error {
	go o.p.Committed(record.Point{Epoch: b.Epoch, Seq: b.Last})
	return nil
}
func (own) Save(record.Snapshot) error   { return nil }
func (own) SetClock(time.Duration) error { return nil }
func (own) Current(done func())          { done() }
func (own) Close()                       {}

// quiet is a room that does not listen.
type quiet struct{}

func (quiet) Committed(record.Point) {}
func (quiet) Saved(room.Index)       {}
func (quiet) Failed(error)           {}
func (quiet) Unavailable(error)      {}
func (quiet) Available()             {}

// only is the other node.
type only string

func (o only) Order(room.ID) []string    { return []string{string(o)} }
func (only) Leaves(string) bool          { return false }
func (only) Place(room.ID) balance.Place { return balance.Place{} }
func (only) Version() uint64             { return 1 }

// deaf is a session that does not listen.
type deaf[F any] struct{}

func (deaf[F]) Frame(F)    {}
func (deaf[F]) Down(error) {}

type side struct {
	*replica.Replicas
	disk   disk
	box    box
	links  *link.Links
	target link.Target
}

func open(t *testing.T, name, other string, deliver func(*side, room.ID, ownership.Event)) *side {
	t.Helper()
	s := &side{}
	s.Replicas = replica.New(replica.Options{
		Node: name, Folder: name + "-folder", Journal: &s.disk, Logs: own{}, Black: &s.box, NoteWait: time.Minute, Patience: time.Minute, Tend: 20 * time.Millisecond,
		Deliver: func(id room.ID, e ownership.Event) { deliver(s, id, e) },
	})
	var err error
	s.links, err = link.New(link.Options{
		Self:     &linkpb.Greeting{Node: name, Boot: name + "-1", Label: "test", Machine: "m", Store: "sqlite"},
		Security: link.Security{Insecure: true}, Silence: 20 * time.Second, Timeout: 20 * time.Second,
		Owner:  func(*link.OwnerEnd) link.Handler[*linkpb.EdgeFrame] { return deaf[*linkpb.EdgeFrame]{} },
		Edge:   func(*link.EdgeEnd) link.Handler[*linkpb.OwnerFrame] { return deaf[*linkpb.OwnerFrame]{} },
		Leader: s.Leader, Follower: s.Follower, Gone: s.Gone, Silent: s.Silent, Heard: s.Heard,
	})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.links.Serve(ln)
	s.target = link.Target{Peer: link.Peer{Node: name, Boot: record.BootID(name + "-1")}, Addr: ln.Addr().String()}
	s.Start(only(other))
	t.Cleanup(func() {
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		_ = s.links.Close(gone)
		s.Close()
	})
	return s
}

// TestWhatTheOperatorSees follows a room from being alone to having a standby, and a standby that falls behind.
func TestWhatTheOperatorSees(t *testing.T) {
	const id = room.ID("0123456789abcdef")
	h := record.Header{ID: id, Game: "chess", Durability: room.Standby}
	owner := open(t, "a", "b", func(s *side, _ room.ID, e ownership.Event) {
		if e.Kind == ownership.Recruit {
			s.Enter(id, 2, e.Folder)
		}
	})
	standby := open(t, "b", "a", func(s *side, _ room.ID, e ownership.Event) {
		if e.Kind == ownership.Offered {
			s.Follow(id, e.Epoch, e.Folder, record.Kept{Header: h, Epoch: e.Epoch, Doubt: record.Partial})
		}
	})
	owner.Lead(h, 1, "", nil, false)
	log := owner.Open(id, quiet{})
	write := func(e record.Epoch, first, last room.Index) {
		t.Helper()
		b := record.Batch{Room: id, Epoch: e, First: first, Last: last}
		for i := first; i <= last; i++ {
			var err error
			if b.Entries, err = core.EncodeEntries(b.Entries, core.Entry{Index: i, Epoch: e, Input: core.Input{Kind: core.KindAct, Player: "p"}}); err != nil {
				t.Fatal(err)
			}
		}
		owner.disk.mu.Lock()
		owner.disk.kept.Batches = append(owner.disk.kept.Batches, b)
		owner.disk.mu.Unlock()
		if err := log.Append(b); err != nil {
			t.Fatal(err)
		}
	}
	write(1, 1, 5)
	owner.Replicate(id, h)
	m, ok := owner.Members(id)
	if !ok || m.Standby != nil || m.Alone <= 0 || m.Epoch != 1 {
		t.Errorf("a room that is alone: %+v, %v", m, ok)
	}
	if s := owner.Summary(); s.Lone != 1 || s.Owned != 0 {
		t.Errorf("with a room that is alone: %+v", s)
	}
	standby.disk.hold(true)
	owner.links.Targets([]link.Target{standby.target})
	standby.links.Targets([]link.Target{owner.target})
	testwait.Until(t, "the room is being copied", func() bool {
		m, _ := owner.Members(id)
		f, followed := standby.Followed(id)
		return m.Learner != nil && m.Learner.Node == "b" && m.Learner.Lag.Entries == 5 && m.Learner.Lag.Oldest > 0 && !m.Learner.Whole &&
			followed && f.Owner == "a" && f.Folder == "a-folder"
	})
	standby.disk.hold(false)
	testwait.Until(t, "it has a standby", func() bool {
		m, _ := owner.Members(id)
		return m.Standby != nil && m.Standby.Whole && m.Alone == 0 && m.Learner == nil
	})
	write(2, 6, 6)
	testwait.Until(t, "the standby has everything", func() bool {
		m, _ := owner.Members(id)
		f, _ := standby.Followed(id)
		return *m.Standby == record.Member{Node: "b", Folder: "b-folder", Whole: true, Linked: true} &&
			f == replica.Followed{Owner: "a", Folder: "a-folder", Epoch: 2, Last: 6, Doubt: record.Whole} &&
			owner.Summary() == record.Copies{Owned: 1} && standby.Summary() == record.Copies{Followed: 1}
	})
	standby.disk.hold(true)
	write(2, 7, 10)
	first, _ := owner.Members(id)
	if first.Standby.Lag.Entries != 4 {
		t.Errorf("four entries wait: %+v", first.Standby)
	}
	write(2, 11, 11)
	testwait.Until(t, "the lag grows", func() bool {
		m, _ := owner.Members(id)
		s := owner.Summary()
		return m.Standby.Lag.Entries == 5 && m.Standby.Lag.Oldest > first.Standby.Lag.Oldest && s.Lag.Entries == 5 && s.Lag.Oldest > 0
	})
	standby.disk.hold(false)
	testwait.Until(t, "the lag is gone", func() bool {
		m, _ := owner.Members(id)
		return m.Standby.Lag == record.Lag{} && owner.Summary().Lag == record.Lag{}
	})
	if _, ok := owner.Members("fedcba9876543210"); ok {
		t.Error("it owns a room that is not there")
	}
	if _, ok := owner.Followed(id); ok {
		t.Error("it follows its own room")
	}
}
