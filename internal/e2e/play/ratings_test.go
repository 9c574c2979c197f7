package play_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
)

// TestGuestsBuyNoRating has one guest beat many guests that were made to lose, on a server with default settings.
func TestGuestsBuyNoRating(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.CrowdLimits...).Start()
	winner := s.Guest("Winner")
	losses := make([]e2e.Loss, e2e.Sized(10, 60, 60))
	for i := range losses {
		losses[i] = e2e.Loss{Winner: winner.Token, Loser: s.Guest("Throw-away").Token}
	}
	unrated(s, s.PlayLosses(losses), "guest", len(losses))
	if board := s.Board(); len(board.Players) > 0 || board.Rules.Guests || board.Rules.Games != 5 {
		t.Errorf("the board is %+v", board)
	}
	if got := chessOf(s, winner.Player, winner.Token); got.Games != len(losses) || got.Wins != len(losses) || got.Rated != 0 || got.Listed {
		t.Errorf("the winner has %+v", got)
	}
}

// TestPlayersTradeNoRating has two players with accounts let each other win, first as fast as they can and then more slowly. A player who
// has played others leads the board.
func TestPlayersTradeNoRating(t *testing.T) {
	t.Parallel()
	key := authKey(t, "k")
	token := func(player string) string { return signed(t, key, "--name", player, player) }
	s := e2e.NewServer(t, append(e2e.CrowdLimits, "--auth-key-file", key, "--guests", "on")...).Start()
	ann, mallory := token("ann"), token("mallory")
	traded := slices.Repeat([]e2e.Loss{{Winner: mallory, Loser: token("sybil")}}, e2e.Sized(10, 60, 60))
	unrated(s, s.PlayLosses(traded), "brief", len(traded))
	unrated(s, s.PlayLosses([]e2e.Loss{{Winner: mallory, Loser: s.Guest("Throw-away").Token}}), "guest", 1)
	if got := s.Board().Players; len(got) > 0 {
		t.Errorf("the board is %+v", got)
	}

	s.Stop()
	s.Args = append(s.Args, "--rated-min-time", "0") // as if each game had lasted long enough
	s.Start()
	unrated(s, s.PlayLosses(traded), "repeat", len(traded)-3)
	if got := chessOf(s, "mallory", mallory); got.Games != 2*len(traded)+1 || got.Rated != 3 || got.Listed {
		t.Errorf("mallory has %+v", got)
	}
	if got := s.Board().Players; len(got) > 0 {
		t.Errorf("the board is %+v", got)
	}
	var honest []e2e.Loss
	for _, other := range []string{"bob", "cem", "dee"} {
		honest = append(honest, e2e.Loss{Winner: ann, Loser: token(other)}, e2e.Loss{Winner: ann, Loser: token(other)})
	}
	unrated(s, s.PlayLosses(honest), "", len(honest))
	if got := chessOf(s, "ann", ann); got.Rated != len(honest) || !got.Listed {
		t.Errorf("ann has %+v", got)
	}
	if got := s.Board().Players; len(got) != 1 || got[0].Player != "ann" || got[0].Place != 1 {
		t.Errorf("the board is %+v", got)
	}
}

// unrated waits for results and returns how many of them are unrated for a reason. All others must have changed ratings.
func unrated(s *e2e.Server, rooms []string, why string, want int) {
	s.T.Helper()
	got := map[string]int{}
	for _, id := range rooms {
		r := s.Result(id)
		if r.End != "finished" || r.Result.Reason != "checkmate" {
			s.T.Fatalf("room %s ended %+v", id, r)
		}
		got[r.Unrated]++
	}
	rest := got[why]
	if why != "" {
		rest += got[""]
	}
	if got[why] != want || rest != len(rooms) {
		s.T.Errorf("of %d games, by why they are unrated: %v; want %d for %q", len(rooms), got, want, why)
	}
}

type gameRecord struct {
	Game   string `json:"game"`
	Games  int    `json:"games"`
	Wins   int    `json:"wins"`
	Rated  int    `json:"rated"`
	Listed bool   `json:"listed"`
}

// chessOf returns a player's record in chess.
func chessOf(s *e2e.Server, player, token string) gameRecord {
	s.T.Helper()
	return recordOf(s, "chess", player, token)
}

func recordOf(s *e2e.Server, game, player, token string) gameRecord {
	s.T.Helper()
	var profile struct{ Games []gameRecord }
	if code := s.CallAt(s.URL, "GET", "/v1/players/"+player, token, nil, &profile); code != http.StatusOK {
		s.T.Fatalf("player %s: %d", player, code)
	}
	i := slices.IndexFunc(profile.Games, func(r gameRecord) bool { return r.Game == game })
	if i < 0 {
		s.T.Fatalf("%s has no record in %s: %+v", player, game, profile)
	}
	return profile.Games[i]
}
