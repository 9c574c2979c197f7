package chess

import (
	"strconv"
	"strings"
	"time"
)

// pgnWidth is the length of a line that the PGN standard's export format (8.2.1) stays under.
const pgnWidth = 80

// pgn is the whole game in the PGN standard's export format. It has no date, because the rules have no
// wall clock.
func (g *Game) pgn() string {
	b := new(strings.Builder)
	for _, tag := range [][2]string{
		{"Event", "Roomring game"}, {"Site", "?"}, {"Date", "????.??.??"}, {"Round", "-"},
		{"White", g.players[white].Name}, {"Black", g.players[black].Name}, {"Result", g.over.score()},
	} {
		writeTag(b, tag[0], tag[1])
	}
	if g.line.start != startFEN {
		writeTag(b, "FEN", g.line.start)
		writeTag(b, "SetUp", "1")
	}
	writeTag(b, "Termination", g.over.termination())
	writeTag(b, "TimeControl", g.clock.control())
	b.WriteByte('\n')
	wrap(b, g.movetext())
	return b.String()
}

func writeTag(b *strings.Builder, name, value string) {
	b.WriteByte('[')
	b.WriteString(name)
	b.WriteString(` "`)
	for _, r := range strings.ToValidUTF8(value, "?") {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
		case r < ' ' || r == 0x7f:
			r = ' '
		}
		b.WriteRune(r)
	}
	b.WriteString("\"]\n")
}

// movetext are the words of the moves with their numbers, and the result.
func (g *Game) movetext() []string {
	words := make([]string, 0, len(g.line.plies)*3/2+2)
	for i, p := range g.line.plies {
		switch number := strconv.Itoa(g.line.number(i)); {
		case g.line.mover(i) == white:
			words = append(words, number+".")
		case i == 0:
			words = append(words, number+"...")
		}
		words = append(words, p.san)
	}
	return append(words, g.over.score())
}

// wrap writes words in lines of less than pgnWidth.
func wrap(b *strings.Builder, words []string) {
	room := pgnWidth
	for i, w := range words {
		switch {
		case i == 0:
		case len(w)+1 < room:
			b.WriteByte(' ')
			room--
		default:
			b.WriteByte('\n')
			room = pgnWidth
		}
		b.WriteString(w)
		room -= len(w)
	}
	b.WriteByte('\n')
}

// termination is the PGN's tag of the same name.
func (e *ending) termination() string {
	switch e.Reason {
	case Time, TimeInsufficient:
		return "time forfeit"
	case Abandoned:
		return "abandoned"
	case Aborted:
		return "unterminated"
	}
	return "normal"
}

// control is the PGN's tag TimeControl, in seconds.
func (c *clock) control() string {
	if !c.on {
		return "-"
	}
	text := seconds(c.initial)
	if c.increment > 0 {
		text += "+" + seconds(c.increment)
	}
	return text
}

// seconds writes a time with as many decimals as it needs, at most three.
func seconds(d time.Duration) string {
	text := strconv.FormatInt(d.Milliseconds()/1000, 10)
	if rest := d.Milliseconds() % 1000; rest > 0 {
		text += "." + strings.TrimRight(strconv.FormatInt(1000+rest, 10)[1:], "0")
	}
	return text
}
