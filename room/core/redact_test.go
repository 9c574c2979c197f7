package core_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// vote is a game that stores players' ids in options, state, actions, timers and refusals, and shows their names in texts.
type vote struct {
	Votes map[room.PlayerID]room.PlayerID
	Names map[room.PlayerID]string
	Chair string
	Said  []string

	fault string `roomring:"derived"`
}

type ballot struct {
	For room.PlayerID `json:"for,omitempty"`
	Say string        `json:"say,omitempty"`
}

func (g *vote) Open(t *room.Turn, _ json.RawMessage) error {
	o := struct {
		Chair string `json:"chair"`
	}{}
	err := t.Options(&o)
	g.Chair = o.Chair
	return err
}

func (g *vote) Join(t *room.Turn, p room.Player) error {
	g.Names[p.ID] = p.Name
	t.StartTimer("hurry:"+string(p.ID), 1e9)
	return nil
}

func (g *vote) Timer(t *room.Turn, name string) {
	g.Said = append(g.Said, "hurry up, "+g.Names[room.PlayerID(strings.TrimPrefix(name, "hurry:"))]+"!")
}

func (g *vote) Act(t *room.Turn, by room.Player, b ballot) error {
	if b.Say != "" {
		g.Said = append(g.Said, b.Say)
		return nil
	}
	if g.Names[b.For] == "" {
		return room.Refuse("unknown", by.Name+" votes for nobody")
	}
	if g.Votes[by.ID] = b.For; len(g.Votes) < 2 {
		return nil
	}
	var ids []room.PlayerID
	for id := range g.Votes {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if g.fault == "by id" { // the player whose id comes first wins
		t.Finish(room.Result{Outcomes: []room.Outcome{{Player: ids[0], Name: g.Names[ids[0]], Rank: 1}}})
		return nil
	}
	var outcomes []room.Outcome
	for _, id := range ids {
		rank := 2
		if g.Votes[id] == id {
			rank = 1
		}
		outcomes = append(outcomes, room.Outcome{Player: id, Name: g.Names[id], Rank: rank})
	}
	t.Finish(room.Result{
		Outcomes: outcomes, Summary: g.Names[by.ID] + " was the last to vote", Data: json.RawMessage(fmt.Sprintf(`{"last":%q}`, by.ID)),
	})
	return nil
}

func (g *vote) View(room.Viewer) any {
	if g.fault == "shown by id" {
		var all []string
		for id := range g.Names {
			all = append(all, string(id))
		}
		slices.Sort(all)
		for i, id := range all {
			all[i] = g.Names[room.PlayerID(id)]
		}
		return all
	}
	return map[string]any{"names": g.Names, "votes": g.Votes, "said": g.Said, "chair": g.Chair}
}

func voteRules(version int, fault string) *room.Rules {
	return room.MustDefine(room.Spec{Name: "vote", Version: version, MaxPlayers: 4, SharedView: true, Rated: true}, func() *vote {
		return &vote{Votes: map[room.PlayerID]room.PlayerID{}, Names: map[room.PlayerID]string{}, fault: fault}
	})
}

const (
	wanted = room.PlayerID("anneliese-4711")
	wife   = "Anne Müller"
)

// voted returns the end of a vote in which the player to erase took part, or left before it began.
func voted(t *testing.T, rules *room.Rules, stays, cut bool) record.Final {
	t.Helper()
	head := record.Header{
		ID: "0123456789abcdef", Game: "vote", Version: 1, Runtime: core.RuntimeVersion, Private: true, Code: "code",
		Name: wife + "'s table", Options: json.RawMessage(fmt.Sprintf(`{"chair": "player:%s"}`, wanted)),
	}
	machine, _, err := core.Open(core.Config{Header: head, Rules: rules, CheckEvery: 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	cseq := map[room.PlayerID]record.CSeq{}
	step := func(in core.Input) {
		t.Helper()
		if ready, err := machine.Step(in); err != nil || ready.Entry == nil {
			t.Fatalf("%s: %v, %v", in.Kind, err, ready.Refused)
		}
		machine.Commit(machine.Point().Seq)
	}
	act := func(p room.PlayerID, what string) {
		t.Helper()
		cseq[p]++
		step(core.Input{Kind: core.KindAct, Player: p, Client: record.ClientID("c" + p), CSeq: cseq[p], Data: json.RawMessage(what)})
	}
	for _, p := range []struct {
		id   room.PlayerID
		name string
	}{{wanted, wife}, {"bob", "Bob"}, {"cy", "Cy"}} {
		step(core.Input{Kind: core.KindJoin, Player: p.id, Name: p.name})
		step(core.Input{Kind: core.KindAttach, Player: p.id, Client: record.ClientID("c" + p.id), Attempt: 1})
	}
	act("bob", `{"say":"hello"}`)
	act(wanted, `{"for":"nobody"}`)
	if cut {
		step(core.Input{Kind: core.KindCut})
	}
	step(core.Input{Kind: core.KindTimer, Name: "hurry:" + string(wanted), At: 2e9})
	act("cy", fmt.Sprintf(`{"for":%q}`, wanted))
	if stays {
		act(wanted, fmt.Sprintf(`{"for":%q}`, wanted))
	} else {
		step(core.Input{Kind: core.KindLeave, Player: wanted})
		act("bob", `{"for":"bob"}`)
	}
	final, err := machine.Seal()
	if err != nil {
		t.Fatal(err)
	}
	return final
}

// plain returns the unpacked content of a replay.
func plain(t *testing.T, replay []byte) string {
	t.Helper()
	r, err := core.ReadReplay(bytes.NewReader(replay))
	if err != nil {
		t.Fatal(err)
	}
	r.Final.Replay = nil
	entries, err := core.EncodeEntries(nil, r.Entries...)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s%s%s", cborOf(t, r.Header), cborOf(t, r.Final), entries)
}

// TestRedact erases a player who stayed to the end or left before it, with a cut log and a whole one. No trace of the player
// remains, and the game of the others is the same.
func TestRedact(t *testing.T) {
	rules := voteRules(1, "")
	for _, c := range []struct{ stays, cut bool }{{true, false}, {false, false}, {true, true}, {false, true}} {
		t.Run(fmt.Sprintf("stays=%v,cut=%v", c.stays, c.cut), func(t *testing.T) {
			was := voted(t, rules, c.stays, c.cut)
			if !slices.Contains(was.Named, wanted) || len(was.Named) != 3 {
				t.Fatalf("the log names %v", was.Named)
			}
			replay := was.Replay.Join()
			if before := plain(t, replay); !strings.Contains(before, string(wanted)) || !strings.Contains(before, wife) {
				t.Fatal("there was nothing to take out")
			}
			r := core.Redaction{Player: wanted, Gone: "gone_1"}
			if err := r.Learn(was, replay); err != nil {
				t.Fatal(err)
			}
			is, err := r.Rerun(rules, replay)
			if err != nil {
				t.Fatal(err)
			}
			text := r.Final(was)
			if slices.Contains(text.Named, wanted) || slices.Contains(text.Readers, wanted) || text.Readers == nil {
				t.Errorf("named %v, readers %v", text.Named, text.Readers)
			}
			if (is.Hash == was.Hash) == c.stays || is.Hash != is.Sum() {
				t.Error("the sum is not that of the end without the player")
			}
			if told := fmt.Sprintf("%+v %s", text, text.Result.Data) + fmt.Sprintf("%+v %s", is.Result, is.Result.Data); strings.Contains(told, string(wanted)) || strings.Contains(told, wife) {
				t.Errorf("the end still tells: %s", told)
			}
			if c.stays && !strings.Contains(text.Result.Summary, core.GoneName) {
				t.Errorf("the summary is %q", text.Result.Summary)
			}
			after := plain(t, is.Replay.Join())
			for _, trace := range []string{string(wanted), wife} {
				if strings.Contains(after, trace) {
					t.Errorf("the replay still holds %q", trace)
				}
			}
			read, err := core.ReadReplay(bytes.NewReader(is.Replay.Join()))
			if err != nil {
				t.Fatal(err)
			}
			checks := 0
			for _, e := range read.Entries {
				checks += len(e.Checks)
			}
			again, err := core.Run(core.Config{Header: read.Header, Rules: rules}, read.Log(), nil)
			if err != nil || again.Final() == nil || again.Final().Sum() != is.Hash || read.Final.Hash != is.Hash || checks == 0 {
				t.Errorf("it does not play: %v, %d checks", err, checks)
			}
			for _, o := range again.Final().Result.Outcomes {
				if i := slices.IndexFunc(was.Result.Outcomes, func(w room.Outcome) bool { return w.Player == o.Player }); o.Player != "gone_1" && (i < 0 || was.Result.Outcomes[i] != o) {
					t.Errorf("%+v is of nobody who played", o)
				}
			}
			if _, err := r.Rerun(rules, is.Replay.Join()); err != nil {
				t.Errorf("once more: %v", err)
			}
		})
	}
}

// TestRedactRefuses checks that replays are refused if they would show another game or cannot be read.
func TestRedactRefuses(t *testing.T) {
	for fault, version := range map[string]int{"by id": 1, "shown by id": 1, "": 2} {
		rules := voteRules(1, fault)
		was := voted(t, rules, true, false)
		r := core.Redaction{Player: wanted, Gone: "zz_last_of_all"}
		if err := r.Learn(was, was.Replay.Join()); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Rerun(voteRules(version, fault), was.Replay.Join()); err == nil {
			t.Errorf("fault %q, version %d: it was redacted", fault, version)
		}
		if _, err := r.Rerun(voteRules(version, fault), []byte("no replay")); err == nil {
			t.Error("what is no replay was redacted")
		}
		if text := fmt.Sprintf("%+v", r.Final(was)); strings.Contains(text, string(wanted)) || strings.Contains(text, wife) {
			t.Errorf("the end tells %s", text)
		}
	}
}

// TestRedactWords checks that short ids and names are not replaced inside other words.
func TestRedactWords(t *testing.T) {
	was := record.Final{Result: room.Result{
		Outcomes: []room.Outcome{{Player: "e4", Name: "An"}, {Player: "bob", Name: "Anna"}},
		Summary:  "An beat Anna, Ann and Jan: An!", Data: json.RawMessage(`{"e4": "e4 is a move", "An":["An",  "An An","player:e4"], "n":1.50}`),
	}}
	r := core.Redaction{Player: "e4", Gone: "gone_1"}
	if err := r.Learn(was, nil); err != nil {
		t.Fatal(err)
	}
	is := r.Final(was)
	if want := strings.ReplaceAll("@ beat Anna, Ann and Jan: @!", "@", core.GoneName); is.Result.Summary != want {
		t.Errorf("summary %q, want %q", is.Result.Summary, want)
	}
	want := strings.ReplaceAll(`{"gone_1": "e4 is a move", "@":["@",  "@ @","player:gone_1"], "n":1.50}`, "@", core.GoneName)
	if string(is.Result.Data) != want {
		t.Errorf("data %s, want %s", is.Result.Data, want)
	}
	if was.Result.Outcomes[0].Player != "e4" || is.Result.Outcomes[1] != was.Result.Outcomes[1] {
		t.Error("it changed what it was given")
	}
}
