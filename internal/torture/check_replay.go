package torture

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/wire"
)

// history is what a replay says, gathered while it runs.
type history struct {
	first, last uint64   // indexes of the log
	epochs      []uint64 // of the entries, from first on
	acts        map[actKey][]core.Entry
	frames      [][]uint64         // by client: the indexes at which there was a turn for it
	shown       []map[uint64]shown // by client: what it was shown at the indexes of its notes
}

type actKey struct {
	player room.PlayerID
	cseq   uint64
}

// shown is what a replay shows to one viewer at one index.
type shown struct {
	check  uint32 // of the view after it
	events uint64
	class  uint32 // checksum of the whole view that a change of class brought; 0: none
}

// checkReplay runs the room's log again and compares all that clients noted with it.
func (c *checker) checkReplay() {
	h := &history{acts: map[actKey][]core.Entry{}, frames: make([][]uint64, len(c.clients)), shown: c.wanted()}
	machine, err := core.Run(core.Config{Header: c.Replay.Header, Rules: c.Rules}, c.Replay.Log(), func(m *core.Core, e core.Entry) error {
		return h.add(m, e, c.clients)
	})
	if err != nil {
		c.report(RuleResults, "", "its replay does not run: %v", err)
		return
	}
	c.checkFinal(machine)
	c.checkActs(h)
	for i, f := range c.clients {
		c.checkSights(h, i, f)
		c.checkLineage(h, f)
	}
}

// wanted returns, for each client, the indexes at which it was shown something.
func (c *checker) wanted() []map[uint64]shown {
	all := make([]map[uint64]shown, len(c.clients))
	for i, f := range c.clients {
		all[i] = map[uint64]shown{}
		for _, n := range f.log.notes {
			if n.Kind == noteState || n.Kind == noteTurn {
				all[i][n.Seq] = shown{}
				if n.Kind == noteState {
					all[i][n.Seq+1] = shown{} // where the class changed
				}
			}
		}
	}
	return all
}

// add notes one entry.
func (h *history) add(m *core.Core, e core.Entry, clients []*clientFacts) error {
	at := uint64(e.Index)
	if h.first == 0 {
		h.first = at
	}
	h.last = at
	h.epochs = append(h.epochs, uint64(e.Epoch))
	if e.Kind == core.KindAct {
		key := actKey{e.Player, uint64(e.CSeq)}
		h.acts[key] = append(h.acts[key], e)
	}
	for i, f := range clients {
		s, ok := m.Shown(f.log.Player)
		if !ok {
			continue
		}
		if s.Turn != nil {
			h.frames[i] = append(h.frames[i], at)
		}
		if _, wanted := h.shown[i][at]; !wanted {
			continue
		}
		var now shown
		now.check, _ = m.ViewCheck(f.log.Player)
		if s.Turn != nil {
			events, err := eventsOf(s.Turn)
			if err != nil {
				return err
			}
			now.events = hashEvents(events)
		}
		if s.State != nil {
			now.class = stateCheck(s.State)
		}
		h.shown[i][at] = now
	}
	return nil
}

func eventsOf(f *core.Frame) ([]wire.Event, error) {
	for m, err := range wire.DecodeServer(wire.JSON, f.Bytes(wire.JSON)) {
		if err != nil {
			return nil, err
		}
		if t, ok := m.(wire.Turn); ok {
			return t.Events, nil
		}
	}
	return nil, nil
}

func stateCheck(f *core.Frame) uint32 {
	for m := range wire.DecodeServer(wire.JSON, f.Bytes(wire.JSON)) {
		if s, ok := m.(wire.State); ok {
			return checksum(canonical(s.View))
		}
	}
	return 0
}

// covers reports whether the log has an index.
func (h *history) covers(seq uint64) bool { return h.first > 0 && seq >= h.first && seq <= h.last }

// checkFinal compares the end that the replay comes to with the recorded and the stored one.
func (c *checker) checkFinal(machine *core.Core) {
	final := machine.Final()
	if final == nil {
		c.report(RuleResults, "", "the game does not end in its replay")
		return
	}
	sum := final.Sum()
	if sum != c.Replay.Final.Hash {
		c.report(RuleResults, "", "the replay ends with another result than it says: checksum %x, not %x", sum, c.Replay.Final.Hash)
	}
	if c.Ending == nil {
		return
	}
	result, err := json.Marshal(final.Result)
	if err != nil || hex.EncodeToString(sum[:]) != c.Ending.Hash || uint64(final.Point.Seq) != c.Ending.Seq || string(final.End) != c.Ending.End ||
		len(c.Ending.Result) > 0 && !sameResult(result, c.Ending.Result) {
		c.report(RuleResults, "", "the stored result is %s at %d, checksum %s: %s; the replay's is %s at %d, checksum %x: %s",
			c.Ending.End, c.Ending.Seq, c.Ending.Hash, c.Ending.Result, final.End, final.Point.Seq, sum, result)
	}
}

// sameResult reports whether two results in JSON say the same: no outcomes may be null or an empty list.
func sameResult(a, b []byte) bool {
	var x, y room.Result
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return bytes.Equal(a, b)
	}
	x.Outcomes, y.Outcomes = slices.Concat(x.Outcomes), slices.Concat(y.Outcomes) // nil if there are none
	one, err := json.Marshal(x)
	if err != nil {
		return false
	}
	other, err := json.Marshal(y)
	return err == nil && bytes.Equal(canonical(one), canonical(other))
}

// checkActs compares acts and their answers with the log.
func (c *checker) checkActs(h *history) {
	players := map[room.PlayerID]*clientFacts{}
	for _, f := range c.clients {
		if f.log.Player == "" {
			continue
		}
		players[f.log.Player] = f
		for _, cseq := range sortedKeys(f.answers) {
			c.checkAnswer(h, f, cseq, f.answers[cseq])
		}
	}
	highest := map[room.PlayerID]uint64{}
	for key, entries := range h.acts {
		f := players[key.player]
		highest[key.player] = max(highest[key.player], key.cseq)
		if len(entries) > 1 {
			c.report(RuleActs, "", "act %d of player %s is in the log %d times, at %d and %d", key.cseq, key.player, len(entries), entries[0].Index, entries[1].Index)
		}
		if f == nil {
			continue
		}
		sent, known := f.sent[key.cseq]
		if known && entries[0].Refused != nil && len(entries[0].Data) == 0 {
			continue // the log does not keep what a refused act asked for
		}
		if !known || !bytes.Equal(canonical(sent), canonical(entries[0].Data)) {
			c.report(RuleActs, f.log.Name, "the log has act %d as %s, and it sent %s", key.cseq, entries[0].Data, sent)
		}
	}
	c.checkOrder(h, highest)
}

// checkOrder checks that every player's acts are in the log in the order of their numbers, none missing before another.
func (c *checker) checkOrder(h *history, highest map[room.PlayerID]uint64) {
	for _, player := range sortedKeys(highest) {
		before, begun := core.Entry{}, false
		for cseq := uint64(1); cseq <= highest[player]; cseq++ {
			entries, there := h.acts[actKey{player, cseq}]
			switch {
			case !there && (begun || h.first == 1):
				c.report(RuleActs, "", "the log has act %d of player %s, and not act %d", highest[player], player, cseq)
			case there && begun && entries[0].Index <= before.Index:
				c.report(RuleActs, "", "the log has act %d of player %s at %d, and the one before at %d", cseq, player, entries[0].Index, before.Index)
			}
			if there {
				before, begun = entries[0], true
			}
		}
	}
}

// unlogged are the codes of refusals that take no index.
var unlogged = []string{"not_seated", "not_attached", "over"}

// checkAnswer looks an answered act up in the log.
func (c *checker) checkAnswer(h *history, f *clientFacts, cseq uint64, a answer) {
	if a.seq > h.last && c.Replay.Final.Point.Seq > 0 {
		if a.code == "" {
			return // after the end, of which the log keeps nothing: such as a wish for a rematch
		}
	}
	entries := h.acts[actKey{f.log.Player, cseq}]
	i := slices.IndexFunc(entries, func(e core.Entry) bool { return uint64(e.Index) == a.seq })
	switch {
	case i < 0 && a.seq > h.last, i < 0 && slices.Contains(unlogged, a.code), i < 0 && a.seq < h.first:
	case i < 0:
		c.report(RuleActs, f.log.Name, "act %d was %s, and is not in the log there", cseq, a)
	case a.code == "" && entries[i].Refused != nil:
		c.report(RuleActs, f.log.Name, "act %d was %s, and the log refuses it: %s", cseq, a, entries[i].Refused.Code)
	case a.code != "" && (entries[i].Refused == nil || entries[i].Refused.Code != a.code):
		c.report(RuleActs, f.log.Name, "act %d was refused, %s, and the log has another answer", cseq, a)
	}
}

// checkSights compares a client's states and turns with what the replay showed it, and looks for turns between them that it did not get.
func (c *checker) checkSights(h *history, i int, f *clientFacts) {
	frames, seq, viewing := h.frames[i], uint64(0), false
	for _, n := range f.log.notes {
		switch n.Kind {
		case noteWelcome:
			viewing = viewing && n.Recovered
		case noteState:
			c.checkState(h, i, f, n)
			seq, viewing = n.Seq, true
		case noteTurn:
			c.checkTurn(h, i, f, n)
			if missed := between(frames, seq, n.Seq); viewing && missed > 0 {
				c.report(RuleTurns, f.log.Name, "turn %d comes after %d, and the log has %d for it between them", n.Seq, seq, missed)
			}
			seq = n.Seq
		case noteOver:
			if missed := between(frames, seq, n.Seq+1); viewing && !n.Alone && missed > 0 {
				c.report(RuleTurns, f.log.Name, "the end at %d comes after turn %d, and the log has %d more for it", n.Seq, seq, missed)
			}
			seq = max(seq, n.Seq)
		}
	}
}

// between counts the sorted indexes after a and before b.
func between(frames []uint64, a, b uint64) int {
	from, found := slices.BinarySearch(frames, a)
	if found {
		from++
	}
	to, _ := slices.BinarySearch(frames, b)
	return max(0, to-from)
}

func (c *checker) checkState(h *history, i int, f *clientFacts, n note) {
	if !h.covers(n.Seq) {
		return
	}
	if want := h.shown[i][n.Seq]; n.Check != want.check && n.Check != h.shown[i][n.Seq+1].class {
		c.report(RuleViews, f.log.Name, "the whole view of %d is %08x, and in the replay %08x", n.Seq, n.Check, want.check)
	}
}

func (c *checker) checkTurn(h *history, i int, f *clientFacts, n note) {
	if !h.covers(n.Seq) {
		return
	}
	want := h.shown[i][n.Seq]
	if _, has := slices.BinarySearch(h.frames[i], n.Seq); !has {
		c.report(RuleTurns, f.log.Name, "turn %d is none in the log", n.Seq)
		return
	}
	if n.Check != want.check {
		c.report(RuleViews, f.log.Name, "the view after turn %d is %08x, and in the replay %08x", n.Seq, n.Check, want.check)
	}
	if n.Events != want.events {
		c.report(RuleViews, f.log.Name, "the events of turn %d are others than in the replay", n.Seq)
	}
}

// checkLineage checks that the points that a client was told are points of the log.
func (c *checker) checkLineage(h *history, f *clientFacts) {
	for _, n := range f.log.notes {
		told := n.Kind == noteWelcome || n.Kind == noteTurn || n.Kind == noteState
		if !told || n.Epoch == 0 || !h.covers(n.Seq) {
			continue
		}
		// A view that comes because the viewer's class changes is told as that before the input which changed it.
		if !h.of(n.Seq, n.Epoch) && (n.Kind != noteState || !h.of(n.Seq+1, n.Epoch)) {
			c.report(RuleEpochs, f.log.Name, "it was told %d as of epoch %d, and it is of another in the log", n.Seq, n.Epoch)
		}
	}
}

// of reports whether an index of the log is of an epoch.
func (h *history) of(seq, epoch uint64) bool { return h.covers(seq) && h.epochs[seq-h.first] == epoch }
