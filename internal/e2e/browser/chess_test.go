//go:build !race

package browser_test

import (
	"fmt"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
)

// scholars is the scholar's mate, as the squares to click.
var scholars = []string{"e2e4", "e7e5", "d1h5", "b8c6", "f1c4", "g8f6", "h5f7"}

// sides are the tabs of White and Black.
type sides [2]*tab

// seatChess makes a room of chess for two people and brings both to it, White first.
func (b *browser) seatChess(s *e2e.Server, base string) (sides, string) {
	b.t.Helper()
	info := s.Create("chess", map[string]any{"white": "first"})
	white, black := b.person("White"), b.person("Black")
	white.visit(base + "/play/" + info.ID).live()
	black.visit(base + "/play/" + info.ID).live()
	two := sides{white, black}
	two.begin()
	return two, info.ID
}

// begin waits until both players are at the board, each on their own side.
func (two sides) begin() {
	two[0].t.Helper()
	for i, side := range []string{"white", "black"} {
		two[i].sees(testid("chess-board", `[data-bottom="`+side+`"]`))
	}
	two[0].sees(`[data-square="e2"][data-movable]`)
}

// move clicks a move and does not wait.
func (p *tab) move(uci string) {
	p.t.Helper()
	p.sees(fmt.Sprintf(`[data-square=%q][data-movable]`, uci[:2]))
	p.click(fmt.Sprintf("[data-square=%q]", uci[:2]))
	p.sees(fmt.Sprintf(`[data-square=%q][data-goal]`, uci[2:]))
	p.click(fmt.Sprintf("[data-square=%q]", uci[2:]))
}

// moved waits until the board shows the move as the last one.
func (p *tab) moved(uci string) {
	p.t.Helper()
	p.sees(fmt.Sprintf("[data-square=%q][data-last]", uci[:2]))
	p.sees(fmt.Sprintf("[data-square=%q][data-last]", uci[2:]))
}

// play makes the moves of a line from one ply up to another.
func (two sides) play(line []string, from, to int) {
	two[0].t.Helper()
	for i := from; i < to; i++ {
		two[i%2].move(line[i])
		two[0].moved(line[i])
		two[1].moved(line[i])
	}
}

// browserChess plays a whole game from the lobby to the leaderboard, by clicks alone.
func browserChess(t *testing.T, shared *browser) {
	t.Parallel()
	s := newPages(t)
	b := shared.on(t)
	ada, bob := b.person("Ada"), b.person("Bob")
	ada.visit(s.URL)
	ada.write(testid("name-input"), "Ada")
	ada.click(testid("name-button"))
	ada.reads(testid("me-name"), "Ada")
	ada.click(testid("game-card", `[data-game="chess"] `, testid("quick-match")))
	id := ada.room()
	ada.sees(testid("invite-link"))
	var link string
	ada.value(`document.querySelector("#invite-link").value`, &link)
	if want := s.URL + "/play/" + id; link != want {
		t.Errorf("the link to send is %q, not %q", link, want)
	}
	bob.visit(link).live()

	two := sides{ada, bob}
	bob.sees(testid("seat", `[data-seat="1"]`))
	bob.sees(`[data-square="a8"]`)
	bob.until(`document.querySelector("[data-testid=chess-board]").dataset.bottom && document.querySelectorAll("[data-testid=seat]").length === 2`)
	ada.until(`document.querySelectorAll("[data-testid=seat]").length === 2`)
	if ada.attribute(testid("chess-board"), "data-bottom") == "black" {
		two = sides{bob, ada}
	}
	two.begin()
	two.play(scholars, 0, len(scholars))

	winner, loser := two[0].player(), two[1].player()
	two[0].reads(testid("ending"), "You won.")
	two[1].reads(testid("ending"), "You lost.")
	b.afterChess(s, two, id, winner, loser)
}

// afterChess checks every page that shows the scholar's mate.
func (b *browser) afterChess(s *e2e.Server, two sides, id, winner, loser string) {
	t := b.t
	t.Helper()
	s.Result(id)
	p := two[0]
	p.click(testid("replay-link"))
	p.until(fmt.Sprintf("location.pathname === %q", "/results/"+id))
	p.sees(testid("player-row", fmt.Sprintf(`[data-player=%q][data-rank="1"]`, winner)))
	p.sees(testid("player-row", fmt.Sprintf(`[data-player=%q][data-rank="2"]`, loser)))
	p.sees(testid("rating-change"))
	if text := p.text(testid("result-summary")); !e2e.Mentions(text, "mate") {
		t.Errorf("the result's summary is %q", text)
	}
	p.replays(len(scholars))

	p.visit(s.URL + "/leaderboards/chess")
	p.sees(testid("standing-row", fmt.Sprintf(`[data-player=%q][data-me="true"]`, winner)))
	if first := p.attribute(testid("standing-row"), "data-player"); first != winner {
		t.Errorf("first on the leaderboard is %s, not the winner", first)
	}
	if n := p.count(testid("standing-row")); n != 2 {
		t.Errorf("%d rows on the leaderboard", n)
	}
	p.visit(s.URL + "/players/" + loser)
	p.reads(testid("rating-row", `[data-game="chess"]`), "1 loss")
	p.sees(testid("recent-row", fmt.Sprintf("[data-room=%q]", id)))
}

// replays steps through the replay of the scholar's mate.
func (p *tab) replays(moves int) {
	p.t.Helper()
	table := testid("replay-table") + " "
	p.sees(table + testid("chess-board"))
	p.until(fmt.Sprintf("document.querySelector(%s)?.getAttribute('aria-label').startsWith('f7, white queen')", quote(table+`[data-square="f7"]`)))
	p.click(testid("replay-first"))
	p.sees(testid("replay-when", `[data-step="0"]`))
	p.sees(table + `[data-square="e2"][aria-label="e2, white pawn"]`)
	if n := p.count(table + "[data-piece]"); n != 32 {
		p.t.Errorf("%d pieces at the start of the replay", n)
	}
	for i, uci := range scholars[:moves] {
		p.click(testid("replay-next"))
		p.sees(testid("replay-when", fmt.Sprintf(`[data-step="%d"]`, i+1)))
		p.moved(uci)
	}
	p.click(testid("replay-first"))
	p.click(testid("replay-play"))
	p.until(`Number(document.querySelector("[data-testid=replay-when]").dataset.step) > 0`)
}
