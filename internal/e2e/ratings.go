package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/roomring/roomring/web/client"
)

// Loss is a game that one player lets another win. It names both by their tokens.
type Loss struct{ Winner, Loser string }

// PlayLosses plays all the games, some at the same time, and returns the ids of their rooms.
func (s *Server) PlayLosses(games []Loss) []string {
	s.T.Helper()
	rooms := make([]string, len(games))
	var wg sync.WaitGroup
	places := make(chan struct{}, 8)
	for i, g := range games {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			var err error
			if rooms[i], err = s.lose(g); err != nil {
				s.T.Errorf("game %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if s.T.Failed() {
		s.T.FailNow()
	}
	return rooms
}

// lose plays the scholar's mate and returns the id of the room.
func (s *Server) lose(g Loss) (string, error) {
	var info RoomInfo
	body := map[string]any{"game": "chess", "options": map[string]any{"white": "first"}}
	if code, err := s.TryCallAt(s.URL, "POST", "/v1/rooms", g.Winner, body, &info); err != nil || code != http.StatusCreated {
		return "", fmt.Errorf("create: %d %w", code, err)
	}
	var sides [2]*client.Client
	for i, token := range []string{g.Winner, g.Loser} {
		var err error
		if sides[i], err = s.TryJoin(info, client.Options{Token: token}); err != nil {
			return "", err
		}
		defer sides[i].Close()
	}
	for i, move := range strings.Fields("e4 e5 Qh5 Nc6 Bc4 Nf6 Qxf7#") {
		if _, err := sides[i%2].Act(WaitContext(s.T), map[string]string{"move": move}); err != nil {
			return "", fmt.Errorf("%s: %w", move, err)
		}
	}
	return info.ID, nil
}

// ChessBoard is the leaderboard of chess, with the fields that tests read.
type ChessBoard struct {
	Rules struct {
		Games  int  `json:"games"`
		Guests bool `json:"guests"`
	} `json:"rules"`
	Players []struct {
		Place  int    `json:"place"`
		Player string `json:"player"`
	} `json:"players"`
}

// Board returns the leaderboard of chess.
func (s *Server) Board() (b ChessBoard) {
	s.T.Helper()
	if code := s.Call("GET", "/v1/leaderboards/chess", nil, &b); code != http.StatusOK {
		s.T.Fatalf("the leaderboard: %d", code)
	}
	return b
}
