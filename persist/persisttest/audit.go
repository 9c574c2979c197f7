package persisttest

import (
	"bytes"
	"slices"
	"testing"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/glicko"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Audit checks that the store holds exactly the given finals, for the games and players that they name: each
// result once with its hash and replay, counts that add up, and ratings that equal those computed anew from the rated
// games. Each player takes part in fewer than 2,000 of them.
func Audit(t *testing.T, s persist.Store, finals []record.Final) {
	t.Helper()
	chains, counts := map[key][]link{}, map[key]int{}
	for _, f := range finals {
		stored, err := s.Result(t.Context(), f.Room)
		if err != nil || stored.Hash != f.Hash {
			t.Fatalf("result %s: hash %x, %v; want %x", f.Room, stored.Hash, err, f.Hash)
		}
		if replay := replayOf(t, s, f.Room); !bytes.Equal(replay, f.Replay.Join()) {
			t.Fatalf("replay %s: %q", f.Room, replay)
		}
		auditChanges(t, f, stored.Unrated, stored.Ratings)
		for _, o := range f.Result.Outcomes {
			counts[key{f.Game, o.Player}]++
		}
		for _, c := range stored.Ratings {
			k := key{f.Game, c.Player}
			chains[k] = append(chains[k], link{c.Before, c.After})
		}
	}
	for k, n := range counts {
		auditPlayer(t, s, k, n, chains[k])
	}
}

type key struct {
	game   string
	player room.PlayerID
}

type link struct{ before, after record.Rating }

// auditChanges computes the ratings after a game anew from those before it.
func auditChanges(t *testing.T, f record.Final, unrated record.Unrated, changes []record.RatingChange) {
	t.Helper()
	if !f.Rated || unrated != "" {
		if len(changes) > 0 {
			t.Fatalf("room %s changed ratings, and is unrated (%s)", f.Room, unrated)
		}
		return
	}
	if len(changes) != len(f.Result.Outcomes) {
		t.Fatalf("room %s has %d rating changes", f.Room, len(changes))
	}
	var before []record.Rating
	var ranks []int
	for i, c := range changes {
		before, ranks = append(before, c.Before), append(ranks, f.Result.Outcomes[i].Rank)
	}
	for i, after := range glicko.Game(before, ranks) {
		if changes[i].After != after {
			t.Fatalf("room %s made %s %+v, want %+v", f.Room, changes[i].Player, changes[i].After, after)
		}
	}
}

// auditPlayer checks that a player's rating changes form one chain from the newcomer's rating to the present one.
func auditPlayer(t *testing.T, s persist.Store, k key, games int, chain []link) {
	t.Helper()
	profile, err := s.Player(t.Context(), k.player, true)
	if err != nil {
		t.Fatalf("player %s: %v", k.player, err)
	}
	i := slices.IndexFunc(profile.Games, func(g record.GameProfile) bool { return g.Game == k.game })
	if i < 0 {
		t.Fatalf("player %s has no record in %s", k.player, k.game)
	}
	rec := profile.Games[i]
	if rec.Games != games || rec.Wins+rec.Draws+rec.Losses != games {
		t.Fatalf("%s has %+v, want %d games", k.player, rec, games)
	}
	at := glicko.Newcomer
	for range chain {
		next := slices.IndexFunc(chain, func(l link) bool { return l.before == at })
		if next < 0 {
			t.Fatalf("no game of %s starts from %+v: the ratings are no chain", k.player, at)
		}
		at = chain[next].after
		chain[next].before = record.Rating{} // used
	}
	if rec.Rated != len(chain) {
		t.Fatalf("%s has %d rated games, the games say %d", k.player, rec.Rated, len(chain))
	}
	if len(chain) > 0 && *rec.Rating != at {
		t.Fatalf("%s is rated %+v, the games say %+v", k.player, *rec.Rating, at)
	}
}
