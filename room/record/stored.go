package record

import (
	"io"
	"math"
	"time"

	"github.com/roomring/roomring/room"
)

// StoredResult is a finished room as the store has it.
type StoredResult struct {
	Final                  // without Replay, which is read separately
	Stored  time.Time      `json:"stored"` // the store's clock when the row was written
	Ratings []RatingChange `json:"ratings,omitempty"`
	Unrated Unrated        `json:"unrated,omitempty"` // why a game of Final.Rated changed no ratings

	// Redactions counts how often a player was erased from this result, and Redacted is the time of the last erasure. Hash is
	// then the sum of the redacted result.
	Redactions int       `json:"-"`
	Redacted   time.Time `json:"redacted,omitzero"`
}

// Unrated says why a game that could have changed ratings did not. It is empty if the game did change them, or if it was stored
// before reasons were recorded.
type Unrated string

// The reasons, in order: the first that holds is stored.
const (
	UnratedGuest  Unrated = "guest"  // a guest played, and guests are not rated
	UnratedBrief  Unrated = "brief"  // too little was played: fewer acts than Spec.RatedActs, or too short a time
	UnratedRepeat Unrated = "repeat" // two of the players have reached the limit of rated games with each other in 24 hours
)

// RatingChange is what one rated game did to one player's rating.
type RatingChange struct {
	Player room.PlayerID `json:"player"`
	Before Rating        `json:"before"`
	After  Rating        `json:"after"`
}

// Rating is a Glicko-2 rating on the scale of the Glicko-2 paper. A newcomer has 1500 ± 350.
type Rating struct {
	Rating     float64 `json:"rating"`
	Deviation  float64 `json:"deviation"`
	Volatility float64 `json:"volatility"`
}

// Standing is one row of a game's leaderboard.
type Standing struct {
	Place  int           `json:"place"` // from 1; equal ratings share a place
	Player room.PlayerID `json:"player"`
	Name   string        `json:"name"`
	Rating
	Games  int `json:"games"`
	Wins   int `json:"wins"`
	Draws  int `json:"draws"`
	Losses int `json:"losses"`
}

// BoardPlace is a position on a leaderboard from which the next page continues. The zero value is the top.
type BoardPlace struct {
	Rating float64       `json:"r"`
	Player room.PlayerID `json:"p"`
	Place  int           `json:"n"` // Standing.Place of Player
	Count  int           `json:"c"` // number of players up to and including Player
}

// Numbered fills in the Place of players who follow the position at. They must be sorted best first. It changes and returns
// the slice it is given.
func (at BoardPlace) Numbered(players []Standing) []Standing {
	for i := range players {
		at = at.Next(players[i])
		players[i].Place = at.Place
	}
	return players
}

// Next is the position of s, the player who follows directly.
func (at BoardPlace) Next(s Standing) BoardPlace {
	place := at.Count + 1
	if at.Count > 0 && s.Rating.Rating == at.Rating {
		place = at.Place
	}
	return BoardPlace{s.Rating.Rating, s.Player, place, at.Count + 1}
}

// From is the rating at which the next page starts: infinite at the top.
func (at BoardPlace) From() float64 {
	if at.Count == 0 {
		return math.Inf(1)
	}
	return at.Rating
}

// Profile is what the store knows of a player.
type Profile struct {
	Player room.PlayerID `json:"player"`
	Name   string        `json:"name"`   // the name in the newest result
	Games  []GameProfile `json:"games"`  // sorted by the name of the game
	Recent []PlayedGame  `json:"recent"` // newest first, at most 50
}

// GameProfile is a player's standing in one game. Rating is nil until the first rated result.
type GameProfile struct {
	Game   string  `json:"game"`
	Rating *Rating `json:"rating,omitempty"`
	Rated  int     `json:"rated"`  // games that changed the rating
	Listed bool    `json:"listed"` // the player is on the leaderboard
	Games  int     `json:"games"`
	Wins   int     `json:"wins"`
	Draws  int     `json:"draws"`
	Losses int     `json:"losses"`
}

// PlayedGame is one result from the view of one player.
type PlayedGame struct {
	Room    room.ID   `json:"room"`
	Game    string    `json:"game"`
	End     End       `json:"end"`
	Rank    int       `json:"rank"`
	Players int       `json:"players"`
	Stored  time.Time `json:"stored"`
}

// StoredReplay reads a replay from the store, piece by piece, and holds only one piece in memory. Read blocks on the store. Its
// error means that the rest cannot be read now.
type StoredReplay struct {
	Size int64 // total size in bytes
	io.Reader
}
