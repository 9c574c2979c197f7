package clients_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
)

// stage plays the server's side of a transcript to a driver's clients, and compares what they say with the client's side.
type stage struct {
	t      *testing.T
	s      *scripted
	d      *driver
	id     string // the room
	script []e2e.TranscriptStep

	parts   []*part
	sockets map[string]*socket // by the client of the steps, "" or "2"
	of      map[*socket]*part
	others  []*socket // not asked for yet
	joined  []string  // lines to send
	to      string    // whom they are for
	token   string    // of the last welcome
	skip    bool      // the next answer: the client has refused the act by itself
}

func newStage(t *testing.T, s *scripted, d *driver, tr e2e.Transcript) *stage {
	id := strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-"))
	return &stage{t: t, s: s, d: d, id: id, script: sayable(t, tr), sockets: map[string]*socket{}, of: map[*socket]*part{}}
}

// instead says what a client says where a page has what no correct client says, by the title of a transcript.
var instead = map[string][2]string{
	"Data that no action can be":                      {`{"t":"act","cseq":3}`, `{"t":"act","cseq":3,"data":null}`},
	"Coming back from a point the room does not know": {`"resume":{"epoch":7,"seq":40}`, `"resume":{"epoch":1,"seq":4}`},
	"A gap":  {`"cseq":2,"data"`, `"cseq":1,"data"`},
	"An end": {`"attempt":2}`, `"attempt":2,"resume":{"epoch":1,"seq":5}}`},
}

// sayable is what is said in a transcript, with what a correct client says instead of what it never says.
func sayable(t *testing.T, tr e2e.Transcript) []e2e.TranscriptStep {
	change, ok := instead[tr.Title]
	if !ok {
		return tr.Steps
	}
	steps := append([]e2e.TranscriptStep{}, tr.Steps...)
	for i, step := range steps {
		if step.Does == e2e.StepClient && strings.Contains(step.Text, change[0]) {
			steps[i].Text = strings.Replace(step.Text, change[0], change[1], 1)
			return steps
		}
	}
	t.Fatalf("%q: nobody says %s", tr.Title, change[0])
	return nil
}

func (st *stage) play() {
	for _, step := range st.script {
		if err := st.step(step); err != nil {
			st.t.Fatalf("%s: %v", step.Where, err)
		}
	}
	st.flush()
	for _, p := range st.parts {
		st.check(p)
	}
}

func (st *stage) step(step e2e.TranscriptStep) error {
	if step.Does != e2e.StepServer || step.Client != st.to {
		st.flush()
	}
	switch step.Does {
	case e2e.StepClient:
		says, err := e2e.DecodeLine(step.Text)
		if err != nil {
			return err
		}
		return st.client(step.Client, says.(map[string]any))
	case e2e.StepServer:
		return st.server(step.Client, step.Text)
	case e2e.StepNewSocket:
		st.lost(st.sockets[step.Client], st.sockets[step.Client].cut)
	}
	return nil
}

// lost ends a socket, whose client comes back by itself unless it is closed for good.
func (st *stage) lost(k *socket, end func()) {
	if p := st.of[k]; p.closed == "" && st.newest(p) == k {
		p.comes = true
	}
	end()
}

// newest is the newest socket of a part.
func (st *stage) newest(p *part) (k *socket) {
	for socket, of := range st.of {
		if of == p && (k == nil || socket.hello["attempt"].(float64) > k.hello["attempt"].(float64)) {
			k = socket
		}
	}
	return k
}

// Of the client's side.

func (st *stage) client(who string, says map[string]any) error {
	if says["t"] == "hello" {
		return st.hello(who, says)
	}
	k := st.sockets[who]
	p := st.of[k]
	st.enter(p)
	switch says["t"] {
	case "act":
		if p.spectator {
			return st.refusedAtHome(p, says)
		}
		if cseq := says["cseq"].(float64); cseq > p.said {
			p.said = cseq
			p.acts[cseq] = st.d.ask(st.t, "act", order{"room": p.name, "data": says["data"]})
		}
	case "resync":
		if !p.resyncs { // else it says so by itself
			st.d.call(st.t, "resync", order{"room": p.name})
		}
	case "leave":
		p.leaves = st.d.ask(st.t, "leave", order{"room": p.name})
	case "ping":
		k.lastEcho(st.t)
		return nil
	}
	if said := k.hear(st.t); !e2e.Alike(any(says), any(said)) {
		return fmt.Errorf("the page says\n%v\nthe client says\n%v", says, said)
	}
	return nil
}

// enter waits until the driver is in the room, or is not let in.
func (st *stage) enter(p *part) {
	if p.entered == nil {
		a := st.d.wait(st.t, "join", p.joined)
		p.entered = &a
	}
}

// refusedAtHome has a spectator act, which its client refuses by itself.
func (st *stage) refusedAtHome(p *part, says map[string]any) error {
	if a := st.d.call(st.t, "act", order{"room": p.name, "data": says["data"]}); a.Rejected != "spectator" {
		return fmt.Errorf("a spectator's act: %+v", a)
	}
	st.skip = true
	return nil
}

func (st *stage) hello(who string, says map[string]any) error {
	p := st.coming(says)
	if p == nil {
		p = st.join(says)
	}
	k := st.s.next(st.t, p.client, &st.others)
	p.sockets++
	p.comes = false
	st.sockets[who], st.of[k] = k, p
	want := map[string]any{"t": "hello", "client": p.client, "attempt": float64(p.sockets)}
	for _, name := range []string{"name", "as", "code"} {
		if v, ok := k.hello[name]; ok && (says[name] == v || says[name] == nil && name == "name") {
			want[name] = v // a client may tell its name again
		} else if says[name] != nil {
			want[name] = says[name]
		}
	}
	if says["resume"] != nil {
		want["resume"] = map[string]any{"epoch": p.epoch, "seq": p.seq}
		if p.asked != nil {
			want["resume"] = p.asked
		}
		if !reflect.DeepEqual(says["resume"], want["resume"]) {
			return fmt.Errorf("the page resumes at %v, the client has been told %v", says["resume"], want["resume"])
		}
	}
	token, _ := k.hello["token"].(string)
	if says["token"] != nil && token != p.token || says["token"] == nil && !p.spectator && token != p.token && !strings.HasPrefix(token, "guest-") {
		return fmt.Errorf("the client comes with the token %q, should with %q", token, p.token)
	}
	delete(k.hello, "token")
	if !reflect.DeepEqual(want, k.hello) {
		return fmt.Errorf("the page says\n%v\nthe client says\n%v", want, k.hello)
	}
	return nil
}

// coming is the part whose client comes back by itself, or nil.
func (st *stage) coming(says map[string]any) *part {
	for _, p := range st.parts {
		if p.comes && p.client == says["client"] {
			return p
		}
	}
	return nil
}

// join has a driver join the room as another client.
func (st *stage) join(says map[string]any) *part {
	p := &part{
		name: fmt.Sprintf("%s/%d", st.id, len(st.parts)), client: says["client"].(string), spectator: says["as"] == "spectator",
		acts: map[float64]<-chan []byte{}, events: [][3]any{},
	}
	o := order{"url": st.s.URL, "id": st.id, "room": p.name, "client": p.client, "spectator": p.spectator}
	if says["token"] != nil {
		p.token = st.token
		for _, other := range st.parts {
			if other.client == p.client {
				p.token = cmp.Or(other.token, p.token)
			}
		}
		o["token"] = p.token
	}
	if says["name"] != nil {
		o["name"] = says["name"]
	}
	p.joined = st.d.ask(st.t, "join", o)
	st.parts = append(st.parts, p)
	return p
}

// Of the server's side.

func (st *stage) server(who, text string) error {
	k := st.sockets[who]
	if code, ok := strings.CutPrefix(text, "close "); ok {
		st.flush()
		return st.closes(k, code)
	}
	st.to = who
	line, err := e2e.DecodeLine(text)
	if err != nil { // a page's unreadable message
		st.flush()
		st.sockets[who].say(st.t, text)
		st.of[k].sound = false
		st.lost(k, func() {})
		return nil
	}
	m := st.fill(k, line.(map[string]any))
	if st.skip && m["t"] == "reject" {
		st.skip = false
		return nil
	}
	said, _ := json.Marshal(m) // it was decoded from JSON
	st.joined = append(st.joined, string(said))
	p := st.of[k]
	p.take(st.t, m)
	st.token = cmp.Or(p.token, st.token)
	switch m["t"] {
	case "ack", "reject":
		st.flush()
		return st.answers(p, m)
	case "state":
		if p.entered == nil { // the driver listens from then on
			st.flush()
			st.enter(p)
		}
	case "move":
		st.flush()
		p.comes, p.asked = true, map[string]any{"epoch": p.epoch, "seq": p.seq}
		st.others = append(st.others, st.s.next(st.t, p.client, &st.others)) // before anything else is said
	}
	return nil
}

// flush sends what waits, joined into one message.
func (st *stage) flush() {
	if len(st.joined) > 0 {
		st.sockets[st.to].say(st.t, st.joined...)
	}
	st.joined = nil
}

// answers compares what becomes of an act with its answer.
func (st *stage) answers(p *part, m map[string]any) error {
	cseq := m["cseq"].(float64)
	waits, ok := p.acts[cseq]
	if !ok {
		return nil // a second answer
	}
	delete(p.acts, cseq)
	p.answered = max(p.answered, cseq)
	a := st.d.wait(st.t, "act", waits)
	code, _ := m["code"].(string)
	if code == "" && float64(a.Seq) == m["seq"] || code != "" && a.Rejected == code && a.Reason == m["reason"] {
		return nil
	}
	return fmt.Errorf("the server says %v, the act ends with %+v", m, a)
}

// kinds are what close codes are called, where a client stops.
var kinds = map[int]string{
	1000: "left", 4400: "refused", 4401: "token", 4403: "forbidden", 4404: "not-found", 4406: "reload", 4408: "refused", 4409: "replaced",
	4410: "over", 4413: "refused", 4429: "refused",
}

func (st *stage) closes(k *socket, text string) error {
	code, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	p := st.of[k]
	if kind := kinds[code]; kind != "" && st.newest(p) == k {
		p.closed = kind
	}
	st.lost(k, func() { k.end(code) })
	return nil
}

// check compares what a driver has with what it was told.
func (st *stage) check(p *part) {
	st.t.Helper()
	st.enter(p)
	if !p.seen {
		if p.entered.Closed != p.closed || !reflect.DeepEqual(p.entered.Over, p.over) {
			st.t.Fatalf("%s: joining ends with %+v, should be closed as %q, %+v", p.name, p.entered, p.closed, p.over)
		}
		return
	}
	state := map[bool]string{true: "open", false: "closed"}[p.closed == ""]
	var got told
	defer func() {
		if st.t.Failed() {
			st.t.Logf("%s is\n%+v\nand should be\n%+v", p.name, got, p)
		}
	}()
	testwait.Until(st.t, "the driver is at the end of "+p.name, func() bool {
		got = st.d.tell(st.t, p.name)
		return reflect.DeepEqual(got.View, p.view) && got.Closed == p.closed && got.State == state && reflect.DeepEqual(got.Events, p.events)
	})
	if !reflect.DeepEqual(got.Over, p.over) || got.Mismatches != p.mismatches || got.Game != "chess" || p.spectator != (got.Seat < 0) {
		st.t.Errorf("%s is otherwise", p.name)
	}
	for cseq, waits := range p.acts {
		if a := st.d.wait(st.t, "act", waits); a.Closed != p.closed {
			st.t.Errorf("%s: act %.0f has no answer and ends with %+v", p.name, cseq, a)
		}
	}
	if p.closed == "" {
		st.d.call(st.t, "close", order{"room": p.name})
	}
	if p.leaves != nil {
		st.d.wait(st.t, "leave", p.leaves)
	}
}
