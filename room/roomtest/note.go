package roomtest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/roomring/roomring/room/core"
)

// stepAndNote steps one input and notes the moment after it. An input that is refused must change nothing.
func (g *game) stepAndNote(in core.Input) error {
	ready, err := g.core.Step(in)
	if err != nil {
		return fmt.Errorf("%s: %w", describe(in), err)
	}
	if p := g.core.Panicked(); p != nil {
		return fmt.Errorf("input %d (%s): %w", g.core.Point().Seq, describe(in), explained(p))
	}
	if ready.Entry == nil {
		return g.unchanged(in)
	}
	entered := ready.Entry.Input
	entered.Data = in.Data // the log has only the answer of a refused act
	if err := g.note(entered); err != nil {
		return err
	}
	g.count(in)
	if err := g.judgeResult(); err != nil {
		return fmt.Errorf("%v: %w", g.last(), err)
	}
	return g.judge(in)
}

// note records the moment after in, and proves that looking changes nothing.
func (g *game) note(in core.Input) error {
	m, err := observe(g.core, in, allViews)
	if err == nil {
		err = numbersHold(m.sent)
	}
	if err == nil {
		err = g.announced(m.sent)
	}
	if err == nil {
		err = lookTwice(g.core, &m)
	}
	if err != nil {
		return fmt.Errorf("%v: %w", &m, err)
	}
	if m.snapshot, err = g.core.Snapshot(); err == nil {
		err = g.restoresWhole(&m)
	}
	if err != nil && err != core.ErrNotClean {
		return fmt.Errorf("%v: %w", &m, err)
	}
	for _, s := range g.core.Seats() {
		g.seated[s.Player] = true
	}
	g.moments = append(g.moments, m)
	return nil
}

func (g *game) last() *moment { return &g.moments[len(g.moments)-1] }

// judge counts an act's answer, and proves that a refused act has changed nothing.
func (g *game) judge(in core.Input) error {
	if in.Kind != core.KindAct {
		return nil
	}
	m := g.last()
	code, reason, refused := rejection(m.sent)
	if !refused {
		g.p.report.Accepted++
		return nil
	}
	g.p.report.Refused++
	g.p.lastRefusal = reason
	before := &g.moments[len(g.moments)-2]
	if what := before.stateDiffers(m); what != "" {
		return fmt.Errorf("%v: Act refuses it (%s) but leaves %s: check everything before the first change", m, code, what)
	}
	return nil
}

// unchanged proves that an input which did not enter the log has changed nothing.
func (g *game) unchanged(in core.Input) error {
	now, err := observe(g.core, in, allViews)
	if err != nil {
		return fmt.Errorf("after a refused %s: %w", describe(in), err)
	}
	if what := g.last().stateDiffers(&now); what != "" {
		return fmt.Errorf("the game refuses %s after input %d but leaves %s: check everything before the first change", describe(in), now.index, what)
	}
	return nil
}

// rejection finds a reject among messages.
func rejection(sent []message) (code, reason string, refused bool) {
	for _, s := range sent {
		var answer struct {
			T      string `json:"t"`
			Code   string `json:"code"`
			Reason string `json:"reason"`
		}
		if strings.HasPrefix(s.to, "answer") && json.Unmarshal([]byte(s.json), &answer) == nil && answer.T == "reject" {
			return answer.Code, answer.Reason, true
		}
	}
	return "", "", false
}
