package persist

import (
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Ratings are the rules by which finished games change ratings and players appear on leaderboards. They do not belong to a game's
// end: how a game ended is a function of its log, and what it counts for is the operator's choice. All nodes of a store need the
// same rules. The zero value rates every rated game without guests, and lists everybody who has a rating.
type Ratings struct {
	Guests      bool           // games with guests change ratings, and guests are listed
	Acts        map[string]int // by game: the least record.Played.Acts
	Time        time.Duration  // the least record.Played.Time
	PerOpponent int            // the most rated games of two players with each other in RepeatWindow, for each game; 0 means any number
	Least       int            // the least rated games of a player who is listed; less than 1 means 1
}

// RepeatWindow is the time before each game in which rated games of the same two players are counted, by the store's
// clock. It slides, so that no midnight allows twice as many games at once.
const RepeatWindow = 24 * time.Hour

// Refuses returns why a game changes no ratings although it could, as far as its end alone shows. It is empty if nothing stands
// against the game.
func (r Ratings) Refuses(f record.Final) record.Unrated {
	for _, o := range f.Result.Outcomes {
		if o.Player.Guest() && !r.Guests {
			return record.UnratedGuest
		}
	}
	if p := f.Played; p != nil && (p.Acts < r.Acts[f.Game] || p.Time < r.Time) {
		return record.UnratedBrief
	}
	return ""
}

// Lists reports whether a player with so many rated games is on the leaderboard.
func (r Ratings) Lists(p room.PlayerID, rated int) bool {
	return rated >= r.AtLeast() && (r.Guests || !p.Guest())
}

// AtLeast is Least, or 1.
func (r Ratings) AtLeast() int { return max(r.Least, 1) }
