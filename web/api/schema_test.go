package api_test

import (
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/internal/webtest"
)

// wordless is a game whose actions JSON cannot say.
type wordless struct{}

func (wordless) Act(*room.Turn, room.Player, struct{ At map[[2]int]bool }) error { return nil }
func (wordless) View(room.Viewer) int                                            { return 0 }

func TestSchemas(t *testing.T) {
	a := webtest.StartAPI(t, func(o *api.Options) {
		games, err := core.NewGames(chess.Rules(), room.MustDefine(room.Spec{Name: "wordless", Version: 1}, func() wordless { return wordless{} }))
		if err != nil {
			t.Fatal(err)
		}
		o.Rules = games
	})
	got := a.Want(200, "GET", "/v1/games/chess/schema", "")
	for _, want := range []string{
		`{"game":"chess","version":`, `"view":{"$schema":"https://json-schema.org/draft/2020-12/schema","title":"View","type":"object","properties":{"status":`,
		`"action":{`, `"grace_ms":{"type":"integer","default":60000}`, `"declined":{`,
	} {
		if !strings.Contains(got.Text, want) {
			t.Errorf("the schema of chess lacks %s:\n%s", want, got.Text)
		}
	}
	a.Want(304, "GET", "/v1/games/chess/schema", "", "If-None-Match: "+got.Header.Get("ETag"))
	a.Refused(404, "", "GET", "/v1/games/checkers/schema", "")
	said := a.Want(404, "GET", "/v1/games/wordless/schema", "")
	if want := "game wordless: its action: field At: a map with keys of type [2]int cannot be JSON"; !strings.Contains(said.Text, want) || !strings.Contains(said.Text, "no-schema") {
		t.Errorf("the types of wordless cannot be told, and it says %s", said.Text)
	}
}
