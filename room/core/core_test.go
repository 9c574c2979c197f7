package core_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/view"
	"github.com/roomring/roomring/room/wire"
	"pgregory.net/rapid"
)

// tb is the common part of testing.T and rapid.T.
type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// message is one server message as a client decodes it.
type message struct {
	T      string          `json:"t"`
	Epoch  uint64          `json:"epoch"`
	Seq    uint64          `json:"seq"`
	View   any             `json:"view"`
	Patch  json.RawMessage `json:"patch"`
	Events []wire.Event    `json:"events"`
	Check  *uint32         `json:"check"`
	CSeq   uint64          `json:"cseq"`
	Code   string          `json:"code"`
}

// mirror is a client that checks everything: it keeps its own copy of the view and all answers.
type mirror struct {
	t       tb
	to      core.Recipient
	client  record.ClientID
	class   core.ClassID
	open    bool
	view    any
	point   record.Point
	acked   map[uint64]string
	events  []string
	over    bool
	attempt uint64
	sent    uint64
}

func (m *mirror) take(f *core.Frame, e wire.Encoding) {
	raw := f.Bytes(e)
	if e == wire.CBOR {
		js, err := wire.ToJSON(e, raw)
		if err != nil {
			m.t.Fatalf("a CBOR frame is not decodable: %v", err)
		}
		raw = js
	}
	var h message
	if err := json.Unmarshal(raw, &h); err != nil {
		m.t.Fatalf("a frame is no JSON: %v: %s", err, raw)
	}
	switch h.T {
	case "state":
		m.view = h.View
	case "turn":
		if len(h.Patch) > 0 {
			var p any
			if err := json.Unmarshal(h.Patch, &p); err != nil {
				m.t.Fatal(err)
			}
			m.view = view.Patch(m.view, p)
		}
		for _, ev := range h.Events {
			m.events = append(m.events, ev.Name+string(ev.Data))
		}
	case "ack", "reject":
		if was, twice := m.acked[h.CSeq]; twice && was != h.T+h.Code {
			m.t.Fatalf("cseq %d was answered %s, then %s", h.CSeq, was, h.T+h.Code)
		}
		m.acked[h.CSeq] = h.T + h.Code
		return
	case "over":
		m.over = true
		return
	default:
		m.t.Fatalf("unexpected message %q", h.T)
	}
	m.point.Epoch = cmp.Or(record.Epoch(h.Epoch), m.point.Epoch)
	m.point.Seq = max(m.point.Seq, room.Index(h.Seq))
	if h.Check != nil {
		if got := crc32.ChecksumIEEE([]byte(canonical(m.t, m.view))); got != *h.Check {
			m.t.Fatalf("client %v: checksum of turn %d differs: the copy is %s", m.to, h.Seq, canonical(m.t, m.view))
		}
	}
}

func canonical(t tb, v any) string {
	b, err := view.AppendCanonical(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// bench drives a core as an actor would. It has a mirror of every client.
type bench struct {
	t       tb
	cfg     core.Config
	core    *core.Core
	entries []core.Entry
	snaps   []record.Snapshot
	clients map[core.Recipient]*mirror
	rematch *core.RematchAgreed
	enc     wire.Encoding
}

func newBench(t tb, rules *room.Rules, options string) *bench {
	id := record.NewID([10]byte{1, 2, 3})
	cfg := core.Config{Rules: rules, CheckEvery: 4, Header: record.Header{
		ID: id, Game: rules.Spec().Name, Version: rules.Spec().Version, Runtime: core.RuntimeVersion, Options: json.RawMessage(options), Seed: [32]byte{7},
	}}
	machine, entries, err := core.Open(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, cfg: cfg, core: machine, entries: entries, clients: map[core.Recipient]*mirror{}}
}

func (b *bench) mirror(to core.Recipient) *mirror {
	m, ok := b.clients[to]
	if !ok {
		m = &mirror{t: b.t, to: to, client: "c1", acked: map[uint64]string{}}
		b.clients[to] = m
	}
	return m
}

func (b *bench) step(in core.Input) core.Ready {
	b.t.Helper()
	before := b.core.Point()
	r, err := b.core.Step(in)
	if err != nil {
		b.t.Fatalf("step %s: %v", in.Kind, err)
	}
	if r.Entry != nil {
		b.entries = append(b.entries, *r.Entry)
		if r.Entry.Index != before.Seq+1 {
			b.t.Fatalf("entry %d follows %d", r.Entry.Index, before.Seq)
		}
	} else if b.core.Point() != before {
		b.t.Fatalf("%s added no entry to the log but changed the point of the room", in.Kind)
	}
	return r
}

func (b *bench) commit(i room.Index) {
	for _, o := range b.core.Commit(i) {
		if o.At() > i {
			b.t.Fatalf("output of %d was released at commit %d", o.At(), i)
		}
		b.route(o)
	}
}

func (b *bench) route(o core.Output) {
	switch o := o.(type) {
	case core.Welcome:
		m := b.mirror(o.To)
		m.open, m.class, m.point.Epoch = true, o.Class, o.Point.Epoch
		if !o.Recovered {
			m.view = nil
		}
		b.frames(m, o.Frames...)
		m.point.Seq = max(m.point.Seq, o.Point.Seq)
	case core.ClassChanged:
		m := b.mirror(o.To)
		m.class = o.Class
		b.frames(m, o.State)
	case core.Turned:
		for _, m := range b.clients {
			if !m.open || m.class != o.Class {
				continue
			}
			f := o.Frame
			if private, ok := o.Private[m.to.Player]; ok && m.to.Player != "" {
				f = private
			}
			if f != nil {
				b.frames(m, f)
			}
		}
	case core.Answered:
		if m := b.mirror(core.Recipient{Player: o.Player}); m.open && m.client == o.Client {
			b.frames(m, o.Frame)
		}
	case core.Resynced:
		b.frames(b.mirror(o.To), o.State)
	case core.SeatLost:
		b.mirror(core.Recipient{Player: o.Player}).open = false
	case core.Ended:
		for _, m := range b.clients {
			if m.open {
				b.frames(m, o.Frame)
			}
		}
	case core.RematchAgreed:
		b.rematch = &o
	case core.Replaced:
	default:
		b.t.Fatalf("unknown output %T", o)
	}
}

func (b *bench) frames(m *mirror, fs ...*core.Frame) {
	for _, f := range fs {
		m.take(f, b.enc)
	}
}

func (b *bench) join(p room.PlayerID) *mirror {
	b.step(core.Input{Kind: core.KindJoin, Player: p, Name: string(p), At: b.core.Now()})
	m := b.mirror(core.Recipient{Player: p})
	b.attach(m, nil)
	return m
}

func (b *bench) attach(m *mirror, resume *record.Point) core.Ready {
	m.attempt++
	return b.step(core.Input{Kind: core.KindAttach, Player: m.to.Player, Client: m.client, Attempt: m.attempt, Resume: resume, At: b.core.Now()})
}

func (b *bench) act(m *mirror, data string) core.Ready {
	m.sent++
	return b.step(core.Input{Kind: core.KindAct, Player: m.to.Player, Client: m.client, CSeq: record.CSeq(m.sent), Data: json.RawMessage(data), At: b.core.Now()})
}

func (b *bench) all() { b.commit(b.core.Point().Seq) }

// kept returns what a journal would hold now.
func (b *bench) kept() record.Kept {
	raw, err := core.EncodeEntries(nil, b.entries...)
	if err != nil {
		b.t.Fatal(err)
	}
	n := len(b.entries)
	return record.Kept{
		Header: b.core.Header(), Epoch: b.core.Point().Epoch, Snapshots: b.snaps, Time: b.core.Now(),
		Batches: []record.Batch{{Room: b.core.Header().ID, First: 1, Last: b.entries[n-1].Index, Entries: raw}},
	}
}

func (b *bench) checkViews() {
	b.t.Helper()
	for _, m := range b.clients {
		if !m.open {
			continue
		}
		v := room.Spectator
		for _, s := range b.core.Seats() {
			if s.Player == m.to.Player && m.to.Player != "" {
				v = room.Viewer{Player: s.Player, Seat: s.Seat}
			}
		}
		want, err := b.core.WholeView(v)
		if err != nil {
			b.t.Fatal(err)
		}
		if got := canonical(b.t, m.view); got != string(want) {
			b.t.Fatalf("%v sees\n%s\nbut the room shows\n%s", m.to, got, want)
		}
	}
}

func TestEveryInputKeepsTheInvariants(t *testing.T) {
	for _, rules := range []*room.Rules{cardRules(), tickingRules(), counterRules()} {
		t.Run(rules.Spec().Name, rapid.MakeCheck(func(t *rapid.T) { drive(t, rules) }))
	}
}

// drive steps random inputs and checks what the core promises.
func drive(t *rapid.T, rules *room.Rules) {
	b := newBench(t, rules, "")
	b.enc = rapid.SampledFrom([]wire.Encoding{wire.JSON, wire.CBOR}).Draw(t, "encoding")
	now := time.Duration(0)
	players := []room.PlayerID{"a", "b", "c", "d", "e"}
	due := func() {
		for in, ok := b.core.Due(now); ok && b.core.Final() == nil; in, ok = b.core.Due(now) {
			b.step(in)
		}
	}
	for range rapid.IntRange(5, 60).Draw(t, "steps") {
		if b.core.Final() != nil {
			break
		}
		p := rapid.SampledFrom(players).Draw(t, "player")
		m := b.mirror(core.Recipient{Player: p})
		switch rapid.IntRange(0, 13).Draw(t, "what") {
		case 0, 1:
			b.step(core.Input{Kind: core.KindJoin, Player: p, Name: string(p), At: now})
			b.attach(m, nil)
		case 2:
			b.step(core.Input{Kind: core.KindDetach, Player: p, Client: m.client, At: now})
			b.all()
			m.open = false
		case 3:
			b.all()
			if b.attach(m, new(m.point)).Refused == nil {
				b.all()
			}
		case 4:
			b.step(core.Input{Kind: core.KindLeave, Player: p, Reason: "left", At: now})
			b.all()
			m.sent, m.client, m.acked = 0, m.client+"x", map[uint64]string{}
		case 5:
			w := core.Recipient{Watcher: 1}
			b.core.Watch(1, nil)
			b.all()
			b.mirror(w)
		case 6:
			b.commit(b.core.Point().Seq - room.Index(rapid.IntRange(0, 3).Draw(t, "lag")))
		case 7:
			now += time.Duration(rapid.IntRange(1, 3000).Draw(t, "ms")) * time.Millisecond
			due()
		case 8:
			if snap, err := b.core.Snapshot(); err == nil {
				b.snaps = append(b.snaps, snap)
				b.snaps = b.snaps[max(0, len(b.snaps)-2):]
			}
		case 9:
			b.step(core.Input{Kind: core.KindReserve, Player: p, For: time.Second, At: now})
		case 10:
			b.step(core.Input{Kind: core.KindEpoch, Epoch: b.core.Point().Epoch + 1, At: now})
		default:
			b.randomAct(t, m)
		}
	}
	b.finishAndCompare(t, now)
}

func (b *bench) randomAct(t *rapid.T, m *mirror) {
	data := rapid.SampledFrom([]string{`{"do":"draw"}`, `{"do":"play"}`, `{"do":"deal"}`, `{"do":"cheat"}`, `{"by":3}`, `{"by":-1}`, `7`}).Draw(t, "act")
	r := b.act(m, data)
	if r.Refused != nil || r.Gap {
		m.sent--
		return
	}
	if m.sent > 1 && rapid.Bool().Draw(t, "again") {
		again := b.step(core.Input{Kind: core.KindAct, Player: m.to.Player, Client: m.client, CSeq: record.CSeq(m.sent - 1), Data: json.RawMessage(`{"do":"draw"}`), At: b.core.Now()})
		if again.Entry != nil {
			t.Fatal("an act took effect twice")
		}
	}
}

// finishAndCompare commits everything and checks the views. It then restores the room from its log and compares the state.
func (b *bench) finishAndCompare(t *rapid.T, now time.Duration) {
	for { // a ticking room sends changes at its next tick
		in, ok := b.core.Due(now + 100*time.Millisecond)
		if !ok || b.core.Final() != nil {
			break
		}
		if b.step(in); in.Kind == core.KindTick {
			break
		}
	}
	b.all()
	b.checkViews()
	snap, err := b.core.Snapshot()
	if err != nil {
		return
	}
	for _, snaps := range [][]record.Snapshot{nil, b.snaps} {
		b.snaps = snaps
		again, err := core.Restore(b.cfg, b.kept())
		if err != nil {
			t.Fatal(err)
		}
		other, err := again.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(snap.Data, other.Data) {
			t.Fatalf("the room restored from %d snapshots differs", len(snaps))
		}
	}
}

func TestSnapshotAndTailEqualTheWholeLogAtEveryIndex(t *testing.T) {
	b := newBench(t, cardRules(), "")
	var all []record.Snapshot
	keep := func() {
		snap, err := b.core.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, snap)
	}
	x, y := b.join("x"), b.join("y")
	for i := range 40 {
		b.act(x, `{"do":"draw"}`)
		keep()
		b.act(y, []string{`{"do":"deal"}`, `{"do":"play"}`, `{"do":"cheat"}`}[i%3])
		keep()
	}
	want := all[len(all)-1]
	for _, from := range all {
		b.snaps = []record.Snapshot{from, want} // Restore continues from the older one
		c, err := core.Restore(b.cfg, b.kept())
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Data, want.Data) {
			t.Fatalf("the room restored from the snapshot at %d differs", from.Index)
		}
	}
}

func TestNoOutputIsReleasedBeforeItsCommit(t *testing.T) {
	b := newBench(t, counterRules(), "")
	m := b.join("x")
	b.act(m, `{"by":5}`)
	if len(b.core.Commit(0)) != 0 || m.open {
		t.Fatal("an output was released before any commit")
	}
	at := b.core.Point().Seq
	b.commit(at - 1)
	if len(m.acked) != 0 || canonical(t, m.view) != `{"sum":0}` {
		t.Fatalf("the act showed before its commit: %v %v", m.acked, m.view)
	}
	b.commit(at)
	if m.acked[1] != "ack" || canonical(t, m.view) != `{"sum":5}` {
		t.Fatalf("after the commit: %v %v", m.acked, m.view)
	}
}

func TestARefusedActChangesNothing(t *testing.T) {
	b := newBench(t, cardRules(), "")
	m := b.join("x")
	b.all()
	before, _ := b.core.GameState()
	b.act(m, `{"do":"cheat"}`)
	b.act(m, `{"do":"fly"}`)
	b.act(m, `{"do":1}`)
	b.act(m, `{"do":"draw","extra":1}`)
	b.all()
	after, _ := b.core.GameState()
	if string(before) != string(after) || strings.Contains(strings.Join(m.events, " "), "cheated") {
		t.Fatalf("a refused act left traces: %s then %s, events %v", before, after, m.events)
	}
	want := map[uint64]string{1: "rejectrefused", 2: "rejectunknown", 3: "rejectbad_action", 4: "rejectbad_action"}
	if fmt.Sprint(m.acked) != fmt.Sprint(want) {
		t.Fatalf("answers %v, want %v", m.acked, want)
	}
	if d, _ := b.core.Deadline(); d != 10*time.Second {
		t.Fatalf("a refused act set a timer: the deadline is %v", d)
	}
}

func TestACSeqGapDoesNotChangeTheRoom(t *testing.T) {
	b := newBench(t, counterRules(), "")
	m := b.join("x")
	m.sent = 1
	if r := b.act(m, `{"by":1}`); !r.Gap || r.Entry != nil {
		t.Fatalf("a gap gave %+v", r)
	}
}

func TestAnswersSurviveARestartAndANewClientStartsAfresh(t *testing.T) {
	b := newBench(t, counterRules(), "")
	m := b.join("x")
	b.act(m, `{"by":1}`)
	b.act(m, `{"by":0}`)
	b.all()
	c, err := core.Restore(b.cfg, b.kept())
	if err != nil {
		t.Fatal(err)
	}
	b.core = c
	b.step(core.Input{Kind: core.KindEpoch, Epoch: 2, At: c.Now()})
	b.step(core.Input{Kind: core.KindDetach, Player: "x", At: c.Now()})
	resume := m.point
	b.attach(m, &resume)
	first := m.acked
	m.acked = map[uint64]string{}
	for i := range uint64(2) {
		m.sent = i
		if r := b.act(m, `{"by":500}`); r.Entry != nil {
			t.Fatal("an act from before the restart took effect again")
		}
	}
	b.all()
	if fmt.Sprint(first) != fmt.Sprint(m.acked) {
		t.Fatalf("answers were %v, are %v after the restart", first, m.acked)
	}
	if m.point.Epoch != 2 || canonical(t, m.view) != `{"sum":1}` {
		t.Fatalf("after the restart: %v %v", m.point, m.view)
	}
	b.step(core.Input{Kind: core.KindAttach, Player: "x", Client: "other", Attempt: 1, At: c.Now()})
	r := b.step(core.Input{Kind: core.KindAct, Player: "x", Client: "other", CSeq: 1, Data: json.RawMessage(`{"by":2}`)})
	if r.Entry == nil {
		t.Fatal("a newer client cannot act")
	}
	if late := b.act(m, `{"by":1}`); late.Refused == nil {
		t.Fatal("the replaced client can still act")
	}
}

func TestAnOlderAttemptIsIgnored(t *testing.T) {
	b := newBench(t, counterRules(), "")
	m := b.join("x")
	m.attempt = 9
	b.attach(m, nil)
	m.attempt = 4
	if r := b.attach(m, nil); r.Refused != core.ErrStale || r.Entry != nil {
		t.Fatalf("an older attempt gave %+v", r)
	}
}

func TestAResumePointOfAnotherHistoryGetsTheWholeView(t *testing.T) {
	for name, p := range map[string]record.Point{
		"beyond the epoch": {Epoch: 1, Seq: 1 << 40}, "unknown epoch": {Epoch: 99, Seq: 3}, "epoch zero": {Seq: 3}, "before joining": {Epoch: 1, Seq: 1},
	} {
		b := newBench(t, cardRules(), "")
		m := b.join("x")
		b.all()
		b.step(core.Input{Kind: core.KindDetach, Player: "x", Client: m.client})
		b.attach(m, &p)
		for _, o := range b.core.Commit(b.core.Point().Seq) {
			if w, ok := o.(core.Welcome); ok && w.Recovered {
				t.Errorf("%s: recovered from %v", name, p)
			}
		}
	}
}

func TestAPanicAbortsTheRoomAndKeepsItsLog(t *testing.T) {
	b := newBench(t, cardRules(), "")
	m := b.join("x")
	r := b.act(m, `{"do":"boom"}`)
	if !r.Over || r.Entry == nil || b.core.Panicked() == nil {
		t.Fatalf("a panic gave %+v", r)
	}
	b.all()
	if f := b.core.Final(); f.End != record.Aborted || !m.over {
		t.Fatalf("the room ended as %+v, told: %v", f, m.over)
	}
	again, err := core.Restore(b.cfg, b.kept())
	if err != nil {
		t.Fatal(err)
	}
	if again.Panicked() == nil || again.Final().Sum() != b.core.Final().Sum() {
		t.Fatal("the log does not reproduce the panic")
	}
	sealed, err := b.core.Seal()
	if err != nil {
		t.Fatal(err)
	}
	replay, err := core.ReadReplay(sealed.Replay.Reader())
	if err != nil {
		t.Fatal(err)
	}
	run, err := core.Run(b.cfg, replay.Log(), nil)
	if err != nil || run.Panicked() == nil {
		t.Fatalf("the replay does not reproduce the panic: %v", err)
	}
}

type nullView struct {
	P any   `json:"p,omitempty"`
	N int64 `json:"n"`
}

type nullGame struct{ Set int64 }

func (g *nullGame) Act(_ *room.Turn, _ room.Player, n int64) error { g.Set = n; return nil }
func (g *nullGame) View(room.Viewer) nullView {
	v := nullView{N: g.Set}
	if g.Set == 1 {
		v.P, v.N = []any{nil}, 0
	}
	return v
}

func TestAnInvalidViewAbortsTheRoomAndNamesItsField(t *testing.T) {
	rules := room.MustDefine(room.Spec{Name: "null", Version: 1}, func() *nullGame { return &nullGame{} })
	for data, field := range map[string]string{"1": "p", "9007199254740993": "n"} {
		b := newBench(t, rules, "")
		m := b.join("x")
		b.act(m, data)
		f := b.core.Final()
		if f == nil || f.End != record.Aborted || !strings.Contains(b.core.Panicked().View, "view: "+field) {
			t.Errorf("act %s: final %+v", data, f)
		}
	}
}

func TestARematchIsAgreedOnce(t *testing.T) {
	b := newBench(t, counterRules(), "")
	x, y := b.join("x"), b.join("y")
	if r := b.act(x, `{"by":1000}`); !r.Over {
		t.Fatal("the game did not end")
	}
	b.act(y, `{"by":1}`)
	b.act(x, `{"rematch":true}`)
	b.all()
	if b.rematch != nil || y.acked[1] != "rejectover" || x.acked[2] != "ack" {
		t.Fatalf("rematch %v, answers %v %v", b.rematch, x.acked, y.acked)
	}
	b.act(y, `{"rematch":true}`)
	b.all()
	if b.rematch == nil || len(b.rematch.Players) != 2 {
		t.Fatalf("no rematch was asked for: %+v", b.rematch)
	}
	again, err := core.Restore(b.cfg, b.kept())
	if err != nil {
		t.Fatal(err)
	}
	if _, pending := again.RematchPending(); !pending {
		t.Fatal("an unanswered rematch is forgotten by a restart")
	}
	b.step(core.Input{Kind: core.KindSignal, Name: core.RematchSignal, Data: json.RawMessage(`{"room":"0123456789abcdef"}`)})
	b.all()
	if _, pending := b.core.RematchPending(); pending || !strings.Contains(strings.Join(x.events, " "), "0123456789abcdef") {
		t.Fatalf("the new room was not announced: %v", x.events)
	}
}

func TestLeavesAndClosesBecomeDueWithTime(t *testing.T) {
	b := newBench(t, counterRules(), "")
	m := b.join("x")
	if d, ok := b.core.Deadline(); ok {
		t.Fatalf("an idle room waits for %v", d)
	}
	b.step(core.Input{Kind: core.KindDetach, Player: "x", Client: m.client, At: time.Second})
	in, ok := b.core.Due(61 * time.Second)
	if !ok || in.Kind != core.KindLeave || in.At != 61*time.Second {
		t.Fatalf("after the grace period: %+v %v", in, ok)
	}
	b.step(in)
	in, ok = b.core.Due(time.Hour)
	if !ok || in.Kind != core.KindClose || in.At != 601*time.Second {
		t.Fatalf("an empty room: %+v %v", in, ok)
	}
	if r := b.step(in); !r.Over || b.core.Final().End != record.Closed {
		t.Fatalf("closing gave %+v", r)
	}
	if in, ok = b.core.Due(time.Hour); !ok || !b.step(in).Gone {
		t.Fatal("a closed room stays in memory")
	}
}

// alarm sets a timer for the duration that an act gives.
type alarm struct{ Set, Rang time.Duration }

func (a *alarm) Act(t *room.Turn, _ room.Player, after time.Duration) error {
	a.Set = t.Now()
	t.StartTimer("alarm", after)
	return nil
}
func (a *alarm) Timer(t *room.Turn, _ string)   { a.Rang = t.Now() - a.Set }
func (a *alarm) View(room.Viewer) time.Duration { return a.Rang }

func TestATimerIsNeverEarly(t *testing.T) {
	rules := room.MustDefine(room.Spec{Name: "alarm", Version: 1, SharedView: true}, func() *alarm { return &alarm{} })
	for _, after := range []time.Duration{1, time.Millisecond, 2999_123 * time.Microsecond, 1234567 * time.Nanosecond} {
		b := newBench(t, rules, "")
		m := b.join("x")
		m.sent++
		b.step(core.Input{Kind: core.KindAct, Player: "x", Client: m.client, CSeq: 1, At: 777 * time.Microsecond, Data: fmt.Appendf(nil, "%d", after)})
		in, ok := b.core.Due(time.Hour)
		if !ok || in.Kind != core.KindTimer {
			t.Fatalf("after %v: %+v", after, in)
		}
		b.step(in)
		b.all()
		if want := max(after, time.Millisecond); canonical(t, m.view) != fmt.Sprint(int64(want)) {
			t.Errorf("a timer of %v rang after %v ns", want, canonical(t, m.view))
		}
	}
}

func TestALateCallerSkipsTicks(t *testing.T) {
	b := newBench(t, tickingRules(), "")
	b.join("x")
	b.join("y")
	now, ticks := 10*time.Second, 0
	for in, ok := b.core.Due(now); ok; in, ok = b.core.Due(now) {
		b.step(in)
		if in.Kind == core.KindTick {
			ticks++
		}
	}
	if ticks != 6 || b.core.Skipped() < 140 {
		t.Fatalf("%d ticks were made up, %d skipped", ticks, b.core.Skipped())
	}
}

func TestARunOfTicksIsOneRecord(t *testing.T) {
	b := newBench(t, tickingRules(), "")
	b.join("x")
	for range 1000 {
		in, _ := b.core.Due(time.Hour)
		if in.Kind != core.KindTick {
			b.step(in)
			continue
		}
		d, _ := b.core.Deadline()
		in.At = d
		b.step(in)
	}
	raw, err := core.EncodeEntries(nil, b.entries...)
	if err != nil {
		t.Fatal(err)
	}
	var back []core.Entry
	for e, err := range core.DecodeEntries(raw) {
		if err != nil {
			t.Fatal(err)
		}
		back = append(back, e)
	}
	checks := 0
	for _, e := range back {
		checks += len(e.Checks)
	}
	if len(back) != len(b.entries) || checks < 400 || len(raw) > 500+10*checks {
		t.Fatalf("%d entries became %d in %d bytes", len(b.entries), len(back), len(raw))
	}
	for i := range back {
		if fmt.Sprint(back[i]) != fmt.Sprint(b.entries[i]) {
			t.Fatalf("entry %d: %v became %v", i, b.entries[i], back[i])
		}
	}
}
