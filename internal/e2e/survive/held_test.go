package survive_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// broadside is a game with different rules when ROOMRING_TEST_RULES says so, under the same version: one shot a turn, or another shot
// after each hit.
type broadside struct {
	Turn  int
	Shots []int
}

type broadsideShot struct {
	At int `json:"at"`
}

func (g *broadside) Act(_ *room.Turn, by room.Player, shot broadsideShot) error {
	if by.Seat != g.Turn {
		return room.Refuse("not_your_turn", "wait for the other")
	}
	g.Shots = append(g.Shots, shot.At)
	if hit := shot.At%2 == 0; !hit || os.Getenv("ROOMRING_TEST_RULES") != "hit shoots again" {
		g.Turn = 1 - g.Turn
	}
	return nil
}

func (g *broadside) View(room.Viewer) map[string]int {
	return map[string]int{"turn": g.Turn, "shots": len(g.Shots)}
}

func init() {
	if os.Getenv("ROOMRING_TEST_GAMES") != "" {
		e2e.ExtraGames = append(e2e.ExtraGames, room.MustDefine(room.Spec{
			Name: "broadside", Version: 1, MinPlayers: 2, MaxPlayers: 2, SharedView: true, About: "Its rules change unsaid",
		}, func() *broadside { return &broadside{} }))
	}
}

// TestChangedRulesHoldARoom changes a rule without a new version, after six acknowledged shots and a kill. The binary with the changed
// rule holds the room and says why. The binary that recorded the room goes on without a loss, also after the other was stopped by
// SIGTERM.
func TestChangedRulesHoldARoom(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	ctx := e2e.WaitContext(t)
	info := s.Create("broadside", nil)
	players := []*client.Client{s.Join(info, client.Options{}), s.Join(info, client.Options{})}
	for i := range 6 {
		if _, err := players[i%2].Act(ctx, broadsideShot{i % 3 * 2}); err != nil {
			t.Fatal(err)
		}
	}
	s.Kill()
	s.Env = append(s.Env, "ROOMRING_TEST_RULES=hit shoots again")
	s.Start()
	const why = "was accepted when it was played and these rules refuse it (not_your_turn): raise Spec.Version and write Upgrade"
	s.WaitForLog("rooms brought back", "rooms=0", "held=1")
	s.WaitForLog("a room is kept but cannot be served", "game broadside, act: input ", why)
	for _, at := range []string{s.URL + "/v1/rooms/", s.AdminAt + "/admin/v1/rooms/"} {
		var problem struct{ Detail string }
		if code := s.CallAt(at+info.ID, "GET", "", "", nil, &problem); code != http.StatusServiceUnavailable || !strings.Contains(problem.Detail, why) {
			t.Errorf("%s: %d %q", at, code, problem.Detail)
		}
	}
	late := e2e.Dial(t, info.URL, wire.JSON)
	late.Write([]byte(`{"t":"hello","client":"late","as":"spectator"}`))
	late.ClosesWith(wire.CloseUnreachable, "cannot be served now", "input ")
	if code, _ := s.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.Env = s.Env[:len(s.Env)-1]
	s.Start()
	for i, p := range players {
		if err := p.WaitView(ctx, func(v any) bool { return fmt.Sprint(e2e.Field(v, "shots")) == "6" }); err != nil {
			t.Errorf("player %d: %v", i, err)
		}
	}
	if _, err := players[0].Act(ctx, broadsideShot{7}); err != nil {
		t.Fatal(err)
	}
	for _, p := range players {
		if err := p.WaitView(ctx, func(v any) bool { return fmt.Sprint(e2e.Field(v, "shots")) == "7" }); err != nil {
			t.Error(err)
		}
		if n := p.Stats().Mismatches; n > 0 {
			t.Errorf("a client showed another truth %d times", n)
		}
	}
}
