package core

import (
	"crypto/sha256"
	"encoding/json"
	"unicode/utf8"

	"github.com/roomring/roomring/room"
)

// From the second runtime on a refused act stands in the log as its answer: a refusal must leave the game as it was, so
// a replay need not show the act to the game again. Whether it does leave it so is looked at, and a game that does not is
// taken at its word: all of what its clients say is logged.
const (
	// From the second runtime on, a refused act is logged as its answer alone, because a refusal must leave the game as it
	// was and a replay need not repeat it. The core samples whether games keep to that. If one does not, every act of its
	// clients is logged whole.
	firstSamples     = 4   // acts of a room that are looked at before anything is known of it
	samplesAfterMiss = 16  // acts that are looked at behind a refusal that was not, to catch the next one
	minHarmless      = 16  // refusals that must have been found harmless before the next are believed to be
	sampleOneIn      = 64  // refusals after that
	maxReason        = 512 // bytes of a refusal's reason
	maxCode          = 64  // and of its code
)

// refusalSampling is how far a room trusts its game's refusals. It is no part of the replicated state: it decides what
// is logged, and the log decides the rest.
type refusalSampling struct {
	sampled   int  // acts looked at
	harmless  int  // refusals found to be
	unsampled int  // refusals since the last one that was looked at
	toSample  int  // acts to look at still
	mutates   bool // the game has changed in a refusal
}

// sampleBefore returns the hash of the game's state before an act, if this act is sampled.
func (c *Core) sampleBefore(asked bool) (sum [32]byte, looks bool) {
	l := &c.sampling
	if !asked || l.mutates || c.replaying != nil || c.runtime() < 2 || l.sampled >= firstSamples && l.toSample == 0 {
		return sum, false
	}
	l.sampled++
	l.toSample = max(l.toSample-1, 0)
	return c.gameHash()
}

func (c *Core) gameHash() (sum [32]byte, ok bool) {
	if c.panicked != nil {
		return sum, false
	}
	raw, err := snapshotGame(c.inst)
	return sha256.Sum256(raw), err == nil
}

// logRefusal puts the answer of a refused act into its entry, and drops the act's data if a replay does not need it. It
// reports whether the game was just found to change in a refusal.
func (c *Core) logRefusal(why *room.Refusal, asked bool, before [32]byte, looked bool) (changed bool) {
	c.last.Refused = why
	switch {
	case c.replaying != nil || c.runtime() < 2:
		return false
	case !asked:
		c.last.Data, c.last.Fault = nil, nil
		return false
	case c.sampling.mutates:
		return false
	}
	l := &c.sampling
	after, ok := [32]byte{}, false
	if looked {
		after, ok = c.gameHash()
	}
	switch {
	case !ok:
		if l.unsampled++; l.harmless < minHarmless || l.unsampled >= sampleOneIn-1 {
			l.toSample = samplesAfterMiss
		}
		if l.harmless < minHarmless {
			return false
		}
	case after != before:
		l.mutates = true
		return true
	default:
		if l.harmless, l.unsampled = l.harmless+1, 0; l.harmless < minHarmless {
			l.toSample = samplesAfterMiss
		} else {
			l.toSample = 0
		}
	}
	c.last.Data = nil
	return false
}

// loggedRefusal returns the logged refusal of an act without data, which is not shown to the game again.
func (c *Core) loggedRefusal(data json.RawMessage) *room.Refusal {
	if c.replaying == nil || len(data) > 0 {
		return nil
	}
	return c.replaying.Refused
}

// truncateRefusal bounds the text of a refusal, because a game may quote whatever it is sent.
func truncateRefusal(r *room.Refusal) *room.Refusal {
	return &room.Refusal{Code: truncateText(r.Code, maxCode), Reason: truncateText(r.Reason, maxReason)}
}

func truncateText(s string, size int) string {
	if len(s) <= size {
		return s
	}
	for size > 0 && !utf8.RuneStart(s[size]) {
		size--
	}
	return s[:size]
}
