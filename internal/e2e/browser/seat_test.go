//go:build !race

package browser_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
)

// told waits until a page shows an error in the given kind of notice.
func (p *tab) told(kind string) {
	p.t.Helper()
	p.sees(testid("notice", fmt.Sprintf("[data-kind=%q]", kind)))
}

// browserSeat checks that a seat stays its player's, whatever happens to the tab in which the player took it.
func browserSeat(t *testing.T, shared *browser) {
	t.Parallel()
	s := newPages(t)
	b := shared.on(t)
	two, id := b.seatChess(s, s.URL)
	two.play(scholars, 0, 1)
	first := two[0]

	first.run(chromedp.Reload())
	first.live().moved(scholars[0])
	first.sees(`body[data-seat="0"]`)

	second := b.second(first).visit(s.URL + "/play/" + id).live()
	first.told("replaced")
	second.sees(`body[data-seat="0"]`)
	sides{second, two[1]}.play(scholars, 1, 3)
	first.click(testid("take-back"))
	first.live().moved(scholars[2])
	second.told("replaced")
	two.play(scholars, 3, 4)
	if seats := s.Inspect(id).Seats; len(seats) != 2 {
		t.Errorf("at the end %d sit at the table", len(seats))
	}

	third := b.person("Cleo").visit(s.URL + "/play/" + id)
	third.told("forbidden")
	third.click(testid("watch-instead"))
	third.live().moved(scholars[3])
	if n := third.count("[data-movable]"); n != 0 {
		t.Errorf("who watches may move %d pieces", n)
	}
}

// browserPrivate makes a private room in the lobby. It lets in people with the code, and nobody else.
func browserPrivate(t *testing.T, shared *browser) {
	t.Parallel()
	s := newPages(t)
	b := shared.on(t)
	ada := b.person("Ada").visit(s.URL)
	ada.click(testid("game-card", `[data-game="chess"] `, testid("create-room")))
	ada.write(testid("create-name"), "Among friends")
	ada.click(testid("create-private"))
	ada.click(testid("create-submit"))
	id := ada.room()
	ada.live().reads(testid("room-name"), "Among friends")
	code := strings.TrimSpace(ada.text(testid("invite-code", " strong")))
	open := s.Create("chess", nil)

	bob := b.person("Bob").visit(s.URL)
	bob.sees(testid("room-row", fmt.Sprintf("[data-room=%q]", open.ID)))
	if bob.count(testid("room-row", fmt.Sprintf("[data-room=%q]", id))) != 0 {
		t.Error("the lobby lists a private room")
	}
	bob.write(testid("join-input"), "nosuchcode")
	bob.click(testid("join-button"))
	bob.reads(testid("join-problem"), "No room has this code")
	bob.write(testid("join-input"), strings.ToUpper(code[:4])+"-"+code[4:])
	bob.click(testid("join-button"))
	if joined := bob.room(); joined != id {
		t.Errorf("the code leads to %s, not %s", joined, id)
	}
	bob.live()
	ada.until(`document.querySelectorAll("[data-testid=seat]").length === 2`)

	eve := b.person("Eve").visit(s.URL + "/play/" + id)
	eve.told("code")
	eve.write(testid("code-input"), code[:2]+" "+strings.ToUpper(code[2:]))
	eve.click(`[data-testid="notice"] button[type="submit"]`)
	eve.told("forbidden") // the seats are taken by now
}

// browserRejected changes a move on its way so that the room refuses it. The piece goes back, and the page says why.
func browserRejected(t *testing.T, shared *browser) {
	t.Parallel()
	s := newPages(t)
	b := shared.on(t)
	two, _ := b.seatChess(s, s.URL)
	two[0].value(`{ const send = WebSocket.prototype.send; WebSocket.prototype.send = function (data) { send.call(this, data.replace("e2e4", "e2e5")) } }`, nil)
	two[0].move("e2e4")
	two[0].sees(testid("toast", `[data-kind="bad"]`))
	if why := two[0].text(testid("toast")); !e2e.Mentions(why, "pawn on e2 cannot go to e5") {
		t.Errorf("the reason is %q", why)
	}
	two[0].sees(`[data-square="e2"][aria-label="e2, white pawn"][data-movable]`)
	two[0].sees(`[data-square="e4"][aria-label="e4, empty"]`)
	two[0].move("d2d4")
	two[1].moved("d2d4")
}

// browserEnds visits rooms that are over and rooms and players that never existed, and uses an expired pass.
func browserEnds(t *testing.T, shared *browser) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	b := shared.on(t)
	ada := b.person("Ada").mayLose() // what is not there is 404, which browsers log
	for path, kind := range map[string]string{
		"/play/0000000000000000": "missing", "/play/no-room-id": "missing", "/results/0000000000000000": "missing",
		"/players/nobody": "missing", "/leaderboards/nothing": "missing",
	} {
		ada.visit(s.URL + path)
		ada.told(kind)
		if ada.count(`[data-testid="notice"] a[href="/"]`) != 1 {
			t.Errorf("%s leads nowhere", path)
		}
	}

	info := s.Create("tally", nil)
	ada.visit(s.URL + "/play/" + info.ID).live()
	ada.until(`document.querySelector(".plain-json") && (document.querySelector(".plain-json").open = true)`)
	ada.write(testid("plain-act"), `{"add":10}`)
	ada.run(chromedp.KeyEvent("\r"))
	ada.reads(testid("toast"), "at most 9")
	ada.write(testid("plain-act"), `{"add":3,"finish":true}`)
	ada.run(chromedp.KeyEvent("\r"))
	ada.reads(testid("result-summary"), "They counted to 3")
	s.Result(info.ID)
	bob := b.person("Bob")
	testwait.Until(t, "the room has gone", func() bool { return s.CallAdmin("GET", "/admin/v1/rooms/"+info.ID, nil, nil) == http.StatusNotFound })
	bob.visit(s.URL + "/play/" + info.ID)
	bob.told("over")
	bob.click(fmt.Sprintf(`[data-testid="notice"] a[href="/results/%s"]`, info.ID))
	bob.reads(testid("result-summary"), "They counted to 3")
}

// browserExpired uses a guest's token that the server no longer accepts.
func browserExpired(t *testing.T, shared *browser) {
	t.Parallel()
	s := newPages(t)
	b := shared.on(t)
	ada := b.person("Ada").mayLose().visit(s.URL) // 401 is logged
	ada.write(testid("name-input"), "Ada")
	ada.click(testid("name-button"))
	ada.reads(testid("me-name"), "Ada")
	before := ada.player()
	const spoil = `{ const g = JSON.parse(localStorage["roomring.guest"]); g.token = g.token.slice(0, -8) + "AAAAAAAA"; localStorage["roomring.guest"] = JSON.stringify(g) }`
	ada.value(spoil, nil)
	info := s.Create("chess", nil)
	ada.visit(s.URL + "/play/" + info.ID)
	ada.told("expired")
	ada.click(testid("new-guest"))
	ada.live()
	if now := ada.player(); now == before {
		t.Error("the new guest is the old one")
	}
	ada.reads(testid("seat"), "Ada")

	before = ada.player()
	ada.value(spoil, nil)
	ada.visit(s.URL)
	ada.click(testid("game-card", `[data-game="snakes"] `, testid("quick-match")))
	ada.click(testid("expired", " ", testid("new-guest")))
	ada.room()
	ada.live()
	if now := ada.player(); now == before {
		t.Error("the second new guest is the first one")
	}
}
