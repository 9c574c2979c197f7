// Package ledger is what both stores share: which finals may be written, in which steps, and how they change
// the players' records; who may fence whom; how rows are read; and how the schema is brought up to date. A store lends it
// a transaction.
package ledger

import (
	"cmp"
	"iter"
	"maps"
	"slices"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/glicko"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Key identifies a player's record in a game.
type Key struct {
	Game   string
	Player room.PlayerID
}

// Name is a player's name as last seen.
type Name struct {
	Player room.PlayerID
	Name   string
}

// Record is a player's record in a game. Rating is nil before the first rated game.
type Record struct {
	Key
	Rating                     *record.Rating
	Games, Wins, Draws, Losses int
	Rated                      int  // games that changed the rating
	Listed                     bool // on the leaderboard
}

// Pair is two players of a game. A is the smaller id.
type Pair struct {
	Game string
	A, B room.PlayerID
}

// Met counts the rated games of pairs with each other in persist.RepeatWindow.
type Met map[Pair]int

// Line is one player's part in one final. Bots have none.
type Line struct {
	Key
	Room          room.ID
	End           record.End
	Seat          int
	Rank          int
	Players       int            // in the game, bots too
	Nth           int            // its number among the player's finished games of this name, from 1; 0 if it was not finished
	Before, After *record.Rating // nil if the game was not rated
}

// Ledger applies a batch of new finals, in their order, to the players' records.
type Ledger struct {
	rules   persist.Ratings
	finals  []record.Final
	records map[Key]*Record
	met     Met
	lines   []Line
	repeats []room.ID
}

// New starts a ledger for finals that are new in the store.
func New(rules persist.Ratings, finals []record.Final) *Ledger {
	l := &Ledger{rules: rules, finals: finals, records: map[Key]*Record{}, met: Met{}}
	for _, f := range finals {
		if f.End != record.Finished {
			continue
		}
		for _, o := range humans(f) {
			k := Key{f.Game, o.Player}
			l.records[k] = &Record{Key: k}
		}
	}
	return l
}

// Names returns the players and their last names, by player, which is the order in which to lock them.
func (l *Ledger) Names() []Name {
	last := map[room.PlayerID]string{}
	for _, f := range l.finals {
		for _, o := range humans(f) {
			last[o.Player] = o.Name
		}
	}
	names := make([]Name, 0, len(last))
	for _, p := range slices.Sorted(maps.Keys(last)) {
		names = append(names, Name{p, last[p]})
	}
	return names
}

// Keys returns the records that Post changes, in the order in which to lock them.
func (l *Ledger) Keys() []Key {
	return slices.SortedFunc(maps.Keys(l.records), compareKeys)
}

// Rivals returns the records of the players whose rated games with each other Post must know.
func (l *Ledger) Rivals() []Key {
	rivals := map[Key]bool{}
	for _, f := range l.finals {
		if l.rules.PerOpponent <= 0 || !contends(f) || l.rules.Refuses(f) != "" {
			continue
		}
		for _, o := range f.Result.Outcomes {
			rivals[Key{f.Game, o.Player}] = true
		}
	}
	return slices.SortedFunc(maps.Keys(rivals), compareKeys)
}

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Game, b.Game), cmp.Compare(a.Player, b.Player))
}

// Load sets the records to what the store has, and the rated games that Rivals had with each other.
func (l *Ledger) Load(records []Record, met Met) {
	for _, r := range records {
		l.records[r.Key] = &r
	}
	maps.Copy(l.met, met)
}

// Post computes all lines and records. Call it once, after Load.
func (l *Ledger) Post() {
	for _, f := range l.finals {
		first := len(l.lines)
		for _, o := range humans(f) {
			l.lines = append(l.lines, Line{
				Key: Key{f.Game, o.Player}, Room: f.Room, End: f.End,
				Seat: o.Seat, Rank: o.Rank, Players: len(f.Result.Outcomes),
			})
		}
		if f.End == record.Finished {
			l.count(f, l.lines[first:])
		}
	}
}

// Lines returns the players' parts in the finals, by final.
func (l *Ledger) Lines() []Line { return l.lines }

// Repeats returns the rooms whose game changed no ratings because two of the players had played each other too often.
func (l *Ledger) Repeats() []room.ID { return l.repeats }

// Records returns the changed records, in the order of Keys.
func (l *Ledger) Records() []Record {
	records := make([]Record, 0, len(l.records))
	for _, k := range l.Keys() {
		records = append(records, *l.records[k])
	}
	return records
}

// count applies one finished game to the records of its players.
func (l *Ledger) count(f record.Final, lines []Line) {
	leaders := 0
	for _, o := range f.Result.Outcomes {
		if o.Rank == 1 {
			leaders++
		}
	}
	for i := range lines {
		r := l.records[lines[i].Key]
		r.Games++
		lines[i].Nth = r.Games
		switch {
		case lines[i].Rank != 1:
			r.Losses++
		case leaders > 1:
			r.Draws++
		default:
			r.Wins++
		}
	}
	switch {
	case !contends(f) || l.rules.Refuses(f) != "":
	case l.repeated(lines):
		l.repeats = append(l.repeats, f.Room)
	default:
		l.rate(lines)
	}
	for _, line := range lines {
		r := l.records[line.Key]
		r.Listed = l.rules.Lists(line.Player, r.Rated)
	}
}

// Refuses returns why a game changes no ratings although it could, as far as its end alone shows. It is empty for all others.
func Refuses(rules persist.Ratings, f record.Final) record.Unrated {
	if !contends(f) {
		return ""
	}
	return rules.Refuses(f)
}

// contends reports whether a game can change ratings: it was finished, is rated, and has at least two players and no bots.
func contends(f record.Final) bool {
	bot := func(o room.Outcome) bool { return o.Bot }
	return f.End == record.Finished && f.Rated && len(f.Result.Outcomes) >= 2 && !slices.ContainsFunc(f.Result.Outcomes, bot)
}

// repeated reports whether two of the players have met so often that this game does not count. If not, it counts one more meeting.
func (l *Ledger) repeated(lines []Line) bool {
	if l.rules.PerOpponent <= 0 {
		return false
	}
	for p := range pairs(lines) {
		if l.met[p] >= l.rules.PerOpponent {
			return true
		}
	}
	for p := range pairs(lines) {
		l.met[p]++
	}
	return false
}

func pairs(lines []Line) iter.Seq[Pair] {
	return func(yield func(Pair) bool) {
		for i, a := range lines {
			for _, b := range lines[i+1:] {
				if !yield(Pair{a.Key.Game, min(a.Player, b.Player), max(a.Player, b.Player)}) {
					return
				}
			}
		}
	}
}

// rate computes the ratings of the players after one game.
func (l *Ledger) rate(lines []Line) {
	before, ranks := make([]record.Rating, len(lines)), make([]int, len(lines))
	for i, line := range lines {
		before[i], ranks[i] = glicko.Newcomer, line.Rank
		if r := l.records[line.Key].Rating; r != nil {
			before[i] = *r
		}
	}
	for i, after := range glicko.Game(before, ranks) {
		lines[i].Before, lines[i].After = new(before[i]), new(after)
		r := l.records[lines[i].Key]
		r.Rating = new(after)
		r.Rated++
	}
}

// humans returns the outcomes of players who are people, in the order of the result.
func humans(f record.Final) []room.Outcome {
	return slices.DeleteFunc(slices.Clone(f.Result.Outcomes), func(o room.Outcome) bool { return o.Bot })
}
