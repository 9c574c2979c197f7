package journal_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// copyModel is what a journal should hold of a copy, as simple lists. It also draws what is done to the copy next: the same numbers draw the
// same again, so a test knows what another process did.
type copyModel struct {
	id     room.ID
	rng    *rand.Rand
	epoch  record.Epoch
	doubt  record.Doubt
	log    []core.Entry // ticks one by one
	snaps  []record.Snapshot
	writes uint64 // makes every entry another
}

// modelOf is the model of a copy as it was loaded.
func modelOf(kept record.Kept, seed uint64) (*copyModel, error) {
	m := &copyModel{id: kept.Header.ID, rng: rand.New(rand.NewPCG(seed, 1)), epoch: kept.Epoch, doubt: kept.Doubt, snaps: kept.Snapshots, writes: seed << 32}
	for _, b := range kept.Batches {
		for e, err := range core.DecodeEntries(b.Entries) {
			if err != nil {
				return nil, err
			}
			m.log = append(m.log, e)
		}
	}
	return m, nil
}

func (m *copyModel) first() room.Index {
	if len(m.log) == 0 {
		return 0
	}
	return m.log[0].Index
}

func (m *copyModel) last() room.Index {
	if len(m.log) == 0 {
		return 0
	}
	return m.log[len(m.log)-1].Index
}

// copyOp is one thing done to a copy.
type copyOp struct {
	batch    record.Batch // without entries: none
	snapshot *record.Snapshot
	cut      bool
	last     room.Index
	mark     bool
	epoch    record.Epoch
	doubt    record.Doubt
}

func (o copyOp) do(j *journal.Journal, id room.ID, done func(error)) error {
	switch {
	case o.cut:
		return j.Cut(id, o.last, done)
	case o.mark:
		return j.Mark(id, o.epoch, o.doubt, done)
	}
	return j.Append(o.batch, o.snapshot, done)
}

// next draws an operation and does it to the model.
func (m *copyModel) next() copyOp {
	switch n := m.rng.IntN(100); {
	case n < 12 && len(m.log) > 0, len(m.log) > 300:
		return m.cut()
	case n < 24:
		o := copyOp{mark: true, epoch: m.epoch + record.Epoch(m.rng.IntN(3)) - 1, doubt: record.Doubt(m.rng.IntN(3))}
		m.epoch, m.doubt = max(m.epoch, o.epoch), o.doubt
		return o
	default:
		return m.append(n > 95)
	}
}

func (m *copyModel) cut() copyOp {
	o := copyOp{cut: true, last: m.first() + room.Index(m.rng.IntN(len(m.log)))}
	if m.rng.IntN(8) == 0 {
		o.last = 0
	}
	m.log = slices.DeleteFunc(m.log, func(e core.Entry) bool { return e.Index > o.last })
	m.snaps = slices.DeleteFunc(slices.Clone(m.snaps), func(s record.Snapshot) bool { return s.Index > o.last })
	return o
}

func (m *copyModel) append(begins bool) copyOp {
	first := m.last() + 1
	if begins && len(m.log) == 0 {
		first += room.Index(m.rng.IntN(50)) // an empty copy may begin anywhere
	}
	m.epoch += record.Epoch(m.rng.IntN(4) / 3)
	var fresh []core.Entry
	at := time.Duration(first) * time.Second
	for i := range room.Index(1 + m.rng.IntN(9)) {
		m.writes++
		e := core.Entry{Index: first + i, Epoch: m.epoch, Input: core.Input{At: at + time.Duration(i)*time.Second, Kind: core.KindTick}}
		switch {
		case i == 0 && begins:
			e.Kind, e.Data, e.Version = core.KindCut, fmt.Appendf(nil, "%d", m.writes), 3
		case m.rng.IntN(4) == 0:
			e.Kind, e.Name = core.KindSignal, fmt.Sprint(m.writes)
		case m.rng.IntN(4) == 0:
			e.Checks = []core.ViewCheck{{Class: core.ClassID(m.rng.IntN(3)), Sum: uint32(m.writes)}}
		}
		fresh = append(fresh, e)
	}
	raw, err := core.EncodeEntries(nil, fresh...)
	if err != nil {
		panic(err)
	}
	end := fresh[len(fresh)-1]
	o := copyOp{batch: record.Batch{Room: m.id, Epoch: end.Epoch, First: first, Last: end.Index, Time: end.At, Begins: begins, Entries: raw}}
	if begins {
		m.log = nil
		m.snaps = slices.DeleteFunc(slices.Clone(m.snaps), func(s record.Snapshot) bool { return s.Index < first })
	}
	m.log = append(slices.Clone(m.log), fresh...)
	if m.rng.IntN(5) == 0 {
		e := fresh[m.rng.IntN(len(fresh))]
		o.snapshot = &record.Snapshot{Room: m.id, Epoch: e.Epoch, Index: e.Index, Data: []byte(m.stateAt(e.Index))}
		m.snaps = append(slices.Clone(m.snaps), *o.snapshot)
		m.snaps = m.snaps[max(len(m.snaps)-2, 0):]
	}
	return o
}

// stateAt is what a snapshot of this history holds.
func (m *copyModel) stateAt(at room.Index) string {
	for _, e := range m.log {
		if e.Index == at {
			return fmt.Sprint(e.Epoch, e.Kind, e.Name, string(e.Data), e.Checks)
		}
	}
	return ""
}

// differs says in what a copy differs from the model. exact says that no process was killed, so all snapshots must be there.
func (m *copyModel) differs(kept record.Kept, exact bool) string {
	is, err := modelOf(kept, 0)
	if err != nil {
		return err.Error()
	}
	if err := core.CheckKept(&kept); err != nil {
		return err.Error()
	}
	want, err1 := core.EncodeEntries(nil, m.log...)
	got, err2 := core.EncodeEntries(nil, is.log...)
	switch {
	case err1 != nil || err2 != nil || is.first() != m.first() || is.last() != m.last() || !bytes.Equal(want, got):
		return fmt.Sprintf("the log goes from %d to %d, want %d to %d (%v, %v)", is.first(), is.last(), m.first(), m.last(), err1, err2)
	case kept.Epoch != m.epoch || kept.Doubt != m.doubt || kept.Cut != "":
		return fmt.Sprintf("it is at epoch %d, %v, cut %q, want %d, %v", kept.Epoch, kept.Doubt, kept.Cut, m.epoch, m.doubt)
	case exact && len(kept.Snapshots) != len(m.snaps):
		return fmt.Sprintf("it has %d snapshots, want %d", len(kept.Snapshots), len(m.snaps))
	}
	for _, s := range kept.Snapshots {
		if string(s.Data) != m.stateAt(s.Index) {
			return fmt.Sprintf("the snapshot at %d is of another history", s.Index)
		}
	}
	return ""
}

// emptyCopy is a room of which only the header is known.
func emptyCopy(id room.ID) record.Kept {
	return record.Kept{Header: header(id), Epoch: 1, Doubt: record.Partial}
}

// TestCopiesAreAsTheyShouldBe does thousands of things to copies, many under way at once, and compares them with lists, also after restarts.
func TestCopiesAreAsTheyShouldBe(t *testing.T) {
	for _, sync := range []bool{false, true} {
		t.Run(fmt.Sprintf("sync=%v", sync), func(t *testing.T) {
			seed := rand.Uint64N(1 << 30)
			t.Logf("seed %d", seed)
			lives, turns := 8, 12
			switch {
			case sync:
				lives, turns = 3, 8
			case os.Getenv("ROOMRING_LONG") != "": // set by make soak
				lives, turns = 40, 100
			}
			dir := t.TempDir()
			o := journal.Options{Sync: sync, MaxRow: 400, MaxFiles: 5}
			n := open(t, dir, o)
			var models []*copyModel
			for i := range 8 {
				if err := n.Import(within(t), emptyCopy(roomID(i))); err != nil {
					t.Fatal(err)
				}
				m, _ := modelOf(n.load(roomID(i)), seed+uint64(i))
				models = append(models, m)
			}
			for range lives {
				for range turns {
					n.burst(models, 10)
					for _, m := range models {
						if diff := m.differs(n.load(m.id), true); diff != "" {
							t.Fatalf("room %s: %s", m.id, diff)
						}
					}
				}
				n.close()
				n = open(t, dir, o)
				for _, m := range models {
					if diff := m.differs(n.load(m.id), true); diff != "" {
						t.Fatalf("after a restart: room %s: %s", m.id, diff)
					}
				}
			}
		})
	}
}

// burst does some things to all copies without waiting in between, and checks that the done functions come in order.
func (n *node) burst(models []*copyModel, each int) {
	n.t.Helper()
	answers := make(chan error, each*len(models)+1)
	count := make(map[room.ID]int)
	for i := range each {
		for _, m := range models {
			err := m.next().do(n.Journal, m.id, func(err error) {
				if err == nil && count[m.id] != i {
					err = fmt.Errorf("room %s: number %d is done after %d others", m.id, i, count[m.id])
				}
				count[m.id]++
				answers <- err
			})
			if err != nil {
				n.t.Fatal(err)
			}
		}
	}
	for range each * len(models) {
		if err := <-answers; err != nil {
			n.t.Fatal(err)
		}
	}
}
