package persisttest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Rated is an empty store for one test of ratings.
type Rated struct {
	Open func(persist.Ratings) persist.Store // opens it by rules, as often as wished
	Age  func()                              // makes all outcomes a persist.RepeatWindow older
}

// RunRatings tests that a backend keeps the promises of persist.Ratings. Each test gets its own store.
func RunRatings(t *testing.T, empty func(t *testing.T) Rated) {
	for name, test := range map[string]func(*testing.T, Rated){
		"guests":         testGuestsUnrated,
		"brief games":    testBriefGames,
		"repeats":        testRepeats,
		"repeats of all": testRepeatsOfMany,
		"rivals":         testRepeatsAtOnce,
		"listed":         testListed,
		"listed anew":    testListedAnew,
	} {
		t.Run(name, func(t *testing.T) { test(t, empty(t)) })
	}
}

// write writes finals and expects them to be new; it returns why each changed no ratings.
func write(t *testing.T, s persist.Store, finals ...record.Final) (why []record.Unrated) {
	t.Helper()
	wrote(t, s, finals, slices.Repeat([]persist.Outcome{persist.Written}, len(finals))...)
	return reasons(t, s, finals)
}

// reasons are why finals changed no ratings; it checks that those without a reason did, if they could.
func reasons(t *testing.T, s persist.Store, finals []record.Final) (why []record.Unrated) {
	t.Helper()
	for _, f := range finals {
		r := get[record.StoredResult](t)(s.Result(t.Context(), f.Room))
		if rated := len(r.Ratings) > 0; r.Rated != f.Rated || rated != (f.Rated && r.Unrated == "") {
			t.Fatalf("room %s: rated %t, for the reason %q it changed ratings of %d players", f.Room, r.Rated, r.Unrated, len(r.Ratings))
		}
		why = append(why, r.Unrated)
	}
	return why
}

func wantReasons(t *testing.T, got []record.Unrated, want ...record.Unrated) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("unrated for %q, want %q", got, want)
	}
}

// standing is a player's record in chess.
func standing(t *testing.T, s persist.Store, p room.PlayerID) record.GameProfile {
	t.Helper()
	profile := get[record.Profile](t)(s.Player(t.Context(), p, true))
	i := slices.IndexFunc(profile.Games, func(g record.GameProfile) bool { return g.Game == "chess" })
	if i < 0 {
		t.Fatalf("%s has no record: %+v", p, profile)
	}
	return profile.Games[i]
}

// board returns the players of chess on the leaderboard, and checks that pages of every size show the same.
func board(t *testing.T, s persist.Store) (players []room.PlayerID) {
	t.Helper()
	all := get[[]record.Standing](t)(s.Leaderboard(t.Context(), "chess", record.BoardPlace{}, 1000))
	for i, row := range all {
		players = append(players, row.Player)
		if i == 0 && row.Place != 1 || row.Place > i+1 {
			t.Errorf("%s, at %d, has the place %d", row.Player, i+1, row.Place)
		}
	}
	checkPages(t, s, all)
	return players
}

// checkPages checks that pages of every size show the same leaderboard of chess.
func checkPages(t *testing.T, s persist.Store, all []record.Standing) {
	t.Helper()
	for n := 1; n <= len(all); n++ {
		var at record.BoardPlace
		var paged []record.Standing
		for {
			page := get[[]record.Standing](t)(s.Leaderboard(t.Context(), "chess", at, n))
			for _, p := range page {
				paged, at = append(paged, p), at.Next(p)
			}
			if len(page) < n {
				break
			}
		}
		if !slices.Equal(paged, all) {
			t.Fatalf("in pages of %d: %+v, want %+v", n, paged, all)
		}
	}
}

// A game with a guest counts as played for both players, and changes no rating.
func testGuestsUnrated(t *testing.T, r Rated) {
	s := r.Open(persist.Ratings{})
	wantReasons(t, write(t, s, Game("chess", "ann", "g_1"), Game("chess", "g_2", "g_1"), Game("chess", "ann", "bob")), record.UnratedGuest, record.UnratedGuest, "")
	if ann := standing(t, s, "ann"); ann.Games != 2 || ann.Wins != 2 || ann.Rated != 1 || !ann.Listed {
		t.Errorf("ann %+v", ann)
	}
	if guest := standing(t, s, "g_1"); guest.Games != 2 || guest.Losses != 2 || guest.Rated != 0 || guest.Rating != nil || guest.Listed {
		t.Errorf("the guest %+v", guest)
	}
	if got := board(t, s); !slices.Equal(got, []room.PlayerID{"ann", "bob"}) {
		t.Errorf("board %v", got)
	}
	again := r.Open(persist.Ratings{Guests: true})
	wantReasons(t, write(t, again, Game("chess", "ann", "g_1")), "")
	if guest := standing(t, again, "g_1"); guest.Rated != 1 || !guest.Listed {
		t.Errorf("the guest %+v", guest)
	}
}

// A game that was too short changes no rating, unless its runtime did not count acts.
func testBriefGames(t *testing.T, r Rated) {
	s := r.Open(persist.Ratings{Acts: map[string]int{"chess": 3}, Time: 10 * time.Second})
	game := func(name string, played *record.Played) record.Final {
		f := Game(name, "ann", "bob")
		f.Played = played
		return Seal(f)
	}
	casual := game("chess", &record.Played{Acts: 1})
	casual.Rated = false
	wantReasons(t, write(t, s,
		game("chess", nil), game("chess", &record.Played{Acts: 3, Time: 10 * time.Second}), game("chess", &record.Played{Acts: 2, Time: time.Hour}),
		game("chess", &record.Played{Acts: 99, Time: 9999 * time.Millisecond}), game("go", &record.Played{Time: 10 * time.Second}), Seal(casual)),
		"", "", record.UnratedBrief, record.UnratedBrief, "", "")
	if ann := standing(t, s, "ann"); ann.Games != 5 || ann.Rated != 2 {
		t.Errorf("ann %+v", ann)
	}
}

// Only a number of games of two players with each other count in a day, whoever wins and however they are batched.
func testRepeats(t *testing.T, r Rated) {
	s := r.Open(persist.Ratings{PerOpponent: 3})
	first := []record.Final{Game("chess", "ann", "bob"), Game("chess", "bob", "ann"), Game("chess", "ann", "bob"), Game("chess", "ann", "bob"), Game("chess", "ann", "cid")}
	wantReasons(t, write(t, s, first...), "", "", "", record.UnratedRepeat, "")
	second := []record.Final{Game("chess", "bob", "ann"), Draw(Game("chess", "cid", "ann")), Game("go", "ann", "bob"), Game("chess", "bob", "cid")}
	wantReasons(t, write(t, s, second...), record.UnratedRepeat, "", "", "")
	before := standing(t, s, "ann")
	if before.Games != 7 || before.Rated != 5 {
		t.Errorf("ann %+v", before)
	}
	r.Age()
	wrote(t, s, slices.Concat(first, second), slices.Repeat([]persist.Outcome{persist.Already}, 9)...)
	if after := standing(t, s, "ann"); after.Games != before.Games || after.Rated != before.Rated || *after.Rating != *before.Rating {
		t.Errorf("written again, ann went from %+v to %+v", before, after)
	}
	wantReasons(t, reasons(t, s, first), "", "", "", record.UnratedRepeat, "")
	wantReasons(t, write(t, s, Game("chess", "ann", "bob"), Game("chess", "ann", "bob"), Game("chess", "ann", "bob"), Game("chess", "ann", "bob")),
		"", "", "", record.UnratedRepeat)
}

// A game of many players counts as a meeting of every two of them.
func testRepeatsOfMany(t *testing.T, r Rated) {
	s := r.Open(persist.Ratings{PerOpponent: 2})
	wantReasons(t, write(t, s, Game("chess", "a", "b", "c"), Game("chess", "c", "d"), Game("chess", "a", "d", "c", "e"), Game("chess", "e", "c", "b")), "", "", "", "")
	wantReasons(t, write(t, s, Game("chess", "b", "c"), Game("chess", "e", "a", "c"), Game("chess", "x", "y", "c", "d"), Game("chess", "b", "d")),
		record.UnratedRepeat, record.UnratedRepeat, record.UnratedRepeat, "")
}

// However many nodes write games of the same players at once, exactly the allowed number counts.
func testRepeatsAtOnce(t *testing.T, r Rated) {
	rules := persist.Ratings{PerOpponent: 3}
	nodes := []persist.Store{r.Open(rules), r.Open(rules), r.Open(rules)}
	players := []room.PlayerID{"a", "b", "c"}
	var finals []record.Final
	for i := range 90 {
		finals = append(finals, Game("chess", players[i%3], players[(i+1)%3]))
	}
	var group sync.WaitGroup
	for i := range 6 {
		group.Go(func() {
			mine := slices.Concat(finals[15*i:], finals[:15*i])
			for batch := range slices.Chunk(mine, 5) {
				if _, err := nodes[i%3].WriteResults(t.Context(), batch); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	counted := 0
	for _, why := range reasons(t, nodes[0], finals) {
		if why == "" {
			counted++
		}
	}
	if counted != 9 {
		t.Errorf("%d games counted, want 3 of each of 3 pairs", counted)
	}
	for _, p := range players {
		if got := standing(t, nodes[0], p); got.Games != 60 || got.Rated != 6 {
			t.Errorf("%s %+v", p, got)
		}
	}
	Audit(t, nodes[0], finals)
}

// A player who has not played enough games is not on the board and takes no place there.
func testListed(t *testing.T, r Rated) {
	s := r.Open(persist.Ratings{Least: 3})
	write(t, s, Game("chess", "new", "b"), Game("chess", "a", "b"), Game("chess", "a", "c"))
	if got := board(t, s); len(got) != 0 {
		t.Errorf("board %v before anybody has played enough", got)
	}
	write(t, s, Game("chess", "a", "b"))
	if got := board(t, s); !slices.Equal(got, []room.PlayerID{"a", "b"}) {
		t.Errorf("board %v", got)
	}
	if fresh, b := standing(t, s, "new"), standing(t, s, "b"); fresh.Listed || fresh.Rated != 1 || fresh.Rating == nil || !b.Listed || b.Rated != 3 {
		t.Errorf("new %+v, b %+v", fresh, b)
	}
	if got := get[[]record.Standing](t)(s.Leaderboard(t.Context(), "chess", record.BoardPlace{}, 10)); got[0].Place != 1 || got[1].Place != 2 {
		t.Errorf("places %+v", got)
	}
}

// A store that is opened with other rules lists players by those.
func testListedAnew(t *testing.T, r Rated) {
	s := r.Open(persist.Ratings{Guests: true, Least: 2})
	write(t, s, Game("chess", "a", "g_1"), Game("chess", "a", "g_1"), Game("chess", "a", "b"))
	for _, c := range []struct {
		rules persist.Ratings
		want  []room.PlayerID
	}{
		{persist.Ratings{Guests: true, Least: 2}, []room.PlayerID{"a", "g_1"}},
		{persist.Ratings{Guests: true, Least: 1}, []room.PlayerID{"a", "b", "g_1"}},
		{persist.Ratings{}, []room.PlayerID{"a", "b"}},
		{persist.Ratings{Guests: true, Least: 3}, []room.PlayerID{"a"}},
		{persist.Ratings{Guests: true}, []room.PlayerID{"a", "b", "g_1"}},
	} {
		if got := board(t, r.Open(c.rules)); !slices.Equal(got, c.want) {
			t.Errorf("by %+v the board is %v, want %v", c.rules, got, c.want)
		}
	}
}
