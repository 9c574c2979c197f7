package core_test

import (
	"encoding/json"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

type picky struct {
	Got pickyOptions
	raw json.RawMessage
}

type pickyOptions struct {
	Size  int            `json:"size"`
	Rules map[string]any `json:"rules,omitempty"`
	Panic bool           `json:"panic,omitempty"`
}

type pickyAction struct {
	Add int `json:"add"`
}

func (p *picky) Open(t *room.Turn, _ json.RawMessage) error {
	p.Got = pickyOptions{Size: 5}
	if err := t.Options(&p.Got); err != nil {
		return err
	}
	if p.Got.Panic {
		panic("no")
	}
	if p.Got.Size > 9 {
		return room.Refuse("bad_options", "size")
	}
	return nil
}
func (p *picky) Act(_ *room.Turn, _ room.Player, a pickyAction) error {
	p.Got.Size += a.Add
	return nil
}
func (p *picky) View(room.Viewer) pickyOptions { return p.Got }

var pickyRules = room.MustDefine(room.Spec{Name: "picky", Version: 1}, func() *picky { return &picky{raw: nil} })

func TestPoolKey(t *testing.T) {
	same := [][]string{
		{``, `{}`, `null`, ` {} `, `{"size":5}`, `{"size":5.0}`, `{"size":50e-1,"rules":{}}`, `{"rules":null}`},
		{`{"size":6}`, `{"size":6.0,"panic":false}`},
		{`{"rules":{"a":1,"b":2}}`, `{"size":5,"rules":{"b":2.0,"a":1}}`},
		{`{"size":10}`, `{"size": 1e1}`}, // refused
		{`{"panic":true}`, `{"panic": true}`},
		{`{"SIZE":5}`}, {`{"size":5,"size":5}`}, {`{"size":`},
	}
	seen := map[string]int{}
	for i, group := range same {
		for _, options := range group {
			pool := core.PoolKey(pickyRules, json.RawMessage(options))
			if of, known := seen[pool]; known && of != i {
				t.Errorf("%s is in the pool of group %d", options, of)
			} else if !known && options != group[0] {
				t.Errorf("%s is not in the pool of %s", options, group[0])
			}
			seen[pool] = i
		}
	}
}

// TestEachRuntimeReadsActionsByItsRules checks that an old room accepts what it accepted before, and that a new one is exact.
func TestEachRuntimeReadsActionsByItsRules(t *testing.T) {
	for _, c := range []struct {
		runtime int
		data    string
		fault   *room.Refusal
		code    string
	}{
		{1, `{"ADD":1}`, nil, ""},
		{1, `{"add":1,"add":2}`, nil, ""},
		{1, ``, &room.Refusal{Code: "bad_text"}, "bad_action"}, // a log of the first runtime has no other code
		{2, `{"ADD":1}`, nil, "bad_action"},
		{2, `{"add":1,"add":2}`, nil, "bad_action"},
		{2, `{"add":2.0}`, nil, ""},
		{2, ``, &room.Refusal{Code: "bad_text", Reason: "half"}, "bad_text"},
	} {
		options := json.RawMessage(`{"size":6}`)
		if c.runtime == 1 {
			options = json.RawMessage(`{"SIZE":5,"size":6}`)
		}
		cfg := core.Config{Rules: pickyRules, Header: record.Header{ID: "0000000000000000", Game: "picky", Version: 1, Runtime: c.runtime, Options: options}}
		machine, entries, err := core.Open(cfg, 1)
		if err != nil {
			t.Fatalf("runtime %d: %v", c.runtime, err)
		}
		for _, in := range []core.Input{
			{Kind: core.KindJoin, Player: "p"},
			{Kind: core.KindAttach, Player: "p", Client: "c"},
			{Kind: core.KindAct, Player: "p", Client: "c", CSeq: 1, Data: json.RawMessage(c.data), Fault: c.fault},
		} {
			ready, err := machine.Step(in)
			if err != nil || ready.Entry == nil {
				t.Fatal(ready, err)
			}
			entries = append(entries, *ready.Entry)
		}
		code := answerOf(machine.Commit(machine.Point().Seq))
		if code != c.code {
			t.Errorf("runtime %d, %s: %q, want %q", c.runtime, c.data, code, c.code)
		}
		again, err := core.Run(cfg, core.LogOf(entries), func(*core.Core, core.Entry) error { return nil })
		if err != nil {
			t.Fatalf("runtime %d, %s: %v", c.runtime, c.data, err)
		}
		a, _ := machine.Snapshot()
		b, _ := again.Snapshot()
		if string(a.Data) != string(b.Data) {
			t.Errorf("runtime %d, %s: a replay comes to another state", c.runtime, c.data)
		}
	}
}

// answerOf returns the code of the newest answer among outputs, which is empty for an ack.
func answerOf(outputs []core.Output) (code string) {
	for _, out := range outputs {
		a, ok := out.(core.Answered)
		if !ok {
			continue
		}
		for m := range wire.DecodeServer(wire.JSON, a.Frame.Bytes(wire.JSON)) {
			if no, refused := m.(wire.Reject); refused {
				code = no.Code
			}
		}
	}
	return code
}
