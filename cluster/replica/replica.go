package replica

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/cluster/balance"
	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// Journal keeps copies of rooms, beside those that this node owns. Only Load blocks. A journal.Journal implements it.
type Journal interface {
	Append(b record.Batch, snap *record.Snapshot, done func(error)) error
	Cut(id room.ID, last room.Index, done func(error)) error
	Mark(id room.ID, epoch record.Epoch, d record.Doubt, done func(error)) error
	Load(ctx context.Context, id room.ID) (record.Kept, error)
}

// Nodes are what gossip and the ring tell. Its methods do not block.
type Nodes interface {
	// Order are the other nodes that may copy a room, the best one first.
	Order(id room.ID) []string
	// Leaves reports whether a node is draining.
	Leaves(node string) bool
	// Place is where the ring wants a room. Without an owner: this node is not on the ring.
	Place(id room.ID) balance.Place
	// Version differs whenever a node has come, gone or restarted.
	Version() uint64
}

// Options make Replicas. Node, Folder, Journal and Logs are needed.
type Options struct {
	Node    string // this node's name
	Folder  string // the id of this node's data folder
	Journal Journal
	Logs    actor.Logs // this node's own journal, as the rooms see it
	// Deliver gives an event to a room's machine: lifecycle.Owner.Deliver. It may block on locks.
	Deliver func(id room.ID, e ownership.Event)
	// Clients counts the sessions in a room of this node. It says false of a room that is over or not here. Nil: nobody is anywhere.
	Clients func(id room.ID) (n int, lives bool)
	Balance balance.Options // Self is Node

	Tend     time.Duration // how often all rooms are looked after while something is under way, else four times that; 0 means 250 ms
	Patience time.Duration // how long a follower may take to answer, and to get on; 0 means 5 s
	Grace    time.Duration // how long a member's node may be unknown after it was named before it counts as dead; 0 means 3 s
	Idle     time.Duration // the row of a copy that is not fed for so long is read; 0 means 30 s
	Hold     time.Duration // how long a new room promises nothing while it has no standby; 0 means 1 s
	Unable   time.Duration // how long this node's journal may fail before rooms go to their standbys; 0 means 2 s
	Learners int           // the most rooms that are copied to a new standby at once; 0 means 128
	Fills    int           // the most of them whose log is read from the journal at once; 0 means 4
	// FillBytes is the most bytes a second, in the mean, that are read from the journal to fill copies; 0 means 32 MiB.
	FillBytes int
	Ahead     int // bytes that may wait in a stream before a copy that is being filled waits; 0 means 1 MiB
	Window    int // bytes of a room's log kept for a follower that is being filled; 0 means 4 MiB. Beyond it the copy begins again
	Snapshot  int // bytes of the largest snapshot that is sent to followers; 0 means 8 MiB. They restore a room with a larger one from its log

	// Black finds rooms whose game kills the process; nil: none.
	Black    BlackBox
	LongStep time.Duration // a step that takes so long is told to the followers; 0 means 50 ms
	Wary     int           // so many inputs after its owner's death a room tells each step before it begins; 0 means 32
	NoteWait time.Duration // how long that waits for the standby; 0 means 250 ms

	Clock clock.Clock  // nil: one of its own
	Log   *slog.Logger // nil: discarded
}

// Replicas are the copies of rooms between this node and the others. It implements actor.Logs, lifecycle.Replicas and the
// handlers of streams. Its methods may be called from any goroutine.
type Replicas struct {
	o      Options
	nodes  Nodes
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	fills  chan struct{}

	mu      sync.Mutex
	rooms   map[room.ID]*lead
	copies  map[room.ID]*copied
	offers  map[room.ID]offer // that wait for the machine
	peers   map[string]*peer  // by node
	folders map[string]*peer  // by folder
	began   time.Duration
	events  []event // to be delivered
	wake    chan struct{}
	closed  bool

	free   int           // learners that may still be chosen in this round; guarded by mu
	filled time.Duration // when all that fillings have sent is within Options.FillBytes; guarded by mu

	summing sync.Mutex
	sum     record.Copies
	summed  time.Duration // when sum was made; 0: never

	wary         atomic.Int32 // rooms that tell each step
	filledCopies atomic.Uint64
	strikes      atomic.Uint64

	balancing sync.Mutex // guards what follows
	balancer  *balance.Balancer
	compareAt time.Duration // when all rooms are compared with the ring again
}

// peer is another node.
type peer struct {
	node   string
	boot   record.BootID
	folder string
	lead   *link.LeaderEnd   // to copy rooms of this node there; nil: no stream stands
	follow *link.FollowerEnd // by which it copies its rooms here
	dead   bool              // it is gone or silent
	clock  time.Duration     // as it told it last
}

// offer is an owner's offer to feed a copy.
type offer struct {
	from   *peer
	folder string
	epoch  record.Epoch
	header record.Header
}

type event struct {
	id room.ID
	e  ownership.Event
}

// New makes Replicas that know no other node yet. Start has them look after rooms.
func New(o Options) *Replicas {
	o.Balance.Self = o.Node
	o.Tend = cmp.Or(o.Tend, 250*time.Millisecond)
	o.Patience = cmp.Or(o.Patience, 5*time.Second)
	o.Grace = cmp.Or(o.Grace, 3*time.Second)
	o.Idle = cmp.Or(o.Idle, 30*time.Second)
	o.Hold = cmp.Or(o.Hold, time.Second)
	o.Unable = cmp.Or(o.Unable, 2*time.Second)
	o.Learners = cmp.Or(o.Learners, 128)
	o.Fills = cmp.Or(o.Fills, 4)
	o.FillBytes = cmp.Or(o.FillBytes, 32<<20)
	o.Ahead = cmp.Or(o.Ahead, 1<<20)
	o.Window = cmp.Or(o.Window, 4<<20)
	o.Snapshot = cmp.Or(o.Snapshot, 8<<20)
	if o.Clients == nil {
		o.Clients = func(room.ID) (int, bool) { return 0, true }
	}
	o.LongStep = cmp.Or(o.LongStep, defaultLongStep)
	o.Wary = cmp.Or(o.Wary, defaultWary)
	o.NoteWait = cmp.Or(o.NoteWait, defaultNoteWait)
	if o.Black == nil {
		o.Black = noBlackBox{}
	}
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r := &Replicas{
		o: o, fills: make(chan struct{}, o.Fills), wake: make(chan struct{}, 1), began: o.Clock.Now(),
		rooms: map[room.ID]*lead{}, copies: map[room.ID]*copied{}, offers: map[room.ID]offer{},
		peers: map[string]*peer{}, folders: map[string]*peer{}, balancer: balance.New(o.Balance),
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// Start begins to look after rooms. Call it once.
func (r *Replicas) Start(nodes Nodes) {
	r.nodes = nodes
	r.wg.Go(r.deliverAll)
	r.wg.Go(r.tendAll)
	r.wg.Go(r.scan)
}

// Close ends everything under way and waits for it.
func (r *Replicas) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	r.wg.Wait()
}

// spawn runs f in a goroutine that Close waits for.
func (r *Replicas) spawn(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.wg.Go(f)
	}
}

// tell queues an event for a room's machine, so that links and journals do not wait for it. The queue is bounded by the
// rooms: each causes a few events at most before it is looked after again.
func (r *Replicas) tell(id room.ID, e ownership.Event) {
	r.mu.Lock()
	r.events = append(r.events, event{id, e})
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *Replicas) deliverAll() {
	for {
		select {
		case <-r.wake:
		case <-r.ctx.Done():
			return
		}
		r.mu.Lock()
		events := r.events
		r.events = nil
		r.mu.Unlock()
		for _, e := range events {
			r.o.Deliver(e.id, e.e)
		}
	}
}

// Fills counts the copies that were filled from this node's journal since the start.
func (r *Replicas) Fills() uint64 { return r.filledCopies.Load() }

// Strikes counts the rooms whose owner was lost while it stepped them, and which this node has taken on.
func (r *Replicas) Strikes() uint64 { return r.strikes.Load() }

func (r *Replicas) room(id room.ID) *lead {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rooms[id]
}

func (r *Replicas) copy(id room.ID) *copied {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.copies[id]
}

// stream is the stream to the node that serves a folder; nil: there is none now.
func (r *Replicas) stream(folder string) *link.LeaderEnd {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.folders[folder]; p != nil {
		return p.lead
	}
	return nil
}

// Node implements lifecycle.Replicas.
func (r *Replicas) Node(folder string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.folders[folder]; p != nil {
		return p.node
	}
	return ""
}

// answers is the stream by which the node that serves a folder feeds this one; nil: there is none now.
func (r *Replicas) answers(folder string) *link.FollowerEnd {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.folders[folder]; p != nil {
		return p.follow
	}
	return nil
}

// peerOf finds or makes what is known of a node. The caller holds the lock.
func (r *Replicas) peerOf(p link.Peer) *peer {
	known := r.peers[p.Node]
	if known == nil {
		known = &peer{node: p.Node}
		r.peers[p.Node] = known
	}
	if known.boot != p.Boot {
		known.boot, known.dead = p.Boot, false
	}
	return known
}

// greeted notes the folder that a node serves.
func (r *Replicas) greeted(p *peer, folder string) {
	r.mu.Lock()
	if p.folder != folder && r.folders[p.folder] == p {
		delete(r.folders, p.folder)
	}
	p.folder, p.dead = folder, false
	r.folders[folder] = p
	r.mu.Unlock()
}

// Leader serves a stream by which this node's rooms are copied to another.
func (r *Replicas) Leader(to *link.LeaderEnd) link.Handler[*linkpb.FollowerFrame] {
	r.mu.Lock()
	p := r.peerOf(to.Peer())
	p.lead = to
	r.mu.Unlock()
	to.Send(&linkpb.LeaderFrame{What: &linkpb.LeaderFrame_Hello{Hello: &linkpb.Hello{Folder: r.o.Folder}}})
	return &leaderStream{r: r, p: p, end: to}
}

// leaderStream hears what followers at one node say.
type leaderStream struct {
	r   *Replicas
	p   *peer
	end *link.LeaderEnd
}

func (s *leaderStream) Down(error) {
	s.r.mu.Lock()
	if s.p.lead == s.end {
		s.p.lead = nil
	}
	s.r.mu.Unlock()
}

func (s *leaderStream) Frame(f *linkpb.FollowerFrame) {
	r, id, e := s.r, room.ID(f.GetRoom()), record.Epoch(f.GetEpoch())
	if hello := f.GetHello(); hello != nil {
		r.greeted(s.p, hello.GetFolder())
		r.linked(hello.GetFolder())
		return
	}
	folder := s.folder()
	l := r.room(id)
	switch what := f.GetWhat().(type) {
	case *linkpb.FollowerFrame_Have:
		if l != nil {
			l.have(folder, s.end, e, what.Have)
		}
	case *linkpb.FollowerFrame_Confirm:
		if l != nil {
			l.confirmed(folder, e, what.Confirm)
		}
	case *linkpb.FollowerFrame_Mismatch:
		if l != nil {
			l.mismatch(folder, s.end, e)
		}
	case *linkpb.FollowerFrame_Noted:
		if l != nil {
			l.noted(folder, what.Noted)
		}
	case *linkpb.FollowerFrame_Refuse:
		if l != nil {
			l.refused(folder, e, what.Refuse)
		}
		r.tell(id, ownership.Event{Kind: ownership.Declined, Log: logOf(what.Refuse.GetCopy())})
	}
}

func (s *leaderStream) folder() string {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	return s.p.folder
}

// Follower serves a stream by which another node copies its rooms here.
func (r *Replicas) Follower(to *link.FollowerEnd) link.Handler[*linkpb.LeaderFrame] {
	r.mu.Lock()
	p := r.peerOf(to.Peer())
	p.follow = to
	r.mu.Unlock()
	to.Send(&linkpb.FollowerFrame{What: &linkpb.FollowerFrame_Hello{Hello: &linkpb.Hello{Folder: r.o.Folder}}})
	return &followerStream{r: r, p: p, end: to}
}

// followerStream hears what the owners at one node say.
type followerStream struct {
	r      *Replicas
	p      *peer
	end    *link.FollowerEnd
	folder string
}

func (s *followerStream) Down(error) {
	s.r.mu.Lock()
	if s.p.follow == s.end {
		s.p.follow = nil
	}
	s.r.mu.Unlock()
}

func (s *followerStream) Frame(f *linkpb.LeaderFrame) {
	r, id, e := s.r, room.ID(f.GetRoom()), record.Epoch(f.GetEpoch())
	switch what := f.GetWhat().(type) {
	case *linkpb.LeaderFrame_Hello:
		s.folder = what.Hello.GetFolder()
		r.greeted(s.p, s.folder)
	case *linkpb.LeaderFrame_Clock:
		r.mu.Lock()
		s.p.clock = time.Duration(what.Clock.GetElapsedNs())
		r.mu.Unlock()
	case *linkpb.LeaderFrame_Offer:
		r.hearOffer(s, id, e, what.Offer)
	case *linkpb.LeaderFrame_Yield:
		if c := r.copy(id); c != nil {
			c.stops(e, time.Duration(what.Yield.GetTimeNs()))
		}
		r.tell(id, ownership.Event{Kind: ownership.Yielded, Folder: s.folder, Epoch: e, Log: logOf(what.Yield.GetCopy())})
	case *linkpb.LeaderFrame_Dismissed:
		r.tell(id, ownership.Event{Kind: ownership.Look})
	case *linkpb.LeaderFrame_Append:
		if c := r.copy(id); c != nil {
			c.take(s, e, what.Append)
		}
	case *linkpb.LeaderFrame_Snapshot:
		if c := r.copy(id); c != nil {
			c.snapshot(e, what.Snapshot)
		}
	case *linkpb.LeaderFrame_Time:
		if c := r.copy(id); c != nil {
			c.setOffset(time.Duration(what.Time.GetOffsetNs()))
		}
	case *linkpb.LeaderFrame_Stepping:
		if c := r.copy(id); c != nil {
			c.stepping(s.end, e, what.Stepping)
		}
	case *linkpb.LeaderFrame_Stepped:
		if c := r.copy(id); c != nil {
			c.stepped(e)
		}
	}
}

// Gone says that a node's process is dead, Silent that nothing is heard of it, and Heard that it speaks again.
func (r *Replicas) Gone(p link.Peer)   { r.dead(p, true) }
func (r *Replicas) Silent(p link.Peer) { r.dead(p, true) }
func (r *Replicas) Heard(p link.Peer)  { r.dead(p, false) }

func (r *Replicas) dead(p link.Peer, dead bool) {
	r.mu.Lock()
	known := r.peers[p.Node]
	is := known != nil && known.boot == p.Boot
	folder := ""
	if is {
		known.dead = dead
		folder = known.folder
	}
	r.mu.Unlock()
	if is && folder != "" {
		r.spawn(func() { r.judge(folder) })
	}
}

func logOf(c *linkpb.Copy) ownership.Log {
	return ownership.Log{Epoch: record.Epoch(c.GetEpoch()), Last: room.Index(c.GetLast()), Doubt: record.Doubt(c.GetDoubt())}
}

func copyOf(l ownership.Log) *linkpb.Copy {
	doubt := l.Doubt
	if l.Cut != "" && doubt == record.Whole {
		doubt = record.Partial
	}
	return &linkpb.Copy{Epoch: uint64(l.Epoch), Last: uint64(l.Last), Doubt: uint32(doubt)}
}
