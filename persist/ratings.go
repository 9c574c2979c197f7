package persist

import (
	"time"

	"github.com/roomring/roomring/room"
)

// Ratings are the rules by which finished games change ratings and players stand on leaderboards. They are no part of a game's
// end: what ended is a function of the log, what it counts for is the operator's to say. All nodes of a store need the
// same. The zero value rates every rated game without guests, and lists everybody who has a rating.
type Ratings struct {
	Guests      bool           // games with guests change ratings, and guests are listed
	Acts        map[string]int // by game: the least room.Played.Acts
	Time        time.Duration  // the least room.Played.Time
	PerOpponent int            // rated games of two players with each other in RepeatWindow, of one game; 0 is any number
	Least       int            // rated games of who is listed; less than 1 is 1
}

// RepeatWindow is the time in which rated games of two players with each other are counted, back from each, by the store's
// clock. It slides, so that no midnight gives twice as many at once.
const RepeatWindow = 24 * time.Hour

// Refuses says why a game that could change ratings does not, as far as its end alone tells.
func (r Ratings) Refuses(f room.Final) room.Unrated {
	for _, o := range f.Result.Outcomes {
		if o.Player.Guest() && !r.Guests {
			return room.UnratedGuest
		}
	}
	if p := f.Played; p != nil && (p.Acts < r.Acts[f.Game] || p.Time < r.Time) {
		return room.UnratedBrief
	}
	return ""
}

// Lists reports whether a player with so many rated games stands on the leaderboard.
func (r Ratings) Lists(p room.PlayerID, rated int) bool {
	return rated >= r.AtLeast() && (r.Guests || !p.Guest())
}

// AtLeast is Least, or 1.
func (r Ratings) AtLeast() int { return max(r.Least, 1) }
