package record

import (
	"io"
	"math"
	"time"

	"github.com/roomring/roomring/room"
)

// StoredResult is a finished room as the store has it.
type StoredResult struct {
	Final                  // Replay is not filled: ask for it by itself
	Stored  time.Time      `json:"stored"` // the store's clock when the row was written
	Ratings []RatingChange `json:"ratings,omitempty"`
	Unrated Unrated        `json:"unrated,omitempty"` // why a game of Final.Rated changed no ratings

	// Players who asked to be forgotten were taken out so often, and when that was last. Hash is then that of what is left.
	Redactions int       `json:"-"`
	Redacted   time.Time `json:"redacted,omitzero"`
}

// Unrated says why a game that could have changed ratings did not. Empty: it did, or it is from before there were reasons.
type Unrated string

// The reasons, each for the first that holds.
const (
	UnratedGuest  Unrated = "guest"  // a guest played, and guests are not rated
	UnratedBrief  Unrated = "brief"  // too little was played: fewer acts than Spec.RatedActs, or for too short a time
	UnratedRepeat Unrated = "repeat" // two of the players had as many rated games with each other in 24 hours as count
)

// RatingChange is what one rated game did to one player's rating.
type RatingChange struct {
	Player room.PlayerID `json:"player"`
	Before Rating        `json:"before"`
	After  Rating        `json:"after"`
}

// Rating is a Glicko-2 rating on the scale of its paper: 1500 ± 350 for a newcomer.
type Rating struct {
	Rating     float64 `json:"rating"`
	Deviation  float64 `json:"deviation"`
	Volatility float64 `json:"volatility"`
}

// Standing is one row of a game's leaderboard.
type Standing struct {
	Place  int           `json:"place"` // from 1; equal ratings share one
	Player room.PlayerID `json:"player"`
	Name   string        `json:"name"`
	Rating
	Games  int `json:"games"`
	Wins   int `json:"wins"`
	Draws  int `json:"draws"`
	Losses int `json:"losses"`
}

// BoardPlace is a place on a leaderboard, to go on behind it. The zero value is the top.
type BoardPlace struct {
	Rating float64       `json:"r"`
	Player room.PlayerID `json:"p"`
	Place  int           `json:"n"` // of Player, as Standing has it
	Count  int           `json:"c"` // players up to and with Player
}

// Numbered fills in the places of players who follow at on a leaderboard, best first.
func (at BoardPlace) Numbered(players []Standing) []Standing {
	for i := range players {
		at = at.Next(players[i])
		players[i].Place = at.Place
	}
	return players
}

// Next is the place of the player who follows.
func (at BoardPlace) Next(s Standing) BoardPlace {
	place := at.Count + 1
	if at.Count > 0 && s.Rating.Rating == at.Rating {
		place = at.Place
	}
	return BoardPlace{s.Rating.Rating, s.Player, place, at.Count + 1}
}

// From is the rating to go on from.
func (at BoardPlace) From() float64 {
	if at.Count == 0 {
		return math.Inf(1)
	}
	return at.Rating
}

// Profile is what the store knows of a player.
type Profile struct {
	Player room.PlayerID `json:"player"`
	Name   string        `json:"name"`   // as last seen in a result
	Games  []GameProfile `json:"games"`  // by name of the game
	Recent []PlayedGame  `json:"recent"` // newest first, at most 50
}

// GameProfile is a player's standing in one game. Rating is nil until the first rated result.
type GameProfile struct {
	Game   string  `json:"game"`
	Rating *Rating `json:"rating,omitempty"`
	Rated  int     `json:"rated"`  // games that changed the rating
	Listed bool    `json:"listed"` // on the leaderboard
	Games  int     `json:"games"`
	Wins   int     `json:"wins"`
	Draws  int     `json:"draws"`
	Losses int     `json:"losses"`
}

// PlayedGame is one result from one player's side.
type PlayedGame struct {
	Room    room.ID   `json:"room"`
	Game    string    `json:"game"`
	End     End       `json:"end"`
	Rank    int       `json:"rank"`
	Players int       `json:"players"`
	Stored  time.Time `json:"stored"`
}

// StoredReplay is a replay as the store has it. It is read a piece at a time, in the memory of a piece; reading blocks for the
// store, and an error means that the rest cannot be had now.
type StoredReplay struct {
	Size int64 // bytes in all
	io.Reader
}
