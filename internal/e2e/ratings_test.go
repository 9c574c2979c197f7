package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/roomring/roomring/web/client"
)

// TestGuestsBuyNoRating has one guest beat many that were made to be beaten, on a server as it comes.
func TestGuestsBuyNoRating(t *testing.T) {
	t.Parallel()
	s := newServer(t, crowded...).start()
	winner := s.guest("Winner")
	losses := make([]loss, sized(10, 60, 60))
	for i := range losses {
		losses[i] = loss{winner.Token, s.guest("Throw-away").Token}
	}
	s.unrated(s.lost(losses), "guest", len(losses))
	if board := s.board(); len(board.Players) > 0 || board.Rules.Guests || board.Rules.Games != 5 {
		t.Errorf("the board is %+v", board)
	}
	if got := s.chessOf(winner.Player, winner.Token); got.Games != len(losses) || got.Wins != len(losses) || got.Rated != 0 || got.Listed {
		t.Errorf("the winner has %+v", got)
	}
}

// TestPlayersTradeNoRating has two players with accounts give each other games, first as fast as they can and then with more
// patience; one who has played others leads the board.
func TestPlayersTradeNoRating(t *testing.T) {
	t.Parallel()
	key := authKey(t, "k")
	token := func(player string) string { return signed(t, key, "--name", player, player) }
	s := newServer(t, append(crowded, "--auth-key-file", key, "--guests", "on")...).start()
	ann, mallory := token("ann"), token("mallory")
	traded := slices.Repeat([]loss{{mallory, token("sybil")}}, sized(10, 60, 60))
	s.unrated(s.lost(traded), "brief", len(traded))
	s.unrated(s.lost([]loss{{mallory, s.guest("Throw-away").Token}}), "guest", 1)
	if got := s.board().Players; len(got) > 0 {
		t.Errorf("the board is %+v", got)
	}

	s.stop()
	s.args = append(s.args, "--rated-min-time", "0") // as if each game had taken as long as is asked
	s.start()
	s.unrated(s.lost(traded), "repeat", len(traded)-3)
	if got := s.chessOf("mallory", mallory); got.Games != 2*len(traded)+1 || got.Rated != 3 || got.Listed {
		t.Errorf("mallory has %+v", got)
	}
	if got := s.board().Players; len(got) > 0 {
		t.Errorf("the board is %+v", got)
	}
	var honest []loss
	for _, other := range []string{"bob", "cem", "dee"} {
		honest = append(honest, loss{ann, token(other)}, loss{ann, token(other)})
	}
	s.unrated(s.lost(honest), "", len(honest))
	if got := s.chessOf("ann", ann); got.Rated != len(honest) || !got.Listed {
		t.Errorf("ann has %+v", got)
	}
	if got := s.board().Players; len(got) != 1 || got[0].Player != "ann" || got[0].Place != 1 {
		t.Errorf("the board is %+v", got)
	}
}

// loss is a game that one lets the other win, by their tokens.
type loss struct{ winner, loser string }

// lost plays games, some at once, and returns their rooms.
func (s *server) lost(games []loss) []string {
	s.t.Helper()
	rooms := make([]string, len(games))
	var wg sync.WaitGroup
	places := make(chan struct{}, 8)
	for i, g := range games {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			var err error
			if rooms[i], err = s.lose(g); err != nil {
				s.t.Errorf("game %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if s.t.Failed() {
		s.t.FailNow()
	}
	return rooms
}

// lose plays the scholar's mate.
func (s *server) lose(g loss) (string, error) {
	var info roomInfo
	body := map[string]any{"game": "chess", "options": map[string]any{"white": "first"}}
	if code, err := s.tryAt(s.URL, "POST", "/v1/rooms", g.winner, body, &info); err != nil || code != http.StatusCreated {
		return "", fmt.Errorf("create: %d %w", code, err)
	}
	var sides [2]*client.Client
	for i, token := range []string{g.winner, g.loser} {
		var err error
		if sides[i], err = s.tryJoin(info, client.Options{Token: token}); err != nil {
			return "", err
		}
		defer sides[i].Close()
	}
	for i, move := range strings.Fields("e4 e5 Qh5 Nc6 Bc4 Nf6 Qxf7#") {
		if _, err := sides[i%2].Act(patience(s.t), map[string]string{"move": move}); err != nil {
			return "", fmt.Errorf("%s: %w", move, err)
		}
	}
	return info.ID, nil
}

// unrated waits for results, and says how many of them must be unrated for a reason; all others must have changed ratings.
func (s *server) unrated(rooms []string, why string, want int) {
	s.t.Helper()
	got := map[string]int{}
	for _, id := range rooms {
		r := s.result(id)
		if r.End != "finished" || r.Result.Reason != "checkmate" {
			s.t.Fatalf("room %s ended %+v", id, r)
		}
		got[r.Unrated]++
	}
	rest := got[why]
	if why != "" {
		rest += got[""]
	}
	if got[why] != want || rest != len(rooms) {
		s.t.Errorf("of %d games, by why they are unrated: %v; want %d for %q", len(rooms), got, want, why)
	}
}

type chessBoard struct {
	Rules struct {
		Games  int  `json:"games"`
		Guests bool `json:"guests"`
	} `json:"rules"`
	Players []struct {
		Place  int    `json:"place"`
		Player string `json:"player"`
	} `json:"players"`
}

// board is the leaderboard of chess.
func (s *server) board() (b chessBoard) {
	s.t.Helper()
	if code := s.call("GET", "/v1/leaderboards/chess", nil, &b); code != http.StatusOK {
		s.t.Fatalf("the leaderboard: %d", code)
	}
	return b
}

type gameRecord struct {
	Game   string `json:"game"`
	Games  int    `json:"games"`
	Wins   int    `json:"wins"`
	Rated  int    `json:"rated"`
	Listed bool   `json:"listed"`
}

// chessOf is a player's record in chess.
func (s *server) chessOf(player, token string) gameRecord {
	s.t.Helper()
	return s.recordOf("chess", player, token)
}

func (s *server) recordOf(game, player, token string) gameRecord {
	s.t.Helper()
	var profile struct{ Games []gameRecord }
	if code := s.callAt(s.URL, "GET", "/v1/players/"+player, token, nil, &profile); code != http.StatusOK {
		s.t.Fatalf("player %s: %d", player, code)
	}
	i := slices.IndexFunc(profile.Games, func(r gameRecord) bool { return r.Game == game })
	if i < 0 {
		s.t.Fatalf("%s has no record in %s: %+v", player, game, profile)
	}
	return profile.Games[i]
}
