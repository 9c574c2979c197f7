package roomtest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/roomring/roomring/room/core"
)

// enter steps one input and notes what came of it. An input that is refused must change nothing.
func (g *game) enter(in core.Input) error {
	ready, err := g.core.Step(in)
	if err != nil {
		return fmt.Errorf("%s: %w", describe(in), err)
	}
	if p := g.core.Panicked(); p != nil {
		return g.failed(in, p)
	}
	if ready.Entry == nil {
		return g.unchanged(in)
	}
	entered := ready.Entry.Input
	entered.Data = in.Data // of a refused act the log has the answer alone
	if err := g.note(entered); err != nil {
		return err
	}
	if err := g.judgeResult(); err != nil {
		return fmt.Errorf("%v: %w", g.last(), err)
	}
	return g.judge(in)
}

// failed tells of a panic that ended the room.
func (g *game) failed(in core.Input, p *core.Panic) error {
	return fmt.Errorf("input %d (%s): %s", g.core.Point().Seq, describe(in), toldPanic(p))
}

func toldPanic(p *core.Panic) string { return told(p).Error() }

// note takes down the moment after in, and proves that looking changes nothing.
func (g *game) note(in core.Input) error {
	m, err := observe(g.core, in, sharper)
	if err == nil {
		err = numbersHold(m.said)
	}
	if err == nil {
		err = lookTwice(g.core, &m)
	}
	if err != nil {
		return fmt.Errorf("%v: %w", &m, err)
	}
	if m.snapshot, err = g.core.Snapshot(); err == nil {
		err = g.comesBack(&m)
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

// judge counts an act's answer, and proves that a refusal has changed nothing.
func (g *game) judge(in core.Input) error {
	if in.Kind != core.KindAct {
		return nil
	}
	m := g.last()
	code, reason, refused := rejection(m.said)
	if !refused {
		g.p.report.Accepted++
		return nil
	}
	g.p.report.Refused++
	g.p.lastRefusal = reason
	before := &g.moments[len(g.moments)-2]
	if what := before.moved(m); what != "" {
		return fmt.Errorf("%v: Act refuses it (%s) but leaves %s: check everything before the first change", m, code, what)
	}
	return nil
}

// unchanged proves that an input which did not enter the log has changed nothing.
func (g *game) unchanged(in core.Input) error {
	now, err := observe(g.core, in, sharper)
	if err != nil {
		return fmt.Errorf("after a refused %s: %w", describe(in), err)
	}
	if what := g.last().moved(&now); what != "" {
		return fmt.Errorf("the game refuses %s after input %d but leaves %s: check everything before the first change", describe(in), now.index, what)
	}
	return nil
}

// rejection finds the reject among what was said.
func rejection(said []speech) (code, reason string, refused bool) {
	for _, s := range said {
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
