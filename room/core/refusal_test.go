package core_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// strict accepts "yes" and refuses all else. If it is careless, it counts its refusals in its state.
type strict struct {
	Taken, Refused int
	careless       *bool
}

func (s *strict) Snapshot() ([]byte, error) { return json.Marshal([]int{s.Taken, s.Refused}) }
func (s *strict) Restore(b []byte) error    { return json.Unmarshal(b, &[]*int{&s.Taken, &s.Refused}) }

func (s *strict) Act(_ *room.Turn, _ room.Player, text string) error {
	if text == "yes" {
		s.Taken++
		return nil
	}
	if *s.careless {
		s.Refused++
	}
	return room.Refuse("no", "it is not "+text)
}
func (s *strict) View(room.Viewer) int { return s.Taken }

func strictBench(t *testing.T, careless *bool) (*bench, *mirror) {
	b := newBench(t, room.MustDefine(room.Spec{Name: "strict", Version: 1, MaxPlayers: 2, SharedView: true},
		func() *strict { return &strict{careless: careless} }), "")
	return b, b.join("x")
}

func (b *bench) restored() *core.Core {
	b.t.Helper()
	c, err := core.Restore(b.cfg, b.kept())
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

func packedLog(t *testing.T, c *core.Core) (entries []core.Entry, size int) {
	t.Helper()
	parts, err := c.Replay()
	if err != nil {
		t.Fatal(err)
	}
	replay, err := core.ReadReplay(parts.Reader())
	if err != nil {
		t.Fatal(err)
	}
	return replay.Entries, parts.Len()
}

func TestARefusedActIsLoggedAsItsAnswer(t *testing.T) {
	careless := false
	b, m := strictBench(t, &careless)
	b.all()
	r := b.act(m, `"marker"`)
	if e := r.Entry; len(e.Data) > 0 || e.Refused == nil || e.Refused.Code != "no" || e.CSeq != 1 || r.Changed != "" {
		t.Errorf("the entry is %+v", e)
	}
	b.act(m, `"yes"`)
	if raw := b.kept().Batches[0].Entries; bytes.Count(raw, []byte("marker")) != 1 { // in the reason
		t.Errorf("the log holds the act: %q", raw)
	}
	c := b.restored()
	if g := c.Game().(*strict); g.Taken != 1 {
		t.Errorf("%d acts were taken", g.Taken)
	}
	b.core = c
	again := b.step(core.Input{Kind: core.KindAct, Player: "x", Client: m.client, CSeq: 1, Data: json.RawMessage(`"yes"`)})
	if b.all(); again.Entry != nil || m.acked[1] != "rejectno" {
		t.Errorf("brought back it answers %q", m.acked[1])
	}
}

// TestAGameThatChangesInARefusalLosesNothing checks that such a game is noticed at its first refusal, or at its second after
// many accepted acts. Its refused acts are logged whole in both cases.
func TestAGameThatChangesInARefusalLosesNothing(t *testing.T) {
	for _, before := range []int{0, 100} {
		careless := true
		b, m := strictBench(t, &careless)
		for range before {
			b.act(m, `"yes"`)
		}
		changed := 0
		for i := range 50 {
			r := b.act(m, fmt.Sprintf(`"no %d"`, i))
			if len(r.Entry.Data) == 0 {
				t.Fatalf("after %d acts: refusal %d is not logged whole", before, i)
			}
			if r.Changed != "" {
				if changed++; r.Changed != "no" || i > 1 {
					t.Errorf("after %d acts: found at refusal %d, with code %q", before, i, r.Changed)
				}
			}
		}
		if changed != 1 {
			t.Errorf("after %d acts: found %d times", before, changed)
		}
		if g := b.restored().Game().(*strict); g.Refused != 50 || g.Taken != before {
			t.Errorf("after %d acts: brought back it has taken %d and refused %d", before, g.Taken, g.Refused)
		}
	}
}

// TestAGameThatBecomesCareless checks that a game that changes its state only in later refusals is noticed too.
func TestAGameThatBecomesCareless(t *testing.T) {
	careless := false
	b, m := strictBench(t, &careless)
	for range 100 {
		b.act(m, `"no"`)
	}
	careless = true
	for i := range 200 {
		if r := b.act(m, `"no"`); r.Changed != "" {
			if i > 64 {
				t.Errorf("found after %d refusals", i)
			}
			return
		}
	}
	t.Error("not found in 200 refusals")
}

// TestAFloodOfRefusedActsHardlyGrowsTheLog checks the size of the log and of the state. The game quotes the acts in its reasons.
func TestAFloodOfRefusedActsHardlyGrowsTheLog(t *testing.T) {
	careless := false
	b, m := strictBench(t, &careless)
	long := `"` + strings.Repeat("é", 8<<10) + `"`
	for i := range 1000 {
		r := b.act(m, long)
		if reason := r.Entry.Refused.Reason; len(reason) > 512 || !strings.HasSuffix(reason, "éé") {
			t.Fatalf("refusal %d has a reason of %d bytes", i, len(reason))
		}
		b.all()
	}
	raw := b.kept().Batches[0].Entries
	_, packed := packedLog(t, b.core)
	snap, err := b.core.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) > 1000*640 || packed > 100<<10 || len(snap.Data) > 32*640 {
		t.Errorf("1000 refused acts of 16 KiB leave %d bytes of log, %d packed, and a snapshot of %d", len(raw), packed, len(snap.Data))
	}
}

// TestTheFirstRuntimeLogsRefusedActsWhole: programs that know only that runtime must be able to replay the log.
func TestTheFirstRuntimeLogsRefusedActsWhole(t *testing.T) {
	careless := false
	b, m := strictBench(t, &careless)
	b.cfg.Header.Runtime = 1
	kept := b.kept()
	kept.Header.Runtime = 1
	c, err := core.Restore(b.cfg, kept)
	if err != nil {
		t.Fatal(err)
	}
	b.core = c
	if e := b.act(m, `"no"`).Entry; string(e.Data) != `"no"` {
		t.Errorf("the entry is %+v", e)
	}
}
