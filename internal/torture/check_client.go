package torture

import (
	"bytes"
	"fmt"
)

// answer is what a client was told of one of its acts.
type answer struct {
	seq  uint64
	code string // empty: it was accepted
}

// clientFacts is what a client's own notes say of its room.
type clientFacts struct {
	log     *clientLog
	sent    map[uint64][]byte // data by cseq
	answers map[uint64]answer // by cseq
	over    *note

	epoch    uint64 // the highest that it was told
	node     string // that had the room at its last welcome
	seq      uint64 // of its view
	viewing  bool   // it has a view
	session  bool   // it was welcomed on its present socket
	answered uint64 // the highest cseq of an answer
	acked    uint64 // the highest index of an answer
}

// checkClient checks that a client's notes agree with each other.
func (c *checker) checkClient(l *clientLog) *clientFacts {
	f := &clientFacts{log: l, sent: map[uint64][]byte{}, answers: map[uint64]answer{}}
	for i := range l.notes {
		n := &l.notes[i]
		switch n.Kind {
		case noteOpening:
			f.session = false
		case noteSent:
			if was, again := f.sent[n.CSeq]; again && !bytes.Equal(was, n.Data) {
				c.report(RuleActs, l.Name, "it had to give act %d another meaning: the room said that it had forgotten acts", n.CSeq)
			}
			f.sent[n.CSeq] = n.Data
		case noteWelcome:
			c.welcomed(f, n)
		case noteState:
			c.sawState(f, n)
		case noteTurn:
			c.sawTurn(f, n)
		case noteAnswered:
			c.sawAnswer(f, n)
		case noteOver:
			if f.over != nil && (f.over.Seq != n.Seq || f.over.Text != n.Text || !bytes.Equal(f.over.Data, n.Data)) {
				c.report(RuleResults, l.Name, "the room ended twice: %s at %d and %s at %d", f.over.Text, f.over.Seq, n.Text, n.Seq)
			}
			f.over = n
		}
	}
	return f
}

func (c *checker) welcomed(f *clientFacts, n *note) {
	c.owned(n.Epoch, n.Text, f.log.Name)
	if n.Epoch < f.epoch {
		c.report(RuleEpochs, f.log.Name, "welcome of epoch %d after epoch %d", n.Epoch, f.epoch)
	}
	f.epoch, f.node = max(f.epoch, n.Epoch), n.Text
	if n.CSeq < f.answered {
		c.report(RuleActs, f.log.Name, "the room has applied act %d, and has answered %d before", n.CSeq, f.answered)
	}
	if n.Seq < f.seq || n.Seq < f.acked {
		c.report(RuleTurns, f.log.Name, "welcome at %d, after what was said at %d", n.Seq, max(f.seq, f.acked))
	}
	if n.Recovered && !f.viewing {
		c.report(RuleTurns, f.log.Name, "the view is to go on at %d, and there was none", n.Seq)
	}
	f.viewing, f.session = n.Recovered, true
}

// told notes an epoch that a state or turn tells. Turns that were missed tell earlier ones than the welcome before them.
func (c *checker) told(f *clientFacts, epoch uint64) {
	if epoch >= f.epoch && epoch > 0 {
		c.owned(epoch, f.node, f.log.Name)
		f.epoch = epoch
	}
}

func (c *checker) sawState(f *clientFacts, n *note) {
	c.told(f, n.Epoch)
	if n.Seq < f.seq {
		c.report(RuleTurns, f.log.Name, "the whole view of %d after that of %d", n.Seq, f.seq)
	}
	f.seq, f.viewing = n.Seq, true
}

func (c *checker) sawTurn(f *clientFacts, n *note) {
	switch {
	case !f.session:
		c.report(RuleTurns, f.log.Name, "turn %d before a welcome", n.Seq)
	case !f.viewing:
		c.report(RuleTurns, f.log.Name, "turn %d before any view", n.Seq)
	case n.Seq <= f.seq:
		c.report(RuleTurns, f.log.Name, "turn %d after %d", n.Seq, f.seq)
	}
	f.seq = n.Seq
	c.told(f, n.Epoch)
}

func (c *checker) sawAnswer(f *clientFacts, n *note) {
	now := answer{n.Seq, n.Text}
	if _, sent := f.sent[n.CSeq]; !sent {
		c.report(RuleActs, f.log.Name, "an answer to act %d, which was never sent", n.CSeq)
	}
	if was, again := f.answers[n.CSeq]; again && was != now {
		c.report(RuleActs, f.log.Name, "act %d was answered %s, and then %s", n.CSeq, was, now)
	}
	before, known := f.answers[n.CSeq-1]
	if known && now.code == "" && before.code == "" && before.seq >= now.seq {
		c.report(RuleActs, f.log.Name, "act %d has its effect at %d, and the one before at %d", n.CSeq, now.seq, before.seq)
	}
	f.answers[n.CSeq] = now
	f.answered, f.acked = max(f.answered, n.CSeq), max(f.acked, n.Seq)
}

func (a answer) String() string {
	if a.code == "" {
		return fmt.Sprintf("accepted at %d", a.seq)
	}
	return fmt.Sprintf("%q at %d", a.code, a.seq)
}
