//go:build !race

package browser_test

import (
	"testing"

	"github.com/roomring/roomring/internal/e2e"
)

// browserUnrated checks that the pages say why a game changed no rating, and why a player of it is not on the leaderboard.
func browserUnrated(t *testing.T, shared *browser) {
	t.Parallel()
	s := e2e.NewServer(t, append(e2e.CrowdLimits, "--rated-min-time", "0")...)
	s.Env = []string{"ROOMRING_TEST_GAMES="}
	s.Start()
	b := shared.on(t)
	ada := b.person("Ada")
	ada.visit(s.URL)
	ada.write(testid("name-input"), "Ada")
	ada.click(testid("name-button"))
	ada.reads(testid("me-name"), "Ada")
	var token string
	ada.value(`JSON.parse(localStorage.getItem("roomring.guest")).token`, &token)

	id := s.PlayLosses([]e2e.Loss{{Winner: token, Loser: s.Guest("Throw-away").Token}})[0]
	s.Result(id)
	ada.visit(s.URL + "/results/" + id)
	ada.reads("#result .kicker", "not rated: a guest played")
	ada.sees(testid("player-row", `[data-rank="1"]`))
	if n := ada.count(testid("rating-change")); n != 0 {
		t.Errorf("%d ratings changed in a game that was not rated", n)
	}
	ada.visit(s.URL + "/leaderboards/chess")
	ada.reads(testid("board-rules"), "who has 5 rated games")
	ada.reads(testid("board-own"), "games with guests are not rated")
	if n := ada.count(testid("standing-row")); n != 0 {
		t.Errorf("%d rows on a leaderboard of nobody", n)
	}

	s.Stop()
	s.Args = append(s.Args, "--rate-guests")
	s.Start()
	id = s.PlayLosses([]e2e.Loss{{Winner: token, Loser: s.Guest("Another").Token}})[0]
	s.Result(id)
	ada.visit(s.URL + "/results/" + id)
	ada.sees(testid("rating-change"))
	ada.visit(s.URL + "/leaderboards/chess")
	ada.reads(testid("board-own"), "You have 1 of 5 rated games")
	ada.visit(s.URL + "/players/" + ada.player())
	ada.reads(testid("rating-row", `[data-game="chess"]`), "1 rated game, not on the leaderboard yet")
}
