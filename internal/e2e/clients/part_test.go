package clients_test

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/roomring/roomring/room/view"
)

// part is one room of a driver, and what it must look like by what the server has told it.
type part struct {
	name      string // for the driver
	client    string
	token     string // that the client has to use; "": what it got by HTTP
	spectator bool

	sockets        int
	comes          bool           // its client opens a new socket by itself
	asked          map[string]any // where it resumes if it was asked to move: where it was then
	joined         <-chan []byte
	entered        *answer // to joining
	leaves         <-chan []byte
	closed         string // kind, once the server has ended it
	seen, sound    bool
	resyncs        bool // it has seen a wrong checksum
	view           any
	epoch, seq     float64
	floor          float64
	events         [][3]any
	over           *over
	acts           map[float64]<-chan []byte // by cseq
	said, answered float64                   // the highest cseq
	mismatches     int
}

// take changes the part as a message changes a client.
func (p *part) take(t *testing.T, m map[string]any) {
	t.Helper()
	switch m["t"] {
	case "welcome":
		p.welcome(m)
	case "state":
		p.seen, p.sound, p.resyncs = true, true, false
		p.view, p.epoch, p.seq = m["view"], m["epoch"].(float64), m["seq"].(float64)
		p.prove(t, m)
	case "turn":
		p.turn(t, m)
	case "over":
		text, _ := json.Marshal(m) // it was decoded from JSON
		p.over = new(over)
		if err := json.Unmarshal(text, p.over); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *part) welcome(m map[string]any) {
	if token, ok := m["token"].(string); ok {
		p.token = token
	}
	p.epoch, p.comes, p.asked = m["epoch"].(float64), false, nil
	if m["recovered"] != true {
		p.sound, p.seq = false, 0
	}
	p.floor = p.seq
	if cseq := m["cseq"].(float64); cseq < p.answered {
		// The room has lost acts: those without an answer count on from what it knows.
		again := map[float64]<-chan []byte{}
		for i, was := range slices.Sorted(func(yield func(float64) bool) {
			for cseq := range p.acts {
				if !yield(cseq) {
					return
				}
			}
		}) {
			again[cseq+1+float64(i)] = p.acts[was]
		}
		p.acts, p.answered, p.said = again, cseq, cseq+float64(len(again))
	}
}

func (p *part) turn(t *testing.T, m map[string]any) {
	t.Helper()
	seq := m["seq"].(float64)
	if seq <= p.floor {
		return
	}
	p.seq = seq
	if epoch, ok := m["epoch"].(float64); ok {
		p.epoch = epoch
	}
	if patch, ok := m["patch"]; ok {
		p.view = view.Patch(clone(p.view), patch)
	}
	p.prove(t, m)
	events, _ := m["events"].([]any)
	for _, e := range events {
		e := e.(map[string]any)
		p.events = append(p.events, [3]any{e["name"], e["data"], seq})
	}
}

// wrong is a checksum that no view of the pages has.
const wrong = 1.0

// prove compares a checksum of a page with the view.
func (p *part) prove(t *testing.T, m map[string]any) {
	t.Helper()
	check, ok := m["check"].(float64)
	if !ok {
		return
	}
	if check == wrong {
		p.mismatches++
		p.resyncs, p.sound = m["t"] == "turn", m["t"] != "turn"
		return
	}
	if want := checkOf(t, p.view); check != want {
		t.Fatalf("the page says that the checksum is %.0f, it is %.0f", check, want)
	}
}

func checkOf(t *testing.T, v any) float64 {
	t.Helper()
	text, err := view.AppendCanonical(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return float64(crc32.ChecksumIEEE(text))
}

// clone copies a JSON value, because view.Patch changes it in place.
func clone(v any) (c any) {
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		panic(fmt.Sprintf("%v came as JSON: %v", v, err))
	}
	return c
}
