package survive_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/web/client"
)

// chessFor asks for a room of chess.
func chessFor(s *e2e.Server, g e2e.Guest, options map[string]any) (info e2e.RoomInfo) {
	s.T.Helper()
	body := map[string]any{"game": "chess", "options": options}
	if code := s.CallAt(s.URL, "POST", "/v1/matchmake", g.Token, body, &info); code != http.StatusOK {
		s.T.Fatalf("matchmaking: %d", code)
	}
	return info
}

// present returns the seats of a room and which of their players are connected.
func present(s *e2e.Server, id string) map[string]bool {
	s.T.Helper()
	var info struct {
		Seats []struct {
			Player string `json:"player"`
			Online bool   `json:"online"`
		} `json:"seats"`
	}
	if code := s.Call("GET", "/v1/rooms/"+id, nil, &info); code != http.StatusOK {
		s.T.Fatalf("room %s: %d", id, code)
	}
	seats := map[string]bool{}
	for _, seat := range info.Seats {
		seats[seat.Player] = seat.Online
	}
	return seats
}

// rating returns a player's rating in chess (0 if there is none) and the number of games that count.
func rating(s *e2e.Server, g e2e.Guest) (rating float64, games int) {
	s.T.Helper()
	var profile struct {
		Games []struct {
			Game   string `json:"game"`
			Games  int    `json:"games"`
			Rating *struct {
				Rating float64 `json:"rating"`
			} `json:"rating"`
		} `json:"games"`
	}
	switch code := s.Call("GET", "/v1/players/"+g.Player, nil, &profile); code {
	case http.StatusOK:
	case http.StatusNotFound:
		return 0, 0
	default:
		s.T.Fatalf("player %s: %d", g.Player, code)
	}
	for _, of := range profile.Games {
		if of.Game == "chess" && of.Rating != nil {
			return of.Rating.Rating, of.Games
		}
	}
	return 0, 0
}

// A player who waited for a match and left is not matched and loses nothing, in one process and in a cluster.
func TestNobodyIsMatchedWithWhoHasGone(t *testing.T) {
	t.Parallel()
	t.Run("one process", func(t *testing.T) {
		t.Parallel()
		s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
		playAgainstNobody(t, s, s)
	})
	t.Run("two nodes", func(t *testing.T) {
		t.Parallel()
		c := e2e.NewTeam(t, 2, e2e.GenerousLimits...).Start()
		playAgainstNobody(t, c.Nodes[0], c.Nodes[1])
	})
}

// playAgainstNobody has one player ask and join at one node, the other player at another.
func playAgainstNobody(t *testing.T, here, there *e2e.Server) {
	ctx := e2e.WaitContext(t)
	first, second := here.Guest("First"), there.Guest("Second")
	options := map[string]any{"white": "second", "grace_ms": 1000}
	waits := chessFor(here, first, options)
	c := here.Join(waits, client.Options{Token: first.Token})
	c.Close()
	testwait.Until(t, "the first player is seen to be away", func() bool { return !present(here, waits.ID)[first.Player] })
	if got := chessFor(there, second, options); got.ID == waits.ID {
		t.Error("the second player is matched with one who has gone")
	}
	testwait.Until(t, "the seat is given back", func() bool { return len(present(there, waits.ID)) == 0 })

	// In the end they meet and play a game that counts.
	game := chessFor(here, first, options)
	a := here.Join(game, client.Options{Token: first.Token})
	b := there.Join(there.Via(game), client.Options{Token: second.Token})
	playing := func(v any) bool { return e2e.Field(v, "status") == "playing" }
	if err := b.WaitView(ctx, playing); err != nil {
		t.Fatal(err)
	}
	act := func(c *client.Client, action map[string]any) {
		t.Helper()
		if _, err := c.Act(ctx, action); err != nil {
			t.Fatal(err)
		}
	}
	act(b, map[string]any{"move": "e4"})
	if err := a.WaitView(ctx, func(v any) bool { return e2e.Field(v, "last") == "e2e4" }); err != nil {
		t.Fatal(err)
	}
	for i, move := range []string{"e5", "Nf3", "Nc6", "Bc4"} {
		act([]*client.Client{a, b}[i%2], map[string]any{"move": move})
	}
	act(a, map[string]any{"resign": true})
	if r := here.Result(game.ID); r.End != "finished" || len(r.Result.Outcomes) != 2 {
		t.Fatalf("a game of two is stored as %+v", r)
	}
	before, games := rating(here, first)
	if before == 0 || games != 1 {
		t.Fatalf("after a game of two the first player has the rating %v, %d games", before, games)
	}

	// In the next room the first player joins and leaves. That is no game of two players.
	next := here.Create("chess", options)
	a = here.Join(next, client.Options{Token: first.Token})
	b = there.Join(there.Via(next), client.Options{Token: second.Token})
	if err := b.WaitView(ctx, playing); err != nil {
		t.Fatal(err)
	}
	a.Close()
	act(b, map[string]any{"move": "e4"})
	over, err := b.WaitOver(ctx)
	const why = "The game was aborted before Black's first move, so it does not count"
	if err != nil || over.End != "aborted" || over.Reason != why {
		t.Errorf("the end is told as %+v, %v", over, err)
	}
	r := there.Result(next.ID)
	if r.End != "aborted" || r.Result.Reason != "aborted" || r.Result.Summary != why || len(r.Result.Outcomes) != 0 {
		t.Errorf("a game against nobody is stored as %+v", r)
	}
	there.CheckReplay(next.ID)
	for _, g := range []e2e.Guest{first, second} {
		if _, games := rating(there, g); games != 1 {
			t.Errorf("a game that was aborted counts: %d games", games)
		}
	}
	if after, _ := rating(here, first); after != before {
		t.Errorf("the rating went from %v to %v by a game that was aborted", before, after)
	}
}

// A correspondence game goes on when a player is away for longer than a seat is usually kept, also on the other player's turn and across
// a crash.
func TestAClockOutlivesAbsence(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	ctx := e2e.WaitContext(t)
	white, black := s.Guest("White"), s.Guest("Black")
	info := s.Create("chess", map[string]any{"white": "first", "clock": map[string]any{"initial_ms": 14 * 24 * 3_600_000}})
	a := s.Join(info, client.Options{Token: white.Token})
	b := s.Join(info, client.Options{Token: black.Token})
	if err := b.WaitView(ctx, func(v any) bool { return e2e.Field(v, "status") == "playing" }); err != nil {
		t.Fatal(err)
	}
	for _, m := range []struct {
		by   *client.Client
		move string
	}{{a, "e4"}, {b, "e5"}, {a, "Nf3"}} {
		if _, err := m.by.Act(ctx, map[string]any{"move": m.move}); err != nil {
			t.Fatal(err)
		}
	}
	a.Close()
	time.Sleep(62 * time.Second) // a seat is kept for a minute by default
	if seats := present(s, info.ID); len(seats) != 2 || seats[white.Player] {
		t.Fatalf("after a minute without White there are %v", seats)
	}
	if _, err := b.Act(ctx, map[string]any{"move": "Nc6"}); err != nil {
		t.Fatalf("Black plays on: %v", err)
	}
	b.Close()
	s.Kill()
	s.Start()
	a = s.Join(s.Via(info), client.Options{Token: white.Token})
	if _, err := a.Act(ctx, map[string]any{"move": "Bb5"}); err != nil {
		t.Errorf("White comes back: %v", err)
	}
}
