package schema_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/roomring/roomring/internal/play"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/games/liarsdice"
	"github.com/roomring/roomring/room/games/snakes"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/schema"
	"github.com/roomring/roomring/room/wire"
)

// TestPlayedGamesKeepToTheirSchemas plays games by what is legal, and holds every view, action and event to its schema.
func TestPlayedGamesKeepToTheirSchemas(t *testing.T) {
	for _, tt := range []struct {
		rules   *room.Rules
		options string
		first   []string // actions of the two players in turn, beside what is legal
		events  []string
	}{
		{chess.Rules(), `{"clock":{"initial_ms":60000},"takeback":true}`, []string{`{"move":"e4"}`, `{"move":"e5"}`, `{"draw":"offer"}`, `{"draw":"decline"}`}, []string{"declined"}},
		{snakes.Rules(), `{"width":16,"height":16,"rounds":1,"round_s":60,"start_s":1,"bots":3}`, nil, []string{"died", "round"}},
		{liarsdice.Rules(), `{"dice":2,"turn_ms":1000,"bots":1}`, nil, []string{"bid", "call", "out", "round"}},
	} {
		t.Run(tt.rules.Spec().Name, func(t *testing.T) {
			p := &played{t: t, schemas: parts(t, tt.rules), heard: map[string]bool{}}
			validate(t, p.schemas["options"], []byte(tt.options))
			validate(t, p.schemas["options"], []byte(`{}`))
			for seed := range uint64(3) {
				p.play(tt.rules, tt.options, tt.first, seed)
			}
			for _, name := range tt.events {
				if !p.heard[name] {
					t.Errorf("no event %s in three games", name)
				}
			}
		})
	}
}

type played struct {
	t       *testing.T
	schemas map[string]*jsonschema.Schema
	heard   map[string]bool
	machine *core.Core
}

func (p *played) play(rules *room.Rules, options string, first []string, seed uint64) {
	spec := rules.Spec()
	head := record.Header{ID: "0123456789abcdef", Game: spec.Name, Version: spec.Version, Runtime: core.RuntimeVersion, Options: json.RawMessage(options)}
	machine, _, err := core.Open(core.Config{Header: head, Rules: rules}, 1)
	if err != nil {
		p.t.Fatal(err)
	}
	p.machine = machine
	viewers := []room.Viewer{room.Spectator}
	cseq := map[room.PlayerID]record.CSeq{}
	act := func(who room.PlayerID, a json.RawMessage) {
		validate(p.t, p.schemas["action"], a)
		cseq[who]++
		p.step(core.Input{Kind: core.KindAct, Player: who, Client: "1", CSeq: cseq[who], Data: a})
	}
	for seat, name := range []room.PlayerID{"ann", "bob"} {
		p.step(core.Input{Kind: core.KindJoin, Player: name, Name: string(name)})
		p.step(core.Input{Kind: core.KindAttach, Player: name, Client: "1", Attempt: 1})
		viewers = append(viewers, room.Viewer{Player: name, Seat: seat})
	}
	for i, a := range first {
		act(viewers[1+i%2].Player, json.RawMessage(a))
	}
	r := rand.New(rand.NewPCG(seed, 2))
	for range 1500 {
		if p.machine.Final() != nil {
			return
		}
		for _, v := range viewers {
			p.look(v)
			legal, err := play.Legal(machine, v)
			if err != nil {
				p.t.Fatal(err)
			}
			for _, a := range legal {
				validate(p.t, p.schemas["action"], a)
			}
			if a := play.Choose(r, legal); a != nil && r.IntN(2) == 0 {
				act(v.Player, a)
			}
		}
		p.wait()
	}
}

// wait lets time pass until the next thing that happens by itself, or for a moment.
func (p *played) wait() {
	at, ok := p.machine.Deadline()
	if !ok {
		return
	}
	if in, due := p.machine.Due(min(at, p.machine.Now()+time.Second)); due {
		p.step(in)
	}
}

func (p *played) look(v room.Viewer) {
	seen, err := p.machine.WholeView(v)
	if err != nil {
		p.t.Fatal(err)
	}
	validate(p.t, p.schemas["view"], seen)
}

func (p *played) step(in core.Input) {
	in.At = max(in.At, p.machine.Now())
	if _, err := p.machine.Step(in); err != nil {
		p.t.Fatal(err)
	}
	for _, out := range p.machine.Commit(p.machine.Point().Seq) {
		if turn, ok := out.(core.Turned); ok && turn.Frame != nil {
			p.hear(turn.Frame.Bytes(wire.JSON))
		}
	}
}

func (p *played) hear(message []byte) {
	var turn struct {
		Events []struct {
			Name string
			Data json.RawMessage
		}
	}
	if err := json.Unmarshal(message, &turn); err != nil {
		p.t.Fatal(err)
	}
	for _, e := range turn.Events {
		s := p.schemas["event "+e.Name]
		if s == nil {
			p.t.Fatalf("the game sends an event %s that Events does not name", e.Name)
		}
		validate(p.t, s, e.Data)
		p.heard[e.Name] = true
	}
}

func TestOptionsHaveTheirDefaults(t *testing.T) {
	g, err := schema.Of(liarsdice.Rules())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range g.Options.Fields {
		got[f.Name] = string(f.Default)
		if !f.Optional {
			t.Errorf("option %s must be given", f.Name)
		}
	}
	if got["players"] != "6" || got["wild_ones"] != "true" || got["turn_ms"] != "30000" {
		t.Errorf("defaults are %v", got)
	}
}

// opener is a game whose Open does what a test says.
type opener struct {
	game[int, int]
	open func(*room.Turn) error
}

func (o *opener) Open(t *room.Turn, _ json.RawMessage) error { return o.open(t) }

func TestOptionsAreFoundHoweverOpenIsWritten(t *testing.T) {
	type options struct {
		Goal   int   `json:"goal"`
		Limits *Cell `json:"limits"`
		Area   Cell  `json:"area"`
	}
	for name, tt := range map[string]struct {
		open func(*room.Turn) error
		want string
	}{
		"after other calls": {func(t *room.Turn) error {
			t.Seats(t.Rand().IntN(2) + len(t.Players()))
			t.Grace(time.Duration(t.Index()) + t.Now())
			t.StartTimer("x", time.Second)
			o := options{Goal: 3}
			return errors.Join(t.Options(&o), errors.New("never"))
		}, `"goal":{"type":"integer","default":3},"limits":`},
		"none":     {func(*room.Turn) error { return errors.New("no") }, `"options":null`},
		"a panic":  {func(*room.Turn) error { panic("broken") }, `"options":null`},
		"optional": {func(t *room.Turn) error { return t.Options(new(map[string]int)) }, `"options":{"$schema":"https://json-schema.org/draft/2020-12/schema","title":"Options","type":["object","null"],`},
	} {
		rules := room.MustDefine(room.Spec{Name: "odd", Version: 1}, func() *opener { return &opener{open: tt.open} })
		g, err := schema.Of(rules)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(g)
		if err != nil || !strings.Contains(string(raw), tt.want) {
			t.Errorf("%s: %s (%v)\nlacks %s", name, raw, err, tt.want)
		}
	}
}

func TestEventsThatPanicAreAnError(t *testing.T) {
	rules := room.MustDefine(room.Spec{Name: "odd", Version: 1}, func() *announcer { return new(announcer) })
	if _, err := schema.Of(rules); err == nil || !strings.Contains(err.Error(), "its events: the method Events panics on a new game") {
		t.Error(err)
	}
}

type announcer struct {
	game[int, int]
	Players []string
}

func (a *announcer) Events() map[string]any { return map[string]any{"first": a.Players[0]} }

func TestTypesOfOneNameHaveTwo(t *testing.T) {
	type Cell struct{ Here bool }
	g, err := schema.Of(rulesOf[int, struct {
		A Cell
		B map[string]*outer
		C Twin[int, Cell]
		D Twin[string, []Cell]
	}](nil))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := g.View.JSONSchema("View")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Defs map[string]json.RawMessage `json:"$defs"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range doc.Defs {
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) != 4 || !slices.Contains(names, "Cell") {
		t.Errorf("definitions are %v\n%s", names, raw)
	}
	compile(t, raw)
}

type outer = Cell
