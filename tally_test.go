package roomring_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/roomring/roomring/room"
)

// tally is a game that counts. A signal sets it.
type tally struct{ Count int }

type add struct {
	Add int `json:"add"`
}

func (g *tally) Act(_ *room.Turn, _ room.Player, a add) error {
	if a.Add < 1 {
		return room.Refuse("too_small", "add one or more")
	}
	g.Count += a.Add
	return nil
}

func (g *tally) View(room.Viewer) map[string]int { return map[string]int{"count": g.Count} }

func (g *tally) Signal(_ *room.Turn, name string, data json.RawMessage) error {
	if name != "set" {
		return room.Refuse("unknown_signal", "the signal is set")
	}
	return json.Unmarshal(data, &g.Count)
}

var tallyRules = room.MustDefine(room.Spec{Name: "tally", Version: 1, SharedView: true, MaxPlayers: 8}, func() *tally { return new(tally) })

// madeRoom is what POST /v1/rooms answers.
type madeRoom struct {
	ID  string `json:"id"`
	URL string `json:"ws_url"`
}

// makeRoom makes a room as a player's client does.
func makeRoom(ctx context.Context, base, game, token string) (made madeRoom, err error) {
	body, err := json.Marshal(map[string]string{"game": game})
	if err != nil {
		return made, err
	}
	req, err := http.NewRequestWithContext(ctx, "POST", base+"/v1/rooms", bytes.NewReader(body))
	if err != nil {
		return made, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return made, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		return made, fmt.Errorf("a room of %s: %s", game, res.Status)
	}
	return made, json.NewDecoder(res.Body).Decode(&made)
}
