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

// Ratings say what games must be to change ratings, and whom leaderboards show.
type Ratings struct {
	Guests      bool          // games with guests change ratings, and guests are shown
	Time        time.Duration // from the first act to the end, at least
	PerOpponent int           // games of two players with each other in 24 hours that count; 0: all
	Games       int           // rated games of who is shown, at least
}

// boardRules are RatingRules for one game.
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
	if err := s.spend(s.boardRate, r); err != nil {
		return err
	}
	limit = cmp.Or(limit, body.PageSize)
	_, known := s.games[game]
	players, err := s.boards.page(r.Context(), game, known, after, offset, limit+1)
	if err != nil {
		return s.storeProblem(err)
	}
	if !known && len(players) == 0 { // a newer node of the cluster may have the game
		return rest.NotFound("There is no such game: GET /v1/games lists them.")
	}
	body := leaderboardBody{Game: game, Rules: s.boardRules(game), Players: body.NonNil(players)}
	if len(players) > limit {
		body.Players = players[:limit]
		body.Next = formatPlace(after, offset, body.Players)
	}
	rest.WriteJSON(w, http.StatusOK, body)
	return nil
}

// readOffset is the number of players to leave out, which costs their reading: it is for the first pages.
func readOffset(q *rest.Query, most int) int {
	n := q.Number("offset", 0, 1<<31-1)
	if n > most {
		q.Fail("offset", fmt.Sprintf("It is at most %d: go further down by after, with the next of the page before.", most))
	}
	return n
}

// readPlace reads what formatPlace made; absent it is the top.
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

// formatPlace is the place of the last of some players, who follow after and as many as were left out.
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

// boards are leaderboards, whose first pages are kept for a while: whatever is asked for together costs the store one question.
type boards struct {
	records Records
	fresh   time.Duration // not positive: nothing is kept
	now     func() time.Time

	mu   sync.Mutex
	kept map[string]*boardTop // by game, of those that the server has
}

// boardTop is the top of one game's board.
type boardTop struct {
	asking  chan struct{} // holds one while the store is asked
	mu      sync.Mutex
	players []record.Standing
	at      time.Time
}

// boardKept is how many players of a board are kept.
const boardKept = 1001

func newBoards(o Options) *boards {
	return &boards{records: o.Records, fresh: o.BoardCache, now: o.Now, kept: map[string]*boardTop{}}
}

// page returns at most limit players behind a place, the first offset of them left out.
func (b *boards) page(ctx context.Context, game string, known bool, after record.BoardPlace, offset, limit int) ([]record.Standing, error) {
	if !known || b.fresh <= 0 || after.Count > 0 || offset+limit > boardKept {
		all, err := b.records.Leaderboard(ctx, game, after, offset+limit)
		return all[min(offset, len(all)):], err
	}
	all, err := b.of(game).get(ctx, b, game)
	return all[min(offset, len(all)):min(offset+limit, len(all))], err
}

func (b *boards) of(game string) *boardTop {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kept[game] == nil {
		b.kept[game] = &boardTop{asking: make(chan struct{}, 1)}
	}
	return b.kept[game]
}

func (t *boardTop) get(ctx context.Context, b *boards, game string) ([]record.Standing, error) {
	if players, ok := t.look(b); ok {
		return players, nil
	}
	defer httpd.Waiting(ctx)()
	select {
	case t.asking <- struct{}{}:
		defer func() { <-t.asking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if players, ok := t.look(b); ok { // whoever asked before has brought it
		return players, nil
	}
	players, err := b.records.Leaderboard(ctx, game, record.BoardPlace{}, boardKept)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.players, t.at = players, b.now()
	return players, nil
}

func (t *boardTop) look(b *boards) ([]record.Standing, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.players, !t.at.IsZero() && b.now().Sub(t.at) < b.fresh
}

// RefreshBoards has the next who ask for a leaderboard see it as the store has it now.
func (s *Server) RefreshBoards() {
	s.boards.mu.Lock()
	defer s.boards.mu.Unlock()
	clear(s.boards.kept)
}
