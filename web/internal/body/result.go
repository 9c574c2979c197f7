package body

import (
	"encoding/hex"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Result is a stored result.
type Result struct {
	Status  string  `json:"status"` // stored
	Room    room.ID `json:"room"`
	Game    string  `json:"game"`
	Version int     `json:"version"`
	Final
	Hash    string                `json:"hash"` // SHA-256 in hex, over what is a function of the log
	Stored  time.Time             `json:"stored"`
	Ratings []record.RatingChange `json:"ratings"`
	Unrated record.Unrated        `json:"unrated,omitempty"` // why a rated game changed none

	Redacted time.Time `json:"redacted,omitzero"` // when a player was last taken out who asked to be forgotten
}

// ResultOf is a result that the store has.
func ResultOf(stored record.StoredResult) Result {
	return Result{
		Status: "stored", Room: stored.Room, Game: stored.Game, Version: stored.Version,
		Final: *FinalOf(&stored.Final), Hash: hex.EncodeToString(stored.Hash[:]),
		Stored: stored.Stored.UTC(), Ratings: NonNil(stored.Ratings), Unrated: stored.Unrated, Redacted: stored.Redacted,
	}
}
