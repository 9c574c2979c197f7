package play_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/coder/websocket"
	codec "github.com/fxamacker/cbor/v2"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
)

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
	for _, tr := range e2e.ReadProtocolPage(t) {
		for _, e := range []wire.Encoding{wire.JSON, wire.CBOR} {
			t.Run(fmt.Sprintf("%s/%s", tr.Title, []string{"json", "cbor"}[e]), func(t *testing.T) {
				if tr.Stops {
					playMove(t, tr, e)
					return
				}
				newStage(s.ForTest(t), tr, e).play()
			})
		}
	}
}

// playMove replays a transcript in which a node stops. It uses its own cluster, and a node that does not own the room, which has no standby.
func playMove(t *testing.T, tr e2e.Transcript, e wire.Encoding) {
	t.Helper()
	c := e2e.NewTeam(t, 2, e2e.OneJournal...).Start()
	c.Nodes[0].CreateElsewhere = true
	st := newStage(c.Nodes[0], tr, e)
	st.next = c.Nodes[1].Via(st.room)
	st.play()
}

// stage is where a transcript is replayed.
type stage struct {
	s        *e2e.Server
	tr       e2e.Transcript
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

func newStage(s *e2e.Server, tr e2e.Transcript, e wire.Encoding) *stage {
	return &stage{s: s, tr: tr, encoding: e, room: s.Create(tr.Room.Game, tr.Room.Options), clients: map[string]*part{}}
}

func (st *stage) play() {
	for _, step := range st.tr.Steps {
		if step.Does == e2e.StepNodeStops {
			st.s.Signal(syscall.SIGTERM)
			st.room = st.next
			continue
		}
		p := st.clients[step.Client]
		if p == nil {
			p = &part{Socket: e2e.Dial(st.s.T, st.room.URL, st.encoding)}
			st.clients[step.Client] = p
		}
		var err error
		switch step.Does {
		case e2e.StepClient:
			err = p.say(strings.ReplaceAll(step.Text, `"token":…`, fmt.Sprintf(`"token":%q`, cmp.Or(p.token, st.token))))
		case e2e.StepServer:
			err = p.compare(step.Text)
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
			st.s.T.Fatalf("%s: %v", step.Where, err)
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
	says, err := e2e.DecodeLine(want)
	if err != nil {
		return err
	}
	heard, err := e2e.DecodeLine(string(got))
	if err != nil || !e2e.Alike(says, heard) {
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
