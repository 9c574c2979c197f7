package play_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/coder/websocket"
	codec "github.com/fxamacker/cbor/v2"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
)

const protocolPage = "../../../docs/PROTOCOL.md"

// leastTranscripts is the least number of transcripts on the page, so that a broken fence does not pass for a page without errors.
const leastTranscripts = 8

// transcript is a fenced block of the page: a room and what is said in it.
type transcript struct {
	line  int
	title string
	room  struct {
		Game    string          `json:"game"`
		Options json.RawMessage `json:"options"`
	}
	steps []transcriptStep
	stops bool // its sockets' node stops
}

// transcriptStep is one line: a client says, the server says, or a client opens a new socket.
type transcriptStep struct {
	line   int
	client string // "" is the first, "2" the second
	does   string // "C", "S", "# new socket" or "# the node stops"
	text   string
}

// TestTranscriptsOfTheProtocolPage replays every transcript of docs/PROTOCOL.md against a running server.
func TestTranscriptsOfTheProtocolPage(t *testing.T) {
	t.Parallel()
	transcripts(e2e.NewServer(t, "--node", "alpha").Start(), t)
}

// TestTranscriptsFromAnotherNode replays the transcripts with sockets at a node that does not own the rooms. The rooms have no standbys,
// because these would add epochs to their logs.
func TestTranscriptsFromAnotherNode(t *testing.T) {
	t.Parallel()
	s := e2e.NewTeam(t, 2, append(e2e.OneJournal, "--messages-per-second", "60")...).Start().Nodes[0]
	s.CreateElsewhere = true
	transcripts(s, t)
}

func transcripts(s *e2e.Server, t *testing.T) {
	all := readTranscripts(t)
	if len(all) < leastTranscripts {
		t.Fatalf("%s has %d transcripts, should have at least %d", protocolPage, len(all), leastTranscripts)
	}
	for _, tr := range all {
		for _, e := range []wire.Encoding{wire.JSON, wire.CBOR} {
			t.Run(fmt.Sprintf("%s/%s", tr.title, []string{"json", "cbor"}[e]), func(t *testing.T) {
				if tr.stops {
					playMove(t, tr, e)
					return
				}
				newStage(s.ForTest(t), tr, e).play()
			})
		}
	}
}

// playMove replays a transcript in which a node stops. It uses its own cluster, and a node that does not own the room, which has no standby.
func playMove(t *testing.T, tr transcript, e wire.Encoding) {
	t.Helper()
	c := e2e.NewTeam(t, 2, e2e.OneJournal...).Start()
	c.Nodes[0].CreateElsewhere = true
	st := newStage(c.Nodes[0], tr, e)
	st.next = c.Nodes[1].Via(st.room)
	st.play()
}

func readTranscripts(t *testing.T) []transcript {
	t.Helper()
	page, err := os.ReadFile(protocolPage)
	if err != nil {
		t.Fatal(err)
	}
	var all []transcript
	title, inside := "", false
	for i, text := range strings.Split(string(page), "\n") {
		switch {
		case strings.HasPrefix(text, "### "):
			title = strings.TrimPrefix(text, "### ")
		case text == "```transcript":
			all, inside = append(all, transcript{line: i + 1, title: title}), true
		case text == "```":
			inside = false
		case inside:
			if err := all[len(all)-1].add(i+1, text); err != nil {
				t.Fatalf("docs/PROTOCOL.md:%d: %v", i+1, err)
			}
		}
	}
	return all
}

// add takes one line of the page.
func (tr *transcript) add(line int, text string) error {
	if tr.room.Game == "" {
		return json.Unmarshal([]byte(text), &tr.room)
	}
	if rest, ok := strings.CutPrefix(text, "# new socket"); ok {
		tr.steps = append(tr.steps, transcriptStep{line, strings.TrimSpace(rest), "# new socket", ""})
		return nil
	}
	if text == "# the node stops" {
		tr.stops = true
		tr.steps = append(tr.steps, transcriptStep{line, "", text, ""})
		return nil
	}
	who, said, ok := strings.Cut(text, ": ")
	if !ok || len(who) > 2 || who[0] != 'C' && who[0] != 'S' {
		return fmt.Errorf("a line of a transcript begins with C:, S:, C2:, S2:, # new socket or # the node stops: %q", text)
	}
	tr.steps = append(tr.steps, transcriptStep{line, who[1:], who[:1], said})
	return nil
}

// stage is where a transcript is replayed.
type stage struct {
	s        *e2e.Server
	tr       transcript
	encoding wire.Encoding
	room     e2e.RoomInfo
	next     e2e.RoomInfo // the room through another node, once the first has stopped
	token    string       // of the last welcome
	clients  map[string]*part
}

// part is one client of a transcript.
type part struct {
	*e2e.Socket
	heard         [][]byte // messages that are not compared yet
	ended         bool     // by the server
	token, player string
}

func newStage(s *e2e.Server, tr transcript, e wire.Encoding) *stage {
	return &stage{s: s, tr: tr, encoding: e, room: s.Create(tr.room.Game, tr.room.Options), clients: map[string]*part{}}
}

func (st *stage) play() {
	for _, step := range st.tr.steps {
		if step.does == "# the node stops" {
			st.s.Signal(syscall.SIGTERM)
			st.room = st.next
			continue
		}
		p := st.clients[step.client]
		if p == nil {
			p = &part{Socket: e2e.Dial(st.s.T, st.room.URL, st.encoding)}
			st.clients[step.client] = p
		}
		var err error
		switch step.does {
		case "C":
			err = p.say(strings.ReplaceAll(step.text, `"token":…`, fmt.Sprintf(`"token":%q`, cmp.Or(p.token, st.token))))
		case "S":
			err = p.compare(step.text)
			st.token = cmp.Or(p.token, st.token)
		default:
			if !p.ended {
				p.Bye()
			}
			st.s.WaitOffline(st.room.ID, p.player)
			p.Socket, p.heard = e2e.Dial(st.s.T, st.room.URL, st.encoding), nil
			p.ended = false
		}
		if err != nil {
			st.s.T.Fatalf("docs/PROTOCOL.md:%d: %v", step.line, err)
		}
	}
}

// say sends a line of the page in the client's encoding.
func (p *part) say(line string) (err error) {
	msg := []byte(line)
	if p.Encoding == wire.CBOR {
		if msg, err = wire.AppendCBORFromJSON(nil, msg); err != nil {
			return err
		}
	}
	p.Write(msg)
	return nil
}

// compare compares the server's next message with a line of the page.
func (p *part) compare(want string) error {
	if code, ok := strings.CutPrefix(want, "close "); ok {
		return p.compareClose(code)
	}
	got, err := p.hearRaw()
	if err != nil {
		return fmt.Errorf("the page says %s, the server: %w", want, err)
	}
	var said struct{ T, Token, Player string }
	if err := json.Unmarshal(got, &said); err == nil && said.T == "welcome" {
		p.token, p.player = cmp.Or(said.Token, p.token), said.Player
	}
	if !alike(decoded(want), decoded(string(got))) {
		return fmt.Errorf("the page says\n%s\nthe server says\n%s", want, got)
	}
	return nil
}

func (p *part) compareClose(code string) error {
	got, err := p.hearRaw()
	if err == nil {
		return fmt.Errorf("the page says that the socket closes with %s, the server says %s", code, got)
	}
	p.ended = true
	closed, ok := errors.AsType[websocket.CloseError](err)
	if !ok || fmt.Sprint(int(closed.Code)) != code {
		return fmt.Errorf("the page says that the socket closes with %s: %w", code, err)
	}
	return nil
}

// hearRaw receives messages and splits joined ones.
func (p *part) hearRaw() ([]byte, error) {
	if len(p.heard) == 0 {
		msg, err := p.Read()
		if err == nil {
			p.heard, err = apart(p.Encoding, msg)
		}
		if err != nil {
			return nil, err
		}
	}
	first := p.heard[0]
	p.heard = p.heard[1:]
	return first, nil
}

func apart(e wire.Encoding, msg []byte) (all [][]byte, err error) {
	if e == wire.JSON {
		return bytes.Split(msg, []byte("\n")), nil
	}
	for len(msg) > 0 {
		var one codec.RawMessage
		if msg, err = codec.UnmarshalFirst(msg, &one); err != nil {
			return nil, err
		}
		text, err := wire.ToJSON(e, one)
		if err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, nil
}

// anything stands for `…`.
const anything = "\u2026"

// decoded decodes a line. A `…` outside of a string stands for any one value.
func decoded(line string) (v any) {
	var b strings.Builder
	inText, escaped := false, false
	for _, r := range line {
		if r == '…' && !inText {
			b.WriteString(`"` + anything + `"`)
			continue
		}
		if r == '"' && !escaped {
			inText = !inText
		}
		escaped = r == '\\' && !escaped
		b.WriteRune(r)
	}
	if err := json.Unmarshal([]byte(b.String()), &v); err != nil {
		return err
	}
	return v
}

func alike(want, got any) bool {
	if want == anything {
		return true
	}
	w, isObject := want.(map[string]any)
	g, both := got.(map[string]any)
	if isObject && both {
		if len(w) != len(g) {
			return false
		}
		for name, value := range w {
			if have, ok := g[name]; !ok || !alike(value, have) {
				return false
			}
		}
		return true
	}
	wl, isList := want.([]any)
	gl, both := got.([]any)
	if !isList || !both {
		return reflect.DeepEqual(want, got)
	}
	if len(wl) != len(gl) {
		return false
	}
	for i := range wl {
		if !alike(wl[i], gl[i]) {
			return false
		}
	}
	return true
}
