package play_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/client"
)

// authorVariable names the environment variable that adds games with an author's mistakes to a process.
const authorVariable = "ROOMRING_TEST_MISTAKES"

func init() {
	if os.Getenv(authorVariable) == "" {
		return
	}
	e2e.ExtraGames = append(e2e.ExtraGames,
		room.MustDefine(room.Spec{Name: "forgetful", Version: 1, SharedView: true}, func() *forgetful { return new(forgetful) }),
		room.MustDefine(room.Spec{Name: "touchy", Version: 1, SharedView: true}, func() *touchy { return new(touchy) }))
}

// touchy is a game that panics with its hidden state.
type touchy struct{ Secret string }

func (g *touchy) Act(_ *room.Turn, _ room.Player, secret string) error {
	g.Secret = secret
	panic("the secret is " + g.Secret)
}

func (g *touchy) View(room.Viewer) int { return 0 }

// forgetful is a game that loses a field at every restart.
type forgetful struct {
	Kept   int
	missed int
}

func (g *forgetful) Act(*room.Turn, room.Player, struct{}) error { g.missed++; return nil }

func (g *forgetful) View(room.Viewer) int { return g.Kept }

func TestAServerWarnsOfStateThatItCannotKeep(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...)
	s.Env = append(s.Env, authorVariable+"=1")
	s.Start()
	s.Until(e2e.WaitContext(t), "it has warned", func() bool { return strings.Contains(s.Log.String(), "is lost at a restart") })
	log := s.Log.String()
	for _, words := range []string{"level=WARN", "game=forgetful", "field `missed` is not exported", "the next version of Roomring refuses"} {
		if !strings.Contains(log, words) {
			t.Errorf("the log does not say %q:\n%s", words, log)
		}
	}
	if n := strings.Count(log, "is lost at a restart"); n != 1 {
		t.Errorf("%d games are warned of, want the one:\n%s", n, log)
	}
}

const secret = "ace of spades"

// touched returns a room of the touchy game that has panicked.
func touched(t *testing.T, s *e2e.Server, say string) e2e.RoomInfo {
	t.Helper()
	info := s.Create("touchy", nil)
	c := s.Join(info, client.Options{})
	_, _ = c.Act(e2e.WaitContext(t), say) // the answer only says that the room ended
	if over, err := c.WaitOver(e2e.WaitContext(t)); err != nil || over.End != string(record.Aborted) {
		t.Fatalf("the room is over: %+v %v", over, err)
	}
	return info
}

// The value of a game's panic may be hidden state. So the log has it only where games are developed, and the operator can ask for it.
func TestAPanicOfAGameIsShownToWhomItMayBe(t *testing.T) {
	t.Parallel()
	long := secret + strings.Repeat(" and more", 100)
	for name, tt := range map[string]struct {
		args         []string
		says, hides  []string
		stackInLines bool
	}{
		"server": {nil, []string{"value=\"withheld: roomring admin room ", "call=Act", "kind=act"}, []string{secret}, true},
		"author": {[]string{"--show-panics"}, []string{"the secret is " + secret, "…"}, []string{strings.Repeat(" and more", 30)}, true},
		"json":   {[]string{"--log-format", "json"}, []string{`"value":"withheld: roomring admin room `, `"stack":"`}, []string{secret}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := e2e.NewServer(t, append(e2e.GenerousLimits, tt.args...)...)
			s.Env = append(s.Env, authorVariable+"=1")
			s.Start()
			info := touched(t, s, long)
			s.Until(e2e.WaitContext(t), "the log tells of the panic", func() bool { return e2e.Mentions(s.Log.String(), "the game panicked", "(*touchy).Act") })
			log := s.Log.String()
			if !e2e.Mentions(log, tt.says...) {
				t.Errorf("the log does not say %q:\n%s", tt.says, log)
			}
			for _, words := range tt.hides {
				if strings.Contains(log, words) {
					t.Errorf("the log says %q:\n%s", words, log)
				}
			}
			if lines := strings.Contains(log, "(*touchy).Act\n        /"); lines != tt.stackInLines || strings.Contains(log, "Act\\n\\t") == lines {
				t.Errorf("the stack stands in lines: %v\n%s", lines, log)
			}
			code, out, errs := s.RunAdmin("room", info.ID)
			if code != e2e.ExitOK || !e2e.Mentions(out, "the game panicked in Act at input", "the secret is "+secret, "(*touchy).Act\n", "roomring replay "+info.ID) {
				t.Errorf("the operator reads %d\n%s%s", code, out, errs)
			}
			var in struct{ Panic struct{ Value string } }
			if code := s.CallAdmin(http.MethodGet, "/admin/v1/rooms/"+info.ID, nil, &in); code != http.StatusOK || !strings.Contains(in.Panic.Value, secret) {
				t.Errorf("the admin API answers %d %+v", code, in)
			}
			var public json.RawMessage
			if s.Call(http.MethodGet, "/v1/rooms/"+info.ID, nil, &public); strings.Contains(string(public), secret) {
				t.Errorf("anybody may read %s", public)
			}
		})
	}
}

// roomring dev is for authors: its nodes log the panics of games.
func TestDevShowsPanics(t *testing.T) {
	t.Parallel()
	d := e2e.NewDev(t, "--nodes", "2")
	d.Env = append(d.Env, authorVariable+"=1")
	d.Start()
	info := touched(t, d.Server, secret)
	d.Until(e2e.WaitContext(t), "the log tells of the panic", func() bool {
		return e2e.Mentions(d.Stdout.String()+d.Log.String(), "the game panicked", "the secret is "+secret, "(*touchy).Act\n")
	})
	for _, n := range d.Nodes { // the room was at one of them
		code, out, errs := n.RunAdmin("room", info.ID)
		if code != e2e.ExitOK || !e2e.Mentions(out, "the secret is "+secret) {
			t.Errorf("the operator of %s reads %d\n%s%s", n.Node, code, out, errs)
		}
	}
}
