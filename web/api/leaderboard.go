package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/httpd"
	"github.com/roomring/roomring/web/internal/body"
	"github.com/roomring/roomring/web/internal/rest"
	"github.com/roomring/roomring/web/internal/text"
)

type leaderboardBody struct {
	Game    string            `json:"game"`
	Rules   boardRules        `json:"rules"`
	Players []record.Standing `json:"players"`
	Next    string            `json:"next,omitempty"` // ask for the next page by after=; absent on the last
}

// Ratings say which games change ratings, and which players leaderboards show.
type Ratings struct {
	Guests      bool          // games with guests change ratings, and guests are shown
	Time        time.Duration // from the first act to the end, at least
	PerOpponent int           // games of two players with each other in 24 hours that count; 0: all
	Games       int           // rated games of a player who is shown, at least
}

// boardRules are Ratings for one game.
type boardRules struct {
	Games       int     `json:"games"`
	Guests      bool    `json:"guests"`
	Acts        int     `json:"acts"` // of each player
	Seconds     float64 `json:"seconds"`
	PerOpponent int     `json:"per_opponent"`
}

func (s *Server) boardRules(game string) boardRules {
	r := s.opts.Ratings
	return boardRules{max(r.Games, 1), r.Guests, s.games[game].RatedActs, r.Time.Seconds(), r.PerOpponent}
}

func (s *Server) getLeaderboard(w http.ResponseWriter, r *http.Request) error {
	game := r.PathValue("game")
	q := rest.QueryOf(r)
	limit, offset := q.Number("limit", 1, body.MaxPageSize), readOffset(q, max(s.opts.BoardOffset, 0))
	after := readPlace(q, "after")
	if q.Err == nil && after.Count > 0 && offset > 0 {
		q.Fail("offset", "Give after or offset, not both.")
	}
	if q.Err != nil {
		return q.Err
	}
	if err := s.limits.spend(s.limits.boards, r); err != nil {
		return err
	}
	limit = cmp.Or(limit, body.PageSize)
	_, known := s.games[game]
	players, err := s.boards.page(r.Context(), game, known, after, offset, limit+1)
	if err != nil {
		return rest.StoreAway(s.opts.Log, err)
	}
	if !known && len(players) == 0 { // a newer node of the cluster may have the game
		return rest.NotFound("There is no such game: GET /v1/games lists them.")
	}
	out := leaderboardBody{Game: game, Rules: s.boardRules(game), Players: body.NonNil(players)}
	if len(players) > limit {
		out.Players = players[:limit]
		out.Next = formatPlace(after, offset, out.Players)
	}
	rest.WriteJSON(w, http.StatusOK, out)
	return nil
}

// readOffset is the number of players to leave out. The store reads them all the same, so it is for the first pages.
func readOffset(q *rest.Query, most int) int {
	n := q.Number("offset", 0, 1<<31-1)
	if n > most {
		q.Fail("offset", fmt.Sprintf("It is at most %d: go further down by after, with the next of the page before.", most))
	}
	return n
}

// readPlace reads what formatPlace has made; absent it is the top.
func readPlace(q *rest.Query, name string) (at record.BoardPlace) {
	raw := q.Values.Get(name)
	if raw == "" {
		return at
	}
	place, err := base64.RawURLEncoding.DecodeString(raw)
	if err != nil || json.Unmarshal(place, &at) != nil || at.Count < 1 || at.Place < 1 || !text.Valid(string(at.Player), 0, room.MaxPlayerID) {
		q.Fail(name, "Give the next of the page before as it was.")
		return record.BoardPlace{}
	}
	return at
}

// formatPlace is the place of the last of these players, who follow a place and as many players as were skipped.
func formatPlace(after record.BoardPlace, skipped int, players []record.Standing) string {
	last := players[len(players)-1]
	text, err := json.Marshal(record.BoardPlace{
		Rating: last.Rating.Rating, Player: last.Player, Place: last.Place, Count: after.Count + skipped + len(players),
	})
	if err != nil {
		panic(err) // numbers and a string always encode
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// boards keep the first pages of leaderboards for a while. Requests that come together share one question to the store.
type boards struct {
	records Records
	fresh   time.Duration // how long pages are kept; not positive: not at all
	timeout time.Duration // of a question to the store
	now     func() time.Time

	mu   sync.Mutex
	tops map[string]*boardTop // by game
}

// boardTop is the top of one game's board.
type boardTop struct {
	asking  singleflight.Group
	mu      sync.Mutex
	players []record.Standing
	at      time.Time // when the store was asked
}

// topPlayers is how many players of a board are kept.
const topPlayers = 1001

func newBoards(o Options) *boards {
	return &boards{records: o.Records, fresh: o.BoardCache, timeout: o.RequestTimeout, now: o.Now, tops: map[string]*boardTop{}}
}

// page returns at most limit players behind a place, without the first offset of them. Only games that the server has are kept.
func (b *boards) page(ctx context.Context, game string, known bool, after record.BoardPlace, offset, limit int) ([]record.Standing, error) {
	if !known || b.fresh <= 0 || after.Count > 0 || offset+limit > topPlayers {
		all, err := b.records.Leaderboard(ctx, game, after, offset+limit)
		return all[min(offset, len(all)):], err
	}
	all, err := b.top(ctx, game)
	return all[min(offset, len(all)):min(offset+limit, len(all))], err
}

// top is the top of a board, as old as may be.
func (b *boards) top(ctx context.Context, game string) ([]record.Standing, error) {
	b.mu.Lock()
	top := b.tops[game]
	if top == nil {
		top = &boardTop{}
		b.tops[game] = top
	}
	b.mu.Unlock()
	if players, ok := b.look(top); ok {
		return players, nil
	}
	defer httpd.Waiting(ctx)()
	answer := top.asking.DoChan("", func() (any, error) {
		if players, ok := b.look(top); ok { // it has come since
			return players, nil
		}
		ctx, cancel := context.WithTimeout(context.Background(), b.timeout) // not that of the first request, for which others wait too
		defer cancel()
		players, err := b.records.Leaderboard(ctx, game, record.BoardPlace{}, topPlayers)
		if err != nil {
			return nil, err
		}
		top.mu.Lock()
		defer top.mu.Unlock()
		top.players, top.at = players, b.now()
		return players, nil
	})
	select {
	case got := <-answer:
		players, _ := got.Val.([]record.Standing)
		return players, got.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// look is what is kept of a board, if it is fresh.
func (b *boards) look(top *boardTop) ([]record.Standing, bool) {
	top.mu.Lock()
	defer top.mu.Unlock()
	return top.players, !top.at.IsZero() && b.now().Sub(top.at) < b.fresh
}

// RefreshBoards forgets what is kept of leaderboards, so that the next who ask see them as the store has them now.
func (s *Server) RefreshBoards() {
	s.boards.mu.Lock()
	defer s.boards.mu.Unlock()
	clear(s.boards.tops)
}
