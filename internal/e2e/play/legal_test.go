package play_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/web/client"
)

// legal is what GET /v1/rooms/{id}/legal answers.
type legal struct {
	Advises bool              `json:"advises"`
	Actions []json.RawMessage `json:"actions"`
}

// A player asks the server what may be done, does it, and is told nothing of what others may do.
func TestAPlayerAsksWhatIsLegal(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	ask := func(room, token string) (status int, out legal) {
		t.Helper()
		status = s.CallAt(s.URL, http.MethodGet, "/v1/rooms/"+room+"/legal", token, nil, &out)
		return status, out
	}
	info := s.Create("chess", map[string]any{"white": "first"})
	white, black := s.Join(info, client.Options{Name: "Ann"}), s.Join(info, client.Options{Name: "Bob"})
	for range 6 {
		status, his := ask(info.ID, white.Token())
		if _, hers := ask(info.ID, black.Token()); status != http.StatusOK || !his.Advises || !hers.Advises || !hasMove(his) || hasMove(hers) {
			t.Fatalf("to move may %d %s, the other %s", status, his.Actions, hers.Actions)
		}
		i := slices.IndexFunc(his.Actions, isMove)
		if _, err := white.Act(e2e.WaitContext(t), his.Actions[i]); err != nil {
			t.Fatalf("%s was called legal: %v", his.Actions[i], err)
		}
		white, black = black, white
	}
	stranger := s.Join(s.Create("chess", nil), client.Options{})
	if status, out := ask(info.ID, stranger.Token()); status != http.StatusForbidden || out.Actions != nil {
		t.Errorf("who plays elsewhere is told %d %s", status, out.Actions)
	}
	tally := s.Create("tally", nil)
	counter := s.Join(tally, client.Options{})
	if status, out := ask(tally.ID, counter.Token()); status != http.StatusOK || out.Advises || out.Actions == nil || len(out.Actions) != 0 {
		t.Errorf("of a game that gives no advice one is told %d %+v", status, out)
	}
	if _, err := white.Act(e2e.WaitContext(t), map[string]any{"resign": true}); err != nil {
		t.Fatal(err)
	}
	if status, out := ask(info.ID, white.Token()); status != http.StatusOK || !out.Advises || len(out.Actions) != 0 {
		t.Errorf("after the end one may %d %s", status, out.Actions)
	}
}

func isMove(action json.RawMessage) bool { return bytes.Contains(action, []byte(`"move"`)) }

func hasMove(l legal) bool { return slices.ContainsFunc(l.Actions, isMove) }
